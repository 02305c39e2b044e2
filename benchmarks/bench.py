"""What every benchmark is given, and how one is found."""

from collections.abc import Callable, Iterable
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


def numbers(text: str) -> list[int]:
    """An option's `1,10,50`. Raises ValueError, which argparse tells."""
    return [int(part) for part in text.split(",") if part]
