"""How much memory processes take, their shared pages divided among those that share them (PSS)."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.engine.estate import descendants

SETTLED_SHARE: Final = 0.01  # of change from one look to the next at which memory counts as settled
_LOOK_SECONDS: Final = 1.0
_MOST_LOOKS: Final = 60


def by_word(words: tuple[str, ...]) -> dict[str, float]:
    """Megabytes of this process's descendants, added up by the word that their command line holds."""
    found = dict.fromkeys(words, 0.0)
    for child, command in descendants(os.getpid()).items():
        if word := next((word for word in words if f" {word} " in f" {command} "), None):
            found[word] += megabytes(child)
    return found


def megabytes(pid: int) -> float:
    """0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def settled(look: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
    """What `look` sees once it hardly changes any more. RuntimeError: it never does."""
    before = look()
    for _ in range(_MOST_LOOKS):
        time.sleep(_LOOK_SECONDS)  # what is measured is change by the time
        now = look()
        if abs(sum(now.values()) - sum(before.values())) <= SETTLED_SHARE * sum(now.values()):
            return now
        before = now
    raise RuntimeError(f"memory still changes after {_MOST_LOOKS * _LOOK_SECONDS:.0f} s: {before}")
