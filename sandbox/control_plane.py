"""What the Scaleway stand-in needs of a Kubernetes control plane, apart from how one is run (`sandbox.cluster`).

The split lets the API's routes be tested without starting one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class ControlPlaneError(Exception):
    """A control plane could not be started or has died; the message says which part and why."""


@dataclass(frozen=True)
class Taint:
    """A node's taint; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """A node as the pool wants it. `cpu` in cores, `memory_gib` in GiB. It joins at `joins_at` (Unix seconds)."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    cpu: int = 4
    memory_gib: int = 16
    joins_at: float = 0.0


class ControlPlanes(Protocol):
    """One control plane per Kapsule cluster. No method waits: state is asked for until it is reached."""

    def start(self, cluster_id: str) -> None:
        """Begins to start a control plane, or does nothing where it runs."""

    def ready(self, cluster_id: str) -> bool:
        """Whether its API server answers. Raises ControlPlaneError when the start has failed."""

    def kubeconfig(self, cluster_id: str, name: str) -> str:
        """An admin kubeconfig (YAML) with exactly one cluster and one user called `name`, and a bearer token. Secret.

        Raises ControlPlaneError where the control plane was never started.
        """

    def set_nodes(self, cluster_id: str, pool_id: str, nodes: Sequence[NodeSpec]) -> None:
        """Says which nodes the pool should have (labels and taints included); an empty list removes them all."""

    def nodes_ready(self, cluster_id: str, pool_id: str) -> bool:
        """Whether the pool's nodes are exactly those that were set, each joined and Ready, with its labels and taints."""

    def delete(self, cluster_id: str) -> None:
        """Begins to stop the control plane and to remove its data."""

    def deleted(self, cluster_id: str) -> bool:
        """Whether nothing of it is left."""
