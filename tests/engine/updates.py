"""An update that meets another: how it is started, what it is told when its stack is locked, and how a crash ends it."""

import os
import signal
import subprocess

from tests.engine.estate import all_processes, descendants

LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock"
)


def up_of(stack: str) -> list[str]:
    return ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack]


def crash(engine: "subprocess.Popen[str]") -> None:
    """Kills an engine with its plugins, which by themselves would notice within minutes."""
    plugins = descendants(engine.pid)
    engine.kill()
    engine.wait()
    for pid in plugins.keys() & all_processes().keys():
        os.kill(pid, signal.SIGKILL)
