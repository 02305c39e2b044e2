"""When a part of a control plane counts as up."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from sandbox.cluster import answers


class Handler(BaseHTTPRequestHandler):
    """`/ready` for who has the token, and refusals."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer secret"
        self.send_response(200 if known and self.path == "/ready" else 500 if known else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_part_is_up_when_it_says_so(url: str, tmp_path: Path) -> None:
    assert answers(f"{url}/ready", "secret", tmp_path / "none")
    assert not answers(f"{url}/starting", "secret", tmp_path / "none")
    assert not answers(f"{url}/ready", "another", tmp_path / "none")


def test_a_part_that_does_not_listen_is_not_up(url: str, tmp_path: Path) -> None:
    assert not answers("http://127.0.0.1:1/ready", "secret", tmp_path / "none")


@pytest.mark.parametrize(
    "written", [None, "", "-----BEGIN CERTIFICATE-----\nMIIDdjCC", "-----BEGIN CERTIFICATE-----\n!\n"]
)
def test_a_certificate_that_is_being_written_is_no_failure(tmp_path: Path, written: str | None) -> None:
    """The API server makes it while it starts; once, this ended a cluster for good."""
    authority = tmp_path / "apiserver.crt"
    if written is not None:
        authority.write_text(written)
    assert not answers("https://127.0.0.1:1/readyz", "secret", authority)
