"""Flags and variables, what an open merge request lacks, and which merged ones a promotion brings: no GitLab needed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.errors import CiError
from ci.promote import main, parser, wanted
from ci.promotion import Person, Promotion, User, brought, changes
from ci.promotion_text import Content, block

JOB = {"TARGET_BRANCH": "preprod", "CI_COMMIT_REF_NAME": "main", "CI_PROJECT_ID": "7"}
ALICE, BOB = User(id=2, name="alice"), User(id=3, name="bob")


def _wanted(*arguments: str, **environment: str) -> Promotion:
    return wanted(parser().parse_args(arguments), JOB | environment)


def test_the_variables_of_the_article() -> None:
    assert _wanted(GITLAB_USER_MAILINGLIST_ID="42") == Promotion(
        project="7",
        source="main",
        target="preprod",
        title="Deployment to preprod",
        assignee=Person(text="42", origin="GITLAB_USER_MAILINGLIST_ID"),
        reviewers=[],
    )


def test_flags_go_before_variables() -> None:
    flags = [
        "--target",
        "prod",
        "--source",
        "preprod",
        "--project",
        "acme/team/app",
        "--title",
        "Go",
        "--assignee",
        "@a",
    ]
    reviewers = ["--reviewer", "@b", "--reviewer", "3, c"]
    assert _wanted(*flags, *reviewers, GITLAB_USER_MAILINGLIST_ID="42", PROMOTION_REVIEWERS="@x") == Promotion(
        project="acme/team/app",
        source="preprod",
        target="prod",
        title="Go",
        assignee=Person(text="@a", origin="--assignee"),
        reviewers=[Person(text=t, origin="--reviewer") for t in ("@b", "3", "c")],
    )


def test_variables_that_are_empty_or_listed() -> None:
    found = _wanted(PROMOTION_REVIEWERS="@a, ,4,", GITLAB_USER_MAILINGLIST_ID=" ", CI_COMMIT_BRANCH="other")
    assert [p.text for p in found.reviewers] == ["@a", "4"]
    assert found.assignee is None
    assert found.source == "main"
    assert _wanted(CI_COMMIT_REF_NAME="", CI_COMMIT_BRANCH="other").source == "other"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"TARGET_BRANCH": ""},
            "no target is given: --target or TARGET_BRANCH must say it, or it is not known what to promote. "
            "Fix: --target BRANCH",
        ),
        (
            {"CI_PROJECT_ID": ""},
            "no project is given: --project or CI_PROJECT_ID must say it, or it is not known what to promote. "
            "Fix: --project GROUP/PROJECT",
        ),
        (
            {"CI_COMMIT_REF_NAME": ""},
            "no source is given: --source or CI_COMMIT_REF_NAME or CI_COMMIT_BRANCH must say it, or it is not known what "
            "to promote. Fix: --source BRANCH",
        ),
        (
            {"TARGET_BRANCH": "main"},
            "source and target are both main: a promotion must lead to another branch, or there is nothing to merge. "
            "Fix: --target BRANCH (TARGET_BRANCH), or run the job on another branch",
        ),
        (
            {"PROMOTION_REVIEWERS": "@a,@"},
            "PROMOTION_REVIEWERS holds an @ without a name: it must be an id or @NAME. Fix: PROMOTION_REVIEWERS @NAME",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(environment: dict[str, str], message: str) -> None:
    with pytest.raises(CiError) as refused:
        _wanted(**environment)
    assert str(refused.value) == message


@pytest.mark.parametrize("arguments", [["--token", "x"], ["--targ", "x"], ["x"]])
def test_there_is_no_flag_for_the_token_and_no_guessing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, JOB)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@given(st.text())
def test_an_error_is_one_line(text: str) -> None:
    assert len(str(CiError(f"a {text} b")).splitlines()) == 1
    assert str(CiError(text)).isprintable()


# --- what an open one lacks -------------------------------------------------------------------------------------------

TEXT = block(Content(source="main", target="preprod", merged=[], commits=1))
READY: dict[str, Any] = {
    "description": TEXT,
    "assignees": [{"id": 2}],
    "reviewers": [{"id": 3}],
    "squash": False,
    "force_remove_source_branch": None,
}


@pytest.mark.parametrize(
    ("state", "lacking"),
    [
        ({}, {}),
        ({"assignees": [{"id": 9}], "reviewers": [{"id": 9}, {"id": 3}]}, {}),
        ({"description": None}, {"description": {"description": TEXT}}),
        ({"assignees": []}, {"assignee": {"assignee_id": 2}}),
        ({"reviewers": [{"id": 9}]}, {"reviewers": {"reviewer_ids": [9, 3]}}),
        ({"force_remove_source_branch": True}, {"source branch is kept": {"remove_source_branch": False}}),
        ({"squash": True}, {"no squash": {"squash": False}}),
    ],
)
def test_an_open_one_gets_what_it_lacks(state: dict[str, Any], lacking: dict[str, Any]) -> None:
    assert changes(READY | state, TEXT, ALICE, [BOB]) == lacking


def test_nobody_is_removed_where_nobody_is_asked_for() -> None:
    assert changes(READY, TEXT, None, []) == {}


# --- what a promotion brings ------------------------------------------------------------------------------------------


def _merged(iid: int, at: str = "2026-01-01T00:00:00Z", **shas: str | None) -> dict[str, Any]:
    empty = {"merge_commit_sha": None, "squash_commit_sha": None, "sha": None}
    return {"iid": iid, "title": f"t{iid}", "author": {"username": "a"}, "merged_at": at} | empty | shas


def test_a_merge_a_squash_and_a_fast_forward_are_found_by_their_commit() -> None:
    found = brought(
        [
            _merged(1, merge_commit_sha="m", sha="x"),
            _merged(2, squash_commit_sha="s", sha="x", at="2026-01-03T00:00:00Z"),
            _merged(3, sha="f", at="2026-01-02T00:00:00Z"),
            _merged(4, merge_commit_sha="elsewhere", sha="x"),
            _merged(5),
        ],
        {"m", "s", "f"},
        None,
    )
    assert [m.iid for m in found] == [2, 3, 1]


def test_after_a_squashed_promotion_only_later_ones_count() -> None:
    found = [_merged(n, merge_commit_sha="m", at=f"2026-01-0{n}T00:00:00Z") for n in (1, 2, 3)]
    assert [m.iid for m in brought(found, {"m"}, "2026-01-02T00:00:00.000Z")] == [3]


def test_an_author_may_be_gone() -> None:
    assert brought([_merged(1, sha="f") | {"author": None}], {"f"}, None)[0].author == ""
