"""The parts of the pipeline, as another project includes them: with names, commands and folders of its own."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines.events import Ask, branch, in_words, jobs, merge_request, schedule

ROOT = Path(__file__).parents[2]
INPUTS = {
    "environment": "qa",
    "branch": "release",
    "runner": "qa-protected",
    "preview-runner": "qa-open",
    "image": "example.com/tools:1",
    "python": "/opt/tools/bin/python",
    "prepare": "true",
    "policy-pack": "rules",
    "preview-stage": "look",
    "deploy-stage": "do",
    "mounted": "/keys",
}
PROMOTION = {
    "environment": "qa",
    "branch": "release",
    "target": "live",
    "target-branch": "stable",
    "runner": "qa-protected",
    "stage": "go",
}

Expanded = Callable[[Path], dict[str, dict[str, Any]]]
Including = Callable[..., Path]


@pytest.fixture
def including(tmp_path: Path) -> Including:
    """A project whose pipeline includes these templates, each with its inputs."""

    def made(**inputs: dict[str, str]) -> Path:
        folder = tmp_path / "project"
        shutil.copytree(ROOT / "templates", folder / "templates")
        file = folder / ".gitlab-ci.yml"
        pipeline = {
            "stages": ["look", "do", "go"],
            "include": [{"local": f"templates/{name}.yml", "inputs": given} for name, given in inputs.items()],
        }
        file.write_text(yaml.safe_dump(pipeline))
        return file

    return made


def test_an_environment_has_the_projects_own_names_everywhere(including: Including, expanded: Expanded) -> None:
    found = expanded(including(environment=INPUTS))
    assert {name: (job["stage"], job["tags"]) for name, job in found.items()} == {
        "preview:qa": ("look", ["qa-open"]),
        "deploy:qa": ("do", ["qa-protected"]),
        "drift:qa": ("look", ["qa-protected"]),
    }
    for job in found.values():
        text = yaml.safe_dump(job)
        assert job["variables"]["ENVIRONMENT"] == job["environment"]["name"] == "qa"
        assert job["variables"]["SCW_CONFIG_PATH"] == "/keys/config.yaml"
        assert job["variables"]["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/keys/passphrase"
        assert "true" in job["before_script"]
        assert "/opt/tools/bin/python -m ci." in text
        assert "$PWD/rules" in text
        assert "[[" not in text
        assert ".venv" not in text
    assert found["deploy:qa"]["resource_group"] == found["drift:qa"]["resource_group"] == "qa"


@pytest.mark.parametrize("cloud", [False, True])
def test_a_job_takes_its_tokens_from_the_mounted_files(
    including: Including, expanded: Expanded, tmp_path: Path, cloud: bool
) -> None:
    mounted = tmp_path / "mounted keys"
    mounted.mkdir()
    (mounted / "gitlab-token").write_text("of GitLab\n")
    if cloud:  # Pulumi Cloud holds the state
        (mounted / "pulumi-access-token").write_text("of Pulumi\n")
    job = expanded(including(environment=INPUTS | {"mounted": str(mounted)}))["deploy:qa"]
    told = 'echo "$GITLAB_BASE_URL, $GITLAB_TOKEN, $PRIVATE_TOKEN, ${PULUMI_ACCESS_TOKEN-none}"'
    script = "\n".join(["set -eu", *job["before_script"], told])
    variables = {"PATH": "/usr/bin:/bin", "CI_API_V4_URL": "https://gitlab.example.com/api/v4", **job["variables"]}
    ended = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert (
        ended.stdout
        == f"https://gitlab.example.com/api/v4/, of GitLab, of GitLab, {'of Pulumi' if cloud else 'none'}\n"
    )


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (branch("release"), {"deploy:qa", "promote:live"}),
        (branch("main"), set()),
        (schedule("release", "rotation"), {"deploy:qa"}),
        (schedule("release", "drift"), {"drift:qa"}),
        (merge_request("feature/x", "release"), {"preview:qa"}),
        (merge_request("feature/x", "main"), set()),
    ],
    ids=in_words,
)
def test_its_jobs_run_when_the_projects_branches_say(
    including: Including, ask: Ask, event: dict[str, str | None], wanted: set[str]
) -> None:
    assert jobs(ask, including(environment=INPUTS, promotion=PROMOTION), event) == wanted


def test_a_promotion_waits_for_its_deployment(including: Including, expanded: Expanded) -> None:
    job = expanded(including(environment=INPUTS, promotion=PROMOTION))["promote:live"]
    assert [need["job"] for need in job["needs"]] == ["deploy:qa"]
    assert job["variables"] == {"TARGET_BRANCH": "stable"}
    assert job["environment"] == {"name": "qa", "action": "access"}


@pytest.mark.parametrize("missing", ["environment", "branch", "runner", "preview-runner"])
def test_what_only_the_project_knows_must_be_given(including: Including, ask: Ask, missing: str) -> None:
    file = including(environment={name: value for name, value in INPUTS.items() if name != missing})
    with pytest.raises(AssertionError, match=missing):
        ask(file, "--list-csv")


def test_every_input_says_what_it_is() -> None:
    for file in (ROOT / "templates").glob("*.yml"):
        head = next(yaml.safe_load_all(file.read_text().split("\n---\n")[0]))
        assert head["spec"]["inputs"]
        assert [name for name, given in head["spec"]["inputs"].items() if not given.get("description")] == []
