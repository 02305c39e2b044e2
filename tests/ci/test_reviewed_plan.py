"""Which plan was reviewed: found in GitLab, or one line that says why there is none to keep to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gitlab
import pytest

from ci import reviewed_plan
from ci.errors import CiError
from ci.gitlab_client import connect
from ci.reviewed_plan import Reviewed, Wanted, find_reviewed_plan
from sandbox.gitlab.pipelines import PIPELINES
from tests.ci.plan_samples import plan_of, planned, text_of_plan
from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played

BY_HAND = (
    "Fix: look at what it would do now, and when that is wanted start a pipeline on main (Build > Pipelines > New "
    "pipeline): a deployment that a person starts needs no plan"
)
PLAN = text_of_plan(a=planned("create", adds={"x": 1}))


class Place(Played):
    """A project with a runner; the last plan's value says which pipeline made it."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.token = self.runner()

    def preview(self, request: int, plan: str = PLAN, state: str = "success", job: str = "preview:dev") -> Any:
        pipeline = self.start("check", job, merge_request=request)
        self.end(self.took(self.token, "check"))
        self.end(self.took(self.token, job), state, **({"plan_json": plan} if plan else {}))
        return pipeline

    def reviewed(self, branch: str = "feature", **settings: Any) -> int:
        request = self.change(branch, **settings)
        self.preview(request)
        return request

    def wanted(self, commit: str, branch: str = "main") -> Wanted:
        return Wanted(project=str(self.id), commit=commit, branch=branch, job="preview:dev", file="plan.json")

    @contextmanager
    def client(self, token: str = "") -> Iterator[gitlab.Gitlab]:
        token = token or self.instance.project_token(level=30)["token"]
        environ = {"PRIVATE_TOKEN": token, "CI_API_V4_URL": f"{self.instance.listener.url}/api/v4"}
        with connect(environ, role="Developer") as client:
            yield client

    def find(self, commit: str, branch: str = "main", token: str = "") -> Reviewed:
        with self.client(token) as client:
            return find_reviewed_plan(client, self.wanted(commit, branch))

    def refused(self, commit: str, token: str = "") -> str:
        with pytest.raises(CiError) as caught:
            self.find(commit, token=token)
        return str(caught.value)

    def merged(self, request: int) -> str:
        """The commit that the branch then ends with."""
        made = self.merge(request)
        return str(made["merge_commit_sha"] or made["squash_commit_sha"] or made["sha"])


