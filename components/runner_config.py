"""What a runner is told: the chart's values and the config.toml inside them. Pure and typed; no engine.

A chart without a schema ignores a misspelt value in silence, so everything goes through these models, which cannot be
misspelt. config.toml is written by a TOML library, never by hand.

Source: GitLab Runner's advanced configuration and Kubernetes executor (18.9); chart gitlab-runner 0.86.
"""

from typing import Any

import tomlkit
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCALEWAY_CONFIG_FOLDER = "/root/.config/scw"
KUBECONFIG_FOLDER = "/root/.kube"


class _Toml(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretVolume(_Toml):
    """A Kubernetes secret mounted into each container of a job pod. A secret can be mounted once per pod."""

    name: str
    mount_path: str
    read_only: bool = True
    items: dict[str, str] | None = None


class Volumes(_Toml):
    secret: tuple[SecretVolume, ...] = ()


class KubernetesExecutor(_Toml):
    """`[runners.kubernetes]`. Requests are Kubernetes quantities; `poll_timeout` is in seconds."""

    namespace: str
    image: str
    helper_image: str
    service_account: str
    node_selector: dict[str, str]
    node_tolerations: dict[str, str]
    cpu_request: str
    memory_request: str
    service_cpu_request: str
    service_memory_request: str
    helper_cpu_request: str
    helper_memory_request: str
    poll_timeout: int
    volumes: Volumes
    pull_policy: tuple[str, ...] = ("if-not-present",)
    privileged: bool = False
    allow_privilege_escalation: bool = False
    # A job that needs Kubernetes gets a kubeconfig of its own; the pod's account is for the pod.
    automount_service_account_token: bool = False
    cap_drop: tuple[str, ...] = ("NET_RAW",)
    # Empty: no job may choose another namespace, account or node than its runner's.
    namespace_overwrite_allowed: str = ""
    service_account_overwrite_allowed: str = ""
    bearer_token_overwrite_allowed: bool = False
    pod_annotations_overwrite_allowed: str = ""
    pod_labels_overwrite_allowed: str = ""
    node_selector_overwrite_allowed: str = ""
    node_tolerations_overwrite_allowed: str = ""


class FeatureFlags(_Toml):
    """`[runners.feature_flags]`."""

    # config.toml lives in the manager's pod: a token that the runner rotated by itself would be lost with the pod.
    FF_DISABLE_AUTOMATIC_TOKEN_ROTATION: bool = True


class Runner(_Toml):
    """One `[[runners]]`; the chart takes exactly one, and adds url and token when the manager registers."""

    executor: str = "kubernetes"
    feature_flags: FeatureFlags = FeatureFlags()
    kubernetes: KubernetesExecutor


class ConfigToml(_Toml):
    runners: tuple[Runner] = Field(description="Exactly one.")

    def render(self) -> str:
        """The file's text. It becomes a Helm template, so braces that Helm would expand are refused by ValueError."""
        text = tomlkit.dumps(self.model_dump(exclude_none=True))
        if "{{" in text:
            raise ValueError("config.toml holds '{{', which Helm would expand")
        return text


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class RbacRule(_Values):
    """One rule of the manager's role, as Kubernetes has it."""

    api_groups: tuple[str, ...] = ("",)
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


# What the Kubernetes executor does in the job namespace, and no more; the chart's own default is everything.
MANAGER_RULES = (
    RbacRule(resources=("pods",), verbs=("create", "delete", "get", "list", "watch")),
    RbacRule(resources=("pods/attach", "pods/exec"), verbs=("create", "delete", "get", "patch")),
    RbacRule(resources=("pods/log",), verbs=("get", "list")),
    RbacRule(resources=("secrets",), verbs=("create", "delete", "get", "update")),
    RbacRule(resources=("serviceaccounts",), verbs=("get",)),
    RbacRule(resources=("services",), verbs=("create", "get")),
    RbacRule(resources=("events",), verbs=("list",)),
)


class Rbac(_Values):
    create: bool = True
    cluster_wide_access: bool = False
    rules: tuple[RbacRule, ...] = MANAGER_RULES


class ServiceAccount(_Values):
    create: bool = True
    name: str


class Metrics(_Values):
    enabled: bool = True


class SessionServer(_Values):
    enabled: bool = False


class Runners(_Values):
    """`secret` names the Kubernetes secret with `runner-token`; `config` is the config.toml."""

    name: str
    secret: str
    config: str
    job_namespace: str
    executor: str = "kubernetes"


class Resources(_Values):
    requests: dict[str, str] = {"cpu": "50m", "memory": "64Mi"}
    limits: dict[str, str] = {"memory": "256Mi"}


class SecurityContext(_Values):
    allow_privilege_escalation: bool = False
    privileged: bool = False
    read_only_root_filesystem: bool = False
    run_as_non_root: bool = True
    capabilities: dict[str, tuple[str, ...]] = {"drop": ("ALL",)}
    seccomp_profile: dict[str, str] = {"type": "RuntimeDefault"}


class ChartValues(_Values):
    """The values of the gitlab-runner chart that this program sets."""

    gitlab_url: str
    concurrent: int
    check_interval: int = 3
    # Jobs in flight end by themselves before the manager does; as long as a job may take (seconds).
    termination_grace_period_seconds: int
    # The runner is owned by code: a manager that unregistered it on shutdown would delete it.
    unregister_runners: bool = False
    image_pull_policy: str = "IfNotPresent"
    log_format: str = "json"
    fullname_override: str
    rbac: Rbac = Rbac()
    service_account: ServiceAccount
    metrics: Metrics = Metrics()
    session_server: SessionServer = SessionServer()
    runners: Runners
    resources: Resources = Resources()
    security_context: SecurityContext = SecurityContext()

    def values(self) -> dict[str, Any]:
        """As Helm takes them. The component adds `podAnnotations`, whose value is known only when the token is."""
        return self.model_dump(by_alias=True, mode="json")
