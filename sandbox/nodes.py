"""Makes a cluster's nodes be what its pools want, as Kapsule's node controller does.

Owns the Node objects that carry a pool's label. Readiness is kwok's work, and what runs on a node is the scheduler's.
"""

from collections.abc import Mapping, Sequence

import yaml
from lightkube import Client, KubeConfig
from lightkube.core.decoders import decode_list, decode_status
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import NodeSpec as ApiNodeSpec
from lightkube.models.core_v1 import NodeStatus
from lightkube.models.core_v1 import Taint as ApiTaint
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Node, Pod

from sandbox.control_plane import NodeSpec

POOL_LABEL = "k8s.scaleway.com/pool"
_KEPT_BY_KUBERNETES = "node.kubernetes.io/"  # taints such as not-ready come and go by themselves
_PODS_PER_NODE = "110"

Desired = Mapping[str, Sequence[NodeSpec]]  # by pool id

# msgspec 0.22 plans a type at its first use, and a second thread that meets the half-made plan ends the whole process.
# So every type that is read from outside is met here, before there is a thread per cluster.
for _kind in (Node, Pod):
    decode_list(b'{"items": []}', _kind)
decode_status(b"{}")
_ANY_CLUSTER = {"name": "", "cluster": {}, "context": {"cluster": ""}, "user": {}}
KubeConfig.from_dict({key: [_ANY_CLUSTER] for key in ("clusters", "contexts", "users")})


def connect(kubeconfig: str) -> Client:
    """A client for a kubeconfig's text; proxies and the user's own settings are not asked."""
    return Client(config=KubeConfig.from_dict(yaml.safe_load(kubeconfig)), trust_env=False)


def joined(desired: Desired, moment: float) -> tuple[dict[str, list[NodeSpec]], float | None]:
    """The nodes that have joined by `moment`, and when the next one will (None: there are no more)."""
    by_now = {pool: [n for n in nodes if n.joins_at <= moment] for pool, nodes in desired.items()}
    return by_now, min((n.joins_at for nodes in desired.values() for n in nodes if n.joins_at > moment), default=None)


def reconcile(client: Client, desired: Desired) -> dict[str, bool]:
    """One step towards `desired`; by pool, whether its nodes are as they should be and ready."""
    actual = {
        str(n.metadata.name): n for n in client.list(Node) if n.metadata and POOL_LABEL in (n.metadata.labels or {})
    }
    wanted = {n.name: n for nodes in desired.values() for n in nodes}
    for name in actual.keys() - wanted.keys():
        _remove(client, name)
    settled = {name: _settle(client, spec, actual.get(name)) for name, spec in wanted.items()}
    present = {pool: sum(_pool(n) == pool for n in actual.values()) for pool in desired}
    return {
        pool: present[pool] == len(nodes) and all(settled[n.name] for n in nodes) for pool, nodes in desired.items()
    }


def _settle(client: Client, spec: NodeSpec, node: Node | None) -> bool:
    """Creates or corrects one node; True when there was nothing to do and it is ready."""
    if node is None or node.metadata is None:
        client.create(_object(spec))
        return False
    taints = [t for t in (node.spec.taints if node.spec else None) or [] if not t.key.startswith(_KEPT_BY_KUBERNETES)]
    same_taints = {(t.key, t.value or "", t.effect) for t in taints} == {
        (t.key, t.value, t.effect) for t in spec.taints
    }
    if node.metadata.labels != spec.labels or not same_taints:
        removed = dict.fromkeys((node.metadata.labels or {}).keys() - spec.labels.keys())
        kept = [t.to_dict() for t in (node.spec.taints if node.spec else None) or [] if t not in taints]
        own = [{"key": t.key, "value": t.value, "effect": t.effect} for t in spec.taints]
        # A merge patch takes null as "remove this label".
        change = {"metadata": {"labels": {**spec.labels, **removed}}, "spec": {"taints": kept + own}}
        client.patch(Node, spec.name, change)
        return False
    conditions = (node.status.conditions if node.status else None) or []
    return any(c.type == "Ready" and c.status == "True" for c in conditions)


def _object(spec: NodeSpec) -> Node:
    resources = {"cpu": str(spec.cpu), "memory": f"{spec.memory_gib}Gi", "pods": _PODS_PER_NODE}
    return Node(
        metadata=ObjectMeta(name=spec.name, labels=dict(spec.labels)),
        spec=ApiNodeSpec(taints=[ApiTaint(key=t.key, value=t.value, effect=t.effect) for t in spec.taints]),
        status=NodeStatus(capacity=resources, allocatable=resources),
    )


def _remove(client: Client, name: str) -> None:
    """Deletes the node's pods and then the node, so that their owners make new ones elsewhere at once."""
    for pod in client.list(Pod, namespace="*", fields={"spec.nodeName": name}):
        if pod.metadata:
            _delete_if_there(client, Pod, str(pod.metadata.name), str(pod.metadata.namespace))
    try:
        client.delete(Node, name)
    except ApiError as error:
        if error.status.code != 404:
            raise


def _delete_if_there(client: Client, kind: type[Pod], name: str, namespace: str) -> None:
    try:
        client.delete(kind, name, namespace=namespace, grace_period=0)
    except ApiError as error:
        if error.status.code != 404:
            raise


def _pool(node: Node) -> str:
    return str(((node.metadata.labels if node.metadata else None) or {}).get(POOL_LABEL, ""))