@pytest.fixture
def place(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Place(instance)


# --- the right one ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "ff"])
@pytest.mark.parametrize("squash", [True, False])
def test_however_it_was_merged_the_plan_of_the_commits_merge_request_is_found(
    place: Place, method: str, squash: bool
) -> None:
    place.api("PUT", "", merge_method=method)
    place.merged(place.reviewed("before"))
    request = place.reviewed(squash=squash)
    commit = place.merged(request)
    place.reviewed("after")
    found = place.find(commit)
    job = place.api("GET", f"pipelines/{place.stored('preview:dev')['pipeline']['id'] - 1}/jobs")[0]
    assert found == Reviewed(
        plan=plan_of(a=planned("create", adds={"x": 1})), merge_request=request, job_url=job["web_url"]
    )
    assert found.job_url.startswith(f"{place.instance.listener.url}/acme/app/-/jobs/")


def test_one_commit_may_come_to_several_branches_each_by_its_own_merge_request(place: Place) -> None:
    place.api("PUT", "", merge_method="ff")
    closed = place.reviewed()
    place.api("PUT", f"merge_requests/{closed}", state_event="close")
    opened = {"source_branch": "feature", "title": "again"}
    first = place.api("POST", "merge_requests", target_branch="main", **opened)["iid"]
    waiting = place.api("POST", "merge_requests", target_branch="prod", **opened)["iid"]
    place.preview(waiting)
    place.preview(first)
    commit = place.merged(first)
    promotion = place.api("POST", "merge_requests", source_branch="main", target_branch="preprod", title="p")["iid"]
    place.preview(promotion)
    assert place.merged(promotion) == commit
    assert place.find(commit).merge_request == first
    assert place.find(commit, "preprod").merge_request == promotion
    with pytest.raises(CiError, match="no merge request has brought"):
        place.find(commit, "prod")


def test_of_several_merge_requests_of_one_commit_and_branch_the_last_counts(place: Place) -> None:
    place.api("PUT", "", merge_method="ff")
    commit = place.merged(place.reviewed())
    again = place.api("POST", "merge_requests", source_branch="feature", target_branch="main", title="again")["iid"]
    place.preview(again)
    assert place.merged(again) == commit
    assert place.find(commit).merge_request == again


def test_the_last_pipeline_counts(place: Place) -> None:
    request = place.reviewed()
    place.commit("feature")
    place.preview(request, text_of_plan(a=planned("create", adds={"x": 2})))
    found = place.find(place.merged(request))
    assert found.plan == plan_of(a=planned("create", adds={"x": 2}))


def test_a_pipeline_of_the_merged_result_has_a_commit_of_its_own(place: Place) -> None:
    request = place.change("feature")
    pipeline = place.preview(request)
    store = place.instance.store
    changed = {"ref": f"refs/merge-requests/{request}/merge", "sha": "f" * 40}
    store.put(PIPELINES, pipeline["id"], (store.get(PIPELINES, pipeline["id"]) or {}) | changed)
    assert place.find(place.merged(request)).merge_request == request


def test_a_branchs_pipeline_that_gitlab_lists_beside_is_not_the_merge_requests(place: Place) -> None:
    request = place.change("feature")
    place.preview(request)
    later = place.start("other", merge_request=request)
    store = place.instance.store
    store.put(PIPELINES, later["id"], (store.get(PIPELINES, later["id"]) or {}) | {"ref": "feature"})
    assert place.find(place.merged(request)).merge_request == request


# --- none -------------------------------------------------------------------------------------------------------------


def test_a_commit_that_nobody_reviewed(place: Place) -> None:
    commit = place.commit("main")
    assert place.refused(commit) == (
        f"no merge request has brought {commit[:8]} to main (of the 500 that changed last): nobody has seen a preview of "
        f"what it would change. {BY_HAND}"
    )


def test_a_commit_that_only_came_with_a_merge_request_was_not_the_branchs_last(place: Place) -> None:
    place.commit("main")
    request = place.change("feature")
    first = place.commit("feature")
    place.commit("feature")
    place.merge(request)
    assert f"no merge request has brought {first[:8]} to main (" in place.refused(first)


def test_a_project_that_the_token_may_not_read(place: Place) -> None:
    commit = place.merged(place.reviewed())
    other = Played(place.instance, "acme/platform").api("POST", "access_tokens", name="bot", scopes=["api"])
    assert place.refused(commit, other["token"]) == (
        "GitLab knows no project 1, or the token may not read it: its merge requests say what was reviewed. "
        "Fix: run the job in the project of the commit, with a token of role Developer"
    )


def test_a_merge_request_without_a_pipeline(place: Place) -> None:
    request = place.change("feature")
    assert place.refused(place.merged(request)) == (
        f"!{request} has no merge request pipeline: nobody has seen a preview of what it would change. {BY_HAND}"
    )


def test_a_pipeline_of_an_older_push(place: Place) -> None:
    request = place.change("feature")
    shown = place.preview(request)["sha"]
    last = place.commit("feature")
    assert place.refused(place.merged(request)) == (
        f"the last pipeline of !{request} is of {shown[:8]}, and {last[:8]} was merged: what was reviewed is not what is "
        f"deployed. {BY_HAND}"
    )


def test_a_pipeline_without_the_job(place: Place) -> None:
    request = place.change("feature")
    place.preview(request, job="preview:prod")
    assert place.refused(place.merged(request)) == (
        f"the pipeline of !{request} has no job preview:dev: it must have made the plan that was reviewed, or the "
        f"deployment has none to keep to. {BY_HAND}"
    )


@pytest.mark.parametrize("state", ["failed", "skipped", "running", "pending"])
def test_a_job_that_did_not_succeed(place: Place, state: str) -> None:
    request = place.change("feature")
    place.start({"name": "check", "stage": 0}, {"name": "preview:dev", "stage": 1}, merge_request=request)
    check = place.took(place.token, "check")
    if state != "pending":
        place.end(check, "failed" if state == "skipped" else "success")
    if state in ("failed", "running"):
        job = place.took(place.token)
        if state == "failed":
            place.end(job, state, plan_json=PLAN)
    assert place.refused(place.merged(request)) == (
        f"preview:dev of !{request} did not succeed ({state}): only what a preview has shown may be deployed. {BY_HAND}"
    )


@pytest.mark.parametrize("files", [{}, {"preview_md": "told"}])
def test_a_plan_that_is_gone(place: Place, files: dict[str, str]) -> None:
    request = place.change("feature")
    place.start("preview:dev", merge_request=request)
    place.end(place.took(place.token), **files)
    assert place.refused(place.merged(request)) == (
        f"preview:dev of !{request} has no plan.json any more: artifacts end after a while, and the deployment has no plan "
        f"to keep to. {BY_HAND}"
    )


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (PLAN[:-1], "is no plan: it is not JSON, or is cut off."),
        (json.dumps({"resourcePlans": []}), "is no plan: it holds no resourcePlans as the engine writes them."),
        (PLAN, f"is larger than 99 bytes ({len(PLAN)}): it is no plan of one stack."),
    ],
)
def test_an_artifact_that_is_no_plan(place: Place, content: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "larger" in wrong:
        monkeypatch.setattr(reviewed_plan, "MAX_BYTES", 99)
    request = place.change("feature")
    place.preview(request, content)
    assert place.refused(place.merged(request)) == f"plan.json of preview:dev in !{request} {wrong} {BY_HAND}"


# --- the job and its token --------------------------------------------------------------------------------------------


def test_a_token_of_too_low_a_role_or_none_at_all(place: Place) -> None:
    commit = place.merged(place.reviewed())
    guest = place.instance.project_token(level=10)["token"]
    renew = "make a new one (project, Settings > Access tokens) or, where `pulumi up` makes it, run that"
    assert place.refused(commit, guest) == (
        "PRIVATE_TOKEN may not do this (403 Forbidden): its role in the project must be Developer or higher, or GitLab "
        f"refuses the change. Fix: {renew}"
    )
    assert "refuses PRIVATE_TOKEN (401 Unauthorized)" in place.refused(commit, "glpat-wrong-wrong-wrong")


WHERE = {"CI_PROJECT_ID": "7", "CI_COMMIT_SHA": "abcdef0123456789", "CI_COMMIT_BRANCH": "main"}


def test_gitlabs_variables_say_which_plan_is_wanted() -> None:
    wanted = Wanted.of(WHERE | {"CI_COMMIT_TAG": ""}, "preview:dev", "plan.json")
    assert wanted == Wanted(project="7", commit="abcdef0123456789", branch="main", job="preview:dev", file="plan.json")
    assert wanted.short == "abcdef01"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["CI_COMMIT_BRANCH"], "CI_COMMIT_BRANCH is not set"),
        (["CI_PROJECT_ID", "CI_COMMIT_SHA"], "CI_PROJECT_ID and CI_COMMIT_SHA are not set"),
        (list(WHERE), "CI_PROJECT_ID and CI_COMMIT_SHA and CI_COMMIT_BRANCH are not set"),
    ],
)
def test_variables_that_are_missing(missing: list[str], said: str) -> None:
    with pytest.raises(CiError) as caught:
        Wanted.of(WHERE | dict.fromkeys(missing, ""), "preview:dev", "plan.json")
    assert str(caught.value) == (
        f"{said}: they must say which commit is deployed, or its reviewed plan cannot be found. Fix: by hand, --plan FILE"
    )
