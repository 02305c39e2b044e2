"""`kill -9` at a random moment of an update: of the engine, a plugin, the stand-ins, a control plane.

Owns which process is killed when, by a seed, so that a run can be had again; and what a user then does: he starts
the sandbox again where it is gone, and says `make up` again, which repairs first.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from tests.engine.estate import Estate, all_processes, descendants, eventually
from tests.reliability.life import STACK, settle
from tests.reliability.matrix import Reference, differences
from tests.reliability.updates import end, started

VICTIMS: Final[dict[str, tuple[str, ...]]] = {
    "engine": ("/pulumi up ",),
    "plugin": ("pulumi-resource-",),
    "stand-in": (" -m sandbox serve",),
    "control plane": ("kube-apiserver", "etcd"),
}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """What was killed when (seconds after the start of the update), and what is wrong after the next one."""

    seed: int
    victim: str
    after: float
    killed: str
    survived: bool
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.victim} after {self.after:.1f} s ({self.killed or 'too late'})"


def play_kill(estate: Estate, seed: int, normal: Reference) -> Kill:
    """One kill within the time that an update from nothing takes."""
    chance = random.Random(seed)
    victim, after = chance.choice(sorted(VICTIMS)), chance.uniform(0.5, normal.seconds["make"])
    settle(estate, changed=False)
    assert estate.sandbox("reset").returncode == 0
    with started(estate, [sys.executable, "-m", "sandbox", "up", STACK]) as update:
        killed = _strike(estate, update.process, victim, time.monotonic() + after, chance)
        update.watch()
        printed = update.printed()
    wrong = _again(estate, victim)
    if not wrong:
        wrong = differences(estate, "make", normal)
    if wrong:
        wrong.append(f"the first one printed: {printed[-1500:]}")
    return Kill(seed=seed, victim=victim, after=after, killed=killed, survived=update.code == 0, wrong=tuple(wrong))


def _strike(
    estate: Estate, update: "subprocess.Popen[bytes]", victim: str, moment: float, chance: random.Random
) -> str:
    """Kills one process of the kind at the moment, or as soon as there is one; what it was. Nothing: the update ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        update.wait(max(0.0, moment - time.monotonic()))
    while update.poll() is None:
        assert estate.process is not None
        mine = {**descendants(update.pid), **descendants(estate.process.pid), estate.process.pid: _command(estate)}
        found = {pid: text for pid, text in mine.items() if any(part in text for part in VICTIMS[victim])}
        if not found:
            time.sleep(0.02)  # until there is one, or the update has ended
            continue
        pid = chance.choice(sorted(found))
        left = descendants(pid) if victim == "engine" else {}
        os.kill(pid, signal.SIGKILL)
        end(left)
        return found[pid][:80]
    return ""


def _command(estate: Estate) -> str:
    assert estate.process is not None
    return all_processes().get(estate.process.pid, (0, ""))[1]


def _again(estate: Estate, victim: str) -> list[str]:
    """What a user does: starts what is gone, and brings the environment up again."""
    assert estate.process is not None
    if victim == "control plane":
        estate.stop()
        estate.start()
    elif estate.process.poll() is not None:
        estate.kill()
        eventually(lambda: [p for p in estate.processes() if "kube-" in p or "etcd" in p], lambda found: not found)
        estate.start()
    again = estate.up(STACK)
    return [f"the next one fails: {again.printed[-2500:]}"] if again.code else []
