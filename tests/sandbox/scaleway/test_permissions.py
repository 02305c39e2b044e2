"""What rules allow, without a server: the tables of operations and permission sets, and how rules add up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.scaleway import make_service
from sandbox.scaleway.access import permitted
from sandbox.scaleway.conditions import Attributes
from sandbox.scaleway.operations import OPERATIONS, Place, Scope
from sandbox.scaleway.permission_sets import SCOPES, allows, shown

REQUEST = Attributes(ip="192.0.2.7", time=datetime(2026, 5, 4, 15, 0, tzinfo=UTC), user_agent="pulumi/3")

PROJECTS = {
    "read": "account.ListProjects account.GetProject",
    "write": "account.CreateProject account.UpdateProject account.DeleteProject",
}
POLICIES = {
    "read": "iam.ListPolicies iam.GetPolicy iam.ListRules iam.ListPermissionSets",
    "write": "iam.CreatePolicy iam.UpdatePolicy iam.DeletePolicy iam.SetRules",
}
GROUPS = {
    "read": "iam.ListGroups iam.GetGroup",
    "write": "iam.CreateGroup iam.UpdateGroup iam.DeleteGroup iam.SetGroupMembers iam.AddGroupMember"
    " iam.AddGroupMembers iam.RemoveGroupMember",
}
APPLICATIONS = {
    "read": "iam.ListApplications iam.GetApplication",
    "write": "iam.CreateApplication iam.UpdateApplication iam.DeleteApplication",
}
KEYS = {
    "read": "iam.ListAPIKeys iam.GetAPIKey",
    "write": "iam.CreateAPIKey iam.UpdateAPIKey iam.DeleteAPIKey",
}
USERS = {
    "read": "iam.ListUsers iam.GetUser",
    "write": "iam.CreateUser iam.UpdateUser iam.UpdateUserUsername iam.DeleteUser",
}
SSH_KEYS = {
    "read": "iam.ListSSHKeys iam.GetSSHKey",
    "write": "iam.CreateSSHKey iam.UpdateSSHKey iam.DeleteSSHKey",
}
IAM_READ = " ".join(part["read"] for part in (POLICIES, GROUPS, APPLICATIONS, KEYS, USERS, SSH_KEYS))
IAM_WRITE = " ".join(part["write"] for part in (POLICIES, GROUPS, APPLICATIONS, KEYS, USERS, SSH_KEYS))
KUBERNETES = {
    "read": "k8s.ListClusters k8s.GetCluster k8s.GetClusterKubeConfig k8s.ListClusterACLRules k8s.ListVersions"
    " k8s.GetVersion k8s.ListClusterAvailableVersions k8s.ListPools k8s.GetPool k8s.ListNodes k8s.GetNode"
    " instance.ListServersTypes",
    "write": "k8s.CreateCluster k8s.UpdateCluster k8s.DeleteCluster k8s.UpgradeCluster k8s.SetClusterType"
    " k8s.SetClusterACLRules k8s.AddClusterACLRules k8s.DeleteACLRule k8s.CreatePool k8s.UpdatePool k8s.DeletePool"
    " k8s.UpgradePool k8s.SetPoolLabels k8s.SetPoolTaints k8s.SetPoolStartupTaints k8s.ReplaceNode k8s.DeleteNode",
}
VPC = {
    "read": "vpc.ListVPCs vpc.GetVPC vpc.ListRoutes vpc.GetRoute vpc.GetACL",
    "write": "vpc.CreateVPC vpc.UpdateVPC vpc.DeleteVPC vpc.EnableRouting vpc.EnableCustomRoutesPropagation"
    " vpc.CreateRoute vpc.UpdateRoute vpc.DeleteRoute vpc.SetACL",
}
NETWORKS = {
    "read": "vpc.ListPrivateNetworks vpc.GetPrivateNetwork",
    "write": "vpc.CreatePrivateNetwork vpc.UpdatePrivateNetwork vpc.DeletePrivateNetwork",
}
REGISTRY = {
    "read": "registry.ListNamespaces registry.GetNamespace",
    "write": "registry.CreateNamespace registry.UpdateNamespace registry.DeleteNamespace",
}
SECRETS = {
    "read": "secret.ListSecrets secret.GetSecret secret.ListSecretVersions secret.GetSecretVersion",
    "create": "secret.CreateSecret secret.CreateSecretVersion",
    "write": "secret.UpdateSecret secret.ProtectSecret secret.UnprotectSecret secret.UpdateSecretVersion"
    " secret.EnableSecretVersion secret.DisableSecretVersion",
    "delete": "secret.DeleteSecret secret.DeleteSecretVersion",
    "restore": "secret.RestoreSecret",
    "access": "secret.AccessSecretVersion",
}
PRODUCTS = (KUBERNETES, VPC, NETWORKS, REGISTRY)
ALL_READ = " ".join([p["read"] for p in (*PRODUCTS, SECRETS)] + ["ipam.ListIPs instance.GetServer"])

# Everything that a set allows; what is not in the line is refused.
ALLOWED = {
    "KubernetesFullAccess": " ".join(KUBERNETES.values()),
    "KubernetesReadOnly": KUBERNETES["read"],
    "VPCFullAccess": " ".join(VPC.values()),
    "VPCReadOnly": VPC["read"],
    "PrivateNetworksFullAccess": " ".join(NETWORKS.values()),
    "PrivateNetworksReadOnly": NETWORKS["read"],
    "ContainerRegistryFullAccess": " ".join(REGISTRY.values()),
    "ContainerRegistryReadOnly": REGISTRY["read"],
    "SecretManagerFullAccess": " ".join(SECRETS.values()),
    "SecretManagerReadOnly": SECRETS["read"],
    "SecretManagerSecretAccess": SECRETS["access"],
    "SecretManagerSecretCreate": SECRETS["create"],
    "SecretManagerSecretWrite": SECRETS["write"],
    "SecretManagerSecretDelete": SECRETS["delete"],
    "SecretManagerSecretRestore": SECRETS["restore"],
    "InstancesFullAccess": "instance.ListServersTypes instance.GetServer",
    "InstancesReadOnly": "instance.ListServersTypes instance.GetServer",
    "SSHKeysFullAccess": " ".join(SSH_KEYS.values()),
    "SSHKeysReadOnly": SSH_KEYS["read"],
    "IPAMFullAccess": "ipam.ListIPs",
    "IPAMReadOnly": "ipam.ListIPs",
    "AllProductsFullAccess": " ".join([ALL_READ, *(" ".join(p.values()) for p in (*PRODUCTS, SECRETS))]),
    "AllProductsReadOnly": ALL_READ,
    "IAMManager": f"{IAM_READ} {IAM_WRITE} {' '.join(PROJECTS.values())}",
    "IAMReadOnly": IAM_READ,
    "IAMApplicationManager": " ".join(APPLICATIONS.values()),
    "IAMApplicationReadOnly": APPLICATIONS["read"],
    "IAMGroupManager": " ".join(GROUPS.values()),
    "IAMGroupReadOnly": GROUPS["read"],
    "IAMPolicyManager": " ".join(POLICIES.values()),
    "IAMPolicyReadOnly": POLICIES["read"],
    "IAMUserManager": " ".join(USERS.values()),
    "IAMUserReadOnly": USERS["read"],
    "OrganizationManager": f"{IAM_READ} {IAM_WRITE} {' '.join(PROJECTS.values())}",
    "ProjectManager": " ".join(PROJECTS.values()),
    "ProjectReadOnly": PROJECTS["read"],
}


def test_the_table_has_every_route_of_the_service_and_no_other(server: Any) -> None:
    routes = make_service(server.store, server.planes, server.requests).routes
    assert {r.operation for r in routes if not r.public} == set(OPERATIONS)


def test_what_only_reads_is_a_get_and_what_is_a_get_only_reads(server: Any) -> None:
    for route in make_service(server.store, server.planes, server.requests).routes:
        if route.public:
            continue
        reads = OPERATIONS[route.operation][0].rpartition(":")[2] in ("list", "read", "access")
        assert reads is (route.method == "GET"), route.operation


@pytest.mark.parametrize("name", SCOPES)
def test_what_a_permission_set_allows(name: str) -> None:
    allowed = {operation for operation, (permission, _) in OPERATIONS.items() if allows(name, permission)}
    assert allowed == set(ALLOWED.get(name, "").split())


def test_the_sets_that_allow_something_are_known() -> None:
    assert set(ALLOWED) <= set(SCOPES)
    assert not allows("NoSuchSet", "k8s:cluster:read")


def test_a_set_of_the_organization_reaches_no_product_and_the_other_way_round() -> None:
    of_projects = set(" ".join(SSH_KEYS.values()).split())  # in IAM's API, but of a project
    for name, kind in SCOPES.items():
        allowed = set(ALLOWED.get(name, "").split())
        assert {op.startswith(("iam.", "account.")) for op in allowed - of_projects} <= {kind == "organization"}, name


def test_ids_of_sets_are_of_their_names() -> None:
    assert shown("VPCReadOnly")["id"] == shown("VPCReadOnly")["id"] != shown("VPCFullAccess")["id"]


# How rules add up.

PERMISSIONS = sorted({permission for permission, _ in OPERATIONS.values()})
PLACES: list[Place] = ["one", "two", "three", Scope.ORGANIZATION, Scope.ANYWHERE]
HERE, ELSEWHERE = 'inIpRange(request.ip, "192.0.2.0/24")', 'request.ip == "198.51.100.1"'

rules = st.builds(
    lambda names, scope, condition: {"permission_set_names": names, "condition": condition} | scope,
    st.lists(st.sampled_from(sorted(ALLOWED)), min_size=1, max_size=3),
    st.one_of(
        st.just({"organization_id": "organization"}),
        st.lists(st.sampled_from(["one", "two"]), min_size=1, unique=True).map(lambda ids: {"project_ids": ids}),
    ),
    st.sampled_from(["", HERE, ELSEWHERE]),
)
some_rules = st.lists(rules, max_size=4)


def allowed_by(chosen: list[Any]) -> set[tuple[str, Place]]:
    return {(p, place) for p in PERMISSIONS for place in PLACES if permitted(chosen, p, place, REQUEST)}


@given(some_rules, some_rules)
def test_rules_only_ever_give(one: list[Any], other: list[Any]) -> None:
    assert allowed_by(one + other) == allowed_by(one) | allowed_by(other)


@given(some_rules)
def test_no_rule_allows_more_for_a_condition(chosen: list[Any]) -> None:
    allowed = allowed_by(chosen)
    assert allowed <= allowed_by([rule | {"condition": ""} for rule in chosen])
    assert allowed_by([rule | {"condition": ELSEWHERE} for rule in chosen]) == set()
    assert allowed_by([rule for rule in chosen if rule["condition"] != ELSEWHERE]) == allowed


@given(some_rules)
def test_the_organization_has_every_project_and_anywhere_is_some_place(chosen: list[Any]) -> None:
    allowed = allowed_by(chosen)
    for permission in PERMISSIONS:
        places = [place for place in PLACES if (permission, place) in allowed]
        if Scope.ORGANIZATION in places:
            assert places == PLACES
        assert (Scope.ANYWHERE in places) is bool(places)
        assert ("three" in places) is (Scope.ORGANIZATION in places)


def test_no_rules_allow_nothing() -> None:
    assert allowed_by([]) == set()
