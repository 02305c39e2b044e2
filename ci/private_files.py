"""Files that only their owner may read, from the moment that they exist: plans and events tell of the engine's state."""

import os
from pathlib import Path
from typing import IO

OWNERS_ONLY = 0o077  # the umask


def opened(path: Path) -> IO[str]:
    """A file to write anew, in UTF-8. The caller closes it."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o666 & ~OWNERS_ONLY)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def write(path: Path, text: str) -> None:
    with opened(path) as stream:
        stream.write(text)
