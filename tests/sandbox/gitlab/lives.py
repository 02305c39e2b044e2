"""The life of a resource of the plugin, as tests play it: inputs, a change of them, and what makes a new resource."""

from datetime import date, timedelta
from typing import Any

# label, inputs, change (updates), replacement, whether the edition matters
P = "acme/app"
LIVES = [
    ("ProjectVariable", {"project": P, "key": "K", "value": "v"}, {"value": "w", "description": "d"}, {"key": "L"}),
    (
        "ProjectVariable",
        {"project": P, "key": "K", "value": "abcdefgh", "masked": True, "hidden": True, "environmentScope": "dev"},
        {"value": "ijklmnop", "protected": True},
        {"environmentScope": "prod"},
    ),
    ("GroupVariable", {"group": "acme", "key": "K", "value": "v"}, {"raw": True, "variableType": "file"}, {"key": "L"}),
    (
        "UserRunner",
        {"runnerType": "project_type", "projectId": 1, "tagLists": ["b", "a"], "untagged": False, "locked": True},
        {"tagLists": ["c", "a"], "paused": True, "accessLevel": "ref_protected", "maximumTimeout": 900},
        {"runnerType": "instance_type"},
    ),
    (
        "ProjectEnvironment",
        {"project": P, "name": "prod", "stopBeforeDestroy": True, "externalUrl": "https://x"},
        {"externalUrl": None, "tier": "other", "kubernetesNamespace": "n"},
        {"name": "qa"},
    ),
    (
        "ProjectAccessToken",
        {"project": P, "name": "t", "scopes": ["read_api", "api"], "accessLevel": "developer", "expiresAt": "+30"},
        {"expiresAt": "+60"},
        {"accessLevel": "maintainer"},
    ),
    (
        "PipelineSchedule",
        {
            "project": P,
            "description": "n",
            "ref": "refs/heads/main",
            "cron": "0 1 * * *",
            "inputs": [{"name": "a", "value": "1"}],
        },
        {"active": False, "cron": "0 2 * * *", "inputs": [{"name": "b", "value": "2"}], "takeOwnership": True},
        None,
    ),
]
BOTH = [
    (
        "TagProtection",
        {"project": P, "tag": "v*"},
        None,
        {"createAccessLevel": "developer"},
    ),
]
ENTERPRISE = [
    (
        "BranchProtection",
        {
            "project": P,
            "branch": "prod",
            "allowedToPushes": [{"accessLevel": "no one"}],
            "allowedToMerges": [{"accessLevel": "maintainer"}, {"userId": 2}],
        },
        {
            "allowForcePush": True,
            "allowedToMerges": [{"userId": 3}, {"accessLevel": "maintainer"}],
            "allowedToUnprotects": [{"accessLevel": "maintainer"}],
        },
        {"branch": "preprod"},
    ),
    (
        "ProjectProtectedEnvironment",
        {
            "project": P,
            "environment": "prod",
            "deployAccessLevelsAttributes": [{"accessLevel": "maintainer"}],
            "approvalRules": [{"userId": 2}],
        },
        {"deployAccessLevelsAttributes": [{"groupId": 1}], "approvalRules": [{"userId": 2, "requiredApprovals": 2}]},
        {"environment": "qa"},
    ),
    (
        "TagProtection",
        {"project": P, "tag": "v*", "allowedToCreates": [{"userId": 2}, {"accessLevel": "developer"}]},
        None,
        {"allowedToCreates": [{"userId": 3}]},
    ),
]
COMMUNITY = [
    (
        "BranchProtection",
        {"project": P, "branch": "prod", "pushAccessLevel": "no one", "mergeAccessLevel": "developer"},
        {"allowForcePush": True},
        {"mergeAccessLevel": "maintainer"},
    ),
]
CASES = [
    *[(e, *life) for e in (True, False) for life in (*LIVES, *BOTH)],
    *[(True, *life) for life in ENTERPRISE],
    *[(False, *life) for life in COMMUNITY],
]


def dated(inputs: dict[str, Any] | None) -> dict[str, Any]:
    """`+30` becomes the day in 30 days."""
    days = (inputs or {}).get("expiresAt")
    moved = {"expiresAt": str(date.today() + timedelta(days=int(days)))} if days else {}
    return {**(inputs or {}), **moved}
