"""How long clusters and nodes take to come, where a test or a user says so; else they are as fast as this machine.

Owns a pace for each kind, in the store, with its routes `/_sandbox/pace`; and until when what is made is held. A held
cluster stays `creating`; a held node has not joined its cluster, so its pool stays `scaling`. That moment is in the record:
a pace holds for what is made after it was set, over a restart too.

Does not own requests that are late: those are faults (`sandbox.faults`), and they keep nothing in a state.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.scaleway.common import now, timestamp
from sandbox.store import Record, Store
from sandbox.web import ApiError, Call, Reply, Routes

CLUSTER: Final = "cluster"
POOL: Final = "pool"  # each of its nodes
KINDS: Final = (CLUSTER, POOL)
LONGEST: Final = 3600.0  # seconds
HELD_UNTIL: Final = "_held_until"

_TABLE = "scaleway.pace"

routes = Routes()


def held_until(store: Store, kind: str, after: Record | None = None) -> str:
    """Until when what is made now is held; `after` is what must have come before its own time begins."""
    pace = store.get(_TABLE, kind)
    if pace is None:
        return ""
    begins = max(now(), (after or {}).get(HELD_UNTIL, ""))
    return timestamp(datetime.fromisoformat(begins) + timedelta(seconds=pace["seconds"]))


def is_held(record: Record) -> bool:
    return bool(record.get(HELD_UNTIL, "") > now())  # both dates have the same form, so they compare as text


def seconds_of(record: Record) -> float:
    """The moment until which the record is held, in Unix seconds; 0 where it never was."""
    held = record.get(HELD_UNTIL)
    return datetime.fromisoformat(held).astimezone(UTC).timestamp() if held else 0.0


def _parsed(given: Record) -> dict[str, float]:
    """Raises ApiError with every problem."""
    problems = []
    for kind, seconds in given.items():
        if kind not in KINDS:
            problems.append(f"{kind} is no kind with a pace: {', '.join(KINDS)} are")
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not (number and math.isfinite(seconds) and 0 <= seconds <= LONGEST):
            problems.append(f"{kind}: {seconds!r} must be 0 to {LONGEST:.0f} seconds")
    if not given:
        problems.append("no pace is given: cluster or pool, in seconds")
    if problems:
        raise ApiError(400, {"message": "; ".join(problems)})
    return {kind: float(seconds) for kind, seconds in given.items()}


def _listed(store: Store) -> dict[str, Any]:
    return {pace["kind"]: pace["seconds"] for pace in store.all(_TABLE)}


@routes.add("PUT", "/_sandbox/pace", "_sandbox.pace.set", public=True)
def set_paces(call: Call) -> Reply:
    """`{"cluster": 180, "pool": 90}`; what is not named keeps its pace, and 0 takes it away."""
    if not isinstance(call.body, dict):
        raise ApiError(400, {"message": "the paces must be an object"})
    for kind, seconds in _parsed(call.body).items():
        if seconds:
            call.store.put(_TABLE, kind, {"kind": kind, "seconds": seconds})
        else:
            call.store.delete(_TABLE, kind)
    return Reply(body=_listed(call.store))


@routes.add("GET", "/_sandbox/pace", "_sandbox.pace.list", public=True)
def list_paces(call: Call) -> Reply:
    return Reply(body=_listed(call.store))
