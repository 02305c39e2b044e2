"""Settings of what is made at Scaleway: projects, network, cluster, pools."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from sections.base import DNS_LABEL, STACK_NAME, UUID, Section, ipv4_network, setting


class AccountSettings(Section):
    """The account that the credentials of whoever runs the program must belong to; checked before anything is declared."""

    organization_id: str | None = setting(
        None,
        about="Id (UUID) of the organization. Default: any.",
        consequence="the environment is made in another organization",
        example="11111111-2222-3333-4444-555555555555",
        pattern=UUID,
    )
    project_id: str | None = setting(
        None,
        about="Id (UUID) of the credentials' default project. Default: any.",
        consequence="the environment is made with another project's credentials",
        example="11111111-2222-3333-4444-555555555555",
        pattern=UUID,
    )


class ScalewaySettings(Section):
    """Where resources are made."""

    region: Literal["fr-par", "nl-ams", "pl-waw"] = setting(
        "fr-par", about="Scaleway region.", consequence="Scaleway refuses every request"
    )
    zone: str = setting(
        "fr-par-1",
        about="Zone of the node pools, inside the region.",
        consequence="Scaleway refuses to create the pools",
        pattern=r"^[a-z]{2}-[a-z]{3}-[1-9]$",
    )


class ProjectSettings(Section):
    """A Scaleway project: created under `name`, or taken by `id`. Exactly one of the two."""

    name: str | None = setting(
        None,
        about="Name of a project that this stack creates and owns.",
        consequence="Scaleway refuses to create the project",
        example="app-dev",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
    )
    id: str | None = setting(
        None,
        about="Id (UUID) of a project that exists; it is used and never changed.",
        consequence="Scaleway finds no such project",
        example="11111111-2222-3333-4444-555555555555",
        pattern=UUID,
    )


class ProjectsSettings(Section):
    """Three projects, so that a key for one cannot reach the others."""

    devops: ProjectSettings | None = setting(
        None,
        about="Holds the runners' cluster and its network; required where cluster.mode is dedicated.",
        consequence="the cluster has no place",
        example={"name": "devops-dev"},
    )
    target: ProjectSettings = setting(
        about="What the pipeline's key may change: applications live here.",
        consequence="the key has no scope",
        example={"name": "app-dev"},
    )
    credentials: ProjectSettings = setting(
        about="Holds the copies of the keys in Secret Manager.",
        consequence="the copies have no place of their own",
        example={"name": "credentials-dev"},
    )


class NetworkSettings(Section):
    """The private network that the cluster is attached to."""

    ipv4_subnet: Annotated[str, AfterValidator(ipv4_network)] = setting(
        "172.16.0.0/22",
        about="Its IPv4 range (CIDR, /20 to /28).",
        consequence="nodes get no address",
        pattern=r"^([0-9]{1,3}\.){3}[0-9]{1,3}/2[0-8]$",
    )


class AutoUpgradeSettings(Section):
    """When Kapsule may install patch releases of Kubernetes."""

    enabled: bool = setting(True, about="Whether it may.", consequence="known holes stay open")
    day: Literal["any", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = setting(
        "any", about="Day of the maintenance window.", consequence="Scaleway refuses the cluster"
    )
    start_hour: int = setting(
        3,
        about="Start of the two-hour window (hour, UTC, 0-23).",
        consequence="Scaleway refuses the cluster",
        ge=0,
        le=23,
    )


class AutoscalerSettings(Section):
    """How the cluster autoscaler shrinks pools whose `autoscaling` is on."""

    scale_down_delay_after_add: str = setting(
        "10m",
        about="How long after a node was added none is removed (Go duration).",
        consequence="the autoscaler ignores it",
        pattern=r"^[0-9]+[smh]$",
    )
    scale_down_unneeded_time: str = setting(
        "10m",
        about="How long a node must be idle before it is removed (Go duration).",
        consequence="the autoscaler ignores it",
        pattern=r"^[0-9]+[smh]$",
    )
    scale_down_utilization_threshold: float = setting(
        0.5,
        about="Share of requested resources (0-1) under which a node is idle.",
        consequence="no node is ever idle",
        ge=0,
        le=1,
    )
    max_graceful_termination_sec: int = setting(
        600,
        about="How long a job may go on on a node to be removed (seconds).",
        consequence="jobs are cut off",
        ge=0,
        le=86400,
    )
    expander: Literal["random", "most_pods", "least_waste", "priority", "price"] = setting(
        "least_waste", about="Which pool grows when several could.", consequence="Scaleway refuses the cluster"
    )


class ClusterSettings(Section):
    """The Kapsule cluster that runs the runners: this environment's own, or another's that it joins."""

    mode: Literal["dedicated", "shared"] = setting(
        "dedicated",
        about="Own cluster (dedicated), or the one of `ownerStack` (shared): all keys but these two are then the owner's.",
        consequence="it is not clear where runners run",
    )
    owner_stack: str | None = setting(
        None,
        about="Stack of this program whose cluster is joined: `stack`, `project/stack` or `organization/project/stack`.",
        consequence="there is no cluster to join",
        example="dev",
        pattern=STACK_NAME,
        max_length=200,
    )
    name: str = setting(
        "kapsule-devops",
        about="Name of the cluster.",
        consequence="Scaleway refuses it",
        pattern=DNS_LABEL,
        max_length=40,
    )
    version: str = setting(
        "1.35",
        about="Kubernetes version: minor (1.35, patched by auto-upgrade) or exact (1.35.3, without it).",
        consequence="Kapsule has no such version",
        pattern=r"^1\.[0-9]{2}(\.[0-9]+)?$",
    )
    type: str = setting(
        "kapsule",
        about="Kapsule offer: shared (kapsule) or dedicated control plane (kapsule-dedicated-4, …).",
        consequence="Scaleway refuses the cluster",
        pattern=r"^kapsule(-dedicated-(4|8|16))?$",
    )
    cni: Literal["cilium", "calico"] = setting(
        "cilium", about="Network plugin; both enforce network policies.", consequence="network policies do nothing"
    )
    delete_additional_resources: bool = setting(
        True,
        about="Whether deleting the cluster deletes its volumes and load balancers.",
        consequence="they stay and are billed",
    )
    api_allowed_cidrs: tuple[Annotated[str, AfterValidator(ipv4_network)], ...] = setting(
        (),
        about="IPv4 ranges that may reach the API server, beside Scaleway's own; empty: everybody may try.",
        consequence="nobody reaches the cluster",
        example=("203.0.113.0/24",),
        max_length=30,
    )
    auto_upgrade: AutoUpgradeSettings = setting(
        AutoUpgradeSettings(), about="Maintenance window.", consequence="known holes stay open"
    )
    autoscaler: AutoscalerSettings = setting(
        AutoscalerSettings(), about="Autoscaler settings.", consequence="pools do not shrink"
    )


_NODE_TYPE = r"^[A-Z0-9]+(-[A-Z0-9]+)+$"


class SystemPoolSettings(Section):
    """The pool without taints: DNS, network plugin, metrics and the runners' managers run here."""

    name: str = setting(
        "system", about="Name of the pool.", consequence="Scaleway refuses it", pattern=DNS_LABEL, max_length=30
    )
    node_type: str = setting(
        "PLAY2-NANO", about="Instance type of its nodes.", consequence="Scaleway refuses the pool", pattern=_NODE_TYPE
    )
    size: int = setting(1, about="Number of nodes.", consequence="system pods stay pending", ge=1, le=10)
    autohealing: bool = setting(True, about="Whether broken nodes are replaced.", consequence="a broken node stays")


