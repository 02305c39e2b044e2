"""The typed settings of one environment, read from its stack file and checked before any resource is declared.

Owns reading them, and the rules between keys. Does not own the rules of one key (`settings_sections.py`), how an error is
worded (`config_error.py`), nor names that follow from the environment (`components/naming.py`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import pulumi
from pydantic import TypeAdapter, ValidationError

from config_error import ConfigError, Problem, problems_of, remove_command, set_command
from settings_sections import (
    DNS_LABEL,
    ClusterSettings,
    GitlabSettings,
    KubernetesSettings,
    NetworkSettings,
    ProjectsSettings,
    RunnerChartSettings,
    RunnerPoolSettings,
    RunnerSettings,
    ScalewaySettings,
    Section,
    SystemPoolSettings,
    setting,
)

# A variable with one of these words in its name, or a value of this shape, is a way for a cloud key into GitLab.
CREDENTIAL_NAMES = re.compile(
    r"ACCESS_?KEY|SECRET_?KEY|SECRET_ACCESS|API_?KEY|SESSION_TOKEN|KUBECONFIG|CREDENTIALS", re.I
)
CREDENTIAL_VALUES = re.compile(r"\bSCW[A-Z0-9]{17}\b|\bAKIA[A-Z0-9]{16}\b|secret_key|BEGIN [A-Z ]*PRIVATE KEY")

# Set by the program itself; see components/gitlab_project.py.
OWN_VARIABLES = (
    "GITLAB_USER_MAILINGLIST_ID",
    "KUBE_NAMESPACE",
    "PRIVATE_TOKEN",
    "PULUMI_STACK",
    "SCW_DEFAULT_REGION",
    "SCW_DEFAULT_ZONE",
)


class Settings(Section):
    """All settings of one environment."""

    environment: str = setting(
        about="Name of the environment. Default: the stack's name.",
        consequence="its resources cannot be named",
        example="dev",
        pattern=DNS_LABEL,
        max_length=20,
    )
    scaleway: ScalewaySettings = setting(ScalewaySettings(), about="Where.", consequence="nothing can be made")
    projects: ProjectsSettings = setting(about="Scaleway projects.", consequence="nothing can be made")
    network: NetworkSettings = setting(NetworkSettings(), about="Private network.", consequence="nothing can be made")
    cluster: ClusterSettings = setting(ClusterSettings(), about="Kapsule cluster.", consequence="nothing can be made")
    system_pool: SystemPoolSettings = setting(SystemPoolSettings(), about="System pool.", consequence="nothing runs")
    runner_pool: RunnerPoolSettings = setting(about="Runner pool.", consequence="no job runs")
    kubernetes: KubernetesSettings = setting(KubernetesSettings(), about="In the cluster.", consequence="no job runs")
    runners: tuple[RunnerSettings, ...] = setting(
        (RunnerSettings(),), about="Runners.", consequence="no job runs", min_length=1, max_length=200
    )
    runner_chart: RunnerChartSettings = setting(RunnerChartSettings(), about="Chart.", consequence="no runner starts")
    gitlab: GitlabSettings = setting(about="GitLab project.", consequence="no pipeline runs")


def load() -> Settings:
    """The settings of the selected stack. Raises ConfigError, which names all that is wrong."""
    stack, prefix = pulumi.get_stack(), f"{pulumi.get_project()}:"
    raw = {k.removeprefix(prefix): v for k, v in pulumi.runtime.config.CONFIG.get().items() if k.startswith(prefix)}
    return parse(raw, stack)


def parse(raw: Mapping[str, Any], stack: str) -> Settings:
    """Settings from a stack's configuration as the engine gives it: text, JSON where a value is an object or a list."""
    values: dict[str, Any] = {}
    for key, value in raw.items():
        decoded = _decoded(value) if isinstance(value, str) and key != "environment" else value
        if decoded not in ("", {}, []):  # Pulumi.yaml's defaults for "not set"
            values[key] = decoded
    values.setdefault("environment", stack)
    problems: list[Problem] = []
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += problems_of(error, Settings)
        settings = _valid_part(values, {str(e["loc"][0]) for e in error.errors()})
    problems += _cross_checks(settings)
    if problems:
        raise ConfigError(problems, stack)
    return settings


