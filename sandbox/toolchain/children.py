"""Runs a command so that a signal which ends this process never leaves the command behind.

`subprocess.run` nearly does: a signal whose handler raises while the child is being started leaves one that nobody knows
of. Here such a signal is heeded as soon as the child is known, and the child is killed.
"""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(
    command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Both outputs as text, whatever the exit code. Raises OSError where the command cannot be started."""
    with _put_off() as heed:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                heed()
                stdout, stderr = process.communicate()
            except BaseException:
                process.kill()
                raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


@contextmanager
def _put_off() -> Iterator[Callable[[], None]]:
    """Signals that end this process wait until the given function is called, or the block ends."""
    if threading.current_thread() is not threading.main_thread():  # handlers run in the main thread only
        yield lambda: None
        return
    came: list[int] = []
    # What is ignored stays ignored, by the child too.
    before = {number: signal.getsignal(number) for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN}

    def heed() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        before.clear()
        while came:
            signal.raise_signal(came.pop())

    for number in before:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield heed
    finally:
        heed()
