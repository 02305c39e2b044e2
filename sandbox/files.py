"""Files that only their owner may read, from the moment that they exist: never created first and restricted later."""

import os
from pathlib import Path
from typing import IO


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Writes a file anew; `mode` counts where it did not exist."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as stream:
        stream.write(text)


def appending(path: Path) -> IO[str]:
    """A file that is added to, such as a log. The caller closes it."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "a")
