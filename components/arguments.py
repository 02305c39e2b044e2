"""Arguments that are sections of the settings. Written by `make docs` (docs/generate.py) from them."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict


class Scaleway(TypedDict):
    """Where resources are made."""

    region: NotRequired[str]
    """Scaleway region. Allowed: `fr-par`, `nl-ams`, `pl-waw`. Default: `"fr-par"`. Or else: Scaleway refuses every request."""
    zone: NotRequired[str]
    """Zone of the node pools, inside the region. Allowed: matches `^[a-z]{2}-[a-z]{3}-[1-9]$`. Default: `"fr-par-1"`. Or else: Scaleway refuses to create the pools."""


class RoleRule(TypedDict):
    """One rule of a Kubernetes role."""

    apiGroups: NotRequired[Sequence[str]]
    """API groups; empty text is the core. Allowed: at least 1 item. Default: `[""]`. Or else: it allows nothing."""
    resources: Sequence[str]
    """Resources. Allowed: at least 1 item. Or else: it allows nothing."""
    verbs: Sequence[str]
    """Verbs. Allowed: at least 1 item. Or else: it allows nothing."""


class Kubernetes(TypedDict):
    """What jobs find in the cluster."""

    serviceAccount: NotRequired[str]
    """Service account of the job pods. Allowed: at most 63 characters; matches `^[a-z]([a-z0-9-]*[a-z0-9])?$`. Default: `"app-deployer"`. Or else: Kubernetes refuses it."""
    deployerRules: NotRequired[Sequence[RoleRule]]
    """What the job pods' service account may do in their namespace; nothing unless said. Allowed: at most 50 items. Or else: Kubernetes refuses the role."""
    containerMemoryLimit: NotRequired[str]
    """Most memory of a job's container (Kubernetes quantity). Allowed: matches `^[0-9]+(Mi|Gi)$`. Default: `"8Gi"`. Or else: one job can starve a node."""
    egressPorts: NotRequired[Sequence[int]]
    """TCP ports that jobs and managers may reach outside: Git, registries, Scaleway, API servers. Allowed: at least 1 item; 1 – 65535 (TCP port). Default: `[22, 80, 443, 6443]`. Or else: jobs reach nothing."""
    egressBlockedCidrs: NotRequired[Sequence[str]]
    """IPv4 ranges that they may not reach: other pods (Kapsule's range), the nodes' metadata service. Allowed: at least 1 item; IPv4 network, like `10.0.0.0/8`. Default: `["100.64.0.0/15", "169.254.0.0/16"]`. Or else: a job reads its node's credentials."""


