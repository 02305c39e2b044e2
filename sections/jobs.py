"""Settings of the runners and of what their jobs find in the cluster."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from sections.base import DNS_LABEL, STACK_NAME, UUID, Section, ipv4_network, number, setting
from sections.gitlab import ProjectPath


class RoleRuleSettings(Section):
    """One rule of a Kubernetes role."""

    api_groups: tuple[str, ...] = setting(
        ("",), about="API groups; empty text is the core.", consequence="it allows nothing", min_length=1
    )
    resources: tuple[str, ...] = setting(
        about="Resources.", consequence="it allows nothing", example=("deployments",), min_length=1
    )
    verbs: tuple[str, ...] = setting(about="Verbs.", consequence="it allows nothing", example=("get",), min_length=1)


class KubernetesSettings(Section):
    """What jobs find in the cluster."""

    service_account: str = setting(
        "app-deployer",
        about="Service account of the job pods.",
        consequence="Kubernetes refuses it",
        pattern=DNS_LABEL,
        max_length=63,
    )
    deployer_rules: tuple[RoleRuleSettings, ...] = setting(
        (),
        about="What the job pods' service account may do in their namespace; nothing unless said.",
        consequence="Kubernetes refuses the role",
        max_length=50,
    )
    container_memory_limit: str = setting(
        "8Gi",
        about="Most memory of a job's container (Kubernetes quantity).",
        consequence="one job can starve a node",
        pattern=r"^[0-9]+(Mi|Gi)$",
    )
    egress_ports: tuple[Annotated[int, Field(ge=1, le=65535), BeforeValidator(number)], ...] = setting(
        (22, 80, 443, 6443),
        about="TCP ports that jobs and managers may reach outside: Git, registries, Scaleway, API servers.",
        consequence="jobs reach nothing",
        min_length=1,
    )
    egress_blocked_cidrs: tuple[Annotated[str, AfterValidator(ipv4_network)], ...] = setting(
        ("100.64.0.0/15", "169.254.0.0/16"),
        about="IPv4 ranges that they may not reach: other pods (Kapsule's range), the nodes' metadata service.",
        consequence="a job reads its node's credentials",
        example=("169.254.0.0/16", "100.64.0.0/15"),  # the consequence's range first: one item's fix takes the first
        min_length=1,
    )


class AppClusterSettings(Section):
    """The cluster that pipelines deploy to; runners with `appClusterRules` get a kubeconfig for it in /root/.kube."""

    cluster_id: str | None = setting(
        None,
        about="Regional id of the cluster.",
        consequence="there is no such cluster",
        example="fr-par/11111111-2222-3333-4444-555555555555",
        pattern=r"^[a-z]{2}-[a-z]{3}/" + UUID.removeprefix("^"),
    )
    stack: str | None = setting(
        None,
        about="Instead: a stack whose output `clusterId` is that id (`organization/project/stack`).",
        consequence="there is no such cluster",
        example="acme/app-cluster/dev",
        pattern=STACK_NAME,
        max_length=200,
    )
    namespace: str = setting(
        "apps",
        about="Namespace in that cluster that pipelines deploy to; this stack makes it.",
        consequence="Kubernetes refuses it",
        pattern=DNS_LABEL,
        max_length=63,
    )


class RotationSettings(Section):
    """When keys change. A scheduled `pulumi up` at least once a period carries it out."""

    days: int = setting(30, about="A new key every so many days.", consequence="keys live too long", ge=2, le=90)
    overlap_days: int = setting(
        2,
        about="How long the old key stays for jobs that still hold it (days, less than `days`).",
        consequence="jobs in flight lose their key",
        ge=1,
        le=30,
    )
    serial: int = setting(
        0,
        about="Count it up when a key has leaked: all keys are new and the old ones die in the same run.",
        consequence="the leaked key lives on",
        ge=0,
        le=1_000_000,
    )


class StateBackendSettings(Section):
    """Pulumi's state in Object Storage, reached by pipelines with the mounted key."""

    bucket: str = setting(
        about="An existing bucket.",
        consequence="pipelines find no state",
        example="acme-pulumi-state",
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    )
    project_id: str = setting(
        about="The bucket's project (UUID).",
        consequence="the key may not read the state",
        example="11111111-2222-3333-4444-555555555555",
        pattern=UUID,
    )
    region: Literal["fr-par", "nl-ams", "pl-waw"] = setting(
        "fr-par", about="The bucket's region.", consequence="pipelines find no state"
    )

    @property
    def url(self) -> str:
        """What `pulumi login` takes."""
        return f"s3://{self.bucket}?endpoint=s3.{self.region}.scw.cloud&region={self.region}"


class RunnerSettings(Section):
    """A GitLab runner with a credential of its own."""

    name: str = setting(
        "deploy",
        about="Purpose of the runner; two hyphens on end come before a project in names.",
        consequence="its resources have no name of their own",
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=20,
    )
    permission_sets: tuple[str, ...] = setting(
        ("ContainerRegistryFullAccess", "KubernetesFullAccess", "PrivateNetworksFullAccess", "VPCFullAccess"),
        about="What its key may do in the target project (IAM permission sets).",
        consequence="every job is refused by Scaleway",
        min_length=1,
    )
    app_cluster_rules: tuple[RoleRuleSettings, ...] = setting(
        (),
        about="What its jobs may do in the namespace of `appCluster`; nothing: they get no kubeconfig.",
        consequence="Kubernetes refuses the role",
        example=[{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "get", "patch"]}],
        max_length=50,
    )
    condition: str | None = setting(
        None,
        about="CEL condition under which the key may do it, on request.ip, request.time and request.user_agent.",
        consequence="Scaleway refuses the policy",
        example='request.time < timestamp("2030-01-01T00:00:00Z")',
        min_length=1,
        max_length=2000,
    )
    given_key: bool = setting(
        False,
        about="Whether its key is no work of this program: a person puts it into the secret that its jobs mount, for a "
        "pipeline that needs more than one project, as the one that runs this program does.",
        consequence="it is not clear who makes the key",
    )
    projects: tuple[ProjectPath, ...] = setting(
        (),
        about="Paths of the GitLab projects that it serves, of `gitlab.project` and `gitlab.furtherProjects`; all.",
        consequence="jobs of other projects find its key",
        example=("acme/platform",),
        max_length=50,
    )
    tag: str | None = setting(
        None,
        about="What jobs name in `tags:`; default k8s-ENV-runner for `deploy`, else k8s-ENV-NAME-runner.",
        consequence="no job finds it",
        example="k8s-dev-runner",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
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
