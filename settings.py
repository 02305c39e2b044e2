"""The typed settings of one environment, read from its stack file and checked before any resource is declared.

Owns reading them, and the rules between keys. Does not own the rules of one key (`settings_sections.py`), how an error is
worded (`config_error.py`), nor names that follow from the environment (`components/naming.py`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pydantic import ValidationError

from config_error import ConfigError, Problem, problems_of, set_command
from settings_sections import (
    DNS_LABEL,
    ClusterSettings,
    GitlabSettings,
    KubernetesSettings,
    NetworkSettings,
    ProjectSettings,
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
    projects: ProjectsSettings = setting(about="Scaleway projects.", consequence="nothing can be made", example="'{…}'")
    network: NetworkSettings = setting(NetworkSettings(), about="Private network.", consequence="nothing can be made")
    cluster: ClusterSettings = setting(ClusterSettings(), about="Kapsule cluster.", consequence="nothing can be made")
    system_pool: SystemPoolSettings = setting(SystemPoolSettings(), about="System pool.", consequence="nothing runs")
    runner_pool: RunnerPoolSettings = setting(about="Runner pool.", consequence="no job runs", example="'{…}'")
    kubernetes: KubernetesSettings = setting(KubernetesSettings(), about="In the cluster.", consequence="no job runs")
    runners: tuple[RunnerSettings, ...] = setting(
        (RunnerSettings(),), about="Runners.", consequence="no job runs", min_length=1, max_length=200
    )
    runner_chart: RunnerChartSettings = setting(RunnerChartSettings(), about="Chart.", consequence="no runner starts")
    gitlab: GitlabSettings = setting(about="GitLab project.", consequence="no pipeline runs", example="'{…}'")


def load() -> Settings:
    """The settings of the selected stack. Raises ConfigError, which names all that is wrong."""
    stack, prefix = pulumi.get_stack(), f"{pulumi.get_project()}:"
    raw = {k.removeprefix(prefix): v for k, v in pulumi.runtime.config.CONFIG.get().items() if k.startswith(prefix)}
    return parse(raw, stack)


def parse(raw: Mapping[str, Any], stack: str) -> Settings:
    """Settings from a stack's configuration as the engine gives it: text, JSON where a value is an object or a list."""
    values: dict[str, Any] = {}
    for key, value in raw.items():
        decoded = value
        if isinstance(value, str) and key != "environment":
            try:
                decoded = json.loads(value)
            except ValueError:
                decoded = value  # the model says what it should have been
        if decoded not in ("", {}, []):  # Pulumi.yaml's defaults for "not set"
            values[key] = decoded
    values.setdefault("environment", stack)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        found = [Problem(**{**vars(p), "key": p.key.lstrip(".")}) for p in problems_of(error, Settings, "")]
        raise ConfigError(found, stack) from None
    if problems := list(_cross_checks(settings)):
        raise ConfigError(problems, stack)
    return settings


def _cross_checks(settings: Settings) -> Iterator[Problem]:
    """The rules that need more than one setting."""
    for name in ("devops", "target", "credentials"):
        project: ProjectSettings = getattr(settings.projects, name)
        if (project.name is None) == (project.id is None):
            yield Problem(
                key=f"projects.{name}",
                rule="must have exactly one of name and id",
                consequence="it is not clear whether the project is created or taken",
                fix=set_command(f"projects.{name}.name", f"{name}-{settings.environment}"),
            )
    if not settings.scaleway.zone.startswith(settings.scaleway.region + "-"):
        yield Problem(
            key="scaleway.zone",
            value=settings.scaleway.zone,
            rule=f"must be in the region {settings.scaleway.region}",
            consequence="pools and cluster are apart, which Scaleway refuses",
            fix=set_command("scaleway.zone", f"{settings.scaleway.region}-1"),
        )
    yield from _cluster_checks(settings)
    yield from _gitlab_checks(settings)
    names = [r.name for r in settings.runners]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(
                key=f"runners[{index}].name",
                value=name,
                rule="must be unique",
                consequence="two runners would share one credential",
                fix=set_command(f"runners[{index}].name", f"{name}-2"),
            )


def _cluster_checks(settings: Settings) -> Iterator[Problem]:
    exact, upgrade = settings.cluster.version.count(".") == 2, settings.cluster.auto_upgrade.enabled
    if exact == upgrade:
        yield Problem(
            key="cluster.version",
            value=settings.cluster.version,
            rule="must be a minor version with autoUpgrade.enabled, an exact one without",
            consequence="Scaleway refuses the cluster",
            fix=set_command("cluster.autoUpgrade.enabled", str(not upgrade).lower()),
        )
    pool = settings.runner_pool
    if pool.autoscaling and pool.max_size < pool.min_size:
        yield Problem(
            key="runnerPool.maxSize",
            value=pool.max_size,
            rule=f"must be at least minSize {pool.min_size}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.maxSize", pool.min_size),
        )
    if pool.autoscaling and not pool.min_size <= pool.size <= max(pool.max_size, pool.min_size):
        yield Problem(
            key="runnerPool.size",
            value=pool.size,
            rule=f"must be from minSize {pool.min_size} to maxSize {pool.max_size}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.size", pool.min_size),
        )


def _gitlab_checks(settings: Settings) -> Iterator[Problem]:
    token = settings.gitlab.promotion_token
    if token.rotate_before_days >= token.expiration_days:
        yield Problem(
            key="gitlab.promotionToken.rotateBeforeDays",
            value=token.rotate_before_days,
            rule=f"must be less than expirationDays {token.expiration_days}",
            consequence="every run renews the token",
            fix=set_command("gitlab.promotionToken.rotateBeforeDays", token.expiration_days // 3),
        )
    for name, value in settings.gitlab.variables.items():
        key = f"gitlab.variables.{name}"
        if name in OWN_VARIABLES:
            yield Problem(
                key=key,
                rule="must not be set here: the program sets it",
                consequence="two values would compete",
                fix=f"pulumi config rm --path '{key}'",
            )
        elif CREDENTIAL_NAMES.search(name) or CREDENTIAL_VALUES.search(value):
            # The value is not shown: it may be the credential.
            yield Problem(
                key=key,
                rule="must not be, or hold, a credential",
                consequence="it leaks, never expires and is used outside the cloud's control",
                fix=f"pulumi config rm --path '{key}'   # and revoke it, if it was one",
            )
