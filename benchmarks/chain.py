"""The longest chain of operations that cannot overlap, and where an update waits while nothing of it runs. Pure.

Owns the arithmetic over operations with a beginning, an end and needs. Does not own where operations come from
(`benchmarks.operations`), nor which needs are true (`benchmarks.needs`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter


class ChainError(ValueError):
    """The operations are no partial order; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What was done between two moments (seconds of one clock). It could not begin before all of `needs` had ended."""

    name: str
    started: float
    ended: float
    needs: frozenset[str] = field(default_factory=frozenset)

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Operations of which each needs the one before, so that no two of them can overlap."""

    steps: tuple[Operation, ...]

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """`operation` began `seconds` after the last of what it needs (`after`, None: the beginning) had ended."""

    operation: Operation
    after: Operation | None
    seconds: float


def longest(operations: Iterable[Operation]) -> Chain:
    """The chain that takes longest: with any number of hands, nobody is done sooner. Raises ChainError."""
    known = _known(operations)
    best: dict[str, tuple[float, str | None]] = {}  # until when, if nothing ever waited; and by which need
    for name in _in_order(known):
        before = max(known[name].needs, key=lambda need: (best[need][0], need), default=None)
        best[name] = (known[name].seconds + (best[before][0] if before else 0.0), before)
    last = max(best, key=lambda name: (best[name][0], name), default=None)
    steps: list[Operation] = []
    while last is not None:
        steps.append(known[last])
        last = best[last][1]
    return Chain(steps=tuple(reversed(steps)))


def followed(operations: Iterable[Operation], began: float) -> Sequence[Wait]:
    """What really kept the end waiting: from the last operation back, each time to the need that ended last.

    `began` is when the whole began. The waits and the operations together reach from there to the last end.
    """
    known = _known(operations)
    _in_order(known)
    found: list[Wait] = []
    at = max(known.values(), key=lambda o: (o.ended, o.name), default=None)
    while at is not None:
        before = max((known[need] for need in at.needs), key=lambda o: (o.ended, o.name), default=None)
        found.append(Wait(operation=at, after=before, seconds=at.started - (before.ended if before else began)))
        at = before
    return found[::-1]


def _known(operations: Iterable[Operation]) -> Mapping[str, Operation]:
    known: dict[str, Operation] = {}
    for operation in operations:
        if operation.name in known:
            raise ChainError(f"{operation.name} is there twice")
        if operation.seconds < 0:
            raise ChainError(f"{operation.name} ends before it begins")
        known[operation.name] = operation
    for operation in known.values():
        if missing := operation.needs - known.keys():
            raise ChainError(f"{operation.name} needs {', '.join(sorted(missing))}, which is not there")
    return known


def _in_order(known: Mapping[str, Operation]) -> list[str]:
    try:
        return list(TopologicalSorter({name: sorted(o.needs) for name, o in known.items()}).static_order())
    except CycleError as error:
        raise ChainError(f"each needs the next: {', '.join(error.args[1])}") from None
