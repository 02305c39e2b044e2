"""The newest version of what is pinned, asked of the registries by the tools that install it: pip, go, npm.

Owns the questions. What these three do not know (images, charts, GitLab's tags), Renovate does. Nothing is installed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECONDS: Final = 60  # for one answer


class UnknownError(Exception):
    """A tool did not say it; the message is what it said instead, on one line."""


@dataclass(frozen=True, kw_only=True)
class Registries:
    """`go` and `npm` are the commands; None where there is none, and nothing is known of what they would tell."""

    go: str | None
    npm: str | None

    def newest(self, source: str, name: str) -> str:
        """Raises UnknownError."""
        ask: Mapping[str, Callable[[str], str]] = {"pypi": self._pypi, "go": self._go, "npm": self._npm}
        if source not in ask:
            raise UnknownError("Renovate looks it up")
        return ask[source](name)

    def _pypi(self, name: str) -> str:
        told = _run([sys.executable, "-m", "pip", "index", "versions", name])
        found = re.search(r"Available versions: ([^,\s]+)", told)
        if found is None:
            raise UnknownError("pip names no version")
        return found[1]

    def _go(self, name: str) -> str:
        if self.go is None:
            raise UnknownError("there is no go")
        # Outside of any module, whose own versions would count.
        told = _run([self.go, "list", "-m", "-json", f"{name}@latest"], cwd=Path("/"))
        return str(json.loads(told)["Version"])

    def _npm(self, name: str) -> str:
        if self.npm is None:
            raise UnknownError("there is no npm")
        return _run([self.npm, "view", name, "version"]).strip()


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise UnknownError(f"no answer within {SECONDS} s") from None
    except OSError as error:
        raise UnknownError(str(error.strerror)) from None
    if result.returncode:
        lines = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
        raise UnknownError(lines[-1][:200] if lines else f"it ended with {result.returncode}")
    return result.stdout
