"""The typed settings of one environment, read from its stack file and checked before any resource is declared.

Owns reading them. Does not own the rules of one key (`sections/`) and between keys (`setting_rules.py`), how an error is
worded (`config_error.py`), nor names that follow from the environment (`components/naming.py`).
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, cast

import pulumi
from pydantic import TypeAdapter, ValidationError

from config_error import ConfigError, Problem, key_of, meant_key, problems_of, remove_command
from sections.base import DNS_LABEL, Section, setting
from sections.cloud import (
    AccountSettings,
    ClusterSettings,
    NetworkSettings,
    ProjectsSettings,
    RunnerPoolSettings,
    ScalewaySettings,
    SystemPoolSettings,
)
from sections.gitlab import GitlabSettings
from sections.jobs import (
    AppClusterSettings,
    KubernetesSettings,
    RotationSettings,
    RunnerChartSettings,
    RunnerSettings,
    StateBackendSettings,
)
from setting_rules import cross_checks

# Of all settings of a stack together, as JSON. The engine hands them to the program in one environment variable, of which
# Linux takes 131,072 bytes (MAX_ARG_STRLEN), in JSON again.
MAX_CHARACTERS: Final = 100_000

READ_ONLY_SETS = ("ContainerRegistryReadOnly", "KubernetesReadOnly", "PrivateNetworksReadOnly", "VPCReadOnly")


# One that may change the target project, for protected branches; one that may only look, for merge requests.
DEFAULT_RUNNERS = (
    RunnerSettings(),
    RunnerSettings.model_validate({"name": "preview", "permissionSets": READ_ONLY_SETS, "protected": False}),
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
    account: AccountSettings = setting(
        AccountSettings(), about="Whose credentials may run the program.", consequence="another account is changed"
    )
    protection: bool = setting(
        False,
        about="Whether cluster, created projects and Secret Manager secrets are protected from deletion.",
        consequence="a mistake deletes the environment",
        example=True,
    )
    scaleway: ScalewaySettings = setting(ScalewaySettings(), about="Where.", consequence="nothing can be made")
    projects: ProjectsSettings = setting(
        about="Scaleway projects.",
        consequence="nothing can be made",
        example={
            "devops": {"name": "devops-dev"},
            "target": {"name": "app-dev"},
            "credentials": {"name": "credentials-dev"},
        },
    )
    network: NetworkSettings = setting(NetworkSettings(), about="Private network.", consequence="nothing can be made")
    cluster: ClusterSettings = setting(ClusterSettings(), about="Kapsule cluster.", consequence="nothing can be made")
    system_pool: SystemPoolSettings = setting(SystemPoolSettings(), about="System pool.", consequence="nothing runs")
    runner_pool: RunnerPoolSettings = setting(about="Runner pool.", consequence="no job runs")
    kubernetes: KubernetesSettings = setting(KubernetesSettings(), about="In the cluster.", consequence="no job runs")
    runners: tuple[RunnerSettings, ...] = setting(
        DEFAULT_RUNNERS, about="Runners.", consequence="no job runs", min_length=1, max_length=200
    )
    app_cluster: AppClusterSettings | None = setting(
        None, about="Cluster that pipelines deploy to.", consequence="jobs get no kubeconfig"
    )
    rotation: RotationSettings = setting(RotationSettings(), about="When keys change.", consequence="keys never expire")
    state_backend: StateBackendSettings | None = setting(
        None, about="Pulumi's state, for pipelines.", consequence="pipelines have no state"
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
    if too_long := list(_size_checks(raw)):
        raise ConfigError(too_long, stack)
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in raw.items():
        if not _is_text(key):
            problems.append(_no_setting(key))
            continue
        decoded = _decoded(value) if isinstance(value, str) and key != "environment" else value
        if isinstance(value, str) and isinstance(decoded, dict | list):
            problems += _named_twice(key, value)
        if decoded not in ("", {}, []):  # Pulumi.yaml's defaults for "not set"
            values[key] = decoded
    values.setdefault("environment", stack)
    settings, found = checked(values, stack)
    if problems := [*problems, *found]:
        raise ConfigError(problems, stack)
    return settings


def checked(values: Mapping[str, Any], stack: str, without: Collection[str] = ()) -> tuple[Settings, list[Problem]]:
    """Settings of values by their keys, without those that are wrong, and all that is wrong.

    Sections `without` which an environment is meant may be missing: then nothing is known of them, nor asked.
    """
    problems: list[Problem] = []
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += (each for each in problems_of(error, Settings) if each.key not in without)
        settings = _valid_part(values, {str(e["loc"][0]) for e in error.errors()})
    return settings, [*problems, *cross_checks(settings, stack)]


def _size_checks(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Asked first: what is far too long takes long to check as well."""
    sizes = {key: len(key) + (len(value) if isinstance(value, str) else 0) for key, value in raw.items()}
    total = sum(sizes.values())
    if total > MAX_CHARACTERS:
        longest = max(sizes, key=sizes.__getitem__)
        yield Problem(
            key=key_of([longest]),
            rule=f"must be shorter than its {sizes[longest]:,} characters: all settings together have {total:,}, of at most "
            f"{MAX_CHARACTERS:,}",
            consequence="the engine cannot hand them to the program",
            fix=remove_command(key_of([longest])),
        )


def _decoded(text: str) -> Any:
    """What JSON text says; other text as it is: the model says what it should have been."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is JSON and no text
    except (ValueError, RecursionError):
        return text
    return value


def _is_text(text: str) -> bool:
    """Half of a surrogate pair is none."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _no_setting(key: str) -> Problem:
    shown = key_of([key])
    return Problem(
        key=shown, rule="is not a setting", consequence="it would be silently ignored", fix=remove_command(shown)
    )


def _named_twice(section: str, text: str) -> list[Problem]:
    """A problem for each key that JSON text names twice in one object. YAML is refused by the engine in that case."""
    twice: dict[str, None] = {}

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.update((key, None) for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return made

    json.loads(text, object_pairs_hook=look)
    return [
        Problem(
            key=key_of([section]),
            rule=f"must name {key_of([key])} once in each object",
            consequence="one of the two would be silently ignored",
            fix=remove_command(key_of([section])) + "   # and set its keys anew",
        )
        for key in twice
    ]


def _valid_part(values: Mapping[str, Any], wrong: set[str]) -> Settings:
    """The settings without their wrong sections, so that the rules between keys are checked in the others, too.

    A wrong section has no attribute, not even its default: rules would find fault with what nobody has written. Nor has
    one whose own key is misspelt.
    """
    unknown = wrong | {meant_key(key, Settings) for key in wrong} - values.keys()
    right, absent = {}, []
    for name, field in Settings.model_fields.items():
        key, section = str(field.alias), cast(Any, field.annotation)
        if key in unknown:
            absent.append(name)
        elif key in values:
            right[name] = TypeAdapter(section).validate_python(values[key])
    found = Settings.model_construct(**right)
    for name in absent:
        vars(found).pop(name, None)
    return found
