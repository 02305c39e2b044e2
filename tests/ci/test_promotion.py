"""Promotions against the GitLab stand-in, over HTTP: what is opened, updated and left alone, in how many requests."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import ci.promotion
from ci.promote import main
from ci.promotion_text import BEGIN, END
from sandbox.gitlab import history, projects
from sandbox.gitlab.common import MEMBERS
from sandbox.gitlab.merge_requests import MERGE_REQUESTS
from tests.ci.conftest import Job
from tests.sandbox.gitlab.conftest import Instance


def _body(text: str) -> str:
    """The lines between the markers."""
    assert text.startswith(f"{BEGIN}\n\n")
    assert text.endswith(f"\n\n{END}")
    return text.removeprefix(f"{BEGIN}\n\n").removesuffix(f"\n\n{END}")


def _url(job: Job, iid: int) -> str:
    return f"  {job.instance.listener.url}/acme/app/-/merge_requests/{iid}\n"


# --- opening ----------------------------------------------------------------------------------------------------------


def test_the_first_promotion(job: Job) -> None:
    job.change("Add a cache")
    job.change("Close @all")
    ran = job.run(GITLAB_USER_MAILINGLIST_ID=str(job.instance.account.alice_id))
    assert ran == (0, f"opened !3: main → preprod, 2 merge requests\n{_url(job, 3)}", "")
    (found,) = job.open()
    assert (found["title"], found["squash"], found["force_remove_source_branch"]) == (
        "Deployment to preprod",
        False,
        False,
    )
    assert (found["assignee"]["username"], found["reviewers"]) == ("alice", [])
    assert _body(found["description"]) == (
        "Promotes `main` to `preprod`: 2 merge requests.\n\n* !2 `Close @all` (@root)\n* !1 `Add a cache` (@root)"
    )


def test_a_second_run_changes_nothing_and_sends_no_change(job: Job) -> None:
    job.change("One")
    assert job.run(PROMOTION_REVIEWERS="@alice,bob")[0] == 0
    before = job.open()
    asked = job.requests(lambda: job.run(PROMOTION_REVIEWERS="@alice,bob"))
    assert asked == [
        "Projects.get", "Branches.get", "Branches.get", "MergeRequests.list", "Commits.list", "MergeRequests.list",
        "Users.list", "Users.list", "MergeRequests.list",
    ]  # fmt: skip
    assert job.open() == before
    assert job.run() == (0, f"nothing to do: !2 is up to date\n{_url(job, 2)}", "")


def test_an_open_one_is_updated(job: Job) -> None:
    job.change("One")
    job.run()
    text = f"Please wait for Bob.\n\n{job.open()[0]['description']}\n\nThanks!"
    job.call("PUT", "merge_requests/2", description=text, title="Draft: later", squash=True, remove_source_branch=True)
    job.change("Two")
    ran = job.run("--reviewer", "@alice", "--reviewer", str(job.instance.account.bob_id), "--assignee", "bob")
    assert ran == (
        0,
        f"updated !2: description, assignee, reviewers, source branch is kept, no squash\n{_url(job, 2)}",
        "",
    )
    (found,) = job.open()
    assert found["title"] == "Draft: later"
    assert [u["username"] for u in found["reviewers"]] == ["alice", "bob"]
    assert found["assignee"]["username"] == "bob"
    assert found["description"].startswith(f"Please wait for Bob.\n\n{BEGIN}\n")
    assert found["description"].endswith(f"* !3 `Two` (@root)\n* !1 `One` (@root)\n\n{END}\n\nThanks!")


def test_one_that_a_person_opened_is_taken_over(job: Job) -> None:
    job.change("One")
    body = {"source_branch": "main", "target_branch": "preprod", "title": "By hand", "description": "Why not?"}
    job.call("POST", "merge_requests", 201, **body, assignee_id=job.instance.account.bob_id)
    assert job.run("--assignee", "@alice") == (0, f"updated !2: description\n{_url(job, 2)}", "")
    (found,) = job.open()
    assert (found["title"], found["assignee"]["username"]) == ("By hand", "bob")
    assert found["description"].startswith(f"Why not?\n\n{BEGIN}")


def test_flags_by_hand_and_a_project_in_subgroups(job: Job) -> None:
    store = job.instance.store
    project = projects.add_project(store, projects.add_group(store, "acme/platform/web"), "site", "trunk")
    for branch in ("trunk", "live/eu"):
        history.add_branch(store, project, branch)
    bob = {"user_id": job.instance.account.bob_id, "source": f"project:{project['id']}", "access_level": 30}
    store.put(MEMBERS, f"{bob['source']}:{bob['user_id']}", bob)
    job.instance.account = job.instance.account.__class__(
        **(job.instance.account.__dict__ | {"project_id": project["id"]})
    )
    job.commit("trunk")
    ran = job.run(
        *("--project", "acme/platform/web/site", "--source", "trunk", "--target", "live/eu", "--title", "Go live"),
        *("--url", job.instance.listener.url, "--assignee", "@bob"),
        **dict.fromkeys(("CI_API_V4_URL", "CI_PROJECT_ID", "CI_COMMIT_REF_NAME", "TARGET_BRANCH")),
        PRIVATE_TOKEN=job.instance.account.token,
    )
    url = f"{job.instance.listener.url}/acme/platform/web/site/-/merge_requests/1"
    assert ran == (0, f"opened !1: trunk → live/eu, 0 merge requests\n  {url}\n", "")
    found = job.call("GET", "merge_requests/1")
    assert (found["title"], found["assignee"]["username"]) == ("Go live", "bob")
    assert _body(found["description"]) == (
        "Promotes `trunk` to `live/eu`: no merge request, 1 commit that came without one."
    )


def test_the_command_in_a_process_of_its_own(job: Job) -> None:
    """Also where the log takes ASCII only."""
    environment = {**os.environ, **job.environment, "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "ci.promote"]
    job.commit("main")
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"opened !1: main ? preprod, 0 merge requests\n{_url(job, 1)}"
    environment["PRIVATE_TOKEN"] = "glpat-wrong"
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


def test_a_free_gitlab_takes_one_reviewer_and_it_is_said(
    start: Callable[..., Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(start(enterprise=False), capsys)
    job.commit("main")
    left = "  GitLab did not take @bob as reviewer:\n  they need to be members; several reviewers need GitLab Premium\n"
    reviewers = {"PROMOTION_REVIEWERS": "alice,bob"}
    assert job.run(**reviewers)[:2] == (0, f"opened !1: main → preprod, 0 merge requests\n{_url(job, 1)}{left}")
    assert job.run(**reviewers)[:2] == (0, f"nothing to do: !1 is up to date\n{_url(job, 1)}{left}")


# --- nothing to promote, and what is listed ---------------------------------------------------------------------------


def test_nothing_to_promote(job: Job) -> None:
    assert job.run() == (0, "nothing to promote: preprod has all of main\n", "")
    job.commit("preprod")  # the target is ahead
    assert job.run() == (0, "nothing to promote: preprod has all of main\n", "")
    job.change("One")
    job.run()
    job.call("PUT", "merge_requests/2/merge")
    assert job.run() == (0, "nothing to promote: preprod has all of main\n", "")
    assert job.open() == []


def test_only_what_came_since_the_last_promotion_is_listed(job: Job) -> None:
    job.change("Old")
    job.run()
    job.change("Merged while the promotion was open")
    job.run()
    job.call("PUT", "merge_requests/2/merge")
    squashed = job.change("New, squashed", squash=True)
    job.instance.store.put(
        "gitlab.projects", 1, (job.instance.store.get("gitlab.projects", 1) or {}) | {"merge_method": "ff"}
    )
    forward = job.change("New, fast-forward")
    both = job.change("New, both", squash=True)
    job.change("Elsewhere", into="prod")
    assert job.run()[0] == 0
    assert _body(job.open()[0]["description"]) == (
        "Promotes `main` to `preprod`: 3 merge requests since !2.\n\n"
        f"* !{both} `New, both` (@root)\n"
        f"* !{forward} `New, fast-forward` (@root)\n"
        f"* !{squashed} `New, squashed` (@root)"
    )


def test_the_second_step_lists_the_changes_themselves(job: Job) -> None:
    first = job.change("One")
    job.run()
    job.call("PUT", "merge_requests/2/merge")
    assert job.run(CI_COMMIT_REF_NAME="preprod", TARGET_BRANCH="prod")[0] == 0
    found = job.call("GET", "merge_requests/3")
    bot = job.call("GET", "merge_requests/2")["author"]["username"]
    assert _body(found["description"]) == (
        "Promotes `preprod` to `prod`: 2 merge requests.\n\n"
        f"* !2 `Deployment to preprod` (@{bot})\n"
        f"* !{first} `One` (@root)"
    )


def test_a_promotion_that_was_squashed_is_not_promoted_again(job: Job) -> None:
    job.change("One")
    job.run()
    job.call("PUT", "merge_requests/2/merge", squash=True)
    assert job.run() == (0, "nothing to promote: preprod has all of main\n", "")
    new = job.change("Two")
    assert job.run()[0] == 0
    assert _body(job.open()[0]["description"]) == (
        f"Promotes `main` to `preprod`: 1 merge request since !2.\n\n* !{new} `Two` (@root)"
    )


def test_reading_ends_somewhere_and_says_so(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        job.change(f"t{n}")
    monkeypatch.setattr(ci.promotion, "READ", 3)
    monkeypatch.setattr(ci.promotion, "_PAGE", 2)
    asked = job.requests(job.run)
    assert (asked.count("Commits.list"), asked.count("MergeRequests.list")) == (2, 5)
    assert _body(job.open()[0]["description"]).startswith("Promotes `main` to `preprod`: at least 2 merge requests.\n")


# --- among many -------------------------------------------------------------------------------------------------------


def _others(job: Job, number: int, **fields: Any) -> None:
    """Open merge requests of others, straight into the store: making each over HTTP takes minutes."""
    store, project = job.instance.store, job.instance.account.project_id
    template = job.call("POST", "merge_requests", 201, source_branch="main", target_branch="prod", title="Template")
    with store.transaction():
        for n in range(number):
            iid = store.next_id(f"gitlab.merge_request.{project}")
            names = {k: v.format(n=n) if isinstance(v, str) else v for k, v in fields.items()}
            store.put(MERGE_REQUESTS, f"{project}:{iid}", template | {"id": iid, "iid": iid} | names)
    job.call("PUT", f"merge_requests/{template['iid']}", state_event="close")


def test_both_branches_must_match_and_every_page_is_read(job: Job) -> None:
    job.change("One")
    _others(job, 250, source_branch="main", target_branch="target/{n}")
    _others(job, 250, source_branch="source/{n}", target_branch="preprod")
    # A fork's branch may be named like ours: GitLab's filter cannot tell, and a page holds 100 at most.
    _others(job, 250, source_branch="main", target_branch="preprod", source_project_id=99)
    assert job.run()[1].startswith("opened !755: main → preprod")
    assert job.run() == (0, f"nothing to do: !755 is up to date\n{_url(job, 755)}", "")
    mine = [m["iid"] for m in job.instance.store.all(MERGE_REQUESTS, title="Deployment to preprod")]
    assert mine == [755]


def test_ten_thousand_open_ones_cost_no_more_requests(job: Job) -> None:
    job.change("One")
    few = len(job.requests(job.run))
    again = len(job.requests(job.run))
    job.call("PUT", "merge_requests/2", state_event="close")
    _others(job, 5_000, source_branch="main", target_branch="target/{n}")
    _others(job, 5_000, source_branch="source/{n}", target_branch="preprod")
    assert len(job.requests(job.run)) == few == 9
    assert len(job.requests(job.run)) == again == 7


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_jobs_at_once_open_one(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job.change("One")
    both, codes = threading.Barrier(2), []
    look = ci.promotion._the_open_one
    seen = threading.local()

    def together(*arguments: Any) -> Any:
        found = look(*arguments)
        if not getattr(seen, "waited", False):
            seen.waited = True
            both.wait(timeout=20)  # each has found none before either opens one
        return found

    monkeypatch.setattr(ci.promotion, "_the_open_one", together)
    jobs = [threading.Thread(target=lambda: codes.append(main([], job.environment))) for _ in range(2)]
    for thread in jobs:
        thread.start()
    for thread in jobs:
        thread.join(timeout=60)
    assert codes == [0, 0]
    assert [m["iid"] for m in job.open()] == [2]
    said = capsys.readouterr()
    assert sorted(line for line in said.out.splitlines() if line[0] != " ") == [
        "nothing to do: !2 is up to date",
        "opened !2: main → preprod, 1 merge request",
    ]
    assert said.err == ""
    statuses = [s for o, s in job.instance.operations() if o == "gitlab.MergeRequests.create"]
    assert sorted(statuses[1:]) == [201, 409]


def _alongside(job: Job, monkeypatch: pytest.MonkeyPatch, iid: int, *, lose: bool) -> None:
    """Another job makes one just when ours does: GitLab holds no lock between looking and making; the stand-in does."""
    store, make = job.instance.store, ci.promotion._opened

    def opened(*arguments: Any) -> Any:
        mine = dict(make(*arguments) or {})
        record = store.get(MERGE_REQUESTS, f"1:{mine['iid']}") or {}
        store.put(MERGE_REQUESTS, f"1:{iid}", record | {"iid": iid, "id": iid})
        if lose:  # ours gets a higher number than the other one
            store.delete(MERGE_REQUESTS, f"1:{mine['iid']}")
            mine["iid"] = iid + 1
            store.put(MERGE_REQUESTS, f"1:{iid + 1}", record | {"iid": iid + 1, "id": iid + 1})
        return mine

    monkeypatch.setattr(ci.promotion, "_opened", opened)


def test_of_two_that_were_made_at_the_same_moment_the_first_stays(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.change("One")
    _alongside(job, monkeypatch, 99, lose=False)
    closed = "closed !99: !2 is the same promotion\n"
    assert job.run() == (0, f"{closed}opened !2: main → preprod, 1 merge request\n{_url(job, 2)}", "")
    assert [m["iid"] for m in job.open()] == [2]
    job.call("PUT", "merge_requests/99", state_event="reopen")
    assert job.run()[1] == f"{closed}nothing to do: !2 is up to date\n{_url(job, 2)}"


def test_the_later_of_two_gives_way_to_the_first(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.change("One")
    _alongside(job, monkeypatch, 77, lose=True)
    code, out, _ = job.run()
    assert out.startswith("closed !78: !77 is the same promotion\nnothing to do: !77 is up to date\n")
    assert (code, [m["iid"] for m in job.open()]) == (0, [77])
