"""Answers that never end, end too early, come too slowly, are too large, or lead elsewhere: a tool ends and says so."""

import gzip
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import pytest
from werkzeug.wrappers import Response

from ci import gitlab_client, gitlab_transport
from sandbox.web import Listener, Service
from tests.ci.hostile_gitlab import ANSWERS, Tools, is_clear, tools

pytestmark = pytest.mark.hostile

__all__ = ["tools"]

Answer = Callable[[dict[str, Any]], Response | None]
LISTS = [("promote", name) for name in ("merged", "commits", "users", "open")] + [
    ("deploy", "merged"), ("deploy", "pipelines"), ("deploy", "jobs"), ("report", "notes"),
]  # fmt: skip
BODIES = [("promote", "project"), ("promote", "commits"), ("deploy", "artifact"), ("report", "me")]


def of(name: str, make: Callable[[dict[str, Any]], Response]) -> Answer:
    """In the place of one answer."""
    return lambda environ: make(environ) if environ["answer"] == name else None


def as_json(body: Iterable[bytes] | bytes | str, **headers: str) -> Response:
    return Response(body, content_type="application/json", headers={k.replace("_", "-"): v for k, v in headers.items()})


# --- where requests go ------------------------------------------------------------------------------------------------


class _Elsewhere:
    """Another server, which must hear nothing."""

    name = "elsewhere"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.listener = Listener(cast(Service, self))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.heard.append(f"{environ['REQUEST_URI']} {environ.get('HTTP_PRIVATE_TOKEN')}")
        return as_json("[]")(environ, start_response)


@pytest.fixture
def elsewhere() -> Iterator[_Elsewhere]:
    made = _Elsewhere()
    yield made
    made.listener.close()


@pytest.mark.parametrize("status", [301, 303, 307])
@pytest.mark.parametrize(("tool", "name"), [*BODIES, ("promote", "updated"), ("report", "edited")])
def test_no_redirect_takes_the_token_to_another_server(
    tools: Tools, elsewhere: _Elsewhere, tool: str, name: str, status: int
) -> None:
    moved = of(name, lambda _: Response("", status, headers={"Location": f"{elsewhere.listener.url}/api/v4/user"}))
    with tools.gitlab.answering(moved):
        said = is_clear(tools.run(tool))
    assert "sends requests elsewhere: the address must be GitLab's own" in said
    assert elsewhere.heard == []


@pytest.mark.parametrize("path", ["/", "/api", "/api/v4/x", "/next?page=2"])
def test_no_link_to_a_next_page_takes_the_token_to_another_server(
    tools: Tools, elsewhere: _Elsewhere, path: str
) -> None:
    link = f'<{elsewhere.listener.url}{path}>; rel="next"'
    with tools.gitlab.answering(of("commits", lambda _: as_json("[]", Link=link))):
        is_clear(tools.run("promote"))
    assert elsewhere.heard == []


