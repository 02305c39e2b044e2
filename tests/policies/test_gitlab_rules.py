"""Rules over one resource in GitLab: variables, runners, branches.

What passes, what fails and how it is said, what is missing, what is not known yet.
"""

from typing import Any

import pytest

from policies.rules.base import UNKNOWN
from policies.rules.branches import stay_protected
from policies.rules.ci_variables import hold_no_credential, secrets_are_kept
from policies.rules.runners import are_bound
from tests.policies.samples import KUBECONFIG, UUID, Check, base64_of

ACCESS_KEY = "SCW" + 17 * "X"
LEAK = (
    "no cloud credential may be in GitLab, or every job that sees the variable can use it outside the cloud's control.\n"
    "Fix: remove the variable; jobs find their key as a file that Kubernetes mounts"
)
UNHIDDEN = (
    "CI variable API_TOKEN is named like a secret and not hidden: it must be masked, hidden and protected, "
    "or a job's log or the settings page shows it.\n"
    "Fix: set masked=True, hidden=True, or rename a variable that is no secret"
)
UNPROTECTED = (
    "CI variable API_TOKEN is named like a secret and not protected: it must be masked, hidden and protected, "
    "or a job of any branch can read it.\nFix: set protected=True, or rename a variable that is no secret"
)
DEVELOPERS = (
    "developers may push to branch main: a push past a merge request is for maintainers or no one, "
    "or an unreviewed change runs with the environment's key.\n"
    'Fix: set the push access level to "no one" or "maintainer"'
)


def variable(key: Any = "STEP", value: Any = "build") -> dict[str, Any]:
    return {"project": "acme/app", "key": key, "value": value}


def runner(**changed: Any) -> dict[str, Any]:
    good = {"runnerType": "project_type", "locked": True, "untagged": False, "tagLists": ["t"]} | {
        "description": "app",
        "accessLevel": "ref_protected",
    }
    return {key: value for key, value in (good | changed).items() if value is not None}


PASSING: list[tuple[Check, dict[str, Any]]] = [
    (hold_no_credential, variable()),
    (hold_no_credential, variable("SCW_DEFAULT_PROJECT_ID", UUID)),
    (hold_no_credential, variable("AWS_SHARED_CREDENTIALS_FILE", "/root/.config/scw/credentials")),
    (hold_no_credential, variable("AWS_SHARED_CREDENTIALS_FILE", UNKNOWN)),
    (hold_no_credential, variable("MANIFEST", "kind: ConfigMap")),
    (hold_no_credential, variable("BROKEN", "Config: {")),
    (hold_no_credential, variable(UNKNOWN, UNKNOWN)),
    (hold_no_credential, {}),
    (secrets_are_kept, variable("API_TOKEN") | {"masked": True, "hidden": True, "protected": True}),
    (secrets_are_kept, variable("API_TOKEN") | {"hidden": True, "protected": True}),
    (secrets_are_kept, variable("API_TOKEN") | {"hidden": UNKNOWN, "protected": UNKNOWN}),
    (secrets_are_kept, variable("TOKEN_FILE", "/run/token")),
    (secrets_are_kept, variable(UNKNOWN)),
    (secrets_are_kept, variable("STEP")),
    (secrets_are_kept, {}),
    (are_bound, runner()),
    (are_bound, runner(runnerType=UNKNOWN, locked=UNKNOWN, untagged=UNKNOWN, tagLists=UNKNOWN, accessLevel=UNKNOWN)),
    (stay_protected, {"branch": "main"}),
    (stay_protected, {"branch": "main", "allowForcePush": False, "pushAccessLevel": "no one"}),
    (stay_protected, {"allowForcePush": UNKNOWN, "pushAccessLevel": UNKNOWN, "allowedToPushes": UNKNOWN}),
    (stay_protected, {"allowedToPushes": [{"accessLevel": "maintainer"}, {"userId": 1}, {"accessLevel": UNKNOWN}]}),
    (stay_protected, {}),
]


@pytest.mark.parametrize(("check", "props"), PASSING)
def test_passes(check: Check, props: dict[str, Any]) -> None:
    assert list(check(props)) == []


