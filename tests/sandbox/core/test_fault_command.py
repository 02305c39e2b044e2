"""`python -m sandbox fault` against two stand-ins of a test, each with operations of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.__main__ import main
from sandbox.admin import admin_routes
from sandbox.folder import Folder
from sandbox.requests import RequestLog
from sandbox.running import Running, hold
from sandbox.store import Store
from sandbox.web import Call, Listener, Routes, Service


def nobody(call: Call) -> None:
    raise AssertionError


@pytest.fixture(autouse=True)
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A sandbox in this process."""
    folder = Folder(tmp_path / "sandbox")
    folder.create()
    monkeypatch.setenv("SANDBOX_DIR", str(folder.root))
    store, log = Store(folder.records), RequestLog(folder.requests)
    listeners = []
    for name, operation in (("scaleway", "k8s.CreateCluster"), ("gitlab", "gitlab.Users.list")):
        routes = Routes()
        routes.get("/thing", operation)(nobody)
        service = Service(
            name, store, [*routes, *admin_routes(name, log, store.clear)], authenticate=nobody, requests=log
        )
        listeners.append(Listener(service))
    with hold(folder):
        Running(os.getpid(), *(listener.url for listener in listeners)).write(folder)
        yield
    for listener in listeners:
        listener.close()
    log.close()
    store.close()


@pytest.mark.parametrize(
    ("operation", "listed"),
    [
        ("k8s.*", ["scaleway: k8s.*, 1 times: status 500"]),
        ("gitlab.Users.list", ["gitlab: gitlab.Users.list, 1 times: status 500"]),
        ("*", ["scaleway: *, 1 times: status 500", "gitlab: *, 1 times: status 500"]),
    ],
)
def test_a_fault_is_the_stand_ins_that_knows_the_operation(
    capsys: pytest.CaptureFixture[str], operation: str, listed: list[str]
) -> None:
    assert main(["fault", operation, "--status", "500"]) == 0
    assert capsys.readouterr().out.splitlines() == listed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["k8s.*", "--status", "200"], "status 200 must be a whole number of at least 400"),
        (["gitlab.*", "--status", "200"], "status 200 must be a whole number of at least 400"),
        (["*", "--status", "200"], "status 200 must be a whole number of at least 400"),
        (["gitlub.*", "--status", "500"], "operation 'gitlub.*' names no operation"),
    ],
)
def test_a_refusal_says_what_is_wrong(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["fault", *arguments]) == 1
    assert capsys.readouterr().err == f"error: {said}. Fix: python -m sandbox fault --help\n"
