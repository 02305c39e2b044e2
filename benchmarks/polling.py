"""How long a thing was ready before the provider, which asks every few seconds, saw it. Pure.

Owns what is read out of the stand-ins' request log and of the moments until which they held a cluster or a pool's nodes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Record = Mapping[str, Any]

_ASKS: Final = {"k8s.GetCluster": ("pool_required", "ready"), "k8s.GetPool": ("ready",)}


def unseen(requests: Iterable[Record], there: Mapping[str, float]) -> dict[str, float]:
    """Seconds by id (UUID) of a cluster or a pool; `there` says when each was there at the earliest (Unix seconds).

    Where somebody was told after that moment that it is not there yet, the machine was slower than the pace, and it counts
    from then. What nobody was told of, or nothing is known of, is left out.
    """
    since = dict(there)
    found: dict[str, float] = {}
    for request in requests:
        wanted, reply = _ASKS.get(request["operation"]), request["reply"]
        if not wanted or not isinstance(reply, Mapping) or reply.get("id") not in since or reply["id"] in found:
            continue
        if reply["status"] in wanted:
            found[reply["id"]] = request["time"] - since[reply["id"]]
        else:
            since[reply["id"]] = max(since[reply["id"]], request["time"])
    return found
