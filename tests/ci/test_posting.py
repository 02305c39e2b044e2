"""Notes over HTTP on the GitLab stand-in: one for each stack, edited in place, never another's, and never for a fork."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gitlab
import pytest

from ci.merge_request_notes import NOT_EDITED
from ci.preview_report import main
from tests.ci.conftest import SAMPLES, step
from tests.sandbox.gitlab.conftest import Instance

MARKER = "<!-- kapsule-devops:preview project=kapsule-devops stack=dev -->"
Environ = dict[str, str]


class Pipeline:
    """A pipeline of merge request !1 with a token of its own, and what it finds there."""

    def __init__(self, instance: Instance, home: Path) -> None:
        self.instance = instance
        body = {"title": "t", "source_branch": "main", "target_branch": "prod"}
        assert instance.call("POST", instance.project("merge_requests"), json=body).status_code == 201
        project = str(instance.account.project_id)
        self.environ: Environ = {
            "HOME": str(home),
            "CI_API_V4_URL": f"{instance.listener.url}/api/v4",
            "PRIVATE_TOKEN": instance.project_token(level=20)["token"],
            "CI_MERGE_REQUEST_IID": "1",
            "CI_MERGE_REQUEST_PROJECT_ID": project,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": project,
        }

    @property
    def path(self) -> str:
        return self.instance.project("merge_requests/1/notes")

    def notes(self) -> list[dict[str, Any]]:
        """Oldest first."""
        found: list[dict[str, Any]] = []
        for page in range(1, 10):
            found += self.instance.call("GET", f"{self.path}?per_page=100&sort=asc&page={page}").json()
        return found

    def write(self, body: str) -> None:
        assert self.instance.call("POST", self.path, json={"body": body}).status_code == 201

    def report(self, *previews: str, **changed: str) -> int:
        """Runs the command; `changed` are variables, and empty ones are not set."""
        arguments = [*(f"--preview={each}" for each in previews), "--post", "--limit=1000000"]
        return main(arguments, {k: v for k, v in (self.environ | changed).items() if v})


@pytest.fixture
def pipeline(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Pipeline(instance, tmp_path)


CHANGES, SAME = (f"dev={SAMPLES / name}" for name in ("changes.json", "same.json"))


def test_a_note_is_written_once_and_then_edited(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.report(CHANGES) == 0
    assert capsys.readouterr().out.endswith("Wrote a new note on dev to merge request !1.\n")
    first = pipeline.notes()
    assert [n["body"].splitlines()[:2] for n in first] == [
        [MARKER, "### Preview of `dev` (`kapsule-devops`): 8 changes"]
    ]
    assert pipeline.report(SAME) == 0
    assert capsys.readouterr().out.endswith("Edited the note on dev in merge request !1.\n")
    second = pipeline.notes()
    assert [n["id"] for n in second] == [n["id"] for n in first]
    assert second[0]["body"].startswith(f"{MARKER}\n**Preview of `dev` (`kapsule-devops`): no changes**")


def test_the_note_is_found_among_many(pipeline: Pipeline) -> None:
    for n in range(60):
        pipeline.write(f"before {n}")
    assert pipeline.report(CHANGES) == 0
    for n in range(130):
        pipeline.write(f"after {n}")
    assert pipeline.report(SAME) == 0
    notes = pipeline.notes()
    assert len(notes) == 191
    assert [n["body"].splitlines()[0] for n in notes if "kapsule-devops" in n["body"]] == [MARKER]
    assert "no changes" in notes[60]["body"]


def test_each_stack_has_a_note(pipeline: Pipeline, tmp_path: Path) -> None:
    prod = tmp_path / "prod.json"
    prod.write_text((SAMPLES / "same.json").read_text().replace("urn:pulumi:dev::", "urn:pulumi:prod::"))
    for _ in range(2):
        assert pipeline.report(CHANGES, f"prod={prod}") == 0
    assert [n["body"].splitlines()[0] for n in pipeline.notes()] == [MARKER, MARKER.replace("=dev", "=prod")]


def test_a_note_of_somebody_else_is_never_edited(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even by a maintainer, who may: its author could change it again."""
    pipeline.write(f"{MARKER}\nall is well")
    token = pipeline.instance.project_token(level=40)["token"]
    assert pipeline.report(CHANGES, PRIVATE_TOKEN=token) == 0
    assert (
        "Wrote a new note on dev to merge request !1, for the earlier one could not be edited."
        in capsys.readouterr().out
    )
    theirs, ours = pipeline.notes()
    assert theirs["body"] == f"{MARKER}\nall is well"
    assert NOT_EDITED in ours["body"]
    assert pipeline.report(SAME, PRIVATE_TOKEN=token) == 0
    assert [n["id"] for n in pipeline.notes()] == [theirs["id"], ours["id"]]