FAILING: list[tuple[Check, dict[str, Any], list[str]]] = [
    (
        hold_no_credential,
        variable("SCW_SECRET_KEY", UNKNOWN),
        [f"CI variable SCW_SECRET_KEY is named like a cloud credential: {LEAK}"],
    ),
    (
        hold_no_credential,
        {"key": "kubeconfig"},
        [f"CI variable kubeconfig is named like a cloud credential: {LEAK}"],
    ),
    (
        hold_no_credential,
        variable("AWS_SHARED_CREDENTIALS_FILE", "not a path"),
        [f"CI variable AWS_SHARED_CREDENTIALS_FILE is named like a cloud credential: {LEAK}"],
    ),
    (hold_no_credential, {"value": ACCESS_KEY}, [f"CI variable holds a Scaleway access key: {LEAK}"]),
    (
        hold_no_credential,
        variable(value=base64_of(f"id: {ACCESS_KEY}")),
        [f"CI variable STEP holds a Scaleway access key: {LEAK}"],
    ),
    (
        hold_no_credential,
        variable(value="ASIA" + 16 * "A"),
        [f"CI variable STEP holds an AWS access key: {LEAK}"],
    ),
    (hold_no_credential, variable(value=f"secret_key: {UUID}"), [f"CI variable STEP holds a secret key: {LEAK}"]),
    (
        hold_no_credential,
        variable(value=f'{{"token": "{UUID}"}}'),
        [f"CI variable STEP holds a secret: {LEAK}"],
    ),
    (
        hold_no_credential,
        variable(value="-----BEGIN EC PRIVATE KEY-----"),
        [f"CI variable STEP holds a private key: {LEAK}"],
    ),
    (hold_no_credential, variable(value=KUBECONFIG % "x"), [f"CI variable STEP holds a kubeconfig: {LEAK}"]),
    (hold_no_credential, variable(value="kind: Config\nsince: 2026-13-45"), []),  # a date that Python cannot hold
    (
        hold_no_credential,
        variable("CLOUD_TOKEN", UUID),
        [f"CI variable CLOUD_TOKEN holds what looks like a Scaleway secret key: {LEAK}"],
    ),
    (secrets_are_kept, variable("API_TOKEN"), [UNHIDDEN, UNPROTECTED]),
    (secrets_are_kept, variable("API_TOKEN") | {"masked": True, "hidden": False, "protected": True}, [UNHIDDEN]),
    (secrets_are_kept, variable("API_TOKEN", UNKNOWN) | {"hidden": True}, [UNPROTECTED]),
    (
        are_bound,
        runner(runnerType="group_type", locked=False, untagged=True, tagLists=[]),
        [
            'runner app is not a project runner: runnerType must be "project_type", '
            'or other projects\' jobs run with its key.\nFix: set runnerType="project_type"',
            "runner app is not locked: locked must be true, "
            "or a maintainer elsewhere can enable it for another project.\nFix: set locked=True",
            "runner app may run untagged jobs: untagged must be false, "
            "or jobs that never asked for its key run with it.\nFix: set untagged=False",
            "runner app has no tag: tagLists must name at least one, "
            'or no job can ask for it.\nFix: set tagLists=["k8s-ENV-runner"]',
        ],
    ),
    (
        are_bound,
        runner(untagged=None),
        [
            "runner app may run untagged jobs: untagged must be false, "
            "or jobs that never asked for its key run with it.\nFix: set untagged=False"
        ],
    ),
    (
        are_bound,
        runner(accessLevel=None),
        [
            "runner app does not say whose jobs it runs: accessLevel must be ref_protected or not_protected, "
            'or it runs those of any branch.\nFix: set accessLevel="ref_protected"'
        ],
    ),
    (
        stay_protected,
        {"branch": "main", "allowForcePush": True},
        [
            "branch main may be force-pushed: allowForcePush must be false, "
            "or reviewed history can be replaced, and a job with the key runs what came instead.\n"
            "Fix: set allowForcePush=False"
        ],
    ),
    (stay_protected, {"branch": "main", "pushAccessLevel": "developer"}, [DEVELOPERS]),
    (stay_protected, {"branch": "main", "allowedToPushes": [{"accessLevel": "developer"}]}, [DEVELOPERS]),
]


@pytest.mark.parametrize(("check", "props", "messages"), FAILING)
def test_fails(check: Check, props: dict[str, Any], messages: list[str]) -> None:
    assert list(check(props)) == messages


def test_no_message_shows_a_value() -> None:
    (message,) = hold_no_credential(variable(value=ACCESS_KEY))
    assert ACCESS_KEY not in message
