"""The nodes of a Kapsule pool: which there are, and what Kubernetes shall know of each.

Owns node records with their names and addresses, and the labels and taints that Kapsule puts on a node. Does not own
Kubernetes' own view of a node: `ControlPlanes` makes it so, and says when it is.
"""

import re
import uuid

from sandbox.control_plane import ControlPlaneError, ControlPlanes, NodeSpec, Taint
from sandbox.scaleway import pace
from sandbox.scaleway.catalog import NODE_TYPES
from sandbox.scaleway.common import CLUSTERS, PRIVATE_NETWORKS, new_id, now
from sandbox.scaleway.ipam import add_addresses, remove_addresses
from sandbox.store import Record, Store

NODES = "scaleway.k8s.nodes"

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PREFIX = "k8s.scaleway.com/"
_NAME_LETTERS = 34  # what is left for the names of cluster and pool in a node's name
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def commercial_type(node_type: str) -> str:
    """pro2_xxs, as pools say it, as PRO2-XXS, as Instances and node labels say it."""
    return node_type.upper().replace("_", "-")


def server_of(node: Record) -> str:
    """The id of the Instance that the node is."""
    return str(node["provider_id"].rpartition("/")[2])


def resize(store: Store, planes: ControlPlanes, cluster: Record, pool: Record) -> None:
    """Adds or removes nodes until there are as many as the pool's size, and tells the control plane."""
    nodes = store.all(NODES, pool_id=pool["id"])
    for node in nodes[pool["size"] :]:
        remove(store, node)
    for _ in range(pool["size"] - len(nodes)):
        _add(store, cluster, pool)
    apply(store, planes, pool)


def remove_all(store: Store, pool_id: str) -> None:
    for node in store.all(NODES, pool_id=pool_id):
        remove(store, node)


def apply(store: Store, planes: ControlPlanes, pool: Record) -> None:
    """Says to the control plane which nodes the pool has, with today's labels and taints."""
    nodes = [] if pool["status"] == "deleting" else store.all(NODES, pool_id=pool["id"])
    planes.set_nodes(pool["cluster_id"], pool["id"], [node_spec(pool, node) for node in nodes])


def are_ready(planes: ControlPlanes, pool: Record) -> bool:
    try:
        return planes.nodes_ready(pool["cluster_id"], pool["id"])
    except ControlPlaneError:
        return False  # why is logged where the cluster's status is computed


def node_spec(pool: Record, node: Record) -> NodeSpec:
    kind = NODE_TYPES[commercial_type(pool["node_type"])]
    labels, taints = from_tags(pool["tags"])
    labels |= pool["labels"] | _own_labels(pool, node, kind.arch)
    wanted = {(t["key"], t["effect"]): Taint(t["key"], t["value"], t["effect"]) for t in pool["taints"]}
    wanted = {(t.key, t.effect): t for t in taints} | wanted
    return NodeSpec(
        name=node["name"],
        labels=labels,
        taints=tuple(wanted.values()),
        cpu=kind.cpu,
        memory_gib=kind.memory_gib,
        joins_at=pace.seconds_of(node),
    )


def _own_labels(pool: Record, node: Record, arch: str) -> dict[str, str]:
    region, zone, architecture = pool["region"], pool["zone"], "arm64" if arch == "arm64" else "amd64"
    return {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/instance-type": commercial_type(pool["node_type"]),
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        f"{_PREFIX}kapsule": pool["cluster_id"],
        f"{_PREFIX}managed": "true",
        f"{_PREFIX}node": node["id"],
        f"{_PREFIX}pool": pool["id"],
        f"{_PREFIX}pool-name": pool["name"],
        f"{_PREFIX}runtime": pool["container_runtime"],
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": node["name"],
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": commercial_type(pool["node_type"]),
        "topology.csi.scaleway.com/zone": zone,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    }


def from_tags(tags: list[str]) -> tuple[dict[str, str], list[Taint]]:
    """The labels and taints that a pool's tags stand for.

    `k=v` and `k` are labels, `taint=k=v:Effect` is a taint; keys get a prefix of Scaleway's, but `noprefix=k=v` and
    `taint=noprefix=k=v:Effect` keep them bare. What Kubernetes would not take is left out, as Kapsule leaves it out.
    """
    labels: dict[str, str] = {}
    taints: list[Taint] = []
    for tag in tags:
        text = tag.removeprefix("taint=")
        bare = text.removeprefix("noprefix=")
        key, _, value = bare.partition("=")
        key = key if bare != text else _PREFIX + key
        effect = ""
        if text != tag:
            value, _, effect = value.rpartition(":")
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            continue
        if text == tag:
            labels[key] = value
        elif effect in _EFFECTS:
            taints.append(Taint(key, value, effect))
    return labels, taints


def node_name(cluster: str, pool: str, node_id: str) -> str:
    """scw-<cluster>-<pool>-<hex>; long names lose their ends, as many letters each."""
    cut = max(0, len(cluster) + len(pool) - _NAME_LETTERS) // 2
    cluster = cluster[: max(1, len(cluster) - cut)]
    pool = pool[: max(1, _NAME_LETTERS - len(cluster))]
    return f"scw-{_dns(cluster)}-{_dns(pool)}-{node_id.replace('-', '')[:6]}"


def _dns(name: str) -> str:
    return re.sub(r"[^a-z0-9-]", "-", name.lower())


def _add(store: Store, cluster: Record, pool: Record) -> None:
    node_id, moment = new_id(), now()
    name = node_name(cluster["name"], pool["name"], node_id)
    public_ip = None
    if not pool["public_ip_disabled"]:
        # Of a block that is for documentation: no address of the sandbox can be somebody's.
        public_ip = f"203.0.113.{store.next_id('scaleway.k8s.public_ips') % 254 + 1}"
    node = {
        "region": pool["region"],
        "id": node_id,
        "cluster_id": cluster["id"],
        "created_at": moment,
        "updated_at": moment,
        "pool_id": pool["id"],
        "status": "creating",
        "conditions": {},
        "name": name,
        "public_ip_v4": public_ip,
        "public_ip_v6": None,
        "provider_id": f"scaleway://instance/{pool['zone']}/{uuid.uuid4()}",
        "error_message": "",
        pace.HELD_UNTIL: pace.held_until(store, pace.POOL, after=cluster),
    }
    network = store.get(PRIVATE_NETWORKS, cluster["private_network_id"])
    if network is not None:
        add_addresses(store, network, name)
    store.put(NODES, node_id, node)


def remove(store: Store, node: Record) -> None:
    remove_addresses(store, node["name"])
    store.delete(NODES, node["id"])


def refresh(store: Store, planes: ControlPlanes, pool: Record) -> None:
    """Brings the records of the pool's nodes up to what the control plane says.

    A node that was ready stays so while its labels or taints change, although the control plane is busy with them.
    """
    ready = are_ready(planes, pool)
    for node in store.all(NODES, pool_id=pool["id"]):
        status = "deleting" if pool["status"] == "deleting" else "ready" if ready else node["status"]
        if status != node["status"]:
            conditions = {
                "DiskPressure": "False",
                "MemoryPressure": "False",
                "NetworkUnavailable": "False",
                "PIDPressure": "False",
                "Ready": "True" if ready else "Unknown",
            }
            store.put(NODES, node["id"], node | {"status": status, "conditions": conditions, "updated_at": now()})


def cluster_of(store: Store, pool: Record) -> Record:
    cluster = store.get(CLUSTERS, pool["cluster_id"])
    assert cluster is not None, "a pool never outlives its cluster"
    return cluster