class _AsWritten(Response):
    """Its headers are sent as they are: werkzeug would mend them, or fail."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        return self.headers


@pytest.mark.parametrize("place", ["http://[", "//[/", "file:///etc/passwd", "http://x:y/", "https://"])
def test_a_redirect_to_nowhere(tools: Tools, place: str) -> None:
    with tools.gitlab.answering(of("project", lambda _: _AsWritten("", 302, headers={"Location": place}))):
        assert "sends requests elsewhere" in is_clear(tools.run("promote"))


@pytest.mark.parametrize("place", ["\\\\x", "?" * 9_000])
def test_a_redirect_that_leads_to_itself(tools: Tools, place: str) -> None:
    with tools.gitlab.answering(lambda _: _AsWritten("", 302, headers={"Location": place})):
        assert "cannot be reached (TooManyRedirects)" in is_clear(tools.run("promote"))


def test_a_redirect_within_the_server_is_followed(tools: Tools) -> None:
    """As for a project that was renamed."""
    tools.environ["CI_PROJECT_ID"] = "acme/old"
    moved = Response("", 301, headers={"Location": f"{tools.gitlab.listener.url}/api/v4/projects/1"})
    with tools.gitlab.answering(lambda environ: moved if "old" in environ["REQUEST_URI"] else None):
        assert is_clear(tools.run("promote")) == ""
    tools.environ["CI_PROJECT_ID"] = "1"


# --- how many ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", ["none", "right"])
@pytest.mark.parametrize(("tool", "name"), LISTS)
def test_a_list_without_an_end(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, tool: str, name: str, entries: str
) -> None:
    """Some tools stop at what they look for, or after as many as they read: that is right, too."""
    monkeypatch.setattr(gitlab_transport, "MAX_REQUESTS", 15)
    body = tools_body(name) if entries == "right" else "[]"

    def page(environ: dict[str, Any]) -> Response:
        return as_json(body, Link=f'<{tools.gitlab.listener.url}{environ["REQUEST_URI"]}>; rel="next"')

    with tools.gitlab.answering(of(name, page)):
        said = is_clear(tools.run(tool))
    assert len(tools.gitlab.asked) <= 15
    if entries == "none":
        assert "goes on and on (more than 15 requests would be needed): it must come to an end" in said


def tools_body(name: str) -> str:
    return json.dumps(ANSWERS[name])


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Total": "many", "X_Total_Pages": "-1", "X_Per_Page": "0", "X_Next_Page": "x", "X_Page": "1e9"},
        {"X_Total": "9" * 30},
        {"X_Total": "1000000000000"},
        {"X_Total": "-5"},
        {"Link": "nonsense"},
        {"Link": '<>; rel="next", <b>; rel'},
        {"Link": '<http://[>; rel="next"'},
        {"Link": '</api/v4/x>; rel="next"'},
        {"Link": '<//api>; rel="next"'},
        {"Link": '<file:///etc/passwd>; rel="next"'},
        {"Link": f'<{"x" * 9_000}>; rel="next"'},
    ],
)
@pytest.mark.parametrize("name", ["users", "commits"])
def test_absurd_headers_of_pages(tools: Tools, name: str, headers: dict[str, str]) -> None:
    with tools.gitlab.answering(of(name, lambda _: as_json(tools_body(name), **headers))):
        is_clear(tools.run("promote"))


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry_After": "7"}, [7] * 5),
        ({"Retry_After": "0"}, [0] * 5),
        ({"Retry_After": "86400"}, [60] * 5),
        ({"Retry_After": "9" * 400}, [60] * 5),
        ({"RateLimit_Reset": "9" * 11}, [60] * 5),
        ({"RateLimit_Reset": "5"}, [0] * 5),
        ({"RateLimit_Reset": "soon"}, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ({"Retry_After": "-1"}, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ({"Retry_After": "Fri, 31 Dec 2999 23:59:59 GMT"}, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ({"Retry_After": "", "RateLimit_Reset": ""}, [0.1, 0.2, 0.4, 0.8, 1.6]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_nobody_waits_longer_than_is_sensible(
    tools: Tools, status: int, headers: dict[str, str], waits: list[float]
) -> None:
    def refused(_: dict[str, Any]) -> Response:
        made = as_json("{}", **headers)
        made.status_code = status
        return made

    with tools.gitlab.answering(of("project", refused)):
        assert "also after 5 more tries" in is_clear(tools.run("promote"))
    assert tools.waits == pytest.approx(waits)


# --- how much and how long --------------------------------------------------------------------------------------------


def endless(ended: threading.Event, part: bytes) -> Iterator[bytes]:
    """Bit by bit until nobody listens any more."""
    try:
        while not ended.wait(0.01):
            yield part
    finally:
        ended.set()


@pytest.mark.parametrize("size", [{}, {"Content_Length": "1000000"}])
@pytest.mark.parametrize(("tool", "name"), BODIES)
def test_a_body_that_comes_too_slowly(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, tool: str, name: str, size: dict[str, str]
) -> None:
    monkeypatch.setattr(gitlab_transport, "MAX_ANSWER_SECONDS", 0.1)
    ended = threading.Event()
    with tools.gitlab.answering(of(name, lambda _: as_json(endless(ended, b" "), **size))):
        said = is_clear(tools.run(tool))
    assert "goes on and on (an answer takes longer than 0.1 s): it must come to an end" in said
    assert ended.wait(20)


@pytest.mark.parametrize("form", ["chunked", "of a size that is said", "compressed"])
@pytest.mark.parametrize(
    ("tool", "name", "status"),
    [(*body, 200) for body in BODIES] + [("promote", "project", code) for code in (302, 400)],
)
def test_a_body_that_is_too_large(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, tool: str, name: str, status: int, form: str
) -> None:
    monkeypatch.setattr(gitlab_transport, "MAX_ANSWER_BYTES", 200_000)
    body = b" " * 400_000

    def large(environ: dict[str, Any]) -> Response:
        made = as_json(body)
        if form == "chunked":
            made = as_json(itertools.repeat(b" " * 10_000))
        elif form == "compressed":
            made = as_json(gzip.compress(body), Content_Encoding="gzip")
        made.status_code = status
        if status == 302:
            made.headers["Location"] = f"{tools.gitlab.listener.url}{environ['REQUEST_URI']}"
        return made

    with tools.gitlab.answering(of(name, large)):
        said = is_clear(tools.run(tool))
    assert "goes on and on (an answer is larger than 200,000 bytes): it must come to an end" in said


def test_a_body_of_just_that_size(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitlab_transport, "MAX_ANSWER_BYTES", 200_000)
    body = tools_body("project")
    whole = of("project", lambda _: as_json(body + " " * (200_000 - len(body))))
    with tools.gitlab.answering(whole):
        assert is_clear(tools.run("promote")) == ""


@pytest.mark.parametrize(("tool", "name"), BODIES)
def test_half_a_body(tools: Tools, tool: str, name: str) -> None:
    body = tools_body(name).encode()
    half = of(name, lambda _: as_json(iter([body[: len(body) // 2]]), Content_Length=str(len(body))))
    with tools.gitlab.answering(half):
        said = is_clear(tools.run(tool))
    assert "cannot be reached (its answer breaks off)" in said
    assert len(tools.waits) == gitlab_client.RETRIES


def test_a_server_that_says_nothing(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitlab_client, "TIMEOUT", 0.1)
    monkeypatch.setattr(gitlab_client, "RETRIES", 1)
    over = threading.Event()

    def silent(_: dict[str, Any]) -> Response:
        over.wait(20)
        return as_json("{}")

    with tools.gitlab.answering(of("project", silent)):
        said = is_clear(tools.run("promote"))
        over.set()
    assert "cannot be reached (no answer within 0.1 s)" in said
