"""Which permission each operation needs, and where.

Owns the one table of that, and how the project of a request is found: the body's when something is created, the
record's (for what is in a cluster or a secret, that one's) for one thing, the query's for a list. A test holds the table
complete. `permission_sets` says which set has which permission, `access` asks both.

The resources and actions are those of the real API's refusals where these are known (`list secret`), and guesses in the
same style elsewhere.
"""

from collections.abc import Callable
from enum import Enum

from sandbox.scaleway.common import CLUSTERS, NAMESPACES, PRIVATE_NETWORKS, SECRETS, SSH_KEYS, VPCS, Fields
from sandbox.scaleway.instance_servers import node_of
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.scaleway.k8s_state import ACLS, POOLS
from sandbox.scaleway.vpc import CUSTOM_ROUTES
from sandbox.web import Call


class Scope(Enum):
    """Where a permission is needed, other than in one project."""

    ORGANIZATION = "the whole organization"
    ANYWHERE = "any project, or the organization"


Place = Scope | str  # a string is a project's id
Finder = Callable[[Call], Place]


def _organization(call: Call) -> Place:
    return Scope.ORGANIZATION


def _anywhere(call: Call) -> Place:
    """For catalogs, which are in no project."""
    return Scope.ANYWHERE


def _body(call: Call) -> Place:
    """Without a project the handler refuses the body: a 400 is more use than a 403, and nothing is created."""
    fields = Fields(call.body)
    return fields.text("project_id") or fields.text("organization_id") or Scope.ANYWHERE


def _vpc_of_body(call: Call) -> Place:
    """The project of the VPC that the body names. An unknown one is the handler's 404."""
    vpc = call.store.get(VPCS, Fields(call.body).text("vpc_id"))
    return Scope.ANYWHERE if vpc is None else str(vpc["project_id"])


def _query(call: Call) -> Place:
    """A list without a project is one of the whole organization.

    The real API refuses it to a caller whose rules name projects, as Scaleway said in 2026 (scaleway-cli issue 5686);
    before that it answered what the caller could see.
    """
    return call.query.get("project_id") or Scope.ORGANIZATION


def _record(table: str, *, parent: tuple[str, str] | None = None, argument: str = "id") -> Finder:
    """The project of the route's record. `parent` is the field and the table of what it belongs to.

    An unknown one is in no project: who has the permission somewhere gets the handler's 404.
    """

    def find(call: Call) -> Place:
        record = call.store.get(table, call.args[argument])
        if record is not None and parent is not None:
            field, parents = parent
            record = call.store.get(parents, record[field])
        return Scope.ANYWHERE if record is None else str(record["project_id"])

    return find


def _server(call: Call) -> Place:
    """The project of the cluster whose node the server is."""
    node = node_of(call.store, call.args["server_id"], call.args["zone"])
    cluster = None if node is None else call.store.get(CLUSTERS, node["cluster_id"])
    return Scope.ANYWHERE if cluster is None else str(cluster["project_id"])


_cluster, _secret = _record(CLUSTERS), _record(SECRETS)
_pool = _record(POOLS, parent=("cluster_id", CLUSTERS))
_node = _record(NODES, parent=("cluster_id", CLUSTERS))
_acl = _record(ACLS, parent=("_cluster_id", CLUSTERS), argument="acl_id")
_ssh_key, _route = _record(SSH_KEYS), _record(CUSTOM_ROUTES, parent=("vpc_id", VPCS))
_namespace, _vpc, _network = _record(NAMESPACES), _record(VPCS), _record(PRIVATE_NETWORKS)

