"""The jobs' own scripts, run in the sandbox with what a job has: the mounted files, and no key in a variable."""

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import gitlab
import pytest
import yaml
from lightkube.resources.core_v1 import ConfigMap

from tests.engine.estate import ROOT, Estate

Expanded = Callable[[Path], dict[str, dict[str, Any]]]
# What the sandbox gives a shell, and a job does not have.
OWNERS = "SCW_ACCESS_KEY SCW_SECRET_KEY SCW_DEFAULT_ORGANIZATION_ID SCW_DEFAULT_PROJECT_ID GITLAB_TOKEN"


@dataclass(frozen=True)
class Place:
    """dev is up; `files` is the folder that the runner `operate` mounts into its jobs."""

    estate: Estate
    files: Path

    def run(self, job: dict[str, Any], **variables: str) -> CompletedProcess[str]:
        """The job's before_script and script in one shell, as a runner has them."""
        own = {k: v for k, v in job["variables"].items() if k.startswith("PULUMI_ENABLE") or k == "ENVIRONMENT"}
        mounted = {
            "SCW_CONFIG_PATH": str(self.files / "config.yaml"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.files / "passphrase"),
        }
        exports = [f"export {k}={shlex.quote(v)}" for k, v in {**own, **mounted, **variables}.items()]
        lines = [f"unset {OWNERS}", *exports, *job["before_script"], *job["script"]]
        return self.estate.shell("\n".join(lines))

    @property
    def gitlab(self) -> gitlab.Gitlab:
        variables = self.estate.variables()
        address = variables["GITLAB_BASE_URL"].removesuffix("/api/v4/")
        return gitlab.Gitlab(address, private_token=variables["GITLAB_TOKEN"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    estate = Estate(tmp_path_factory.mktemp("pipeline"))
    estate.start()
    try:
        up = estate.up("dev")
        assert up.code == 0, up.printed
        variables = estate.variables()
        files = tmp_path_factory.mktemp("mounted")
        key = {
            "access_key": variables["SCW_ACCESS_KEY"],
            "secret_key": variables["SCW_SECRET_KEY"],
            "default_organization_id": variables["SCW_DEFAULT_ORGANIZATION_ID"],
            "default_project_id": variables["SCW_DEFAULT_PROJECT_ID"],
            "default_region": "fr-par",
        }
        (files / "config.yaml").write_text(yaml.safe_dump(key))
        (files / "gitlab-token").write_text(variables["GITLAB_TOKEN"])
        (files / "passphrase").write_text((estate.folder / "passphrase").read_text())
        yield Place(estate, files)
    finally:
        estate.stop()
    assert estate.processes() == []


@pytest.fixture
def jobs(expanded: Expanded) -> dict[str, dict[str, Any]]:
    return expanded(ROOT / ".gitlab-ci.yml")


@pytest.fixture
def request_variables(place: Place) -> dict[str, str]:
    """A merge request of the operations project, and what GitLab tells its jobs."""
    project = place.gitlab.projects.get("acme/platform")
    opened = project.mergerequests.list(state="opened", source_branch="feature", get_all=True)
    if not opened:
        project.branches.create({"branch": "feature", "ref": "main"})
        project.mergerequests.create({"source_branch": "feature", "target_branch": "main", "title": "More jobs"})
        opened = project.mergerequests.list(state="opened", source_branch="feature", get_all=True)
    variables = place.estate.variables()
    return {
        "CI_API_V4_URL": variables["GITLAB_BASE_URL"].removesuffix("/"),
        "CI_SERVER_URL": variables["GITLAB_BASE_URL"].removesuffix("/api/v4/"),
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_PATH": "acme/platform",
        "CI_MERGE_REQUEST_PROJECT_ID": str(project.id),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(project.id),
        "CI_MERGE_REQUEST_IID": str(opened[0].iid),
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_SHORT_SHA": "0a1b2c3d",
        "CI_PIPELINE_URL": "https://gitlab.example.com/acme/platform/-/pipelines/1",
        "PRIVATE_TOKEN": variables["GITLAB_TOKEN"],
    }


def notes(place: Place, variables: dict[str, str]) -> list[str]:
    project = place.gitlab.projects.get("acme/platform")
    request = project.mergerequests.get(variables["CI_MERGE_REQUEST_IID"])
    return [str(note.body) for note in request.notes.list(get_all=True)]


def test_a_preview_writes_its_note_and_a_second_push_edits_it(
    place: Place, jobs: dict[str, dict[str, Any]], request_variables: dict[str, str]
) -> None:
    for concurrent in (4, 5):
        place.estate.set("dev", "runners[0].concurrent", str(concurrent))
        result = place.run(jobs["preview:dev"], **request_variables)
        assert result.returncode == 0, result.stdout + result.stderr
        (note,) = notes(place, request_variables)
        assert "runner-deploy-gitlab-release" in note
        pods = 2 * concurrent * 2  # room for as many again, for two projects
        assert f'+ spec.hard.pods: "{pods}"' in note
    widget = json.loads((place.estate.checkout / "widget.json").read_text())
    assert (widget["create"], widget["delete"]) == (0, 0)
    assert widget["update"] >= 2


def test_the_merge_deploys_what_was_previewed(place: Place, jobs: dict[str, dict[str, Any]]) -> None:
    place.estate.set("dev", "runners[0].concurrent", "6")
    result = place.run(jobs["deploy:dev"])
    assert result.returncode == 0, result.stdout + result.stderr
    with place.estate.kubernetes("dev") as client:
        rendered = client.get(ConfigMap, "app-dev-runner", namespace="dev-runners")
    assert "concurrent = 6" in (rendered.data or {})["config.toml"]


def test_drift_fails_its_job_and_no_drift_does_not(place: Place, jobs: dict[str, dict[str, Any]]) -> None:
    assert place.run(jobs["deploy:dev"]).returncode == 0
    clean = place.run(jobs["drift:dev"])
    assert clean.returncode == 0, clean.stdout + clean.stderr
    pools = place.estate.outputs("dev")["runnerPoolId"].rpartition("/")[2]
    place.estate.cloud("PATCH", f"/k8s/v1/regions/fr-par/pools/{pools}", size=3)
    drifted = place.run(jobs["drift:dev"])
    assert drifted.returncode != 0
    assert "no changes were expected" in drifted.stdout + drifted.stderr
    assert place.run(jobs["deploy:dev"]).returncode == 0


def test_a_breach_of_a_policy_fails_the_preview_and_is_in_its_note(
    place: Place, jobs: dict[str, dict[str, Any]], request_variables: dict[str, str]
) -> None:
    main = place.estate.checkout / "__main__.py"
    before = main.read_text()
    main.write_text(
        before + "\nimport pulumi_gitlab\n"
        'pulumi_gitlab.ProjectVariable("leak", project="acme/app", key="SCW_SECRET_KEY", value="x")\n'
    )
    try:
        result = place.run(jobs["preview:dev"], **request_variables)
    finally:
        main.write_text(before)
    assert result.returncode != 0
    (note,) = notes(place, request_variables)
    assert "ci-variables-hold-no-credential" in note
