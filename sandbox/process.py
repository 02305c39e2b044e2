"""One child process of the sandbox: started with a pipe that ends it with its parent, logged, ended in order.

Owns the process's start, end and log file. Does not own when it is started again: its supervisor does.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox import files

GRACEFUL_SECONDS = 5


class Process:
    """A running child. It must end by itself when its standard input ends, and does on SIGTERM."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment` is added to this process's own."""
        self.name, self.log = name, log
        with files.appending(log) as output:
            self._popen = subprocess.Popen(
                list(command),
                env=os.environ | (environment or {}),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C in the terminal is for the sandbox, which ends its children in order
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def terminate(self) -> None:
        """Asks it to end; `wait` sees that it does."""
        if self.exit_code is None:
            self._popen.terminate()

    def wait(self) -> None:
        """Waits for the end; kills after 5 seconds."""
        try:
            self._popen.wait(GRACEFUL_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.stdin:
            self._popen.stdin.close()
