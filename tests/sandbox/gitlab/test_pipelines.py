"""Pipelines, their jobs and artifacts, as GitLab's API shows them, and which merge requests a commit is of."""

from typing import Any

import gitlab
import pytest

from sandbox.gitlab.pipelines import JOBS
from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played, packed


@pytest.fixture
def played(instance: Instance) -> Played:
    return Played(instance)


# --- events -----------------------------------------------------------------------------------------------------------


def test_a_pipeline_is_of_the_last_commit_of_its_branch(played: Played) -> None:
    commit = played.commit("preprod")
    pipeline = played.start("a", source="web", ref="preprod")
    shown = played.api("GET", f"pipelines/{pipeline['id']}")
    assert shown == pipeline
    assert (shown["sha"], shown["ref"], shown["source"], shown["status"]) == (commit, "preprod", "web", "running")


def test_there_is_no_pipeline_of_what_is_not_there(played: Played) -> None:
    for event, said in (
        ({"merge_request": 9}, "404 Not Found"),
        ({"schedule": 9}, "404 Pipeline Schedule Not Found"),
        ({"project": "acme/none", "source": "push", "ref": "main"}, "404 Project Not Found"),
    ):
        assert played.start("a", status=404, **event) == {"message": said}
    assert played.start("a", status=400, source="push", ref="gone") == {"message": "there is no gone"}
    assert played.instance.store.all(JOBS) == []


def test_a_schedule_of_another_project_starts_nothing(played: Played) -> None:
    other = Played(played.instance, "acme/platform")
    made = other.api("POST", "pipeline_schedules", description="nightly", ref="main", cron="0 1 * * *")
    assert played.start("a", status=404, schedule=made["id"]) == {"message": "404 Pipeline Schedule Not Found"}


def test_pipelines_of_a_merge_request_are_its_own_and_the_last_comes_first(played: Played) -> None:
    request, other = played.change("feature"), played.change("other")
    first = played.start("a", merge_request=request)
    played.commit("feature")
    last = played.start("a", merge_request=request)
    played.start("a", merge_request=other)
    played.start("a", source="push", ref="feature")
    assert played.api("GET", f"merge_requests/{request}/pipelines") == [last, first]
    assert first["sha"] != last["sha"] == played.api("GET", f"merge_requests/{request}")["sha"]
    answer = played.instance.call("GET", played.instance.project("merge_requests/9/pipelines"))
    assert answer.status_code == 404


def test_a_pipeline_ends_with_its_last_job(played: Played) -> None:
    runner = played.runner()
    for states, status in ((["success", "success"], "success"), (["success", "failed"], "failed")):
        path = f"pipelines/{played.start('a', 'b')['id']}"
        found = []
        for state in states:
            found.append(played.api("GET", path)["status"])
            played.end(played.took(runner), state)
        assert found == ["running", "running"]
        assert played.api("GET", path)["status"] == status


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_a_job_is_shown_without_its_archive_and_its_token(played: Played) -> None:
    pipeline = played.start({"name": "a", "stage": 1, "environment": {"name": "dev"}})
    job = played.took(played.runner())
    played.end(job, plan_json="{}")
    (shown,) = played.api("GET", f"pipelines/{pipeline['id']}/jobs")
    assert not {"archive", "digest", "failure_reason"} & set(shown)
    assert (shown["status"], shown["artifacts"][0]["file_type"]) == ("success", "archive")
    assert shown["started_at"] <= shown["finished_at"]
    assert shown["pipeline"]["id"] == pipeline["id"]


def test_pipelines_and_jobs_of_another_project_are_not_shown(played: Played) -> None:
    pipeline = played.start("a")
    job = played.took(played.runner())
    played.end(job, plan_json="{}")
    other = Played(played.instance, "acme/platform")
    for path in (
        f"pipelines/{pipeline['id']}",
        f"pipelines/{pipeline['id']}/jobs",
        f"jobs/{job['id']}/artifacts/plan.json",
    ):
        assert played.instance.call("GET", f"projects/{other.id}/{path}").status_code == 404
        assert played.instance.call("GET", played.instance.project(path)).status_code == 200


def test_who_may_not_read_the_code_sees_no_pipeline(played: Played) -> None:
    pipeline = played.start("a")
    request = played.change("feature")
    guest = played.instance.project_token(level=10)["token"]
    reporter = played.instance.project_token(level=20)["token"]
    paths = (
        f"pipelines/{pipeline['id']}",
        f"pipelines/{pipeline['id']}/jobs",
        f"merge_requests/{request}/pipelines",
    )
    for path in paths:
        assert played.instance.call("GET", played.instance.project(path), token=guest).status_code == 403
        assert played.instance.call("GET", played.instance.project(path), token=reporter).status_code == 200


def test_one_file_of_an_archive(played: Played) -> None:
    played.start("a", "b")
    runner = played.runner()
    job, other = played.took(runner), played.took(runner)
    assert played.upload(job, packed({"plan.json": "{}", "out/a b.txt": "é"})).status_code == 201

    def get(job_id: int, file: str) -> Any:
        return played.instance.call("GET", played.instance.project(f"jobs/{job_id}/artifacts/{file}"))

    assert get(job["id"], "plan.json").content == b"{}"
    assert get(job["id"], "out/a%20b.txt").content == "é".encode()
    assert get(job["id"], "plan.json").headers["Content-Type"] == "application/octet-stream"
    for job_id, file in ((job["id"], "gone"), (other["id"], "plan.json"), (999, "plan.json")):
        assert get(job_id, file).status_code == 404


# --- through GitLab's usual Python client -----------------------------------------------------------------------------


def test_python_gitlab_finds_the_artifact_of_a_merge_requests_job(played: Played, gl: gitlab.Gitlab) -> None:
    request = played.change("feature")
    played.start("check", "preview", merge_request=request)
    runner = played.runner()
    played.end(played.took(runner, "check"))
    played.end(played.took(runner, "preview"), plan_json='{"a": 1}')
    merged = played.merge(request)

    project = gl.projects.get("acme/app")
    (listed,) = project.mergerequests.get(request).pipelines.list(get_all=True)
    pipeline = project.pipelines.get(listed.id)
    assert (pipeline.status, pipeline.sha) == ("success", merged["sha"])
    jobs = pipeline.jobs.list(iterator=True, per_page=1)
    job = next(each for each in jobs if each.name == "preview")
    assert project.jobs.get(job.id, lazy=True).artifact("plan.json") == b'{"a": 1}'
    with pytest.raises(gitlab.GitlabGetError) as caught:
        project.jobs.get(job.id, lazy=True).artifact("gone.json")
    assert caught.value.response_code == 404