def test_a_marker_that_is_only_quoted_is_no_note_of_ours(pipeline: Pipeline) -> None:
    body = {"body": f"Look:\n{MARKER}"}
    pipeline.instance.call("POST", pipeline.path, token=pipeline.environ["PRIVATE_TOKEN"], json=body)
    assert pipeline.report(CHANGES) == 0
    quoted, ours = pipeline.notes()
    assert quoted["body"] == body["body"]
    assert NOT_EDITED not in ours["body"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_note_that_may_not_be_edited_gets_a_successor(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    assert pipeline.report(CHANGES) == 0

    def refuse(*_: Any) -> None:
        raise gitlab.GitlabUpdateError("no", status)

    monkeypatch.setattr("gitlab.v4.objects.ProjectMergeRequestNoteManager.update", refuse)
    assert pipeline.report(SAME) == 0
    first, second = pipeline.notes()
    assert "8 changes" in first["body"]
    assert NOT_EDITED in second["body"]
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert pipeline.report(CHANGES) == 0
    assert [NOT_EDITED in n["body"] for n in pipeline.notes()] == [False, False]


def test_a_note_fits_into_what_gitlab_takes(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    value = {f"k{n:02}": "x" * 300 for n in range(60)}
    file.write_text(json.dumps({"steps": [step("create", f"r{n:03}", new=value) for n in range(100)]}))
    assert pipeline.report(f"dev={file}") == 0
    (written,) = pipeline.notes()
    assert 950_000 < len(written["body"]) <= 1_000_000
    assert "**Cut** to stay below" in written["body"]


def test_the_token_itself_is_not_posted(pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = pipeline.environ["PRIVATE_TOKEN"]
    file = tmp_path / "leak.json"
    leak = step("create", token, new={token: token, "document": json.dumps({"a": token})})
    file.write_text(
        json.dumps({"steps": [leak], "diagnostics": [{"severity": "error", "message": token, "urn": token}]})
    )
    assert pipeline.report(f"dev={file}") == 0
    (written,) = pipeline.notes()
    assert "[secret]" in written["body"]
    shown = capsys.readouterr()
    assert token not in written["body"] + shown.out + shown.err


# --- no note ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99", "PRIVATE_TOKEN": ""},
            "No note: the merge request comes from a fork",
        ),
        ({"CI_MERGE_REQUEST_IID": "", "PRIVATE_TOKEN": ""}, "No note: this is no merge request pipeline"),
    ],
)
def test_where_no_note_may_be_written_the_files_are(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: Environ, said: str
) -> None:
    files = [f"--markdown={tmp_path / 'out.md'}", f"--widget={tmp_path / 'out.json'}"]
    environ = {k: v for k, v in (pipeline.environ | changed).items() if v}
    assert main([f"--preview={CHANGES}", *files, "--post"], environ) == 0
    assert said in capsys.readouterr().out
    assert pipeline.notes() == []
    assert (tmp_path / "out.md").read_text().startswith("### Preview of `dev`")
    assert (tmp_path / "out.json").read_text() == '{"create": 4, "update": 3, "delete": 2}\n'


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"PRIVATE_TOKEN": "glpat-wrong-wrong-wrong"},
            "http://127.0.0.1:",
        ),
        (
            {"CI_MERGE_REQUEST_IID": "7"},
            "http://127.0.0.1:",
        ),
        (
            {"CI_API_V4_URL": "http://127.0.0.1:1/api/v4"},
            "http://127.0.0.1:1 cannot be reached (no connection)",
        ),
        ({"PRIVATE_TOKEN": ""}, "PRIVATE_TOKEN is not set: it must hold an access token"),
        ({"CI_API_V4_URL": ""}, "GitLab's address is not known: CI_API_V4_URL or CI_SERVER_URL must be set"),
        (
            {"CI_API_V4_URL": "gitlab.com"},
            "GitLab's address (--url, CI_API_V4_URL or CI_SERVER_URL) must be http(s)://HOST",
        ),
        (
            {"CI_MERGE_REQUEST_PROJECT_ID": ""},
            "CI_MERGE_REQUEST_PROJECT_ID is not set, though CI_MERGE_REQUEST_IID is.",
        ),
    ],
)
def test_refusals_are_one_line_and_the_report_is_there(
    pipeline: Pipeline,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changed: Environ,
    said: str,
) -> None:
    monkeypatch.setattr("gitlab.utils.time.sleep", lambda _: None)  # between tries to reach what is not there
    assert pipeline.report(SAME, **changed) == 1
    shown = capsys.readouterr()
    assert "no changes" in shown.out
    assert shown.err.startswith(f"error: {said}")
    assert shown.err.count("\n") == 1
    assert "glpat-wrong" not in shown.err


def test_a_token_that_may_only_read(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    token = pipeline.instance.project_token(level=20, scopes=("read_api",))["token"]
    assert pipeline.report(SAME, PRIVATE_TOKEN=token) == 1
    assert capsys.readouterr().err.startswith(
        "error: PRIVATE_TOKEN may not do this (403: The request requires higher privileges than provided "
        "by the access token.): its scope must be api, or GitLab refuses changes."
    )


def test_the_server_url_will_do(pipeline: Pipeline, start: Callable[..., Instance]) -> None:
    assert pipeline.report(SAME, CI_API_V4_URL="", CI_SERVER_URL=pipeline.instance.listener.url + "/") == 0
    assert len(pipeline.notes()) == 1
