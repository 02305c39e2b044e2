"""Stand-in for Scaleway's Kubernetes API (v1): pools and nodes.

Owns what a pool's record says. Its nodes are `k8s_nodes`; its state over time is `k8s_state`. Does not scale a pool by
load: `autoscaling` only keeps its size between the bounds.
"""

from collections.abc import Iterable

from sandbox.control_plane import ControlPlanes
from sandbox.scaleway import k8s_nodes
from sandbox.scaleway.catalog import NODE_TYPES, VERSIONS, numbers
from sandbox.scaleway.common import (
    ZONES,
    Fields,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    precondition_failed,
    query_flag,
    shown,
    touched,
    transient_state,
)
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.scaleway.k8s_state import (
    POOLS,
    cluster_of_call,
    first_pool_wanted,
    pool_removed,
    refresh_pool,
)
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

_OF_CLUSTER_RULE = "/k8s/v1/regions/<region>/clusters/<id>"
_POOL_RULE = "/k8s/v1/regions/<region>/pools/<id>"
_NODE_RULE = "/k8s/v1/regions/<region>/nodes/<id>"

_GB = 10**9
_DEFAULT_VOLUME = 20 * _GB
_VOLUME_TYPES = ("l_ssd", "b_ssd", "sbs_5k", "sbs_15k")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def _taints(fields: Fields, name: str) -> list[Record]:
    taints = [
        {"key": t.required("key"), "value": t.text("value"), "effect": t.required("effect")}
        for t in fields.all_nested(name)
    ]
    if any(t["effect"] not in _EFFECTS for t in taints):
        raise invalid(name, "constraint", f"an effect must be one of {', '.join(_EFFECTS)}")
    # Sorted, because the real API answers taints in another order than they were given.
    return sorted(taints, key=lambda t: (t["key"], t["effect"]))


def _bounded(pool: Record) -> Record:
    """The pool with a size that its bounds allow. Without autoscaling the bounds only have to be in order."""
    if pool["max_size"] < pool["min_size"]:
        raise invalid("max_size", "constraint", "must not be less than min_size")
    if pool["autoscaling"]:
        return pool | {"size": min(max(pool["size"], pool["min_size"]), pool["max_size"])}
    return pool


def _upgrade_policy(current: Record, fields: Fields) -> Record:
    wanted = fields.nested("upgrade_policy")
    return {name: wanted.number(name, default=value) for name, value in current.items()}


def pool_from(fields: Fields, cluster: Record) -> Record:
    """A pool as the body wants it, not written yet."""
    zone = fields.text("zone") or ZONES[cluster["region"]][0]
    if zone not in ZONES[cluster["region"]]:
        raise invalid("zone", "constraint", f"must be a zone of {cluster['region']}")
    node_type = fields.required("node_type").lower().replace("-", "_")
    if k8s_nodes.commercial_type(node_type) not in NODE_TYPES:
        raise invalid("node_type", "constraint", f"there is no node type {node_type} in {zone}")
    volume = fields.text("root_volume_type", "default_volume_type")
    volume = "sbs_5k" if volume == "default_volume_type" else volume
    if volume not in _VOLUME_TYPES:
        raise invalid("root_volume_type", "constraint", f"must be one of {', '.join(_VOLUME_TYPES)}")
    runtime = fields.text("container_runtime", "containerd")
    if runtime not in ("containerd", "unknown_runtime"):
        raise invalid("container_runtime", "constraint", "must be containerd")
    size, moment = fields.number("size"), now()
    pool = {
        "region": cluster["region"],
        "id": new_id(),
        "cluster_id": cluster["id"],
        "created_at": moment,
        "updated_at": moment,
        "name": fields.required("name"),
        "status": "scaling",
        "version": cluster["version"],
        "node_type": node_type,
        "autoscaling": fields.flag("autoscaling"),
        "size": size,
        "min_size": fields.number("min_size", default=min(1, size)),
        "max_size": fields.number("max_size", default=size),
        "container_runtime": "containerd",
        "autohealing": fields.flag("autohealing"),
        "tags": fields.texts("tags"),
        "placement_group_id": fields.optional("placement_group_id"),
        "kubelet_args": fields.mapping("kubelet_args"),
        "upgrade_policy": _upgrade_policy({"max_unavailable": 1, "max_surge": 0}, fields),
        "zone": zone,
        "root_volume_type": volume,
        "root_volume_size": fields.number("root_volume_size", default=_DEFAULT_VOLUME, minimum=_DEFAULT_VOLUME),
        "public_ip_disabled": fields.flag("public_ip_disabled"),
        "security_group_id": fields.optional("security_group_id") or cluster["_security_group_id"],
        "labels": fields.mapping("labels"),
        "taints": _taints(fields, "taints"),
        "startup_taints": _taints(fields, "startup_taints"),
    }
    return _bounded(pool)


