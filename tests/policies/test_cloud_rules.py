"""Rules over one resource at Scaleway: pools, keys, policies.

What passes, what fails and how it is said, what is missing, what is not known yet.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from policies.rules.base import UNKNOWN
from policies.rules.iam import keys_expire, policies_are_for_projects
from policies.rules.pools import are_tainted
from tests.policies.samples import UUID, Check

NOW = datetime(2026, 11, 23, tzinfo=UTC)
POOL_TAINT = (
    "node pool dev has no taint: every pool but `system` must have one with effect NoSchedule or NoExecute in `taints`, "
    "or any pod of the cluster lands beside jobs that hold cloud keys.\n"
    'Fix: set taints=[{"key": "gitlab-runner-jobs-ENV-reserved", "value": "true", "effect": "NoSchedule"}]'
)
KEY_RULE = (
    "keys must end within 183 days, or a key that leaked is good for long.\n"
    "Fix: set expiresAt to a time (RFC 3339) within 183 days"
)


def at_now(props: dict[str, Any]) -> Iterable[str]:
    return keys_expire(props, now=NOW)


def pool(**changed: Any) -> dict[str, Any]:
    return {"name": "dev", "taints": [{"key": "k", "value": "true", "effect": "NoSchedule"}]} | changed


def policy(**rule: Any) -> dict[str, Any]:
    return {"name": "p", "rules": [{"projectIds": [UUID], "permissionSetNames": ["KubernetesFullAccess"]} | rule]}


def administrative(name: str) -> str:
    return (
        f"rule 0 of IAM policy p gives {name}: no pipeline may manage access, projects, billing or everything, "
        "or a job can give itself any right.\nFix: name the permission sets of the products that jobs deploy"
    )


PASSING: list[tuple[Check, dict[str, Any]]] = [
    (are_tainted, pool()),
    (are_tainted, pool(taints=[{"key": "k", "effect": "NoExecute"}])),
    (are_tainted, {"name": "system"}),
    (are_tainted, {"name": UNKNOWN}),
    (are_tainted, pool(taints=UNKNOWN, startupTaints=UNKNOWN)),
    (are_tainted, pool(taints=[UNKNOWN])),
    (are_tainted, pool(taints=[{"effect": UNKNOWN}])),
    (at_now, {"expiresAt": "2027-05-25T00:00:00Z"}),
    (at_now, {"expiresAt": "2027-05-25T00:00:00"}),
    (at_now, {"expiresAt": UNKNOWN}),
    (policies_are_for_projects, policy()),
    (policies_are_for_projects, policy(permissionSetNames=["IAMReadOnly", "SecretManagerReadOnly", UNKNOWN])),
    (policies_are_for_projects, policy(projectIds=UNKNOWN, permissionSetNames=UNKNOWN)),
    (policies_are_for_projects, policy(projectIds=None, organizationId=UNKNOWN)),
    (policies_are_for_projects, {"rules": [UNKNOWN]}),
    (policies_are_for_projects, {"rules": UNKNOWN}),
    (policies_are_for_projects, {}),
]


@pytest.mark.parametrize(("check", "props"), PASSING)
def test_passes(check: Check, props: dict[str, Any]) -> None:
    assert list(check(props)) == []


FAILING: list[tuple[Check, dict[str, Any], list[str]]] = [
    (are_tainted, pool(taints=[]), [POOL_TAINT]),
    (are_tainted, {"name": "dev"}, [POOL_TAINT]),
    (are_tainted, pool(taints=[{"key": "k", "effect": "PreferNoSchedule"}]), [POOL_TAINT]),
    (are_tainted, {}, [POOL_TAINT.replace(" dev", "")]),
    (
        are_tainted,
        pool(startupTaints=[{"key": "k"}]),
        [
            "node pool dev has startup taints: reserved nodes must get their taints from `taints`, "
            "or nobody puts a startup taint back once it is removed from a node.\n"
            "Fix: move them from startupTaints to taints"
        ],
    ),
    (at_now, {"description": "k"}, [f"API key k never ends: {KEY_RULE}"]),
    (at_now, {"expiresAt": ""}, [f"API key never ends: {KEY_RULE}"]),
    (at_now, {"expiresAt": "soon"}, [f"API key has an end that is no time, 'soon': {KEY_RULE}"]),
    (at_now, {"expiresAt": "2027-05-26T00:00:00Z"}, [f"API key ends at 2027-05-26T00:00:00Z: {KEY_RULE}"]),
    (
        policies_are_for_projects,
        policy(organizationId=UUID, projectIds=None),
        [
            "rule 0 of IAM policy p is for the whole organization: rules must be for projects, "
            "or one leaked key opens every environment.\nFix: replace organizationId with projectIds"
        ],
    ),
    (
        policies_are_for_projects,
        policy(projectIds=[]),
        [
            "rule 0 of IAM policy p names no project: rules must be for projects, "
            "or what the key may reach is not said here.\nFix: set projectIds"
        ],
    ),
    *(
        (policies_are_for_projects, policy(permissionSetNames=[name]), [administrative(name)])
        for name in (
            "IAMManager",
            "IAMFullAccess",
            "IAMApiKeyFullAccess",
            "OrganizationManager",
            "ProjectManager",
            "BillingManager",
            "AllProductsFullAccess",
        )
    ),
]


@pytest.mark.parametrize(("check", "props", "messages"), FAILING)
def test_fails(check: Check, props: dict[str, Any], messages: list[str]) -> None:
    assert list(check(props)) == messages


def test_the_life_of_keys_is_configured() -> None:
    expiry = {"expiresAt": "2026-12-23T00:00:00Z"}
    assert list(keys_expire(expiry, max_key_days=30.0, now=NOW)) == []
    assert list(keys_expire(expiry, max_key_days=29.0, now=NOW)) == [
        "API key ends at 2026-12-23T00:00:00Z: keys must end within 29 days, or a key that leaked is good for long.\n"
        "Fix: set expiresAt to a time (RFC 3339) within 29 days"
    ]
