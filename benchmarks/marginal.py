"""What one more costs, when there are few and when there are many. Pure.

A cost of an environment is a fixed part and what each resource adds. Between two sizes the fixed part is the same, so their
difference shows what was added: no fixed part flatters the comparison, as it does where the cost is divided by the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Point:
    """An environment of some size: how many resources it has, and what all of them together cost."""

    size: int
    resources: int
    cost: float


def steps(points: Sequence[Point]) -> list[float]:
    """From each size to the next: the cost of a resource that was added."""
    return [(after.cost - before.cost) / (after.resources - before.resources) for before, after in pairwise(points)]


def growth(points: Sequence[Point]) -> float:
    """The cost of a resource that was added in the last step over that in the first: 1 where cost is linear.

    Raises ValueError where there are less than two steps, or where the first one cost nothing, which no measurement of
    something that costs says.
    """
    added = steps(points)
    if len(added) < 2:
        raise ValueError("growth needs at least three sizes")
    if added[0] <= 0:
        raise ValueError(f"from size {points[0].size} to {points[1].size} nothing was measured")
    return added[-1] / added[0]


def each(points: Sequence[Point]) -> list[float]:
    """The plain cost of a resource at each size, the fixed part included."""
    return [point.cost / point.resources for point in points]
