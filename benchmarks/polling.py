"""How long a thing was ready before the provider, which asks every few seconds, saw it. Pure.

Owns what is read out of the stand-ins' request log and of the moments until which they held a cluster or a pool's nodes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Record = Mapping[str, Any]

_ASKS: Final = {"k8s.GetCluster": ("pool_required", "ready"), "k8s.GetPool": ("ready",)}


def seen(requests: Iterable[Record]) -> dict[str, float]:
    """By id (UUID) of a cluster or a pool, when somebody who asked for it was first told that it is there (Unix seconds)."""
    found: dict[str, float] = {}
    for request in requests:
        wanted = _ASKS.get(request["operation"])
        reply = request["reply"]
        if wanted and isinstance(reply, Mapping) and reply.get("status") in wanted:
            found.setdefault(str(reply["id"]), request["time"])
    return found


def unseen(requests: Iterable[Record], there: Mapping[str, float]) -> dict[str, float]:
    """Seconds by id; `there` says when each was there (Unix seconds). What nobody asked for in time is left out."""
    return {thing: when - there[thing] for thing, when in seen(requests).items() if thing in there}
