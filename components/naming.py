"""Names that follow from the environment and a runner's purpose. Pure: no engine, no settings.

Source: the naming of the article that this program follows (namespace `dev`, secret `dev-api-key`, tag `k8s-dev-runner`,
release `app-dev-runner`). The runner called `deploy` has the article's names; any other has its purpose in them.
"""

from dataclasses import dataclass

MAIN_RUNNER = "deploy"

# On every namespace of an environment; by it a cluster's owner finds the others that live in it.
ENVIRONMENT_LABEL = "kapsule-devops/environment"


@dataclass(frozen=True)
class EnvironmentNames:
    """Names that an environment has once. `environment` is a DNS label of at most 20 characters."""

    environment: str

    @property
    def manager_namespace(self) -> str:
        """Where the runners' managers run, with the tokens that jobs must not read."""
        return f"{self.environment}-runners"

    @property
    def taint_key(self) -> str:
        return f"gitlab-runner-jobs-{self.environment}-reserved"

    @property
    def pool_label(self) -> tuple[str, str]:
        """The node label, key and value, that job pods select."""
        return "gitlab-runner-jobs", self.environment


@dataclass(frozen=True)
class RunnerNames:
    """Names that each runner of an environment has."""

    environment: str
    purpose: str

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
        return f"k8s-{self._stem}-runner"

    @property
    def release(self) -> str:
        return f"app-{self._stem}-runner"

    @property
    def api_key_secret(self) -> str:
        return f"{self._stem}-api-key"

    @property
    def tokens_secret(self) -> str:
        return f"{self._stem}-runner-tokens"

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
