"""An update that meets another: how it is started, what it is told when its stack is locked, and how a crash ends it."""

import os
import signal
import subprocess

from tests.engine.estate import Estate, all_processes, descendants

LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock"
)


def up_of(stack: str) -> list[str]:
    return ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack]


def hold_back(estate: Estate) -> None:
    """Scaleway answers no question for a key before `answer`, however often it is asked: an update holds its lock."""
    assert estate.sandbox("fault", "iam.GetAPIKey", "--delay", "600", "--times", "0").returncode == 0


def answer(estate: Estate) -> None:
    assert estate.sandbox("fault", "--clear").returncode == 0


def crash(engine: "subprocess.Popen[str]") -> None:
    """Kills an engine with its plugins, which by themselves would notice within minutes."""
    plugins = descendants(engine.pid)
    engine.kill()
    engine.wait()
    for pid in plugins.keys() & all_processes().keys():
        os.kill(pid, signal.SIGKILL)