OPERATIONS: dict[str, tuple[str, Finder]] = {
    "account.CreateProject": ("account:project:create", _organization),
    "account.ListProjects": ("account:project:list", _organization),
    "account.GetProject": ("account:project:read", _organization),
    "account.UpdateProject": ("account:project:write", _organization),
    "account.DeleteProject": ("account:project:delete", _organization),
    "iam.CreateApplication": ("iam:application:create", _organization),
    "iam.ListApplications": ("iam:application:list", _organization),
    "iam.GetApplication": ("iam:application:read", _organization),
    "iam.UpdateApplication": ("iam:application:write", _organization),
    "iam.DeleteApplication": ("iam:application:delete", _organization),
    "iam.CreateAPIKey": ("iam:api_key:create", _organization),
    "iam.ListAPIKeys": ("iam:api_key:list", _organization),
    "iam.GetAPIKey": ("iam:api_key:read", _organization),
    "iam.UpdateAPIKey": ("iam:api_key:write", _organization),
    "iam.DeleteAPIKey": ("iam:api_key:delete", _organization),
    "iam.CreateSSHKey": ("iam:ssh_key:create", _body),
    "iam.ListSSHKeys": ("iam:ssh_key:list", _query),
    "iam.GetSSHKey": ("iam:ssh_key:read", _ssh_key),
    "iam.UpdateSSHKey": ("iam:ssh_key:write", _ssh_key),
    "iam.DeleteSSHKey": ("iam:ssh_key:delete", _ssh_key),
    "iam.CreateUser": ("iam:user:create", _organization),
    "iam.UpdateUser": ("iam:user:write", _organization),
    "iam.UpdateUserUsername": ("iam:user:write", _organization),
    "iam.DeleteUser": ("iam:user:delete", _organization),
    "iam.ListUsers": ("iam:user:list", _organization),
    "iam.GetUser": ("iam:user:read", _organization),
    "iam.CreateGroup": ("iam:group:create", _organization),
    "iam.ListGroups": ("iam:group:list", _organization),
    "iam.GetGroup": ("iam:group:read", _organization),
    "iam.UpdateGroup": ("iam:group:write", _organization),
    "iam.DeleteGroup": ("iam:group:delete", _organization),
    "iam.SetGroupMembers": ("iam:group:write", _organization),
    "iam.AddGroupMember": ("iam:group:write", _organization),
    "iam.AddGroupMembers": ("iam:group:write", _organization),
    "iam.RemoveGroupMember": ("iam:group:write", _organization),
    "iam.CreatePolicy": ("iam:policy:create", _organization),
    "iam.ListPolicies": ("iam:policy:list", _organization),
    "iam.GetPolicy": ("iam:policy:read", _organization),
    "iam.UpdatePolicy": ("iam:policy:write", _organization),
    "iam.DeletePolicy": ("iam:policy:delete", _organization),
    "iam.ListRules": ("iam:policy:read", _organization),
    "iam.SetRules": ("iam:policy:write", _organization),
    "iam.ListPermissionSets": ("iam:permission_set:list", _organization),
    "instance.GetServer": ("instance:server:read", _server),
    "instance.ListServersTypes": ("instance:server_type:list", _anywhere),
    "ipam.ListIPs": ("ipam:ip:list", _query),
    "k8s.CreateCluster": ("k8s:cluster:create", _body),
    "k8s.ListClusters": ("k8s:cluster:list", _query),
    "k8s.GetCluster": ("k8s:cluster:read", _cluster),
    "k8s.UpdateCluster": ("k8s:cluster:write", _cluster),
    "k8s.DeleteCluster": ("k8s:cluster:delete", _cluster),
    "k8s.UpgradeCluster": ("k8s:cluster:write", _cluster),
    "k8s.SetClusterType": ("k8s:cluster:write", _cluster),
    "k8s.GetClusterKubeConfig": ("k8s:kubeconfig:read", _cluster),
    "k8s.ListClusterACLRules": ("k8s:acl:list", _cluster),
    "k8s.SetClusterACLRules": ("k8s:acl:write", _cluster),
    "k8s.AddClusterACLRules": ("k8s:acl:write", _cluster),
    "k8s.DeleteACLRule": ("k8s:acl:delete", _acl),
    "k8s.ListVersions": ("k8s:version:list", _anywhere),
    "k8s.GetVersion": ("k8s:version:read", _anywhere),
    "k8s.ListClusterAvailableVersions": ("k8s:version:list", _cluster),
    "k8s.CreatePool": ("k8s:pool:create", _cluster),
    "k8s.ListPools": ("k8s:pool:list", _cluster),
    "k8s.GetPool": ("k8s:pool:read", _pool),
    "k8s.UpdatePool": ("k8s:pool:write", _pool),
    "k8s.DeletePool": ("k8s:pool:delete", _pool),
    "k8s.UpgradePool": ("k8s:pool:write", _pool),
    "k8s.SetPoolLabels": ("k8s:pool:write", _pool),
    "k8s.SetPoolTaints": ("k8s:pool:write", _pool),
    "k8s.SetPoolStartupTaints": ("k8s:pool:write", _pool),
    "k8s.ListNodes": ("k8s:node:list", _cluster),
    "k8s.GetNode": ("k8s:node:read", _node),
    "k8s.ReplaceNode": ("k8s:node:write", _node),
    "k8s.DeleteNode": ("k8s:node:delete", _node),
    "registry.CreateNamespace": ("registry:namespace:create", _body),
    "registry.ListNamespaces": ("registry:namespace:list", _query),
    "registry.GetNamespace": ("registry:namespace:read", _namespace),
    "registry.UpdateNamespace": ("registry:namespace:write", _namespace),
    "registry.DeleteNamespace": ("registry:namespace:delete", _namespace),
    # Versions have no permissions of their own: Scaleway says "secrets and their versions" of each set.
    "secret.CreateSecret": ("secret_manager:secret:create", _body),
    "secret.ListSecrets": ("secret_manager:secret:list", _query),
    "secret.GetSecret": ("secret_manager:secret:read", _secret),
    "secret.UpdateSecret": ("secret_manager:secret:write", _secret),
    "secret.DeleteSecret": ("secret_manager:secret:delete", _secret),
    "secret.RestoreSecret": ("secret_manager:secret:restore", _secret),
    "secret.ProtectSecret": ("secret_manager:secret:write", _secret),
    "secret.UnprotectSecret": ("secret_manager:secret:write", _secret),
    "secret.CreateSecretVersion": ("secret_manager:secret:create", _secret),
    "secret.ListSecretVersions": ("secret_manager:secret:list", _secret),
    "secret.GetSecretVersion": ("secret_manager:secret:read", _secret),
    "secret.UpdateSecretVersion": ("secret_manager:secret:write", _secret),
    "secret.DeleteSecretVersion": ("secret_manager:secret:delete", _secret),
    "secret.AccessSecretVersion": ("secret_manager:secret:access", _secret),
    "secret.EnableSecretVersion": ("secret_manager:secret:write", _secret),
    "secret.DisableSecretVersion": ("secret_manager:secret:write", _secret),
    "vpc.CreateVPC": ("vpc:vpc:create", _body),
    "vpc.ListVPCs": ("vpc:vpc:list", _query),
    "vpc.GetVPC": ("vpc:vpc:read", _vpc),
    "vpc.UpdateVPC": ("vpc:vpc:write", _vpc),
    "vpc.DeleteVPC": ("vpc:vpc:delete", _vpc),
    "vpc.EnableRouting": ("vpc:vpc:write", _vpc),
    "vpc.EnableCustomRoutesPropagation": ("vpc:vpc:write", _vpc),
    "vpc.CreateRoute": ("vpc:route:create", _vpc_of_body),
    "vpc.ListRoutes": ("vpc:route:list", _query),
    "vpc.GetRoute": ("vpc:route:read", _route),
    "vpc.UpdateRoute": ("vpc:route:write", _route),
    "vpc.DeleteRoute": ("vpc:route:delete", _route),
    "vpc.GetACL": ("vpc:acl:read", _vpc),
    "vpc.SetACL": ("vpc:acl:write", _vpc),
    "vpc.CreatePrivateNetwork": ("vpc:private_network:create", _body),
    "vpc.ListPrivateNetworks": ("vpc:private_network:list", _query),
    "vpc.GetPrivateNetwork": ("vpc:private_network:read", _network),
    "vpc.UpdatePrivateNetwork": ("vpc:private_network:write", _network),
    "vpc.DeletePrivateNetwork": ("vpc:private_network:delete", _network),
}
