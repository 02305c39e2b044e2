"""How the sandbox's commands tell whether a sandbox runs, and find it: a lock that it holds, and a file that it writes.

The lock alone tells whether one runs: it ends with the process that holds it. The file outlives a killed sandbox, and its
process id may be another process's by then.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sandbox.folder import Folder

_PROBES_SECONDS = 2
_POLL_SECONDS = 0.05


class AlreadyRunningError(Exception):
    """Another sandbox runs in this folder."""


@dataclass(frozen=True)
class Running:
    """What a running sandbox says of itself: its process id and where the stand-ins answer."""

    pid: int
    scaleway: str
    gitlab: str

    @staticmethod
    def of(folder: Folder) -> "Running | None":
        """The sandbox that runs in the folder and is ready. None while one starts, too, and once one has begun to end."""
        if not is_held(folder):
            return None
        try:
            return Running(**json.loads(folder.running.read_text()))
        except FileNotFoundError:
            return None

    def write(self, folder: Folder) -> None:
        """Appears whole or not at all."""
        unfinished = folder.running.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(folder.running)


def is_held(folder: Folder) -> bool:
    """Whether a sandbox holds the folder's lock: one that runs, starts or ends."""
    try:
        with folder.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold(folder: Folder) -> Iterator[None]:
    """Holds the folder's lock, and takes away what a killed sandbox said of itself. Raises AlreadyRunningError."""
    with folder.lock.open("w") as lock:
        deadline = time.monotonic() + _PROBES_SECONDS  # who asks whether it is held has it for a moment
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AlreadyRunningError(f"a sandbox runs in {folder.root}") from None
                time.sleep(_POLL_SECONDS)
        folder.running.unlink(missing_ok=True)
        yield
