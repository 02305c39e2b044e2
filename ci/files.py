"""Opens what a tool is told to read: a regular file, of a size that it may have, in UTF-8.

Owns what is said where a file cannot be used. Does not own what is in it, nor how large it may be: each reader says that.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class UnusableError(Exception):
    """What is wrong with a file, as it follows its name. The reader adds the name and the way to a right one."""


@contextmanager
def opened(file: Path, most: int, *, encoding: str = "utf-8", errors: str = "strict") -> Iterator[TextIO]:
    """The file for the block, where it has at most that many bytes. What fails while it is read is an UnusableError, too."""
    try:
        found = file.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):  # that a folder is one, `open` says
            raise UnusableError("is no regular file: a pipe may never end")
        if found.st_size > most:
            raise UnusableError(
                f"is larger than {most:,} bytes ({found.st_size:,}): to read it could take all memory of the job"
            )
        with file.open(encoding=encoding, errors=errors) as stream:
            yield stream
    except OSError as error:
        raise UnusableError(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise UnusableError("is not UTF-8 text") from None
