"""What every benchmark is given, and how one is found."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`folder` is empty and this benchmark's own, and goes afterwards; `say` tells a user what is being measured.

    `repetitions` is how often each figure is to be measured at least; one that takes minutes may say less.
    """

    folder: Path
    repetitions: int
    say: Callable[[str], None]


Measure = Callable[[Bench], Iterable[Figure]]


@contextmanager
def by_hand(repetitions: int = 1) -> Iterator[Bench]:
    """For a benchmark that is started by itself: its figures go to stdout, so what is being measured is told on stderr."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        yield Bench(
            folder=Path(folder),
            repetitions=repetitions,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )


def numbers(text: str) -> list[int]:
    """An option's `1,10,50`. Raises ValueError, which argparse tells."""
    return [int(part) for part in text.split(",") if part]
