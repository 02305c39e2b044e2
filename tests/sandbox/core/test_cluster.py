"""When a part of a control plane counts as up, and which ports the parts get."""

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sandbox import cluster
from sandbox.cluster import LocalControlPlanes, answers
from sandbox.cluster_parts import Endpoints, free_port
from sandbox.control_plane import ControlPlaneError
from tests.http_server import answering


def answer(to: BaseHTTPRequestHandler) -> None:
    """`/ready` for who has the token, and refusals."""
    known = to.headers["Authorization"] == "Bearer secret"
    to.send_response(200 if known and to.path == "/ready" else 500 if known else 401)
    to.end_headers()


@pytest.fixture
def url() -> Iterator[str]:
    with answering(answer) as address:
        yield address


def test_a_part_is_up_when_it_says_so(url: str, tmp_path: Path) -> None:
    assert answers(f"{url}/ready", "secret", tmp_path / "none")
    assert not answers(f"{url}/starting", "secret", tmp_path / "none")
    assert not answers(f"{url}/ready", "another", tmp_path / "none")


def test_a_proxy_is_not_asked_whether_a_part_is_up(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setattr(urllib.request, "_opener", None)  # urlopen's, which goes by what the first request has met
    assert answers(f"{url}/ready", "secret", tmp_path / "none")


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


# --- ports ------------------------------------------------------------------------------------------------------------


def test_a_port_is_none_that_a_connection_could_get() -> None:
    assert all(20_000 <= free_port() < 32_768 for _ in range(50))


def test_a_preferred_port_is_taken_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", port))
        listening.listen()
        assert free_port(port) != port


@pytest.mark.parametrize("times", [1, 3])
def test_a_port_that_is_taken_in_between_is_another_one_at_the_next_try(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, a cluster stayed `creating` for ever: a connection had got the port of its API server."""
    tried: list[Endpoints] = []
    with ExitStack() as others:

        def start(plane: cluster._Plane) -> None:
            tried.append(plane.endpoints)
            if len(tried) <= times:
                taken = others.enter_context(socket.socket())
                taken.bind(("127.0.0.1", plane.endpoints.api_server))
                taken.listen()
                raise ControlPlaneError("apiserver ended with 1: listen tcp: bind: address already in use")

        monkeypatch.setattr(cluster._Plane, "_start_once", start)
        monkeypatch.setattr(cluster._Plane, "_supervise", lambda plane: plane._stopping.wait())
        planes = LocalControlPlanes(tmp_path, tmp_path / "binary")
        planes.start("one")
        plane = planes._planes["one"]
        if times < 3:
            assert plane.is_ready.wait(10)
            assert planes.ready("one")
        else:
            plane._thread.join(10)
            with pytest.raises(ControlPlaneError, match="address already in use"):
                planes.ready("one")
        plane.stop(forget=True)
    ports = [each.api_server for each in tried]
    assert len(set(ports)) == len(ports) == min(times + 1, 3)
    assert len({(each.etcd_client, each.token) for each in tried}) == 1


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ({"GOMAXPROCS": "3"}, "3")], ids=["by itself", "as told"])
def test_each_part_has_one_thread(
    given: dict[str, str] | None, threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMAXPROCS", "8")
    binary = tmp_path / "binary"
    binary.write_text("#!/bin/sh\necho threads: $GOMAXPROCS >&2\nexit 1\n")
    binary.chmod(0o755)
    planes = LocalControlPlanes(tmp_path / "clusters", binary, environment=given)
    planes.start("one")
    planes._planes["one"]._thread.join(10)
    with pytest.raises(ControlPlaneError, match=f"etcd ended with 1: .*threads: {threads}"):
        planes.ready("one")
    planes.stop()
