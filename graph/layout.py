"""Where each frame of a picture is: in columns, what is needed to the left of what needs it. Pure.

Lengths are in pixels of the picture.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from graph.model import Frame, Graph

WIDTH: Final = 370
ROW: Final = 18
HEAD: Final = 30
SECTION: Final = 22  # its title
BELOW: Final = 8  # the last row of a frame
BETWEEN_COLUMNS: Final = 90
BETWEEN_FRAMES: Final = 24

Arrows = Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The upper left corner of a frame, and its height."""

    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def placed(graph: Graph) -> dict[str, Place]:
    """The place of each frame, by its name."""
    column_of = columns([frame.name for frame in graph.frames], graph.arrows)
    in_column: dict[int, list[Frame]] = {}
    for frame in graph.frames:
        in_column.setdefault(column_of[frame.name], []).append(frame)
    tallest = max(map(_tall, in_column.values()), default=0)
    found: dict[str, Place] = {}
    for number, frames in sorted(in_column.items()):
        y = (tallest - _tall(frames)) // 2
        for frame in sorted(frames, key=lambda frame: _wish(frame, graph.arrows, found)):
            found[frame.name] = Place(x=number * (WIDTH + BETWEEN_COLUMNS), y=y, height=height(frame))
            y += height(frame) + BETWEEN_FRAMES
    return found


def _tall(frames: list[Frame]) -> int:
    return sum(map(height, frames)) + BETWEEN_FRAMES * (len(frames) - 1)


def height(frame: Frame) -> int:
    rows = sum(len(section.rows) for section in frame.sections)
    return HEAD + rows * ROW + sum(SECTION for section in frame.sections if section.title) + BELOW


def columns(names: Iterable[str], arrows: Arrows) -> dict[str, int]:
    """The number of each one's column, 0 the leftmost: right before the first that needs it, so that arrows are short.

    What nobody needs is right behind what it needs. In a circle, the arrow that closes it does not count.
    """
    all_, ways = list(names), list(arrows)
    earliest = _walked(all_, ways, lambda _, before: max((each + 1 for each in before), default=0))
    back = [(then, first) for first, then in ways]
    return _walked(
        all_, back, lambda name, after: max(earliest[name], min((each - 1 for each in after), default=earliest[name]))
    )


def _walked(names: Iterable[str], arrows: Arrows, number: Callable[[str, list[int]], int]) -> dict[str, int]:
    """A number for each, of those from which arrows lead to it."""
    before = _before(names, arrows)
    found: dict[str, int] = {}
    open_: set[str] = set()

    def of(name: str) -> int:
        if name not in found:
            open_.add(name)
            found[name] = number(name, [of(each) for each in before[name] if each not in open_])
            open_.discard(name)
        return found[name]

    for name in before:
        of(name)
    return found


def needed_arrows(arrows: Arrows) -> set[tuple[str, str]]:
    """Without those that others imply: where a leads to b and b to c, that a leads to c says nothing more."""
    all_ = set(arrows)
    after: dict[str, set[str]] = {}
    for first, then in all_:
        after.setdefault(first, set()).add(then)

    @cache
    def reached(start: str) -> set[str]:
        found: set[str] = set()
        left = [start]
        while left:
            for each in after.get(left.pop(), ()):
                if each not in found:
                    found.add(each)
                    left.append(each)
        return found

    def implied(first: str, then: str) -> bool:
        # By another way that does not come back to where it began: in a circle each would imply the others.
        return any(then in reached(each) and first not in reached(each) for each in after[first] - {then})

    return {(first, then) for first, then in all_ if not implied(first, then)}


def _before(names: Iterable[str], arrows: Arrows) -> dict[str, list[str]]:
    """What each needs, in an order that does not depend on that of the arrows."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for first, then in sorted(arrows):
        found[then].append(first)
    return found


def _wish(frame: Frame, arrows: Arrows, found: Mapping[str, Place]) -> tuple[float, str]:
    """Beside what it needs, so that arrows cross seldom."""
    before = [found[first].middle for first, then in arrows if then == frame.name and first in found]
    return (sum(before) / len(before) if before else 0.0, frame.name)
