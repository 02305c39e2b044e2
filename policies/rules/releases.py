"""Helm releases: an exact chart, with values that can be seen, and a config.toml that mounts secrets read-only."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from .base import UNKNOWN, Properties, ResourceRule, at, items, leaves, named, problem

RELEASE = "kubernetes:helm.sh/v3:Release"
CHARTS = (RELEASE, "kubernetes:helm.sh/v4:Chart")
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


class UnreadableConfigError(ValueError):
    """A config.toml that is none."""


def are_pinned(props: Properties) -> Iterator[str]:
    """Without a version Helm takes the newest.

    The engine shows a policy the inputs that the provider has checked. For a Release whose inputs are all known, the
    Kubernetes provider has by then put the version that it found in the place of a range or of none: such a release passes.
    It is refused in a preview in which any of its inputs is unknown, as when it is created with what it depends on.
    """
    version = props.get("version")
    if version is UNKNOWN or (isinstance(version, str) and _EXACT.fullmatch(version)):
        return
    release = named("Helm release", props.get("name"))
    yield problem(
        f"{release} has {f'version {version!r}' if version else 'no version'}",
        "the chart must be pinned to one exact version",
        "the next run installs what nobody has reviewed",
        "set version to an exact one, such as 0.86.0",
    )


def mount_secrets_read_only(props: Properties) -> Iterator[str]:
    """GitLab Runner's own default for `read_only` is false, so a missing one is refused."""
    release = named("Helm release", props.get("name"))
    try:
        config = config_toml(props)
    except UnreadableConfigError:
        return  # privileges.py says so
    for runner in items(config, "runners"):
        for volume in items(runner, "kubernetes", "volumes", "secret"):
            if at(volume, "read_only") is not True:
                yield problem(
                    f"config.toml of {release} mounts {named('secret', at(volume, 'name'))} writable",
                    "secrets must be mounted with read_only = true",
                    "a job can change the key that the next one finds",
                    "set read_only = true in [[runners.kubernetes.volumes.secret]]",
                )


def config_toml(props: Properties) -> dict[str, Any]:
    """The runner's config.toml in the chart's values; empty where there is none, or it is unknown.

    Raises UnreadableConfigError where it is not TOML.
    """
    for path, text in leaves(props.get("values", {})):
        if isinstance(text, str) and (path == "runners.config" or path.endswith(".runners.config")):
            try:
                return tomllib.loads(text)
            except tomllib.TOMLDecodeError as error:
                raise UnreadableConfigError(str(error)) from error
    return {}


RULES = (
    ResourceRule(
        name="releases-are-pinned",
        description="Helm charts are pinned to an exact version.",
        types=CHARTS,
        check=are_pinned,
    ),
    ResourceRule(
        name="secret-mounts-are-read-only",
        description="GitLab Runner mounts secrets into job pods read-only.",
        types=CHARTS,
        check=mount_secrets_read_only,
    ),
)
