"""The rules between settings about clusters: whose it is, its pool of runners, and the one that pipelines deploy to.

Owns these rules; `setting_rules.py` runs them with the others.
"""

from collections.abc import Iterator, Sequence, Set

from pydantic.alias_generators import to_camel

from config_error import Problem, remove_command, set_command
from sections.cloud import ClusterSettings, RunnerPoolSettings
from sections.jobs import AppClusterSettings, RunnerSettings


def cluster_checks(cluster: ClusterSettings, stack: str, set_here: Set[str]) -> Iterator[Problem]:
    """`cluster.ownerStack` is set where `cluster.mode` is shared, is another stack, and then every other key of `cluster`,
    `network` and `systemPool` is the owner's, so not set; where `cluster.mode` is dedicated, `cluster.version` is a minor
    version with `cluster.autoUpgrade.enabled`, else an exact one, and `cluster.ownerStack` is not set.
    """
    if cluster.mode == "shared":
        yield from _joining(cluster, stack, set_here)
        return
    if cluster.owner_stack is not None:
        yield Problem(
            key="cluster.ownerStack",
            value=cluster.owner_stack,
            rule="must not be set where cluster.mode is dedicated",
            consequence="it is not clear where runners run",
            fix=set_command("cluster.mode", "shared"),
        )
    exact, upgrade = cluster.version.count(".") == 2, cluster.auto_upgrade.enabled
    if exact == upgrade:
        yield Problem(
            key="cluster.version",
            value=cluster.version,
            rule="must be a minor version with autoUpgrade.enabled, an exact one without",
            consequence="Scaleway refuses the cluster",
            fix=set_command("cluster.autoUpgrade.enabled", str(not upgrade).lower()),
        )


def _joining(cluster: ClusterSettings, stack: str, set_here: Set[str]) -> Iterator[Problem]:
    """An environment that joins another stack's cluster says whose, and nothing about the cluster itself."""
    if cluster.owner_stack in (None, stack):
        yield Problem(
            key="cluster.ownerStack",
            value=cluster.owner_stack,
            rule="must be another stack where cluster.mode is shared",
            consequence="there is no cluster to join",
            fix=set_command("cluster.ownerStack", "dev" if stack != "dev" else "preprod"),
        )
    own = [f"cluster.{to_camel(f)}" for f in sorted(cluster.model_fields_set - {"mode", "owner_stack"})]
    for key in [*own, *(to_camel(f) for f in ("network", "system_pool") if f in set_here)]:
        yield Problem(
            key=key,
            rule="must not be set where cluster.mode is shared: the owner's stack says it",
            consequence="what is written here does nothing",
            fix=remove_command(key),
        )


_READING = {"get", "list", "watch"}
_BEYOND_ROLES = {"bind", "escalate", "impersonate"}


def app_cluster_checks(
    app_cluster: AppClusterSettings | None, runners: Sequence[RunnerSettings] | None, *, is_known: bool
) -> Iterator[Problem]:
    """`appCluster` has exactly one of `appCluster.stack` and `appCluster.clusterId`, and a runner with `appClusterRules`,
    which no runner has without `appCluster`; no rule of them allows everything, nor to bind, escalate or impersonate;
    a runner that is not `protected` may only get, list and watch, and no secrets.
    """
    if app_cluster is not None and (app_cluster.stack is None) == (app_cluster.cluster_id is None):
        yield Problem(
            key="appCluster",
            rule="must have exactly one of stack and clusterId",
            consequence="it is not clear which cluster pipelines deploy to",
            fix=remove_command("appCluster.stack")
            if app_cluster.stack
            else set_command("appCluster.stack", "acme/app-cluster/dev"),
        )
    if app_cluster is not None and runners is not None and not any(runner.app_cluster_rules for runner in runners):
        yield Problem(
            key="appCluster",
            rule="must be used: give a runner appClusterRules",
            consequence="no job gets a kubeconfig",
            fix=set_command("runners[0].appClusterRules[0]", {"resources": ["pods"], "verbs": ["get"]}),
        )
    for number, runner in enumerate(runners or ()):
        if runner.app_cluster_rules and app_cluster is None and is_known:
            yield Problem(
                key=f"runners[{number}].appClusterRules",
                rule="must not be set without appCluster",
                consequence="there is no cluster in which they hold",
                fix=set_command("appCluster.stack", "acme/app-cluster/dev"),
            )
        for index, rule in enumerate(runner.app_cluster_rules):
            key, verbs, resources = f"runners[{number}].appClusterRules[{index}]", set(rule.verbs), set(rule.resources)
            if verbs & _BEYOND_ROLES or ("*" in verbs and "*" in resources):
                yield Problem(
                    key=key,
                    rule="must neither allow everything nor bind, escalate or impersonate",
                    consequence="jobs administer the namespace",
                    fix=remove_command(key),
                )
            elif not runner.protected and (verbs - _READING or resources & {"*", "secrets"}):
                yield Problem(
                    key=key,
                    rule="must only get, list and watch, and no secrets, where the runner is not protected",
                    consequence="whoever may push a branch may change the application or read its secrets",
                    fix=remove_command(key),
                )


def pool_checks(pool: RunnerPoolSettings, system_pool: str | None) -> Iterator[Problem]:
    """`runnerPool.name` is not `systemPool.name` where `cluster.mode` is dedicated. Where `runnerPool.autoscaling` is true:
    `minSize` ≤ `size` ≤ `maxSize`.
    """
    if pool.name == system_pool:
        yield Problem(
            key="runnerPool.name",
            value=pool.name,
            rule="must not be systemPool.name",
            consequence="one is taken for the other, and system pods find no node without a taint",
            fix=set_command("runnerPool.name", "jobs" if system_pool != "jobs" else "runners"),
        )
    if pool.autoscaling and pool.max_size < pool.min_size:
        yield Problem(
            key="runnerPool.maxSize",
            value=pool.max_size,
            rule=f"must be at least minSize {pool.min_size}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.maxSize", pool.min_size),
        )
    greatest = max(pool.max_size, pool.min_size)
    if pool.autoscaling and not pool.min_size <= pool.size <= greatest:
        yield Problem(
            key="runnerPool.size",
            value=pool.size,
            rule=f"must be from minSize {pool.min_size} to maxSize {greatest}",
            consequence="the pool cannot be created",
            fix=set_command("runnerPool.size", pool.min_size),
        )
