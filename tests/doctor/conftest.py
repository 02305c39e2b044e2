"""The stand-ins over HTTP, dev's stack file with sections of a test's own, and what the checks of an area come to."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from doctor.stack_file import StackFile, parsed
from doctor.verdicts import Check, Verdict
from tests.http_server import answering
from tests.sandbox.gitlab.conftest import Instance, instance, start
from tests.sandbox.scaleway.conftest import api, server

__all__ = ["Instance", "api", "instance", "server", "start"]

ROOT = Path(__file__).parents[2]
P = "kapsule-devops"
NOWHERE = "http://127.0.0.1:9"  # discard: nobody listens there

FileOf = Callable[..., StackFile]


@pytest.fixture(autouse=True)
def loopback_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def file_of() -> FileOf:
    """dev's stack file, with keys of some sections replaced."""

    def make(**sections: dict[str, Any]) -> StackFile:
        project, own = (yaml.safe_load((ROOT / name).read_text()) for name in ("Pulumi.yaml", "Pulumi.dev.yaml"))
        for name, keys in sections.items():
            own["config"][f"{P}:{name}"] = own["config"].get(f"{P}:{name}", {}) | keys
        checks, settings = parsed(project, own, "dev")
        assert settings is not None, checks
        return StackFile(name="Pulumi.dev.yaml", checks=tuple(checks), settings=settings, header={})

    return make


@pytest.fixture
def unread() -> StackFile:
    """A stack file whose settings are wrong."""
    return StackFile(name="Pulumi.dev.yaml", checks=(), header={})


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A server that answers everything with these bytes; its address."""
    with ExitStack() as servers:

        def start(body: bytes, status: int = 200) -> str:
            def answer(to: BaseHTTPRequestHandler) -> None:
                to.send_response(status)
                to.end_headers()
                to.wfile.write(body)

            return servers.enter_context(answering(answer))

        yield start


def told(checks: Iterable[Check], *verdicts: Verdict) -> list[str]:
    """The texts of these verdicts."""
    return [check.text for check in checks if check.verdict in verdicts]


def not_right(checks: Iterable[Check]) -> list[tuple[str, str]]:
    """What is anything but ok, with its verdict."""
    return [(check.verdict.value, check.text) for check in checks if check.verdict is not Verdict.OK]
