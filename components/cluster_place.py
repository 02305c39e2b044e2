"""Where an environment's runners live: in a cluster of its own, or in one that another environment owns."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster import Cluster, ClusterArgs
from components.cluster_guard import ClusterGuard, ClusterGuardArgs
from components.namespace import ManagersNamespace
from components.network import Network, NetworkArgs
from components.projects import Projects
from components.shared_cluster import SharedCluster, SharedClusterArgs
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class ClusterPlace:
    """A cluster that runners can be put into. Ids are regional (`region/uuid`).

    `kubeconfig` (**secret**) is the administrator's, for the guard of a cluster that this stack owns; None where it joins.
    """

    cluster_id: pulumi.Input[str]
    name: pulumi.Input[str]
    version: pulumi.Input[str]
    api_server_url: pulumi.Input[str]
    devops_project_id: pulumi.Input[str]
    private_network_id: pulumi.Input[str]
    provider: kubernetes.Provider
    kubeconfig: pulumi.Output[str] | None


def declare_cluster(environment: Settings, projects: Projects) -> ClusterPlace:
    """Network and cluster of the environment, or the owner's where `cluster.mode` is shared."""
    if environment.cluster.owner_stack is not None:
        joined = SharedCluster(
            "cluster",
            SharedClusterArgs(
                owner_stack=environment.cluster.owner_stack,
                environment=environment.environment,
                region=environment.scaleway.region,
            ),
        )
        return ClusterPlace(
            cluster_id=joined.cluster_id,
            name=joined.name,
            version=joined.version,
            api_server_url=joined.api_server_url,
            devops_project_id=joined.devops_project_id,
            private_network_id=joined.private_network_id,
            provider=joined.provider,
            kubeconfig=None,
        )
    assert projects.devops_id is not None, "settings demand it where the cluster is dedicated"
    network = Network(
        "network",
        NetworkArgs(
            settings=environment.network,
            location=environment.scaleway,
            environment=environment.environment,
            project_id=projects.devops_id,
        ),
    )
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            settings=environment.cluster,
            system_pool=environment.system_pool,
            location=environment.scaleway,
            environment=environment.environment,
            project_id=projects.devops_id,
            private_network_id=network.private_network_id,
            protected=environment.protection,
        ),
    )
    return ClusterPlace(
        cluster_id=cluster.cluster_id,
        name=environment.cluster.name,
        version=environment.cluster.version,
        api_server_url=cluster.api_server_url,
        devops_project_id=projects.devops_id,
        private_network_id=network.private_network_id,
        provider=cluster.provider,
        kubeconfig=cluster.kubeconfig,
    )


def guard(
    environment: Settings, place: ClusterPlace, managers: ManagersNamespace, everything: Sequence[pulumi.Resource]
) -> None:
    """Lets nobody destroy the environment while others live in its cluster; one that owns none needs no guard."""
    if place.kubeconfig is not None:
        ClusterGuard(
            "cluster-guard",
            ClusterGuardArgs(
                environment=environment.environment,
                stack=pulumi.get_stack(),
                namespace=managers.namespace,
                kubeconfig=place.kubeconfig,
                provider=place.provider,
                protected=environment.protection,
                after=everything,
            ),
        )