def _decoded(text: str) -> Any:
    """What JSON text says; other text as it is: the model says what it should have been."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is JSON and no text
    except (ValueError, RecursionError):
        return text
    return value


def _valid_part(values: Mapping[str, Any], wrong: set[str]) -> Settings:
    """The settings without their wrong sections, so that the rules between keys are checked in the others, too."""
    right = {}
    for name, field in Settings.model_fields.items():
        key, section = str(field.alias), cast(Any, field.annotation)
        if key in values and key not in wrong:
            right[name] = TypeAdapter(section).validate_python(values[key])
    return Settings.model_construct(**right)


def _cross_checks(settings: Settings) -> Iterator[Problem]:
    """The rules that need more than one setting. Each is about one section; one that is missing is passed over."""
    environment = getattr(settings, "environment", "dev")
    checks: dict[str, Callable[[Any], Iterator[Problem]]] = {
        "environment": _environment_checks,
        "projects": lambda projects: _projects_checks(projects, environment),
        "scaleway": _scaleway_checks,
        "cluster": _cluster_checks,
        "runner_pool": _pool_checks,
        "gitlab": _gitlab_checks,
        "runners": _runners_checks,
    }
    for name, check in checks.items():
        if (section := getattr(settings, name, None)) is not None:
            yield from check(section)


def _environment_checks(environment: str) -> Iterator[Problem]:
    if environment == "default" or environment.startswith("kube-"):
        yield Problem(
            key="environment",
            value=environment,
            rule="must not be a namespace of Kubernetes itself",
            consequence="the jobs' namespace cannot be created",
            fix=set_command("environment", "dev"),
        )


def _projects_checks(projects: ProjectsSettings, environment: str) -> Iterator[Problem]:
    for name in ("devops", "target", "credentials"):
        key, project = f"projects.{name}", getattr(projects, name)
        if (project.name is None) == (project.id is None):
            yield Problem(
                key=key,
                rule="must have exactly one of name and id",
                consequence="it is not clear whether the project is created or taken",
                fix=remove_command(f"{key}.name")
                if project.name
                else set_command(f"{key}.name", f"{name}-{environment}"),
            )


def _scaleway_checks(scaleway: ScalewaySettings) -> Iterator[Problem]:
    if not scaleway.zone.startswith(scaleway.region + "-"):
        yield Problem(
            key="scaleway.zone",
            value=scaleway.zone,
            rule=f"must be in the region {scaleway.region}",
            consequence="pools and cluster are apart, which Scaleway refuses",
            fix=set_command("scaleway.zone", f"{scaleway.region}-1"),
        )


def _runners_checks(runners: Sequence[RunnerSettings]) -> Iterator[Problem]:
    names = [r.name for r in runners]
    for index, name in enumerate(names):
        if name in names[:index]:
            free = next(f for n in range(2, len(names) + 2) if (f := f"{name[:16]}-{n}") not in names)
            yield Problem(
                key=f"runners[{index}].name",
                value=name,
                rule="must be unique",
                consequence="two runners would share one credential",
                fix=set_command(f"runners[{index}].name", free),
            )


def _cluster_checks(cluster: ClusterSettings) -> Iterator[Problem]:
    exact, upgrade = cluster.version.count(".") == 2, cluster.auto_upgrade.enabled
    if exact == upgrade:
        yield Problem(
            key="cluster.version",
            value=cluster.version,
            rule="must be a minor version with autoUpgrade.enabled, an exact one without",
            consequence="Scaleway refuses the cluster",
            fix=set_command("cluster.autoUpgrade.enabled", str(not upgrade).lower()),
        )


def _pool_checks(pool: RunnerPoolSettings) -> Iterator[Problem]:
    if pool.autoscaling and pool.max_size < pool.min_size:
        yield Problem(
            key="runnerPool.maxSize",
            value=pool.max_size,
            rule=f"must be at least minSize {pool.min_size}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.maxSize", pool.min_size),
        )
    greatest = max(pool.max_size, pool.min_size)
    if pool.autoscaling and not pool.min_size <= pool.size <= greatest:
        yield Problem(
            key="runnerPool.size",
            value=pool.size,
            rule=f"must be from minSize {pool.min_size} to maxSize {greatest}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.size", pool.min_size),
        )


def _gitlab_checks(gitlab: GitlabSettings) -> Iterator[Problem]:
    token = gitlab.promotion_token
    if token.rotate_before_days >= token.expiration_days:
        yield Problem(
            key="gitlab.promotionToken.rotateBeforeDays",
            value=token.rotate_before_days,
            rule=f"must be less than expirationDays {token.expiration_days}",
            consequence="every run renews the token",
            fix=set_command("gitlab.promotionToken.rotateBeforeDays", token.expiration_days // 3),
        )
    for name, value in gitlab.variables.items():
        key = f"gitlab.variables.{name}"
        if name in OWN_VARIABLES:
            yield Problem(
                key=key,
                rule="must not be set here: the program sets it",
                consequence="two values would compete",
                fix=remove_command(key),
            )
        elif CREDENTIAL_NAMES.search(name) or CREDENTIAL_VALUES.search(value):
            # The value is not shown: it may be the credential.
            yield Problem(
                key=key,
                rule="must not be, or hold, a credential",
                consequence="it leaks, never expires and is used outside the cloud's control",
                fix=remove_command(key) + "   # and revoke it, if it was one",
            )
