"""Names that follow from the environment, a runner's purpose and a GitLab project. Pure: no engine, no settings.

Source: the naming of the article that this program follows (namespace `dev`, secret `dev-api-key`, tag `k8s-dev-runner`,
release `app-dev-runner`). The runner called `deploy` has the article's names; any other has its purpose in them. What a
runner has once per project has the article's names in the main project, and in a further one the project after `--`, which
neither an environment nor a purpose holds.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from sections.base import slug

MAIN_RUNNER = "deploy"
_LONGEST_RELEASE = 53  # Helm's limit
_LONGEST_LABEL = 63  # Kubernetes' limit

# On every namespace of an environment; by it a cluster's owner finds the others that live in it.
ENVIRONMENT_LABEL = "kapsule-devops/environment"


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A node's taint. `effect` is Kubernetes' word for what becomes of a pod that does not tolerate it."""

    key: str
    value: str
    effect: str

    @property
    def text(self) -> str:
        """As `kubectl` and the outputs have it."""
        return f"{self.key}={self.value}:{self.effect}"


@dataclass(frozen=True)
class EnvironmentNames:
    """Names that an environment has once. `environment` is a DNS label without a hyphen, of at most 20 characters."""

    environment: str

    @property
    def manager_namespace(self) -> str:
        """Where the runners' managers run, with the tokens that jobs must not read."""
        return f"{self.environment}-runners"

    @property
    def taint(self) -> Taint:
        """Of the pool of its jobs, which they tolerate and nothing else may."""
        return Taint(key=f"gitlab-runner-jobs-{self.environment}-reserved", value="true", effect="NoSchedule")

    @property
    def pool_label(self) -> tuple[str, str]:
        """The node label, key and value, that job pods select."""
        return "gitlab-runner-jobs", self.environment


@dataclass(frozen=True)
class RunnerNames:
    """Names that each runner of an environment has once. `purpose` is a DNS label of at most 20 characters. `chosen_tag`
    wins over the tag that follows from it.
    """

    environment: str
    purpose: str
    chosen_tag: str | None = None

    @property
    def _stem(self) -> str:
        return self.environment if self.purpose == MAIN_RUNNER else f"{self.environment}-{self.purpose}"

    @property
    def jobs_namespace(self) -> str:
        """Where its job pods run; it holds nothing but what they may read."""
        return self._stem

    @property
    def tag(self) -> str:
        """What a job names in `tags:` to run there."""
        return self.chosen_tag or f"k8s-{self._stem}-runner"

    @property
    def policy(self) -> str:
        """Of the admission policy for its job pods, which is the cluster's and no namespace's."""
        return f"app-{self._stem}-runner-jobs"

    @property
    def api_key_secret(self) -> str:
        return f"{self._stem}-api-key"

    @property
    def app_kubeconfig_secret(self) -> str:
        """With the kubeconfig for the application cluster."""
        return f"{self._stem}-kapsule-config"

    @property
    def app_account(self) -> str:
        """The runner's service account in the application cluster."""
        return f"gitlab-runner-{self._stem}"

    @property
    def application(self) -> str:
        """Of the IAM application, and of its policy."""
        return f"gitlab-runner-{self._stem}"


@dataclass(frozen=True)
class RegistrationNames:
    """Names that a runner has once per project that it serves. `project` is a path, None the environment's main one."""

    environment: str
    purpose: str
    project: str | None = None

    @property
    def release(self) -> str:
        """Of the Helm release, of what it makes in the cluster, and of the runner in GitLab."""
        return self._named(f"app-{self._stem}-runner", _LONGEST_RELEASE)

    @property
    def tokens_secret(self) -> str:
        return self._named(f"{self._stem}-runner-tokens", _LONGEST_LABEL)

    @property
    def _stem(self) -> str:
        return RunnerNames(self.environment, self.purpose).jobs_namespace

    def _named(self, name: str, longest: int) -> str:
        return name if self.project is None else _fitted(f"{name}--{slug(self.project)}", longest)


class Named(Protocol):
    """A resource, of which only the logical name matters here."""

    @property
    def pulumi_resource_name(self) -> str: ...


def inside(parent: Named | None) -> str:
    """What the logical names of what is inside `parent` begin with; nothing of what is in no component."""
    return f"{parent.pulumi_resource_name}-" if parent else ""


def _fitted(name: str, longest: int) -> str:
    """The name, or what fits of it with a hash of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: longest - 1 - len(digest)].rstrip('-')}-{digest}"
