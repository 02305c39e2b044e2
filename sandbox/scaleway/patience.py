"""Answers that wait for what is about to happen: a cluster or a pool that will be in another state within seconds.

The real API answers at once, and its states last minutes. Here they last a second or two, and providers ask every five
seconds, after a deletion every fifteen: most of an update would be waiting for the next question. What is answered is
what would have been answered a moment later.

Does not own the states (`k8s_state`). What a pace holds (`pace`) is not about to change.
"""

import re
import time
from typing import Final

from sandbox.control_plane import ControlPlaneError, ControlPlanes
from sandbox.scaleway import k8s_nodes, pace
from sandbox.scaleway.common import CLUSTERS
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.scaleway.k8s_state import POOLS
from sandbox.store import Record, Store

SECONDS: Final = 4.0  # less than any provider's interval
_LOOK_SECONDS: Final = 0.05  # control planes tell nobody of their states: they are asked for (`ControlPlanes`)
_THING: Final = re.compile(r"/k8s/v1/regions/[^/]+/(clusters|pools)/([^/]+)")


def wait(store: Store, planes: ControlPlanes, method: str, path: str, seconds: float) -> None:
    """Returns when the cluster or pool that is asked for is not about to change, and after `seconds` in any case."""
    asked = _THING.fullmatch(path) if method == "GET" else None
    if asked is None:
        return
    table, about_to_change = _KINDS[asked[1]]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        record = store.get(table, asked[2])
        if record is None or not about_to_change(store, planes, record):
            return
        time.sleep(_LOOK_SECONDS)


def _cluster_is_about_to_change(store: Store, planes: ControlPlanes, cluster: Record) -> bool:
    if cluster["status"] == "deleting":
        return not planes.deleted(cluster["id"])
    if cluster["status"] != "creating" or pace.is_held(cluster):
        return False
    pools = store.all(POOLS, cluster_id=cluster["id"])
    up = _is_up(planes, cluster["id"])
    return up is False or (up is True and any(_pool_is_about_to_change(store, planes, pool) for pool in pools))


def _pool_is_about_to_change(store: Store, planes: ControlPlanes, pool: Record) -> bool:
    if pool["status"] == "ready" or _is_up(planes, pool["cluster_id"]) is None:
        return False
    if any(pace.is_held(node) for node in store.all(NODES, pool_id=pool["id"])):
        return False
    return not k8s_nodes.are_ready(planes, pool)


def _is_up(planes: ControlPlanes, cluster_id: str) -> bool | None:
    """None where it has failed, and will never be."""
    try:
        return planes.ready(cluster_id)
    except ControlPlaneError:
        return None


_KINDS: Final = {"clusters": (CLUSTERS, _cluster_is_about_to_change), "pools": (POOLS, _pool_is_about_to_change)}