class Runner(TypedDict):
    """A GitLab runner with a credential of its own."""

    name: NotRequired[str]
    """Purpose of the runner; two hyphens on end come before a project in names. Allowed: at most 20 characters; matches `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`. Default: `"deploy"`. Or else: its resources have no name of their own."""
    permissionSets: NotRequired[Sequence[str]]
    """What its key may do in the target project (IAM permission sets). Allowed: at least 1 item. Default: `["ContainerRegistryFullAccess", "KubernetesFullAccess", "PrivateNetworksFullAccess", "VPCFullAccess"]`. Or else: every job is refused by Scaleway."""
    appClusterRules: NotRequired[Sequence[RoleRule]]
    """What its jobs may do in the namespace of `appCluster`; nothing: they get no kubeconfig. Allowed: at most 50 items. Or else: Kubernetes refuses the role."""
    condition: NotRequired[str]
    """CEL condition under which the key may do it, on request.ip, request.time and request.user_agent. Allowed: 1 – 2000 characters. Or else: Scaleway refuses the policy."""
    givenKey: NotRequired[bool]
    """Whether its key is no work of this program: a person puts it into the secret that its jobs mount, for a pipeline that needs more than one project, as the one that runs this program does. Default: `false`. Or else: it is not clear who makes the key."""
    projects: NotRequired[Sequence[str]]
    """Paths of the GitLab projects that it serves, of `gitlab.project` and `gitlab.furtherProjects`; all. Allowed: at most 50 items; matches `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`. Default: `[]`. Or else: jobs of other projects find its key."""
    tag: NotRequired[str]
    """What jobs name in `tags:`; default k8s-ENV-runner for `deploy`, else k8s-ENV-NAME-runner. Allowed: matches `^[a-z0-9][a-z0-9-]{0,62}$`. Or else: no job finds it."""
    protected: NotRequired[bool]
    """Whether it runs jobs of protected branches only. Default: `true`. Or else: any branch could use its key."""
    concurrent: NotRequired[int]
    """Jobs at a time. Allowed: 1 – 500 (jobs). Default: `10`. Or else: the runner does not start."""
    jobTimeoutSeconds: NotRequired[int]
    """Longest a job may take (seconds). Allowed: 600 – 86400 (seconds). Default: `3600`. Or else: GitLab refuses the runner."""
    pollTimeoutSeconds: NotRequired[int]
    """How long a job pod may wait for a node (seconds); 600 when the pool scales from zero. Allowed: 30 – 3600 (seconds). Default: `180`. Or else: jobs fail while a node starts."""
    image: NotRequired[str]
    """Image of jobs that name none. Allowed: matches `^[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$`. Default: `"alpine:3.22"`. Or else: such jobs fail."""
    helperImage: NotRequired[str]
    """Image of the helper container; the runner's own version. Allowed: matches `^[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$`. Default: `"registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v18.9.0"`. Or else: jobs fail before they start."""
    cpuRequest: NotRequired[str]
    """CPU of the build container (Kubernetes quantity). Allowed: matches `^[0-9]+m?$`. Default: `"500m"`. Or else: Kubernetes refuses job pods."""
    memoryRequest: NotRequired[str]
    """Memory of the build container (Kubernetes quantity). Allowed: matches `^[0-9]+(Mi|Gi)$`. Default: `"1Gi"`. Or else: Kubernetes refuses job pods."""
    serviceCpuRequest: NotRequired[str]
    """CPU of each service container. Allowed: matches `^[0-9]+m?$`. Default: `"100m"`. Or else: Kubernetes refuses job pods."""
    serviceMemoryRequest: NotRequired[str]
    """Memory of each service container. Allowed: matches `^[0-9]+(Mi|Gi)$`. Default: `"128Mi"`. Or else: Kubernetes refuses job pods."""
    helperCpuRequest: NotRequired[str]
    """CPU of the helper container. Allowed: matches `^[0-9]+m?$`. Default: `"100m"`. Or else: Kubernetes refuses job pods."""
    helperMemoryRequest: NotRequired[str]
    """Memory of the helper container. Allowed: matches `^[0-9]+(Mi|Gi)$`. Default: `"128Mi"`. Or else: Kubernetes refuses job pods."""


class AppCluster(TypedDict):
    """The cluster that pipelines deploy to; runners with `appClusterRules` get a kubeconfig for it in /root/.kube."""

    clusterId: NotRequired[str]
    """Regional id of the cluster. Allowed: matches `^[a-z]{2}-[a-z]{3}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`. Or else: there is no such cluster."""
    stack: NotRequired[str]
    """Instead: a stack whose output `clusterId` is that id (`organization/project/stack`). Allowed: at most 200 characters; matches `^([A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]+$`. Or else: there is no such cluster."""
    namespace: NotRequired[str]
    """Namespace in that cluster that pipelines deploy to; this stack makes it. Allowed: at most 63 characters; matches `^[a-z]([a-z0-9-]*[a-z0-9])?$`. Default: `"apps"`. Or else: Kubernetes refuses it."""


class Rotation(TypedDict):
    """When keys change. A scheduled `pulumi up` at least once a period carries it out."""

    days: NotRequired[int]
    """A new key every so many days. Allowed: 2 – 90 (days). Default: `30`. Or else: keys live too long."""
    overlapDays: NotRequired[int]
    """How long the old key stays for jobs that still hold it (days, less than `days`). Allowed: 1 – 30 (days). Default: `2`. Or else: jobs in flight lose their key."""
    serial: NotRequired[int]
    """Count it up when a key has leaked: all keys are new and the old ones die in the same run. Allowed: 0 – 1000000 (count). Default: `0`. Or else: the leaked key lives on."""


class StateBackend(TypedDict):
    """Pulumi's state in Object Storage, reached by pipelines with the mounted key."""

    bucket: str
    """An existing bucket. Allowed: matches `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`. Or else: pipelines find no state."""
    projectId: str
    """The bucket's project (UUID). Allowed: matches `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`. Or else: the key may not read the state."""
    region: NotRequired[str]
    """The bucket's region. Allowed: `fr-par`, `nl-ams`, `pl-waw`. Default: `"fr-par"`. Or else: pipelines find no state."""


