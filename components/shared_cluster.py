"""A cluster that another environment's stack owns and this one joins."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumiverse_scaleway as scaleway

from components.cluster import kubernetes_provider

# Of the owner's outputs, those that a joining environment needs (see outputs.py).
_NEEDED = (
    "environment",
    "region",
    "clusterMode",
    "clusterId",
    "clusterName",
    "clusterVersion",
    "apiServerUrl",
    "devopsProjectId",
    "privateNetworkId",
)


class JoinError(pulumi.RunError):
    """The owner's cluster cannot be joined; the engine prints the message without a traceback."""


@dataclass(frozen=True, kw_only=True)
class SharedClusterArgs:
    """`owner_stack` names the stack whose cluster is joined; `environment` and `region` are those of the one that joins."""

    owner_stack: str
    environment: str
    region: str


class SharedCluster(pulumi.ComponentResource):
    """Another environment's cluster, read and never changed.

    Owns: the reference to the owner's stack, and a provider. Does not own the cluster, its network and its system pool (the
    owner's `Cluster` does), nor what keeps environments in it apart: taint, labels, namespaces and admission rules do.

    Outputs (none secret): `cluster_id`, `name`, `version`, `api_server_url`, `devops_project_id`, `private_network_id`, all
    the owner's; `provider`, made from the admin kubeconfig, which is secret and leaves this component by no other way.
    Raises: JoinError where the owner is not up, is itself a guest, has the same environment, or is in another region.
    Source: Pulumi, "Stack references"; whoever runs this needs to read clusters in the owner's project.
    """

    cluster_id: pulumi.Output[str]
    name: pulumi.Output[str]
    version: pulumi.Output[str]
    api_server_url: pulumi.Output[str]
    devops_project_id: pulumi.Output[str]
    private_network_id: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(self, name: str, args: SharedClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:SharedCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        reference = pulumi.StackReference(f"{name}-owner", stack_name=args.owner_stack, opts=child)
        owner = pulumi.Output.all(**{key: reference.get_output(key) for key in _NEEDED}).apply(
            lambda found: checked(found, args)
        )
        self.cluster_id, self.name, self.version = owner["clusterId"], owner["clusterName"], owner["clusterVersion"]
        self.api_server_url, self.private_network_id = owner["apiServerUrl"], owner["privateNetworkId"]
        self.devops_project_id = owner["devopsProjectId"]
        cluster = scaleway.kubernetes.Cluster.get(f"{name}-kapsule", id=self.cluster_id, opts=child)
        self.provider = kubernetes_provider(f"{name}-provider", cluster, child)
        self.register_outputs({"clusterId": self.cluster_id})


def checked(owner: Mapping[str, str | None], args: SharedClusterArgs) -> dict[str, str]:
    """The owner's outputs, all there and fit to be joined. Raises JoinError with all that is wrong."""
    stack = args.owner_stack
    if missing := [key for key in _NEEDED if not owner.get(key)]:
        raise JoinError(
            f"stack {stack} has no output {', '.join(missing)}: cluster.ownerStack must name an environment that is up, or "
            f"there is no cluster to join. Fix: pulumi up --stack {stack}"
        )
    problems = []
    if owner["clusterMode"] != "dedicated":
        problems.append(f"joins another's cluster itself (its mode is {owner['clusterMode']})")
    if owner["environment"] == args.environment:
        problems.append(f"is the environment {args.environment}, too, so that their namespaces would be the same")
    if owner["region"] != args.region:
        problems.append(
            f"is in {owner['region']}, and scaleway.region here is {args.region}: a pool lives with its cluster"
        )
    if problems:
        raise JoinError(
            f"stack {stack} cannot be joined: it {'; it '.join(problems)}. "
            "Fix: pulumi config set --path cluster.ownerStack STACK, or pulumi config set --path cluster.mode dedicated"
        )
    return {key: str(value) for key, value in owner.items()}
