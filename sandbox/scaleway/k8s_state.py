"""Which state a Kapsule cluster and its pools are in.

Owns the steps from `creating` to gone. They are computed when somebody asks, from what the control planes and `pace` say, so
there is no thread here; and what the sandbox has to do after it was restarted (`resume`).
"""

import logging

from sandbox.control_plane import ControlPlaneError, ControlPlanes
from sandbox.scaleway import k8s_nodes, pace
from sandbox.scaleway.catalog import upgrades
from sandbox.scaleway.common import CLUSTERS, PRIVATE_NETWORKS, find, new_id, now
from sandbox.store import Record, Store
from sandbox.web import Call

POOLS = "scaleway.k8s.pools"
ACLS = "scaleway.k8s.acls"

log = logging.getLogger("sandbox")


def cluster_of_call(call: Call, planes: ControlPlanes) -> Record:
    """The cluster of the route, as it is now. Raises a 404."""
    return refresh_cluster(call.store, planes, find(call, CLUSTERS, "cluster", call.args["id"]))


def forget_deleted(store: Store, planes: ControlPlanes) -> None:
    """Removes the records of what has gone since it was deleted.

    Called before each request rather than in a handler: the handler that answers the 404 fails, and what a failing
    handler wrote is undone.
    """
    for cluster in store.all(CLUSTERS, status="deleting"):
        if planes.deleted(cluster["id"]):
            _forget(store, cluster)
    for pool in store.all(POOLS, status="deleting"):
        if k8s_nodes.are_ready(planes, pool) or not _alive(planes, pool["cluster_id"]):
            k8s_nodes.remove_all(store, pool["id"])
            store.delete(POOLS, pool["id"])


def refresh_cluster(store: Store, planes: ControlPlanes, cluster: Record) -> Record:
    """The cluster as it is now, with its pools refreshed too."""
    if cluster["status"] == "deleting":
        return cluster
    for pool in store.all(POOLS, cluster_id=cluster["id"]):
        refresh_pool(store, planes, pool)
    changes: Record = {"status": _status(store, planes, cluster)}
    if changes["status"] in ("ready", "pool_required") and not cluster["iam_nodes_group_id"]:
        changes["iam_nodes_group_id"] = new_id()
    if changes["status"] == "ready":
        changes["_served"] = True
    changes["upgrade_available"] = bool(upgrades(cluster["version"]))
    if all(cluster.get(name) == value for name, value in changes.items()):
        return cluster
    return store.put(CLUSTERS, cluster["id"], cluster | changes | {"updated_at": now()})


def _status(store: Store, planes: ControlPlanes, cluster: Record) -> str:
    try:
        up = planes.ready(cluster["id"])
    except ControlPlaneError as error:
        log.error("the control plane of cluster %s (%s) has failed: %s", cluster["name"], cluster["id"], error)
        return "locked"
    if not up or pace.is_held(cluster):
        # A control plane that comes back after a restart of the sandbox is not being created.
        return "updating" if cluster["iam_nodes_group_id"] else "creating"
    if cluster["_pool_required"]:
        return "pool_required"
    if cluster["_served"]:
        return "ready"
    served = any(pool["status"] == "ready" for pool in store.all(POOLS, cluster_id=cluster["id"]))
    return "ready" if served else "creating"


def refresh_pool(store: Store, planes: ControlPlanes, pool: Record) -> Record:
    """The pool as it is now, with its nodes refreshed too."""
    k8s_nodes.refresh(store, planes, pool)
    if pool["status"] in ("scaling", "upgrading") and k8s_nodes.are_ready(planes, pool):
        return store.put(POOLS, pool["id"], pool | {"status": "ready", "updated_at": now()})
    return pool


def _alive(planes: ControlPlanes, cluster_id: str) -> bool:
    """False when the control plane has failed: nothing would ever remove its nodes, and there are none to remove."""
    try:
        planes.ready(cluster_id)
    except ControlPlaneError:
        return False
    return True


def first_pool_wanted(store: Store, cluster: Record) -> None:
    """Called when a pool was added to a cluster: one that had none is being created again until that pool is ready."""
    if cluster["_pool_required"]:
        changes = {"status": "creating", "_pool_required": False, "_served": False, "updated_at": now()}
        store.put(CLUSTERS, cluster["id"], cluster | changes)


def pool_removed(store: Store, cluster: Record) -> None:
    """Called when a pool begins to be deleted: a cluster without another one requires a pool again."""
    if not [p for p in store.all(POOLS, cluster_id=cluster["id"]) if p["status"] != "deleting"]:
        store.put(CLUSTERS, cluster["id"], cluster | {"_pool_required": True, "_served": False, "updated_at": now()})


def _forget(store: Store, cluster: Record) -> None:
    for pool in store.all(POOLS, cluster_id=cluster["id"]):
        k8s_nodes.remove_all(store, pool["id"])
        store.delete(POOLS, pool["id"])
    for rule in store.all(ACLS, _cluster_id=cluster["id"]):
        store.delete(ACLS, rule["id"])
    store.delete(CLUSTERS, cluster["id"])
    network_id = cluster["private_network_id"]
    if cluster["_with_additional_resources"] and not store.all(CLUSTERS, private_network_id=network_id):
        store.delete(PRIVATE_NETWORKS, network_id)


def resume(store: Store, planes: ControlPlanes) -> None:
    """Starts the control planes of all clusters again and says which nodes they have. For the start of the sandbox."""
    for cluster in store.all(CLUSTERS):
        planes.start(cluster["id"])
        if cluster["status"] == "deleting":
            planes.delete(cluster["id"])
            continue
        for pool in store.all(POOLS, cluster_id=cluster["id"]):
            k8s_nodes.apply(store, planes, pool)
