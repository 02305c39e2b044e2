"""The rules about whose cluster it is, and about the one that pipelines deploy to: right, one changed, the exact words."""

from collections.abc import Callable
from typing import Any

import pytest

Problems = Callable[..., list[str]]

SHARED = {"cluster": {"mode": "shared", "ownerStack": "dev"}, "projects.devops": ...}
FILE = "(Pulumi.preprod.yaml)"


def test_a_shared_cluster_names_its_owner_and_nothing_else(parse: Any, problems: Problems) -> None:
    joined = parse(SHARED, stack="preprod")
    assert (joined.cluster.mode, joined.cluster.owner_stack, joined.projects.devops) == ("shared", "dev", None)
    cluster = {"mode": "shared", "ownerStack": "dev", "version": "1.34"}
    own = {"network": {"ipv4Subnet": "10.0.0.0/24"}, "systemPool": {"size": 2}, "cluster": cluster}
    rule = (
        "must not be set where cluster.mode is shared: the owner's stack says it, or what is written here does nothing"
    )
    assert problems(SHARED | own, stack="preprod") == [
        f"{key} {FILE}: {rule}. Fix: pulumi config rm --path {key}"
        for key in ("cluster.version", "network", "systemPool")
    ]


@pytest.mark.parametrize(("owner", "shown"), [(None, ""), ("preprod", " = 'preprod'")])
def test_the_owner_is_another_stack(problems: Problems, owner: str | None, shown: str) -> None:
    cluster = {"mode": "shared", "ownerStack": owner} if owner else {"mode": "shared"}
    assert problems(SHARED | {"cluster": cluster}, stack="preprod") == [
        f"cluster.ownerStack{shown} {FILE}: must be another stack where cluster.mode is shared, or there is no cluster to "
        "join. Fix: pulumi config set --path cluster.ownerStack dev"
    ]


def test_a_stack_of_that_name_in_another_project_is_another_stack(parse: Any) -> None:
    owner = {"mode": "shared", "ownerStack": "acme/other/preprod"}
    assert parse(SHARED | {"cluster": owner}, stack="preprod").cluster.owner_stack == "acme/other/preprod"


def test_a_dedicated_cluster_has_no_owner(problems: Problems) -> None:
    assert problems({"cluster.ownerStack": "prod"}) == [
        "cluster.ownerStack = 'prod' (Pulumi.dev.yaml): must not be set where cluster.mode is dedicated, or it is not clear "
        "where runners run. Fix: pulumi config set --path cluster.mode shared"
    ]


def test_the_devops_project_goes_with_the_cluster(problems: Problems) -> None:
    assert problems({"projects.devops": ...}) == [
        "projects.devops (Pulumi.dev.yaml): must be set where cluster.mode is dedicated, or the cluster has no place. "
        "Fix: pulumi config set --path projects.devops.name devops-dev"
    ]
    assert problems({"cluster": SHARED["cluster"]}, stack="preprod") == [
        f"projects.devops {FILE}: must not be set where cluster.mode is shared, or a project is made in which nothing is. "
        "Fix: pulumi config rm --path projects.devops"
    ]


READ = {"resources": ["pods"], "verbs": ["get"]}
WRITE = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
APP: dict[str, Any] = {"appCluster": {"stack": "acme/app/dev"}, "runners.0.appClusterRules": [WRITE]}
RULES = "runners.0.appClusterRules"


def test_an_application_cluster_is_another_stacks_or_given_by_id(parse: Any, problems: Problems) -> None:
    assert parse(APP).app_cluster.namespace == "apps"
    given = {"clusterId": "fr-par/11111111-2222-3333-4444-555555555555"}
    assert parse(APP | {"appCluster": given}).app_cluster.stack is None
    rule = "must have exactly one of stack and clusterId, or it is not clear which cluster pipelines deploy to"
    assert problems(APP | {"appCluster": {**given, "stack": "x"}}) == [
        f"appCluster (Pulumi.dev.yaml): {rule}. Fix: pulumi config rm --path appCluster.stack"
    ]
    assert problems(APP | {"appCluster": {"namespace": "web"}}) == [
        f"appCluster (Pulumi.dev.yaml): {rule}. Fix: pulumi config set --path appCluster.stack acme/app-cluster/dev"
    ]


def test_rules_and_cluster_come_together(problems: Problems) -> None:
    (unused,) = problems({"appCluster": {"stack": "x"}})
    assert unused.startswith(
        "appCluster (Pulumi.dev.yaml): must be used: give a runner appClusterRules, or no job gets a "
    )
    assert problems({RULES: [WRITE]}) == [
        "runners[0].appClusterRules (Pulumi.dev.yaml): must not be set without appCluster, or there is no cluster in which "
        "they hold. Fix: pulumi config set --path appCluster.stack acme/app-cluster/dev"
    ]


@pytest.mark.parametrize(
    "rule",
    [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"]},
        {"resources": ["users"], "verbs": ["impersonate"]},
    ],
)
def test_no_rule_makes_an_administrator(problems: Problems, rule: dict[str, Any]) -> None:
    assert problems(APP | {RULES: [WRITE, rule]}) == [
        "runners[0].appClusterRules[1] (Pulumi.dev.yaml): must neither allow everything nor bind, escalate or impersonate, "
        "or jobs administer the namespace. Fix: pulumi config rm --path 'runners[0].appClusterRules[1]'"
    ]


@pytest.mark.parametrize(
    "rule", [WRITE, {"resources": ["secrets"], "verbs": ["get"]}, {"resources": ["*"], "verbs": ["get"]}]
)
def test_a_runner_of_any_branch_only_reads_and_no_secrets(parse: Any, problems: Problems, rule: dict[str, Any]) -> None:
    assert parse(APP | {"runners.1.appClusterRules": [READ]}).runners[1].app_cluster_rules[0].verbs == ("get",)
    assert problems(APP | {"runners.1.appClusterRules": [rule]}) == [
        "runners[1].appClusterRules[0] (Pulumi.dev.yaml): must only get, list and watch, and no secrets, where the runner "
        "is not protected, or whoever may push a branch may change the application or read its secrets. "
        "Fix: pulumi config rm --path 'runners[1].appClusterRules[0]'"
    ]