class RunnerChart(TypedDict):
    """The Helm chart of the runner."""

    version: NotRequired[str]
    """Exact version of the chart. Allowed: matches `^[0-9]+\\.[0-9]+\\.[0-9]+$`. Default: `"0.86.0"`. Or else: an update changes it unseen."""
    repository: NotRequired[str]
    """Chart repository; $GITLAB_RUNNER_CHART_REPOSITORY wins over it (a mirror, or the sandbox). Allowed: matches `^https?://[^\\s]+$`. Default: `"https://charts.gitlab.io"`. Or else: Helm finds no chart."""


class Deployment(TypedDict):
    """The environment in GitLab, which jobs deploy to, and who may let them."""

    kind: NotRequired[str]
    """What GitLab calls its tier. Allowed: `development`, `testing`, `staging`, `production`, `other`. Default: `"development"`. Or else: GitLab refuses the environment."""
    deployAccessLevel: NotRequired[str]
    """Who may deploy (GitLab Premium). Allowed: `developer`, `maintainer`. Default: `"maintainer"`. Or else: GitLab refuses the protection."""
    requiredApprovals: NotRequired[int]
    """Approvals that a deployment needs (GitLab Premium). Allowed: 0 – 5 (approvals). Default: `0`. Or else: GitLab refuses the rule."""


class Branch(TypedDict):
    """The environment's branch and who may change it."""

    name: str
    """Branch that this environment follows. Allowed: matches `^[\\w][\\w./-]*$`. Or else: nothing is protected."""
    mergeAccessLevel: NotRequired[str]
    """Who may merge to it. Allowed: `no one`, `developer`, `maintainer`. Default: `"maintainer"`. Or else: GitLab refuses the protection."""
    pushAccessLevel: NotRequired[str]
    """Who may push to it past a merge request. Allowed: `no one`, `developer`, `maintainer`. Default: `"no one"`. Or else: GitLab refuses the protection."""


class PromotionToken(TypedDict):
    """The project access token with which a pipeline opens the next merge request."""

    enabled: NotRequired[bool]
    """Whether the program makes it, and the variable PRIVATE_TOKEN of it. GitLab.com gives project access tokens to groups with Premium or Ultimate only; a self-managed GitLab to all. Default: `true`. Or else: GitLab refuses the token."""
    accessLevel: NotRequired[str]
    """Its role. Allowed: `developer`, `maintainer`. Default: `"developer"`. Or else: GitLab refuses it."""
    expirationDays: NotRequired[int]
    """Life of the token (days). Allowed: 7 – 365 (days). Default: `90`. Or else: GitLab refuses it."""
    rotateBeforeDays: NotRequired[int]
    """How long before its end `pulumi up` renews it (days). Allowed: 1 – 180 (days). Default: `30`. Or else: it ends between two runs."""


class Gitlab(TypedDict):
    """The GitLab projects that this environment serves."""

    project: str
    """Path of the main project, with its groups. Allowed: matches `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`. Or else: GitLab finds no project."""
    furtherProjects: NotRequired[Sequence[str]]
    """Paths of more projects with the same branches. The environment's runners, with their keys, serve each of them; each costs a manager per runner (50m CPU, 64 Mi) in the system pool. Allowed: at most 50 items; matches `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`. Default: `[]`. Or else: their jobs find no runner."""
    enterprise: NotRequired[bool]
    """Whether GitLab is the Enterprise distribution (GitLab.com is, on the Free tier too): protections differ. Default: `true`. Or else: GitLab's provider refuses the branch protection."""
    premium: NotRequired[bool]
    """Whether the GitLab licence is Premium or Ultimate: deployments are then protected, with approvals. Default: `false`. Or else: GitLab refuses the protected environment."""
    deployment: NotRequired[Deployment]
    """The environment in GitLab. Or else: deployments are not recorded."""
    releaseTags: NotRequired[str]
    """Protected tags, by wildcard, which only maintainers create. Set it in one environment only. Allowed: matches `^[A-Za-z0-9_.*/-]+$`. Or else: anybody who may push makes a release."""
    url: NotRequired[str]
    """Address that runners register at. Allowed: matches `^https?://[^\\s]+/$`. Default: `"https://gitlab.com/"`. Or else: runners find no GitLab."""
    branch: NotRequired[Branch]
    """The environment's branch. Or else: nothing is protected."""
    mailingListUserId: NotRequired[int]
    """Id of the user who is assigned promotion requests. Allowed: at least 1 (GitLab user id). Or else: nobody hears of them."""
    promotionToken: NotRequired[PromotionToken]
    """The promotion token. Or else: no promotion opens."""
    variables: NotRequired[Mapping[str, str]]
    """Further CI variables of the environment; never a credential. Allowed: names match `^[A-Za-z_][A-Za-z0-9_]*$`. Or else: GitLab refuses them."""