class RunnerPoolSettings(Section):
    """The tainted pool that only this environment's job pods may use."""

    name: str = setting(
        about="Name of the pool.", consequence="Scaleway refuses it", example="dev", pattern=DNS_LABEL, max_length=30
    )
    node_type: str = setting(
        "GP1-XS", about="Instance type of its nodes.", consequence="Scaleway refuses the pool", pattern=_NODE_TYPE
    )
    size: int = setting(2, about="Number of nodes at first.", consequence="no job can run", ge=0, le=100)
    autoscaling: bool = setting(
        False, about="Whether the pool grows and shrinks with the jobs.", consequence="minSize and maxSize mean nothing"
    )
    min_size: int = setting(
        1, about="Least number of nodes when autoscaling.", consequence="Scaleway refuses it", ge=0, le=100
    )
    max_size: int = setting(
        5, about="Greatest number of nodes when autoscaling.", consequence="Scaleway refuses it", ge=1, le=100
    )
    autohealing: bool = setting(True, about="Whether broken nodes are replaced.", consequence="a broken node stays")
    root_volume_size_gb: int | None = setting(
        None,
        about="Root volume of a node (GB, 20-1000). Default: the instance type's.",
        consequence="images do not fit",
        ge=20,
        le=1000,
        example=50,
    )
