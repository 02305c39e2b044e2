"""What the engine's own commands say, asked for within a time limit.

Owns the command lines, and what is said where there is no engine or no answer. Does not own what an answer means (`tools`,
`state_backend`). Needs nothing that is installed, and runs in Python 3.9.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ci.errors import CiError

MAX_SECONDS = 25  # of one command; a state backend in Object Storage answers in two or three
_INSTALL = "install Pulumi: https://www.pulumi.com/docs/install/"


class Said(NamedTuple):
    """How a command ended, and what it wrote. What it wrote may quote secrets: it is shown by a redactor only."""

    code: int
    out: str
    err: str

    def reason(self) -> str:
        """The lines that are errors, or all that it wrote beside its answer, in one line."""
        said = [line.strip() for line in self.err.splitlines() if line.strip()]
        errors = [line[len("error: ") :] for line in said if line.startswith("error: ")]
        return " ".join(errors or said)

    def document(self) -> Any:
        """Its answer as JSON. CiError: it is none."""
        try:
            return json.loads(self.out)
        except (ValueError, RecursionError):
            raise CiError(
                "pulumi does not answer in JSON: its answers must be read, or nothing of it is known. "
                "Fix: look at what `pulumi` on the PATH is: pulumi about"
            ) from None


class Engine(NamedTuple):
    """The `pulumi` on the PATH, in the folder of the program."""

    environment: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str) -> Said:
        """CiError: there is none, or it does not end."""
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        variables = {**self.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=MAX_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise CiError(
                f"pulumi {' '.join(arguments)} does not end within {MAX_SECONDS} s: it must, or a preview hangs as well. "
                f"Fix: run it by hand, and look at what it waits for: pulumi {' '.join(arguments)} -v=3 --logtostderr"
            ) from None
        except OSError as error:
            raise CiError(
                f"pulumi cannot be started ({error.strerror}): it must be on the PATH, or nothing can be previewed or "
                f"deployed. Fix: {_INSTALL}"
            ) from None
        return Said(done.returncode, done.stdout, done.stderr)
