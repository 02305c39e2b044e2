"""Which runner gets a job and when, what it learns with it, and what the job leaves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gitlab.jobs import fits
from sandbox.gitlab.runners import RUNNERS
from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played, packed, variables


@pytest.fixture
def played(instance: Instance) -> Played:
    return Played(instance)


# --- which runner -----------------------------------------------------------------------------------------------------


def test_a_runner_takes_jobs_that_its_tags_cover(played: Played) -> None:
    played.start(
        {"name": "one", "tags": ["a"]},
        {"name": "both", "tags": ["b", "a"]},
        {"name": "other", "tags": ["a", "c"]},
        {"name": "none", "tags": []},
    )
    assert played.names(played.runner("c")) == []
    assert played.names(played.runner("a")) == ["one"]
    assert played.names(played.runner("a", "b")) == ["both"]
    assert played.names(played.runner("a", "b", run_untagged=True)) == ["none"]
    assert played.names(played.runner("c", "a")) == ["other"]


def test_the_oldest_job_comes_first_and_once(played: Played) -> None:
    played.start("a", "b")
    played.start("c")
    first, second = played.runner(), played.runner()
    taken = [played.took(runner)["job_info"]["name"] for runner in (first, second, first)]
    assert taken == ["a", "b", "c"]
    assert played.take(second) is None


def test_a_runner_takes_no_job_of_another_project(played: Played) -> None:
    other = Played(played.instance, "acme/platform")
    other.start("theirs")
    assert played.names(played.runner()) == []
    assert other.names(other.runner(locked=True)) == ["theirs"]


def test_a_runner_for_protected_branches_takes_jobs_of_those_only(played: Played) -> None:
    played.api("POST", "protected_branches", name="main")
    played.api("POST", "repository/branches", branch="open", ref="main")
    protected, any_branch = played.runner(access_level="ref_protected"), played.runner()
    played.start("on open", source="push", ref="open")
    played.start("on main", source="push", ref="main")
    assert played.names(protected) == ["on main"]
    assert played.names(any_branch) == ["on open"]


def test_a_merge_request_is_protected_when_both_its_branches_are(played: Played) -> None:
    request = played.change("feature")
    runner = played.runner(access_level="ref_protected")
    for protected, taken in (([], 0), (["main"], 0), (["feature"], 0), (["main", "feature"], 1)):
        for branch in protected:
            played.api("POST", "protected_branches", name=branch)
        played.start("preview", merge_request=request)
        assert len(played.names(runner)) == taken, protected
        for branch in protected:
            played.api("DELETE", f"protected_branches/{branch}")
    played.start("open", merge_request=request)
    assert variables(played.took(played.runner()))["CI_COMMIT_REF_PROTECTED"] == "false"


def test_a_runner_that_is_paused_takes_nothing_until_it_goes_on(played: Played) -> None:
    played.start("a")
    token = played.runner(paused=True)
    assert played.take(token) is None
    (runner,) = played.api("GET", "runners")
    assert runner["status"] == "online", "it has asked"
    played.instance.call("PUT", f"runners/{runner['id']}", json={"paused": False})
    assert played.names(token) == ["a"]


@pytest.mark.parametrize("token", ["glrt-wrong", ""])
def test_who_is_no_runner_gets_no_job(played: Played, token: str) -> None:
    played.start("a")
    answer = played.ask(token)
    assert answer.status_code == (403 if token else 400)
    removed = played.runner()
    played.instance.store.delete(RUNNERS, played.api("GET", "runners")[0]["id"])
    assert played.ask(removed).json() == {"message": "403 Forbidden"}
    assert played.stored("a")["status"] == "pending"


# --- when -------------------------------------------------------------------------------------------------------------


def test_a_stage_waits_for_those_before(played: Played) -> None:
    played.start({"name": "late", "stage": 2}, {"name": "first", "stage": 0}, {"name": "beside", "stage": 0})
    runner = played.runner()
    first = played.took(runner, "first")
    beside = played.took(runner, "beside")
    assert played.take(runner) is None
    played.end(first)
    assert played.take(runner) is None
    played.end(beside)
    assert played.names(runner) == ["late"]


def test_needs_go_before_stages(played: Played) -> None:
    played.start(
        {"name": "a", "stage": 0},
        {"name": "b", "stage": 1, "needs": []},
        {"name": "c", "stage": 1, "needs": ["b"]},
        {"name": "d", "stage": 2, "needs": ["gone"]},
    )
    runner = played.runner()
    a = played.took(runner, "a")
    b = played.took(runner, "b")
    d = played.took(runner, "d")
    assert played.take(runner) is None
    played.end(b)
    c = played.took(runner, "c")
    for job in (a, c, d):
        played.end(job)
    assert played.take(runner) is None


def test_what_comes_after_a_failed_job_is_skipped(played: Played) -> None:
    jobs: tuple[dict[str, Any], ...] = (
        {"name": "a", "stage": 0},
        {"name": "b", "stage": 1},
        {"name": "c", "stage": 2, "needs": ["b"]},
        {"name": "free", "stage": 2, "needs": []},
    )
    pipeline = played.start(*jobs)
    runner = played.runner()
    played.end(played.took(runner, "a"), "failed")
    states = {name: played.stored(name)["status"] for name in ("a", "b", "c", "free")}
    assert states == {"a": "failed", "b": "skipped", "c": "skipped", "free": "pending"}
    assert played.stored("a")["failure_reason"] == "script_failure"
    assert played.api("GET", f"pipelines/{pipeline['id']}")["status"] == "running"
    assert played.names(runner) == ["free"]
    assert played.api("GET", f"pipelines/{pipeline['id']}")["status"] == "failed"


def test_a_resource_group_has_one_job_at_a_time_over_all_pipelines_of_a_project(played: Played) -> None:
    other = Played(played.instance, "acme/platform")
    job = {"name": "deploy", "resource_group": "dev"}
    for project in (played, played, other):
        project.start(job, {"name": "free", "resource_group": "prod"})
    runner = played.runner()
    first = played.took(runner, "deploy")
    assert other.took(other.runner(), "deploy")["id"] != first["id"]
    free = played.took(runner, "free")
    assert played.take(runner) is None
    played.end(first, "failed")
    assert played.took(runner, "deploy")["id"] > free["id"]


# --- the variables ----------------------------------------------------------------------------------------------------


def of(played: Played, job: dict[str, Any], **event: Any) -> dict[str, str]:
    played.start({"name": "a"} | job, **event)
    return variables(played.took(played.runner(), "a"))


def test_the_longest_scope_that_fits_wins(played: Played) -> None:
    for scope, each in (("review/special", "special"), ("dev", "dev"), ("*", "any"), ("review/*", "review")):
        played.api("POST", "variables", key="KEY", value=each, environment_scope=scope)
    expected = {
        "prod": "any",
        "dev": "dev",
        "development": "any",
        "review/x": "review",
        "review/x/y": "review",
        "review/special": "special",
        "review": "any",
    }
    assert {name: of(played, {"environment": {"name": name}})["KEY"] for name in expected} == expected
    assert of(played, {})["KEY"] == "any"


def test_protected_variables_are_for_protected_pipelines_also_where_their_scope_is_longer(played: Played) -> None:
    played.api("POST", "variables", key="KEY", value="open", environment_scope="*")
    played.api("POST", "variables", key="KEY", value="protected", environment_scope="dev", protected=True)
    job = {"environment": {"name": "dev"}}
    assert of(played, job)["KEY"] == "open"
    played.api("POST", "protected_branches", name="main")
    assert of(played, job)["KEY"] == "protected"
    request = played.change("feature")
    assert of(played, job, merge_request=request)["KEY"] == "open"


def test_the_strongest_of_several_variables_comes_alone(played: Played) -> None:
    group = f"groups/{played.instance.account.group_id}/variables"

    def value() -> str:
        return of(played, {"variables": {"KEY": "job", "CI_JOB_NAME": "renamed"}}, schedule=schedule)["KEY"]

    made = played.api("POST", "pipeline_schedules", description="nightly", ref="main", cron="0 1 * * *")
    schedule = made["id"]
    assert value() == "job"
    played.instance.call("POST", group, json={"key": "KEY", "value": "group"})
    assert value() == "group"
    played.api("POST", "variables", key="KEY", value="project")
    assert value() == "project"
    played.api("POST", f"pipeline_schedules/{schedule}/variables", key="KEY", value="schedule")
    assert value() == "schedule"


def test_a_variable_comes_with_what_the_runner_must_know_of_it(played: Played) -> None:
    played.api("POST", "variables", key="FILE", value="text", variable_type="file", raw=True)
    played.api("POST", "variables", key="MASKED", value="masked-value", masked=True)
    played.start({"name": "a", "variables": {"NUMBER": 5}})
    shown = {each["key"]: each for each in played.took(played.runner())["variables"]}
    assert shown["FILE"] == {
        "key": "FILE", "value": "text", "public": False, "masked": False, "raw": True, "file": True
    }  # fmt: skip
    assert shown["MASKED"]["masked"] is True
    assert shown["NUMBER"] == {
        "key": "NUMBER", "value": "5", "public": True, "masked": False, "raw": False, "file": False
    }  # fmt: skip


def test_predefined_variables_of_a_branch(played: Played) -> None:
    pipeline = played.start({"name": "a", "stage": 3, "environment": {"name": "dev"}})
    job = played.took(played.runner())
    url = played.instance.listener.url
    assert variables(job) == {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER_URL": url,
        "CI_API_V4_URL": f"{url}/api/v4",
        "CI_PROJECT_ID": str(played.id),
        "CI_PROJECT_PATH": "acme/app",
        "CI_PROJECT_NAME": "app",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_SHA": pipeline["sha"],
        "CI_COMMIT_SHORT_SHA": pipeline["sha"][:8],
        "CI_COMMIT_REF_NAME": "main",
        "CI_COMMIT_REF_PROTECTED": "false",
        "CI_COMMIT_BRANCH": "main",
        "CI_PIPELINE_ID": str(pipeline["id"]),
        "CI_PIPELINE_SOURCE": "push",
        "CI_PIPELINE_URL": f"{url}/acme/app/-/pipelines/{pipeline['id']}",
        "CI_JOB_ID": str(job["id"]),
        "CI_JOB_NAME": "a",
        "CI_JOB_STAGE": "3",
        "CI_JOB_URL": f"{url}/acme/app/-/jobs/{job['id']}",
        "CI_JOB_TOKEN": job["token"],
        "CI_ENVIRONMENT_NAME": "dev",
    }


def test_predefined_variables_of_a_merge_request(played: Played) -> None:
    request = played.change("feature")
    pipeline = played.start("a", merge_request=request)
    found = variables(played.took(played.runner()))
    assert "CI_COMMIT_BRANCH" not in found
    assert "CI_ENVIRONMENT_NAME" not in found
    shown = played.api("GET", f"merge_requests/{request}")
    assert pipeline["ref"] == f"refs/merge-requests/{request}/head"
    expected = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_SHA": shown["sha"],
        "CI_COMMIT_REF_NAME": "feature",
        "CI_MERGE_REQUEST_ID": str(shown["id"]),
        "CI_MERGE_REQUEST_IID": str(request),
        "CI_MERGE_REQUEST_PROJECT_ID": str(played.id),
        "CI_MERGE_REQUEST_PROJECT_PATH": "acme/app",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(played.id),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    assert expected.items() <= found.items()


def test_predefined_variables_of_a_schedule(played: Played) -> None:
    made = played.api("POST", "pipeline_schedules", description="nightly", ref="prod", cron="0 1 * * *")
    played.api("POST", f"pipeline_schedules/{made['id']}/variables", key="TASK", value="drift")
    found = of(played, {}, schedule=made["id"])
    expected = {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "prod", "TASK": "drift"}
    assert expected.items() <= found.items()


@given(st.text(st.sampled_from("ab*/.+["), max_size=6), st.text(st.sampled_from("ab*/.+["), max_size=6))
def test_a_star_in_a_scope_is_any_text_and_all_else_is_itself(scope: str, environment: str) -> None:
    def matches(scope: str, text: str) -> bool:
        if not scope:
            return not text
        if scope[0] == "*":
            return any(matches(scope[1:], text[n:]) for n in range(len(text) + 1))
        return text[:1] == scope[0] and matches(scope[1:], text[1:])

    assert fits(scope, environment) is matches(scope, environment)


# --- while it runs ----------------------------------------------------------------------------------------------------


def test_a_jobs_token_is_good_while_it_runs(played: Played) -> None:
    played.start("a")
    job = played.took(played.runner())
    path = played.instance.project("environments")

    def status() -> int:
        answer = played.instance.call("GET", path, token=None, headers={"JOB-TOKEN": job["token"]})
        return answer.status_code

    assert status() == 200
    assert played.update(job, "running").status_code == 200
    assert status() == 200
    played.end(job)
    assert status() == 401
    assert played.update(job, "failed").status_code == 403
    assert played.upload(job, packed({"a": "b"})).status_code == 403
    assert played.stored("a")["status"] == "success"


def test_only_its_own_token_changes_a_job(played: Played) -> None:
    played.start("a", "b")
    runner = played.runner()
    job, other = played.took(runner, "a"), played.took(runner, "b")
    assert played.update(job, "failed", token=other["token"]).status_code == 403
    assert played.update(job, "failed", token=runner).status_code == 403
    assert played.upload(job, packed({}), token=other["token"]).status_code == 403
    assert played.upload(job, packed({}), token="").status_code == 403
    assert played.update(job | {"id": 999}, "failed").status_code == 403
    assert played.update(job, "canceled").json() == {"error": "state does not have a valid value"}
    assert played.stored("a")["status"] == "running"


def test_a_runner_says_why_a_job_failed(played: Played) -> None:
    played.start("a", "b")
    runner = played.runner()
    assert played.update(played.took(runner), "failed", failure_reason="runner_system_failure").text == "200"
    assert played.stored("a")["failure_reason"] == "runner_system_failure"
    played.end(played.took(runner))
    assert played.stored("b")["failure_reason"] is None


def test_artifacts_are_a_zip_archive(played: Played) -> None:
    played.start("a")
    job = played.took(played.runner())
    for content in (b"", b"no zip", packed({"a": "b"})[:20]):
        refused = played.upload(job, content)
        assert (refused.status_code, refused.json()) == (
            400,
            {"message": "400 Bad request - the file is no zip archive"},
        )
    assert played.upload(job, packed({"a": "b"}), part="other").status_code == 400
    assert played.stored("a")["artifacts"] == []


def test_artifacts_are_in_no_log(played: Played) -> None:
    played.start("a")
    job = played.took(played.runner())
    assert played.upload(job, packed({"a": "b"})).json() == {"message": "201 Created"}
    entry = played.instance.log.entries()[-1]
    assert (entry["operation"], entry["request"]) == ("gitlab.Jobs.artifacts", "[secret]")
    assert job["token"] not in str(played.instance.log.entries())
