"""Node pools: only the system pool takes any pod."""

from collections.abc import Iterator

from .base import UNKNOWN, Properties, ResourceRule, at, items, named, problem

SYSTEM = "system"
_EFFECTS = ("NoSchedule", "NoExecute")


def are_tainted(props: Properties) -> Iterator[str]:
    """A missing name is one that the provider makes up, so not the system pool's."""
    name = props.get("name")
    if name == SYSTEM or name is UNKNOWN:
        return
    pool = named("node pool", name)
    taints = at(props, "taints")
    effects = [at(taint, "effect") for taint in items(props, "taints")]
    # A list entry may be unknown as a whole.
    known = taints is not UNKNOWN and UNKNOWN not in effects
    if known and not any(effect in _EFFECTS for effect in effects):
        yield problem(
            f"{pool} has no taint",
            "every pool but `system` must have one with effect NoSchedule or NoExecute in `taints`",
            "any pod of the cluster lands beside jobs that hold cloud keys",
            'set taints=[{"key": "gitlab-runner-jobs-ENV-reserved", "value": "true", "effect": "NoSchedule"}]',
        )
    if items(props, "startupTaints"):
        yield problem(
            f"{pool} has startup taints",
            "reserved nodes must get their taints from `taints`",
            "nobody puts a startup taint back once it is removed from a node",
            "move them from startupTaints to taints",
        )


RULES = (
    ResourceRule(
        name="runner-pools-are-tainted",
        description="Every node pool but `system` has a lasting taint.",
        types=("scaleway:kubernetes/pool:Pool",),
        check=are_tainted,
    ),
)
