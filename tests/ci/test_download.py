"""What a server has is fetched whole, or not at all: it may be too large, too slow, broken off, or something else."""

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from queue import Queue

import pytest
import requests

from ci.download import EndlessError, StatusError, downloaded
from tests import http_server
from tests.http_server import Answer

_PARTS, _GAP_SECONDS = 1_000, 0.01  # 10 s of it, which is longer than any test lets it go on

Serve = Callable[[Answer], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """The address of a server that answers every question as it is told."""
    with ExitStack() as servers:
        yield lambda answer: servers.enter_context(http_server.answering(answer))


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def answering(body: bytes, headers: Mapping[str, str] | None = None, *, status: int = 200) -> Answer:
    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in (headers or {}).items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(body)

    return answer


def test_an_answer_is_fetched_whole(serve: Serve) -> None:
    body = b"0123456789" * 20_000
    assert downloaded(serve(answering(body)), most_bytes=200_000, seconds=30) == body
    packed = answering(gzip.compress(body), {"Content-Encoding": "gzip"})
    assert downloaded(serve(packed), most_bytes=200_000, seconds=30) == body


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_one_that_is_too_large_is_not(serve: Serve, headers: dict[str, str]) -> None:
    body = b"x" * 200_001
    url = serve(answering(gzip.compress(body) if headers else body, headers))
    with pytest.raises(EndlessError):
        downloaded(url, most_bytes=200_000, seconds=30)


def test_one_that_drips_is_left_when_its_time_is_up(serve: Serve) -> None:
    ends: Queue[str] = Queue()
    never = threading.Event()

    def drip(to: BaseHTTPRequestHandler) -> None:
        answering(b"", {"Content-Length": "1000000"})(to)
        try:
            for _ in range(_PARTS):
                never.wait(_GAP_SECONDS)
                to.wfile.write(b"x")
        except OSError:
            ends.put("nobody listens any more")
        else:
            ends.put("all was taken")

    with pytest.raises(EndlessError):
        downloaded(serve(drip), most_bytes=200_000, seconds=1)
    assert ends.get(timeout=20) == "nobody listens any more"


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"too short", {"Content-Length": "100"}), (b"no gzip", {"Content-Encoding": "gzip", "Content-Length": "7"})],
)
def test_one_that_breaks_off_or_is_garbled_is_an_error_of_requests(
    serve: Serve, body: bytes, headers: dict[str, str]
) -> None:
    with pytest.raises(requests.RequestException):
        downloaded(serve(answering(body, headers)), most_bytes=200_000, seconds=30)


def test_a_refusal_is_told_by_its_status(serve: Serve) -> None:
    with pytest.raises(StatusError) as caught:
        downloaded(serve(answering(b"", status=404)), most_bytes=200_000, seconds=30)
    assert caught.value.status == 404