def add_pool(store: Store, planes: ControlPlanes, cluster: Record, pool: Record) -> None:
    """Writes a new pool and its nodes."""
    store.put(POOLS, pool["id"], pool)
    first_pool_wanted(store, k8s_nodes.cluster_of(store, pool))
    k8s_nodes.resize(store, planes, cluster, pool)


def upgrade_pool(store: Store, planes: ControlPlanes, pool: Record, version: str) -> Record:
    """The nodes keep their names: the sandbox's nodes have nothing to install."""
    pool = touched(store, POOLS, pool, version=version, status="upgrading")
    k8s_nodes.apply(store, planes, pool)
    return pool


def _pool(call: Call, planes: ControlPlanes, pool_id: str) -> Record:
    """The pool as it is now. Raises a 404."""
    return refresh_pool(call.store, planes, find(call, POOLS, "pool", pool_id))


def _live(call: Call, planes: ControlPlanes) -> Record:
    pool = _pool(call, planes, call.args["id"])
    if pool["status"] == "deleting":
        raise transient_state("pool", pool["id"], "deleting")
    return pool


def _nodes(call: Call, planes: ControlPlanes, pools: Iterable[Record]) -> list[Record]:
    refreshed = [refresh_pool(call.store, planes, pool) for pool in pools]
    return [node for pool in refreshed for node in call.store.all(NODES, pool_id=pool["id"])]


def _node(call: Call) -> Record:
    return find(call, NODES, "node", call.args["id"])


