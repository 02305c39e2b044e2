"""How many items a list takes, and what a user reads of an empty or a longer one."""

from collections.abc import Callable
from typing import Any

import pytest

LISTS = {
    "kubernetes.egressPorts": (
        "jobs reach nothing",
        "set-all --path --plaintext 'kubernetes.egressPorts[0]=22' --plaintext 'kubernetes.egressPorts[1]=80'"
        " --plaintext 'kubernetes.egressPorts[2]=443' --plaintext 'kubernetes.egressPorts[3]=6443'",
    ),
    "kubernetes.egressBlockedCidrs": (
        "a job reads its node's credentials",
        "set-all --path --plaintext 'kubernetes.egressBlockedCidrs[0]=169.254.0.0/16'"
        " --plaintext 'kubernetes.egressBlockedCidrs[1]=100.64.0.0/15'",
    ),
    "kubernetes.deployerRules[0].apiGroups": (
        "it allows nothing",
        "set --path 'kubernetes.deployerRules[0].apiGroups[0]' ''",
    ),
    "kubernetes.deployerRules[0].resources": (
        "it allows nothing",
        "set --path 'kubernetes.deployerRules[0].resources[0]' deployments",
    ),
    "kubernetes.deployerRules[0].verbs": ("it allows nothing", "set --path 'kubernetes.deployerRules[0].verbs[0]' get"),
}


@pytest.mark.parametrize("key", LISTS)
def test_a_list_that_must_hold_something_is_not_empty(problems: Callable[..., list[str]], key: str) -> None:
    consequence, fix = LISTS[key]
    # Has lists of its own, which can only be emptied where there is a rule.
    rule = {"kubernetes.deployerRules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    assert problems(rule | {key.replace("[0]", ".0"): []}) == [
        f"{key} (Pulumi.dev.yaml): must have at least 1 item, or {consequence}. Fix: pulumi config {fix}"
    ]


@pytest.mark.parametrize(
    ("key", "item", "most", "consequence"),
    [
        ("cluster.apiAllowedCidrs", "203.0.113.0/24", 30, "nobody reaches the cluster"),
        ("kubernetes.deployerRules", {"resources": ["pods"], "verbs": ["get"]}, 50, "Kubernetes refuses the role"),
    ],
)
def test_a_list_has_so_many_items_at_most(
    parse: Any, problems: Callable[..., list[str]], key: str, item: Any, most: int, consequence: str
) -> None:
    parse({key: [item] * most})
    assert problems({key: [item] * (most + 1)}) == [
        f"{key} (Pulumi.dev.yaml): must have at most {most} items, or {consequence}. "
        f"Fix: pulumi config rm --path '{key}[{most}]'"
    ]


def test_200_runners_are_the_most(parse: Any, problems: Callable[..., list[str]]) -> None:
    runners = [{"name": f"r{number}"} for number in range(201)]
    assert len(parse({"runners": runners[:200]}).runners) == 200
    assert problems({"runners": runners}) == [
        "runners (Pulumi.dev.yaml): must have at most 200 items, or no job runs. "
        "Fix: pulumi config rm --path 'runners[200]'"
    ]
