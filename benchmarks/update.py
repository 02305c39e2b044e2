"""Runs `pulumi up` of a stack in a sandbox, and keeps when each of the engine's events came.

Owns the command and its clock (monotonic seconds of this process). Does not own what the events mean
(`benchmarks.operations`).
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.operations import Stamped
from ci.engine import documents


class UpdateError(RuntimeError):
    """The engine's command failed; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """From the start of the command to its end."""

    began: float
    ended: float
    events: tuple[Stamped, ...]

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def update(
    folder: Path,
    stack: str,
    environment: Mapping[str, str],
    *arguments: str,
    heard: Callable[[Stamped], None] = lambda _: None,
) -> Update:
    """`pulumi up` of the program in `folder`; `heard` is told each event as it comes. Raises UpdateError."""
    command = ["pulumi", "up", "--yes", "--json", "--non-interactive", "--stack", stack, *arguments]
    events: list[Stamped] = []
    said: list[str] = []
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for document in documents(process.stdout):
            if isinstance(document, str):
                said.append(document)
                continue
            events.append(Stamped(at=time.monotonic(), event=document))
            if "diagnosticEvent" in document and document["diagnosticEvent"]["severity"] == "error":
                said.append(document["diagnosticEvent"]["message"])
            heard(events[-1])
    ended = time.monotonic()
    if process.returncode:
        raise UpdateError(f"pulumi up of {stack} ended with {process.returncode}: " + "\n".join(said[-20:]))
    return Update(began=began, ended=ended, events=tuple(events))


def init(folder: Path, stack: str, environment: Mapping[str, str]) -> None:
    """A new stack. Raises UpdateError."""
    _pulumi(folder, environment, "stack", "init", stack, "--no-select")


def resources(folder: Path, stack: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the stack's state holds, secrets in plain: for this process alone. Raises UpdateError."""
    text = _pulumi(folder, environment, "stack", "export", "--stack", stack, "--show-secrets")
    found: list[dict[str, Any]] = json.loads(text)["deployment"]["resources"]
    return found


def _pulumi(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    command = ["pulumi", *arguments, "--non-interactive"]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise UpdateError(f"pulumi {' '.join(arguments[:2])} ended with {result.returncode}: {result.stderr}")
    return result.stdout
