"""The sections of the settings: each key with its type, range, default, meaning, and what goes wrong without it.

Owns the rules that concern one key. Does not own rules between keys, nor reading: `settings.py` does.
"""

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DNS_LABEL = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def setting(default: Any = ..., *, about: str, consequence: str, example: object = None, **rules: Any) -> Any:
    """A field with what its documentation and its error need. `consequence` completes "…, or"."""
    examples = [example if example is not None else default] if example is not None or default is not ... else None
    return Field(default, description=about, examples=examples, json_schema_extra={"consequence": consequence}, **rules)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


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

    devops: ProjectSettings = setting(
        about="Holds the runners' cluster and its network.",
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


def _network_address(value: str) -> str:
    try:
        IPv4Network(value)
    except ValueError:
        raise ValueError("must be the address of a network, without bits of a host") from None
    return value


class NetworkSettings(Section):
    """The private network that the cluster is attached to."""

    ipv4_subnet: Annotated[str, AfterValidator(_network_address)] = setting(
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
    """The Kapsule cluster that runs the runners."""

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
    auto_upgrade: AutoUpgradeSettings = setting(
        AutoUpgradeSettings(), about="Maintenance window.", consequence="known holes stay open"
    )
    autoscaler: AutoscalerSettings = setting(
        AutoscalerSettings(), about="Autoscaler settings.", consequence="pools do not shrink"
    )


_NODE_TYPE = r"^[A-Z0-9]+(-[A-Z0-9]+)+$"


class SystemPoolSettings(Section):
    """The pool without taints: DNS, network plugin, metrics and the runners' managers run here."""

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


class KubernetesSettings(Section):
    """What jobs find in the cluster."""

    service_account: str = setting(
        "app-deployer",
        about="Service account of the job pods.",
        consequence="Kubernetes refuses it",
        pattern=DNS_LABEL,
        max_length=63,
    )
    app_kubeconfig: str | None = setting(
        None,
        about="Name of an existing secret in the jobs' namespace whose key `config` is mounted as /root/.kube/config.",
        consequence="job pods wait for it and never start",
        example="dev-kapsule-config",
        pattern=DNS_LABEL,
    )


class RunnerSettings(Section):
    """A GitLab runner with a credential of its own."""

    name: str = setting(
        "deploy",
        about="Purpose of the runner.",
        consequence="its resources have no name",
        pattern=DNS_LABEL,
        max_length=20,
    )
    permission_sets: tuple[str, ...] = setting(
        ("ContainerRegistryFullAccess", "KubernetesFullAccess", "PrivateNetworksFullAccess", "VPCFullAccess"),
        about="What its key may do in the target project (IAM permission sets).",
        consequence="every job is refused by Scaleway",
        min_length=1,
    )
    protected: bool = setting(
        True, about="Whether it runs jobs of protected branches only.", consequence="any branch could use its key"
    )
    concurrent: int = setting(10, about="Jobs at a time.", consequence="the runner does not start", ge=1, le=500)
    job_timeout_seconds: int = setting(
        3600, about="Longest a job may take (seconds).", consequence="GitLab refuses the runner", ge=600, le=86400
    )
    poll_timeout_seconds: int = setting(
        180,
        about="How long a job pod may wait for a node (seconds); 600 when the pool scales from zero.",
        consequence="jobs fail while a node starts",
        ge=30,
        le=3600,
    )
    image: str = setting(
        "alpine:3.22",
        about="Image of jobs that name none.",
        consequence="such jobs fail",
        pattern=r"^[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$",
    )
    helper_image: str = setting(
        "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v18.9.0",
        about="Image of the helper container; the runner's own version.",
        consequence="jobs fail before they start",
        pattern=r"^[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$",
    )
    cpu_request: str = setting(
        "500m",
        about="CPU of the build container (Kubernetes quantity).",
        consequence="Kubernetes refuses job pods",
        pattern=r"^[0-9]+m?$",
    )
    memory_request: str = setting(
        "1Gi",
        about="Memory of the build container (Kubernetes quantity).",
        consequence="Kubernetes refuses job pods",
        pattern=r"^[0-9]+(Mi|Gi)$",
    )
    service_cpu_request: str = setting(
        "100m", about="CPU of each service container.", consequence="Kubernetes refuses job pods", pattern=r"^[0-9]+m?$"
    )
    service_memory_request: str = setting(
        "128Mi",
        about="Memory of each service container.",
        consequence="Kubernetes refuses job pods",
        pattern=r"^[0-9]+(Mi|Gi)$",
    )
    helper_cpu_request: str = setting(
        "100m", about="CPU of the helper container.", consequence="Kubernetes refuses job pods", pattern=r"^[0-9]+m?$"
    )
    helper_memory_request: str = setting(
        "128Mi",
        about="Memory of the helper container.",
        consequence="Kubernetes refuses job pods",
        pattern=r"^[0-9]+(Mi|Gi)$",
    )


class RunnerChartSettings(Section):
    """The Helm chart of the runner."""

    version: str = setting(
        "0.86.0",
        about="Exact version of the chart.",
        consequence="an update changes it unseen",
        pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$",
    )
    repository: str = setting(
        "https://charts.gitlab.io",
        about="Chart repository; $GITLAB_RUNNER_CHART_REPOSITORY wins over it (a mirror, or the sandbox).",
        consequence="Helm finds no chart",
        pattern=r"^https?://[^\s]+$",
    )


AccessLevel = Literal["no one", "developer", "maintainer"]


class BranchSettings(Section):
    """The environment's branch and who may change it."""

    name: str = setting(
        about="Branch that this environment follows.",
        consequence="nothing is protected",
        example="main",
        pattern=r"^[\w][\w./-]*$",
    )
    merge_access_level: AccessLevel = setting(
        "maintainer", about="Who may merge to it.", consequence="GitLab refuses the protection"
    )
    push_access_level: AccessLevel = setting(
        "no one", about="Who may push to it past a merge request.", consequence="GitLab refuses the protection"
    )


class PromotionTokenSettings(Section):
    """The project access token with which a pipeline opens the next merge request."""

    access_level: Literal["developer", "maintainer"] = setting(
        "developer", about="Its role.", consequence="GitLab refuses it"
    )
    expiration_days: int = setting(90, about="Life of the token (days).", consequence="GitLab refuses it", ge=7, le=365)
    rotate_before_days: int = setting(
        30,
        about="How long before its end `pulumi up` renews it (days).",
        consequence="it ends between two runs",
        ge=1,
        le=180,
    )


class GitlabSettings(Section):
    """The GitLab project that this environment serves."""

    project: str = setting(
        about="Path of the project, with its groups.",
        consequence="GitLab finds no project",
        example="acme/app",
        pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$",
    )
    enterprise: bool = setting(
        True,
        about="Whether GitLab is the Enterprise distribution (GitLab.com is, on the Free tier too): protections differ.",
        consequence="GitLab's provider refuses the branch protection",
    )
    url: str = setting(
        "https://gitlab.com/",
        about="Address that runners register at.",
        consequence="runners find no GitLab",
        pattern=r"^https?://[^\s]+/$",
    )
    branch: BranchSettings = setting(about="The environment's branch.", consequence="nothing is protected")
    mailing_list_user_id: int = setting(
        about="Id of the user who is assigned promotion requests.", consequence="nobody hears of them", ge=1, example=2
    )
    promotion_token: PromotionTokenSettings = setting(
        PromotionTokenSettings(), about="The promotion token.", consequence="no promotion opens"
    )
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = setting(
        {}, about="Further CI variables of the environment; never a credential.", consequence="GitLab refuses them"
    )
