"""Which pools an environment pays for, and how many nodes each may have. Pure."""

from dataclasses import dataclass

from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Pool:
    """`key` is the setting that says its node type; `least` and `most` are equal where it neither grows nor shrinks."""

    name: str
    key: str
    node_type: str
    least: int
    most: int


def pools_of(settings: Settings) -> list[Pool]:
    """A guest of another stack's cluster has no system pool of its own: the cluster's owner pays for that."""
    system, runner = settings.system_pool, settings.runner_pool
    least, most = (runner.min_size, runner.max_size) if runner.autoscaling else (runner.size, runner.size)
    pools = [Pool(name=runner.name, key="runnerPool.nodeType", node_type=runner.node_type, least=least, most=most)]
    if settings.cluster.mode == "dedicated":
        size, key = system.size, "systemPool.nodeType"
        pools.insert(0, Pool(name="system", key=key, node_type=system.node_type, least=size, most=size))
    return pools


def not_in_it(settings: Settings) -> str:
    """What is billed beside the nodes."""
    more = ["disks", "addresses", "secrets", "traffic", "taxes"]
    if settings.cluster.mode == "shared":
        more.insert(0, f"cluster and system pool of {settings.cluster.owner_stack}")
    elif settings.cluster.type != "kapsule":
        more.insert(0, f"control plane {settings.cluster.type}")
    return ", ".join(more)
