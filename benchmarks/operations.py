"""What an update did and when: out of the engine's events as they came, and the state that it left. Pure.

An operation is the making of one resource by a provider, from the event before its step to the event after it. Components
and the stack are no operations: nobody waits for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.chain import Operation
from benchmarks.needs import Need

Record = dict[str, Any]


class UnfinishedError(ValueError):
    """The events are not those of an update that did all it had begun."""


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """An event, and when it came (seconds of a monotonic clock)."""

    at: float
    event: Mapping[str, Any]


def after_preview(events: Sequence[Stamped]) -> Sequence[Stamped]:
    """Those of the update, without the preview that the same command may have begun with: each says first that it begins."""
    return events[max((n for n, stamped in enumerate(events) if "preludeEvent" in stamped.event), default=0) :]


def spans(events: Iterable[Stamped]) -> dict[str, tuple[float, float]]:
    """By URN, when each resource was begun and was there. Raises UnfinishedError."""
    begun: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    for stamped in events:
        for name in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            step = (stamped.event.get(name) or {}).get("metadata")
            if not step or step["op"] == "same" or not (step.get("new") or {}).get("custom"):
                continue
            urn = step["urn"]
            if name == "resourcePreEvent":
                begun[urn] = stamped.at
            elif name == "resOutputsEvent" and urn in begun:
                found[urn] = (begun[urn], stamped.at)
            else:
                raise UnfinishedError(f"{urn} has failed, or ended before it began")
    if unfinished := begun.keys() - found.keys():
        raise UnfinishedError(f"never ended: {', '.join(sorted(unfinished))}")
    return found


def operations(
    found: Mapping[str, tuple[float, float]], needs: Iterable[Need], *, only_true: bool = True
) -> list[Operation]:
    """Each span as an operation with what it truly needs, or with all that it is declared to."""
    wanted: dict[str, set[str]] = {urn: set() for urn in found}
    for need in needs:
        if need.of in found and need.on in found and (need.true or not only_true):
            wanted[need.of].add(need.on)
    return [
        Operation(name=urn, started=began, ended=ended, needs=frozenset(wanted[urn]))
        for urn, (began, ended) in found.items()
    ]
