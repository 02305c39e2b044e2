"""The sandbox's commands where none runs, where one was killed, and against one that is played by a test."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.__main__ import main
from sandbox.admin import admin_routes
from sandbox.folder import CHECKOUT, Folder
from sandbox.lifecycle import SandboxError
from sandbox.requests import RequestLog
from sandbox.running import AlreadyRunningError, Running, hold, is_held
from sandbox.store import Store
from sandbox.web import Call, Listener, Service


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = Folder(tmp_path / "sandbox")
    folder.create()
    monkeypatch.setenv("SANDBOX_DIR", str(folder.root))
    return folder


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def write(folder: Folder, pid: int, url: str = "http://127.0.0.1:1") -> Running:
    running = Running(pid, url, url)
    running.write(folder)
    return running


def test_where_none_runs_that_is_said(folder: Folder) -> None:
    assert lifecycle.status(folder) == (f"no sandbox runs in {folder.root}", False)
    assert lifecycle.stop(folder) is False
    with pytest.raises(SandboxError, match=r"^no sandbox runs\. Fix: python -m sandbox start$"):
        lifecycle.find(folder)


def test_a_folder_that_is_not_there_yet_is_no_error(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "none")
    assert lifecycle.status(folder) == (f"no sandbox runs in {folder.root}", False)
    assert lifecycle.stop(folder) is False
    lifecycle.reset(folder)
    assert not folder.root.exists()


def test_a_killed_sandbox_does_not_run(folder: Folder, gone: int) -> None:
    write(folder, gone)
    assert Running.of(folder) is None
    assert lifecycle.status(folder)[1] is False
    assert lifecycle.stop(folder) is False


def test_another_process_with_the_number_of_a_killed_sandbox_is_none(folder: Folder) -> None:
    """After a reboot, say: only who holds the lock is a sandbox. Nobody asks that process, and nobody ends it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        write(folder, stranger.pid)
        assert Running.of(folder) is None
        with pytest.raises(SandboxError, match="no sandbox runs"):
            lifecycle.find(folder)
        assert lifecycle.status(folder) == (f"no sandbox runs in {folder.root}", False)
        assert lifecycle.stop(folder) is False
        (folder.clusters / "c").mkdir()
        lifecycle.reset(folder)
        assert not folder.clusters.exists()
        stranger.communicate(b"\n", timeout=20)
    assert stranger.returncode == 0


def test_start_does_not_take_another_process_for_the_sandbox(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, os.getpid())
    started = Running(1, "http://127.0.0.1:3", "http://127.0.0.1:4")
    monkeypatch.setattr(lifecycle, "build_toolchain", lambda: None)
    monkeypatch.setattr(lifecycle, "_spawn", lambda _: started)
    assert lifecycle.start(folder) == started


def test_one_that_holds_the_lock_forgets_what_a_killed_one_said(folder: Folder, gone: int) -> None:
    write(folder, gone)
    with hold(folder):
        assert Running.of(folder) is None, "it is not ready yet"
        assert not folder.running.exists()
        running = write(folder, os.getpid())
        assert Running.of(folder) == running
    assert Running.of(folder) is None


def test_a_second_one_waits_a_moment_and_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.running._PROBES_SECONDS", 0.1)
    with hold(folder), pytest.raises(AlreadyRunningError, match="a sandbox runs in "), hold(folder):
        pass


def test_asking_keeps_no_sandbox_from_starting(folder: Folder) -> None:
    """Who asks has the lock for a moment."""
    folder.lock.touch()
    asked, over = threading.Event(), threading.Event()

    def ask() -> None:
        with folder.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            asked.set()
            over.wait(0.2)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(20)
    assert not is_held(folder), "two may ask at a time"
    with hold(folder):
        assert is_held(folder)
    thread.join()


SANDBOX = """
import os, signal, sys
from pathlib import Path
from sandbox.folder import Folder
from sandbox.running import Running, hold
folder = Folder(Path(sys.argv[1]))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with hold(folder):
    Running(os.getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2").write(folder)
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])
    folder.running.unlink()
"""


