"""Updates that a user watches, and interrupts when they do not move."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from tests.engine.estate import UNSEEN, Estate, all_processes, descendants

PATIENCE_SECONDS: Final = 60  # longer than any single wait of an update that moves
END_SECONDS: Final = 20  # within which one that was interrupted and can end has ended


@dataclass(frozen=True)
class Update:
    process: "subprocess.Popen[bytes]"
    out: IO[str]

    @property
    def code(self) -> int:
        return self.process.wait()

    def printed(self) -> str:
        self.out.seek(0)
        return self.out.read()

    def watch(self) -> None:
        """Until it ends; one that does not move is interrupted."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE_SECONDS)
            return
        self.interrupt()

    def interrupt(self) -> None:
        """As a terminal does: everybody gets it; a second time where that did not end it, and then for good."""
        begun = descendants(self.process.pid)
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS)
                break
        end(begun)


def end(begun: dict[int, str]) -> None:
    """What an engine that was killed has left: by themselves its plugins notice within minutes, and go on until then."""
    for pid in begun.keys() & all_processes().keys():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def started(estate: Estate, command: Sequence[str]) -> Iterator[Update]:
    """A command in the sandbox's shell, in a session of its own."""
    with (
        tempfile.TemporaryFile(
            "w+"
        ) as out,  # a pipe would fill while nobody reads, and stay open as long as a plugin lives
        subprocess.Popen(
            command,
            cwd=estate.checkout,
            env=estate.variables() | {"HOME": str(estate.home)} | estate.cache | UNSEEN,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        yield Update(process, out)
