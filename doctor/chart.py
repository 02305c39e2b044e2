"""The area `chart repository`: whether the runner's chart is there in the version that the settings name.

Owns how the repository's index is read, within limits. Does not own the chart.
Source: Helm, "The Chart Repository Guide", index.yaml.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import requests
import yaml

from ci.download import EndlessError, StatusError, downloaded
from ci.errors import CiError
from config_error import set_command
from doctor.state_backend import without_credentials
from doctor.verdicts import Check, ok, wrong
from settings import Settings

CHART: Final = "gitlab-runner"
VARIABLE: Final = "GITLAB_RUNNER_CHART_REPOSITORY"
MAX_BYTES: Final = 30_000_000  # GitLab's own index has some megabytes, and grows
MAX_SECONDS: Final = 30  # for all of it; without a byte, a third of that
# That of libyaml reads such an index in a second; Python's own takes half a minute.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def checks(environment: Mapping[str, str], settings: Settings, stack: str) -> Iterator[Check]:
    repository = environment.get(VARIABLE) or settings.runner_chart.repository
    text = _fetched(repository)
    try:
        index = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError):
        index = None
    yield chart_check(index, repository, settings.runner_chart.version, stack)


def chart_check(index: Any, repository: str, version: str, stack: str) -> Check:
    """`index` is the content of index.yaml, whatever it is."""
    shown = without_credentials(repository)
    entries = index.get("entries") if isinstance(index, dict) else None
    if not isinstance(entries, dict):
        return wrong(
            f"{shown} is no chart repository: its index.yaml must list charts, or Helm finds none",
            f"export {VARIABLE}=…, or where the setting is wrong: {set_command('runnerChart.repository', 'https://charts.gitlab.io')}",
        )
    listed = entries.get(CHART)
    versions = (
        [str(each.get("version")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    if version in versions:
        return ok(f"{CHART} {version} in {shown}")
    if not versions:
        return wrong(
            f"{shown} has no chart {CHART}: it must have it, or no runner starts",
            f"mirror the chart there, or name a repository that has it: export {VARIABLE}=…",
        )
    newest = versions[0]  # the index has the newest first
    return wrong(
        f"{CHART} {version} is not in {shown}: it must be, or no runner starts. The newest there is {newest}",
        f"{set_command('runnerChart.version', newest)} --stack {stack}, or mirror {version} there",
    )


def _fetched(repository: str) -> bytes:
    """The index's bytes. CiError: it cannot be had within the limits."""
    url, shown = f"{repository.rstrip('/')}/index.yaml", without_credentials(repository)
    fix = f"curl -fLO {shown}/index.yaml; a proxy belongs in HTTPS_PROXY, a mirror in {VARIABLE}"
    try:
        return downloaded(url, most_bytes=MAX_BYTES, seconds=MAX_SECONDS)
    except StatusError as error:
        raise CiError(
            f"{shown} answers {error.status} for index.yaml: it must be a chart repository, or Helm finds no chart. "
            f"Fix: {fix}"
        ) from None
    except EndlessError:
        raise CiError(
            f"the index.yaml of {shown} is larger than {MAX_BYTES:,} bytes or takes longer than {MAX_SECONDS} s: it must "
            f"come to an end, or Helm waits for it as well. Fix: {fix}"
        ) from None
    except requests.RequestException as error:
        raise CiError(
            f"{shown} cannot be reached ({type(error).__name__}): it must be, or Helm finds no chart. Fix: {fix}"
        ) from None
