"""What every pipeline tool does to its output before it says anything."""

from __future__ import annotations

import io
import sys


def tolerate_encodings() -> None:
    """A log that is not UTF-8 loses characters: it is no reason for a job to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