@contextmanager
def sandbox(folder: Folder, ends_by: str = "SIGTERM") -> Iterator[subprocess.Popen[str]]:
    """A process that runs as a sandbox does, until that signal; it is gone afterwards, whatever the test found."""
    with subprocess.Popen(
        [sys.executable, "-c", SANDBOX.replace("SIGTERM", ends_by), str(folder.root)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_stop_ends_the_one_that_runs_and_waits_for_it(folder: Folder) -> None:
    with sandbox(folder) as process:
        assert lifecycle.find(folder) == Running(process.pid, "http://127.0.0.1:1", "http://127.0.0.1:2")
        assert lifecycle.stop(folder) is True
        assert not folder.running.exists()
        assert process.wait(timeout=20) == 0
    assert lifecycle.stop(folder) is False


def test_one_that_does_not_end_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "STOP_SECONDS", 0)
    with sandbox(folder, ends_by="SIGUSR1") as process:
        sent: list[tuple[int, int]] = []
        kill = os.kill
        with monkeypatch.context() as patched:
            patched.setattr(os, "kill", lambda pid, n: sent.append((pid, n)) if n else kill(pid, n))
            with pytest.raises(SandboxError) as caught:
                lifecycle.stop(folder)
        assert sent == [(process.pid, signal.SIGTERM)]
        assert str(caught.value) == f"process {process.pid} did not end within 0 s. Its log: {folder.log}"


def test_the_file_of_a_running_sandbox_is_whole(folder: Folder) -> None:
    running = write(folder, os.getpid(), "http://127.0.0.1:5")
    assert json.loads(folder.running.read_text()) == asdict(running)
    assert [p.name for p in folder.root.glob("running*")] == ["running.json"]


def test_reset_of_a_stopped_one_forgets_state_records_and_clusters(folder: Folder) -> None:
    Store(folder.records).close()
    state = folder.backend / ".pulumi" / "stacks" / "dev.json"
    state.parent.mkdir(parents=True)
    state.touch()
    (folder.clusters / "c").mkdir()
    folder.passphrase.touch()
    lifecycle.reset(folder)
    left = {path.name for path in folder.root.iterdir()}
    assert left == {"bin", "project", "pulumi", "helm", "tmp", "passphrase"}


@pytest.fixture
def played(folder: Folder) -> Iterator[Store]:
    """A sandbox in this process: its own routes, and a cluster in its records."""
    store, log = Store(folder.records), RequestLog(folder.requests)
    store.put("scaleway.k8s.clusters", 1, {"id": "fr-par/1", "name": "kapsule", "status": "ready"})

    def authenticate(call: Call) -> None:
        raise AssertionError

    routes = admin_routes("scaleway", log, store.clear)
    listener = Listener(Service("scaleway", store, routes, authenticate=authenticate, requests=log))
    with hold(folder):
        write(folder, os.getpid(), listener.url)
        yield store
    listener.close()
    log.close()
    store.close()


def test_status_tells_clusters_and_stacks(folder: Folder, played: Store) -> None:
    for project, stack in (("kapsule-devops", "prod"), ("kapsule-devops", "dev")):
        state = folder.backend / ".pulumi" / "stacks" / project / f"{stack}.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.touch()
    running = lifecycle.find(folder)
    text, up = lifecycle.status(folder)
    assert up is True
    assert text.splitlines() == [
        f"sandbox runs (process {os.getpid()})",
        f"  Scaleway {running.scaleway}",
        f"  GitLab   {running.gitlab}",
        "  cluster  kapsule (fr-par/1): ready",
        "  stack    dev",
        "  stack    prod",
    ]


def test_reset_of_a_running_one_asks_it_and_forgets_the_state(folder: Folder, played: Store) -> None:
    state = folder.backend / "state.json"
    state.touch()
    lifecycle.reset(folder)
    assert played.tables() == []
    assert not state.exists()
    assert folder.backend.is_dir()


def test_a_proxy_is_not_asked_for_this_machine(folder: Folder, played: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert lifecycle.ask(f"{lifecycle.find(folder).scaleway}/_sandbox/health") == {"status": "ok"}


def test_an_unknown_toolchain_stops_the_start(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLCHAIN", "docker")
    with pytest.raises(SandboxError, match=r"^TOOLCHAIN=docker: must be built or system\. Fix: unset TOOLCHAIN$"):
        lifecycle.start(folder)


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["status"], 3, "no sandbox runs in {root}\n", ""),
        (["stop"], 0, "no sandbox runs\n", ""),
        (["env"], 1, "", "error: no sandbox runs. Fix: python -m sandbox start\n"),
        (["down"], 0, "no environment is up\n", ""),
        (["reset"], 0, "sandbox is empty again: both stand-ins, all clusters, and Pulumi's state\n", ""),
    ],
)
def test_the_commands_where_none_runs(
    folder: Folder, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, out: str, err: str
) -> None:
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (out.format(root=folder.root), err)


def test_a_wrong_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["strat"])
    assert caught.value.code == 2
    assert "invalid choice: 'strat'" in capsys.readouterr().err
