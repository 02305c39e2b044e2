"""GitLab's answers with anything in any place: done, or one line that says what is wrong; no traceback, and no token."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from tests.ci.hostile_gitlab import ANSWERS, ASKED, PAIRS, TOKEN, Tools, is_clear, tools
from tests.ci.wrong_values import paths, put, wrong_values

pytestmark = pytest.mark.hostile

__all__ = ["tools"]


@pytest.mark.parametrize("tool", ASKED)
def test_right_answers_are_all_that_a_tool_needs(tools: Tools, tool: str) -> None:
    with tools.gitlab.answering():
        code, _, err = tools.run(tool)
    assert (code, err, tools.gitlab.unknown) == (0, "", [])
    assert set(tools.gitlab.asked) == set(ASKED[tool])


PLACES = [(tool, name, path) for tool, name in PAIRS for path in paths(ANSWERS[name])]


@given(place=st.sampled_from(PLACES), wrong=wrong_values)
def test_anything_in_any_place(tools: Tools, place: tuple[str, str, Any], wrong: Any) -> None:
    tool, name, path = place
    with tools.gitlab.answering(**{name: put(ANSWERS[name], path, wrong)}):
        is_clear(tools.run(tool))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(map(str, (place[0], place[1], *place[2]))))
def test_null_and_half_a_character_in_every_place(tools: Tools, place: tuple[str, str, Any]) -> None:
    tool, name, path = place
    for wrong in (None, "\ud800") if path and path[-1] in ("id", "title", "ref") else (None,):
        with tools.gitlab.answering(**{name: put(ANSWERS[name], path, wrong)}):
            is_clear(tools.run(tool))


@pytest.mark.parametrize(("tool", "name"), PAIRS)
@pytest.mark.parametrize("wrong", [[], [[]], "text"])
def test_an_answer_of_another_kind(tools: Tools, tool: str, name: str, wrong: Any) -> None:
    with tools.gitlab.answering(**{name: wrong}):
        is_clear(tools.run(tool))


NO_JSON = {
    "html": b"<html><body>Sign in</body></html>",
    "cut off": b'[{"id": 1, "na',
    "no text": b'\xff\xfe[\0"\0',
    "deep": b"[" * 200_000,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize(("tool", "name"), [(t, n) for t, n in PAIRS if n != "edited"])  # that it was edited is enough
def test_a_body_that_is_no_json(tools: Tools, tool: str, name: str, body: bytes) -> None:
    def answer(environ: dict[str, Any]) -> Response | None:
        return Response(body, content_type="application/json") if environ["answer"] == name else None

    with tools.gitlab.answering(answer):
        said = is_clear(tools.run(tool))
    assert "does not answer as GitLab's API does" in said or (name == "artifact" and "is no plan" in said)


@pytest.mark.parametrize("kind", ["text/html", "", "application/json; charset=\udcff", "application/octet-stream"])
@pytest.mark.parametrize(("tool", "name"), [("promote", "project"), ("promote", "merged"), ("report", "me")])
def test_a_body_of_another_type(tools: Tools, tool: str, name: str, kind: str) -> None:
    def answer(environ: dict[str, Any]) -> Response | None:
        made = Response(json.dumps(ANSWERS[name]))
        made.headers["Content-Type"] = kind.encode("utf-8", "replace").decode()
        return made if environ["answer"] == name else None

    with tools.gitlab.answering(answer):
        is_clear(tools.run(tool))


REFUSALS = [
    b'{"message": null}',
    b'{"message": {"base": ["a", {"b": "c"}]}}',
    b'["message"]',
    b"null",
    b'{"error": "insufficient_scope", "error_description": ["x"]}',
    b"\xff\xfe",
    b'{"message": ' + b"[" * 100_000,
    b'{"message": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"error_description": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
    b'{"message": "a\\nb\\u001b[2J\\ud800"}',
]


@pytest.mark.parametrize("body", REFUSALS)
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_with_anything_in_it(tools: Tools, status: int, body: bytes) -> None:
    def answer(environ: dict[str, Any]) -> Response | None:
        return Response(body, status, content_type="application/json") if environ["answer"] == "commits" else None

    with tools.gitlab.answering(answer):
        said = is_clear(tools.run("promote"))
    assert said.rstrip("\n").isprintable()


@pytest.mark.parametrize(("tool", "name"), [(t, n) for t, n in PAIRS if n != "artifact"])
def test_a_server_that_writes_the_token_everywhere(tools: Tools, tool: str, name: str) -> None:
    for path in paths(ANSWERS[name]):
        text = f"https://gitlab.example.com/{TOKEN}" if "web_url" in path else TOKEN
        with tools.gitlab.answering(**{name: put(ANSWERS[name], path, text)}):
            is_clear(tools.run(tool))


@pytest.mark.parametrize("before", range(160, 204, 4))
def test_no_part_of_the_token_is_left_where_a_reason_is_cut(tools: Tools, before: int) -> None:
    def answer(_: dict[str, Any]) -> Response:
        return Response(json.dumps({"message": "-" * before + TOKEN}), 400, content_type="application/json")

    with tools.gitlab.answering(answer):
        said = is_clear(tools.run("promote"))
    assert TOKEN[:10] not in said
