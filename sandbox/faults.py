"""What goes wrong on purpose: answers of a stand-in that come late, wrong, broken off or not at all.

Owns which request meets which fault, and how often. Does not own how a fault looks on the wire (`web`) nor who asks for one
(`admin`, `python -m sandbox fault`).
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

DROPS: Final = ("before", "after")
LONGEST_DELAY: Final = 600.0  # seconds


class FaultError(Exception):
    """A fault that cannot be, with all that is wrong about it."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of failure for the operations that a pattern names (`k8s.Clusters.create`, `gitlab.*.create`, `*`).

    The first `skip` requests pass, the next `times` meet the fault (None: until it is taken away). After `delay` seconds,
    or once all faults are cleared, the answer is `status` and the server has done nothing; or the connection is dropped
    `before` or `after` it did what was asked; or what it did is answered with half a body (`malformed`) or with other
    `fields` (as of a state that stays).
    """

    operation: str
    skip: int = 0
    times: int | None = 1
    delay: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    drop: str = ""
    malformed: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)


def parse_fault(given: Mapping[str, Any], operations: Collection[str]) -> Fault:
    """A fault as somebody asks for it. Raises FaultError with every problem."""
    problems = [f"{name} is no part of a fault" for name in given if name not in Fault.__dataclass_fields__]
    pattern = given.get("operation")
    if not isinstance(pattern, str) or not any(fnmatchcase(name, pattern) for name in operations):
        problems.append(f"operation {pattern!r} names no operation")
    for name, lowest in (("skip", 0), ("times", 1), ("status", 400), ("retry_after", 0)):
        value = given.get(name)
        if name in given and value is not None and not (type(value) is int and value >= lowest):
            problems.append(f"{name} {value!r} must be a whole number of at least {lowest}")
    if isinstance(given.get("status"), int) and given["status"] > 599:
        problems.append(f"status {given['status']} must be at most 599")
    delay = given.get("delay", 0.0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= LONGEST_DELAY:
        problems.append(f"delay {delay!r} must be 0 to {LONGEST_DELAY:.0f} seconds")
    if given.get("drop", "") not in ("", *DROPS):
        problems.append(f"drop {given['drop']!r} must be one of {', '.join(DROPS)}")
    if not isinstance(given.get("malformed", False), bool):
        problems.append(f"malformed {given['malformed']!r} must be true or false")
    if not isinstance(given.get("fields", {}), Mapping):
        problems.append(f"fields {given['fields']!r} must be an object")
    ways = [name for name in ("status", "drop", "malformed", "fields") if given.get(name)]
    if len(ways) > 1:
        problems.append(f"{' and '.join(ways)} are different faults: ask for one after the other")
    if not ways and not given.get("delay"):
        problems.append("nothing would go wrong: give one of status, drop, malformed, fields, delay")
    if problems:
        raise FaultError("; ".join(problems))
    return Fault(**given)


class Faults:
    """The faults of one stand-in, in the order in which they were asked for; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._cleared = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(_Waiting(fault))

    def clear(self) -> None:
        """Also lets go on what is being late just now."""
        with self._lock:
            self._waiting.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def be_late(self, fault: Fault) -> None:
        """Waits as long as the fault says, or until the faults are cleared."""
        with self._lock:
            cleared = self._cleared
        cleared.wait(fault.delay)

    def listed(self) -> list[dict[str, Any]]:
        """Each that is there still, with how many requests have met it."""
        with self._lock:
            return [asdict(w.fault) | {"met": w.met} for w in self._waiting]

    def meet(self, operation: str) -> Fault | None:
        """The fault that this request meets; what had its times goes."""
        with self._lock:
            for waiting in self._waiting:
                if not fnmatchcase(operation, waiting.fault.operation):
                    continue
                if waiting.passed < waiting.fault.skip:
                    waiting.passed += 1
                    continue
                waiting.met += 1
                if waiting.met == waiting.fault.times:
                    self._waiting.remove(waiting)
                return waiting.fault
        return None


class _Waiting:
    """A fault, and what of it has happened."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.passed, self.met = fault, 0, 0
