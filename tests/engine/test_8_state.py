"""Pulumi's state while several people, or a crash, meet in it: one stack is one person's at a time, and nothing is lost."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.estate import Estate, Up, all_processes, descendants, eventually

UP = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev"]
LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock"
)


@pytest.fixture
def slow(estate: Estate, environments: dict[str, Up], dev_as_declared: None) -> Iterator["subprocess.Popen[str]"]:
    """An `up` of a change that holds its lock while Scaleway does not answer."""
    estate.set("dev", "runners[0].concurrent", "9")
    assert estate.sandbox("fault", "iam.GetAPIKey", "--delay", "20").returncode == 0
    with subprocess.Popen(
        UP, cwd=estate.checkout, env=estate.variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        eventually(lambda: _locks(estate), lambda found: len(found) == 1)
        yield running
        if running.poll() is None:
            running.communicate(timeout=120)  # killed, it would leave its lock
    estate.sandbox("fault", "--clear")


def _locks(estate: Estate) -> list[Path]:
    return list((estate.folder / "state" / ".pulumi" / "locks").rglob("*.json"))


def test_a_second_update_of_a_stack_is_refused_and_the_first_one_ends(
    estate: Estate, slow: "subprocess.Popen[str]"
) -> None:
    second = estate.shell(shlex.join(UP) + " 2>&1")
    assert second.returncode != 0
    assert LOCKED in " ".join(second.stdout.split())
    printed, _ = slow.communicate(timeout=120)
    assert slow.returncode == 0, printed
    assert _locks(estate) == []
    assert estate.changes("dev") == {}


def test_another_stack_is_not_locked(estate: Estate, slow: "subprocess.Popen[str]") -> None:
    estate.pulumi("up --yes --skip-preview --stack preprod")
    assert slow.poll() is None
    assert len(_locks(estate)) == 1


def test_the_lock_of_a_killed_engine_is_cancelled_and_nothing_is_lost(
    estate: Estate, slow: "subprocess.Popen[str]"
) -> None:
    before = json.loads(estate.pulumi("stack export --stack preprod"))["deployment"]["resources"]
    plugins = descendants(slow.pid)
    slow.kill()
    slow.wait()
    for pid in plugins.keys() & all_processes().keys():  # by themselves they would notice within minutes
        os.kill(pid, signal.SIGKILL)
    assert LOCKED in " ".join(estate.pulumi("up --yes --skip-preview --stack dev", code=None).split())
    estate.pulumi("cancel --yes --stack dev")
    estate.pulumi("up --yes --skip-preview --stack dev")
    assert estate.changes("dev") == {}
    assert json.loads(estate.pulumi("stack export --stack preprod"))["deployment"]["resources"] == before