def pool_routes(planes: ControlPlanes) -> Routes:
    """The routes of pools and nodes, in clusters whose control planes are these."""
    routes = Routes()

    def labelled(call: Call, **changes: object) -> Record:
        """Labels and taints go to the nodes in place: the pool stays `ready`, as on the real platform."""
        pool = touched(call.store, POOLS, _live(call, planes), **changes)
        k8s_nodes.apply(call.store, planes, pool)
        return shown(pool)

    @routes.post(f"{_OF_CLUSTER_RULE}/pools", "k8s.CreatePool")
    def create(call: Call) -> Record:
        cluster = cluster_of_call(call, planes)
        if cluster["status"] in ("deleting", "locked"):
            raise transient_state("cluster", cluster["id"], cluster["status"])
        pool = pool_from(Fields(call.body), cluster)
        add_pool(call.store, planes, cluster, pool)
        return shown(pool)

    @routes.get(f"{_OF_CLUSTER_RULE}/pools", "k8s.ListPools")
    def list_pools(call: Call) -> Record:
        cluster = cluster_of_call(call, planes)
        pools = call.store.all(POOLS, cluster_id=cluster["id"])
        return paged(call, "pools", filtered(call, pools, "status", contains=["name"]))

    @routes.get(_POOL_RULE, "k8s.GetPool")
    def get(call: Call) -> Record:
        return shown(_pool(call, planes, call.args["id"]))

    @routes.patch(_POOL_RULE, "k8s.UpdatePool")
    def update(call: Call) -> Record:
        pool, fields = _live(call, planes), Fields(call.body)
        changes = fields.changes(text=["security_group_id"], flags=["autoscaling", "autohealing"], lists=["tags"])
        changes |= {name: fields.number(name, default=pool[name]) for name in ("size", "min_size", "max_size")}
        if fields.given("kubelet_args"):
            changes["kubelet_args"] = fields.mapping("kubelet_args")
        changes["upgrade_policy"] = _upgrade_policy(pool["upgrade_policy"], fields)
        changed = _bounded(pool | changes)
        if changed["size"] != pool["size"]:
            changed["status"] = "scaling"
        changed = touched(call.store, POOLS, changed)
        k8s_nodes.resize(call.store, planes, k8s_nodes.cluster_of(call.store, pool), changed)
        return shown(changed)

    @routes.delete(_POOL_RULE, "k8s.DeletePool")
    def delete(call: Call) -> Record:
        pool = _pool(call, planes, call.args["id"])
        if pool["status"] != "deleting":
            pool = touched(call.store, POOLS, pool, status="deleting")
            pool_removed(call.store, k8s_nodes.cluster_of(call.store, pool))
            k8s_nodes.apply(call.store, planes, pool)
        return shown(pool)

    @routes.post(f"{_POOL_RULE}/upgrade", "k8s.UpgradePool")
    def upgrade(call: Call) -> Record:
        pool, version = _live(call, planes), Fields(call.body).required("version")
        cluster = k8s_nodes.cluster_of(call.store, pool)
        if version not in VERSIONS or numbers(version) > numbers(cluster["version"]):
            raise invalid("version", "constraint", f"must be a version up to the cluster's, {cluster['version']}")
        return shown(upgrade_pool(call.store, planes, pool, version))

    @routes.put(f"{_POOL_RULE}/set-labels", "k8s.SetPoolLabels")
    def set_labels(call: Call) -> Record:
        return labelled(call, labels=Fields(call.body).mapping("labels"))

    @routes.put(f"{_POOL_RULE}/set-taints", "k8s.SetPoolTaints")
    def set_taints(call: Call) -> Record:
        return labelled(call, taints=_taints(Fields(call.body), "taints"))

    @routes.put(f"{_POOL_RULE}/set-startup-taints", "k8s.SetPoolStartupTaints")
    def set_startup_taints(call: Call) -> Record:
        """Kept only: a node has them until it is ready, and the sandbox's nodes are ready at once."""
        return labelled(call, startup_taints=_taints(Fields(call.body), "startup_taints"))

    @routes.get(f"{_OF_CLUSTER_RULE}/nodes", "k8s.ListNodes")
    def list_nodes(call: Call) -> Record:
        cluster = cluster_of_call(call, planes)
        nodes = _nodes(call, planes, call.store.all(POOLS, cluster_id=cluster["id"]))
        return paged(call, "nodes", filtered(call, nodes, "pool_id", "status", contains=["name"]))

    @routes.get(_NODE_RULE, "k8s.GetNode")
    def get_node(call: Call) -> Record:
        _pool(call, planes, _node(call)["pool_id"])
        return shown(_node(call))

    def removed(call: Call, *, replaced: bool) -> Record:
        """The node goes; a new one takes its place, or the pool gets smaller."""
        node = _node(call)
        pool = _pool(call, planes, node["pool_id"])
        if pool["status"] == "deleting":
            raise transient_state("pool", pool["id"], "deleting")
        size = pool["size"] if replaced else pool["size"] - 1
        if pool["autoscaling"] and size < pool["min_size"]:
            raise precondition_failed("resource_not_deletable", "the pool must keep its min_size")
        pool = touched(call.store, POOLS, pool, status="scaling", size=size)
        k8s_nodes.remove(call.store, node)
        k8s_nodes.resize(call.store, planes, k8s_nodes.cluster_of(call.store, pool), pool)
        return shown(node | {"status": "deleting", "updated_at": now()})

    @routes.post(f"{_NODE_RULE}/replace", "k8s.ReplaceNode")
    def replace_node(call: Call) -> Record:
        return removed(call, replaced=True)

    @routes.delete(_NODE_RULE, "k8s.DeleteNode")
    def delete_node(call: Call) -> Record:
        return removed(call, replaced=bool(query_flag(call, "replace")))

    return routes
