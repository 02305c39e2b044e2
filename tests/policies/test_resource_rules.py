"""Rules over one resource: what passes, what fails and how it is said, what is missing, what is not known yet."""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from policies.rules.base import UNKNOWN
from policies.rules.branches import stay_protected
from policies.rules.ci_variables import hold_no_credential, secrets_are_kept
from policies.rules.iam import keys_expire, policies_are_for_projects
from policies.rules.kubeconfigs import are_not_the_administrators
from policies.rules.namespaces import LABEL, enforce_pod_security
from policies.rules.pools import are_tainted
from policies.rules.privileges import nothing_is_privileged
from policies.rules.releases import are_pinned, mount_secrets_read_only
from policies.rules.runners import are_bound

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCESS_KEY = "SCW" + 17 * "X"
UUID = "11111111-2222-3333-4444-555555555555"
KUBECONFIG = "apiVersion: v1\nkind: Config\nusers: [{name: %s, user: {token: t}}]\n"

LEAK = (
    "no cloud credential may be in GitLab, or every job that sees the variable can use it outside the cloud's control.\n"
    "Fix: remove the variable; jobs find their key as a file that Kubernetes mounts"
)
WHAT_RUNS = "nothing may run privileged, or what runs there can read its node's other pods, with their keys.\n"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def at_now(props: dict[str, Any]) -> Iterable[str]:
    return keys_expire(props, now=NOW)


def variable(key: Any = "STEP", value: Any = "build") -> dict[str, Any]:
    return {"project": "acme/app", "key": key, "value": value}


def pool(**changed: Any) -> dict[str, Any]:
    return {"name": "dev", "taints": [{"key": "k", "value": "true", "effect": "NoSchedule"}]} | changed


def runner(**changed: Any) -> dict[str, Any]:
    good = {"runnerType": "project_type", "locked": True, "untagged": False, "tagLists": ["t"]} | {
        "description": "app",
        "accessLevel": "ref_protected",
    }
    return {key: value for key, value in (good | changed).items() if value is not None}


def policy(**rule: Any) -> dict[str, Any]:
    return {"name": "p", "rules": [{"projectIds": [UUID], "permissionSetNames": ["KubernetesFullAccess"]} | rule]}


def release(config: Any = "", **changed: Any) -> dict[str, Any]:
    return {"name": "app", "version": "0.86.0", "values": {"runners": {"config": config}}} | changed


def toml(kubernetes: str = "", volume: str = "read_only = true") -> str:
    return (
        f"[[runners]]\n[runners.kubernetes]\nallow_privilege_escalation = false\n{kubernetes}\n"
        f'[[runners.kubernetes.volumes.secret]]\nname = "key"\n{volume}\n'
    )


def pod(context: Any = None, field: str = "containers") -> dict[str, Any]:
    container = {"name": "main"} | ({} if context is None else {"securityContext": context})
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {field: [container]}}


def namespace(labels: Any) -> dict[str, Any]:
    return {"metadata": {"name": "dev", "labels": labels}}


def secret(field: str, value: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, field: value}


GOOD = {"privileged": False, "allowPrivilegeEscalation": False}
Check = Callable[[dict[str, Any]], Iterable[str]]

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
    (are_tainted, pool()),
    (are_tainted, pool(taints=[{"key": "k", "effect": "NoExecute"}])),
    (are_tainted, {"name": "system"}),
    (are_tainted, {"name": UNKNOWN}),
    (are_tainted, pool(taints=UNKNOWN, startupTaints=UNKNOWN)),
    (are_tainted, pool(taints=[UNKNOWN])),
    (are_tainted, pool(taints=[{"effect": UNKNOWN}])),
    (are_bound, runner()),
    (are_bound, runner(runnerType=UNKNOWN, locked=UNKNOWN, untagged=UNKNOWN, tagLists=UNKNOWN, accessLevel=UNKNOWN)),
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
    (are_pinned, release()),
    (are_pinned, release(version="v1.2.3-rc.1+build")),
    (are_pinned, release(version=UNKNOWN)),
    (mount_secrets_read_only, release(toml())),
    (mount_secrets_read_only, release(UNKNOWN)),
    (mount_secrets_read_only, release("[")),  # the rule below says so
    (mount_secrets_read_only, {}),
    (nothing_is_privileged, release(toml())),
    (nothing_is_privileged, release('[[runners]]\nexecutor = "shell"\n')),
    (nothing_is_privileged, release(UNKNOWN)),
    (nothing_is_privileged, release(values=UNKNOWN)),
    (nothing_is_privileged, {}),
    (nothing_is_privileged, pod(GOOD)),
    (nothing_is_privileged, pod({"allowPrivilegeEscalation": False})),
    (nothing_is_privileged, pod({"privileged": UNKNOWN, "allowPrivilegeEscalation": UNKNOWN})),
    (nothing_is_privileged, pod(UNKNOWN)),
    (nothing_is_privileged, {"spec": {"containers": [UNKNOWN]}}),
    (nothing_is_privileged, {"spec": UNKNOWN}),
    (stay_protected, {"branch": "main"}),
    (stay_protected, {"branch": "main", "allowForcePush": False, "pushAccessLevel": "no one"}),
    (stay_protected, {"allowForcePush": UNKNOWN, "pushAccessLevel": UNKNOWN, "allowedToPushes": UNKNOWN}),
    (stay_protected, {"allowedToPushes": [{"accessLevel": "maintainer"}, {"userId": 1}, {"accessLevel": UNKNOWN}]}),
    (stay_protected, {}),
    (enforce_pod_security, namespace({LABEL: "baseline"})),
    (enforce_pod_security, namespace({LABEL: "restricted"})),
    (enforce_pod_security, namespace({LABEL: UNKNOWN})),
    (enforce_pod_security, namespace(UNKNOWN)),
    (enforce_pod_security, {"metadata": UNKNOWN}),
    (are_not_the_administrators, secret("stringData", {"config": KUBECONFIG % "app-deployer"})),
    (are_not_the_administrators, secret("data", {"config": base64_of(KUBECONFIG % "app-deployer")})),
    (are_not_the_administrators, secret("stringData", {"config": UNKNOWN})),
    (are_not_the_administrators, secret("data", UNKNOWN)),
    (are_not_the_administrators, secret("data", {"config": "no base64", "empty": ""})),
    (are_not_the_administrators, secret("stringData", {"config": "kind: Config"})),
    (are_not_the_administrators, {}),
]


@pytest.mark.parametrize(("check", "props"), PASSING)
def test_passes(check: Check, props: dict[str, Any]) -> None:
    assert list(check(props)) == []


POOL_TAINT = (
    "node pool dev has no taint: every pool but `system` must have one with effect NoSchedule or NoExecute in `taints`, "
    "or any pod of the cluster lands beside jobs that hold cloud keys.\n"
    'Fix: set taints=[{"key": "gitlab-runner-jobs-ENV-reserved", "value": "true", "effect": "NoSchedule"}]'
)
KEY_RULE = (
    "keys must end within 183 days, or a key that leaked is good for long.\n"
    "Fix: set expiresAt to a time (RFC 3339) within 183 days"
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
UNPINNED = (
    "the chart must be pinned to one exact version, or the next run installs what nobody has reviewed.\n"
    "Fix: set version to an exact one, such as 0.86.0"
)
UNENFORCED = (
    f"label {LABEL} must be baseline or restricted, or a pod there can take over its node.\n"
    f"Fix: set metadata.labels['{LABEL}'] to 'baseline'"
)
WRITABLE = (
    "config.toml of Helm release app mounts secret key writable: secrets must be mounted with read_only = true, "
    "or a job can change the key that the next one finds.\n"
    "Fix: set read_only = true in [[runners.kubernetes.volumes.secret]]"
)
DEVELOPERS = (
    "developers may push to branch main: a push past a merge request is for maintainers or no one, "
    "or an unreviewed change runs with the environment's key.\n"
    'Fix: set the push access level to "no one" or "maintainer"'
)
ADMIN = (
    "no secret may hold an administrator's kubeconfig, or every pod that mounts it administers the cluster and reads all "
    "keys in it.\nFix: make a kubeconfig for a service account with a role of its own"
)


def administrative(name: str) -> str:
    return (
        f"rule 0 of IAM policy p gives {name}: no pipeline may manage access, projects, billing or everything, "
        "or a job can give itself any right.\nFix: name the permission sets of the products that jobs deploy"
    )


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
    (
        hold_no_credential,
        variable("CLOUD_TOKEN", UUID),
        [f"CI variable CLOUD_TOKEN holds what looks like a Scaleway secret key: {LEAK}"],
    ),
    (secrets_are_kept, variable("API_TOKEN"), [UNHIDDEN, UNPROTECTED]),
    (secrets_are_kept, variable("API_TOKEN") | {"masked": True, "hidden": False, "protected": True}, [UNHIDDEN]),
    (secrets_are_kept, variable("API_TOKEN", UNKNOWN) | {"hidden": True}, [UNPROTECTED]),
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
    (are_pinned, {"name": "app"}, [f"Helm release app has no version: {UNPINNED}"]),
    (are_pinned, release(version="^0.86.0"), [f"Helm release app has version '^0.86.0': {UNPINNED}"]),
    (are_pinned, release(version="0.86"), [f"Helm release app has version '0.86': {UNPINNED}"]),
    (mount_secrets_read_only, release(toml(volume="")), [WRITABLE]),
    (mount_secrets_read_only, release(toml(volume="read_only = false")), [WRITABLE]),
    (
        nothing_is_privileged,
        release(toml("privileged = true")),
        [
            f"runners[0].kubernetes.privileged is true in config.toml of Helm release app: {WHAT_RUNS}"
            "Fix: set runners[0].kubernetes.privileged to false"
        ],
    ),
    (
        nothing_is_privileged,
        release("[[runners]]\n"),
        [
            "config.toml of Helm release app does not say runners[0].kubernetes.allow_privilege_escalation: "
            "it must be false, or what runs there can read its node's other pods, with their keys.\n"
            "Fix: set allow_privilege_escalation = false in [runners.kubernetes]"
        ],
    ),
    (
        nothing_is_privileged,
        release(values={"securityContext": {"allowPrivilegeEscalation": "true"}}),
        [
            f"securityContext.allowPrivilegeEscalation is true in values of Helm release app: {WHAT_RUNS}"
            "Fix: set securityContext.allowPrivilegeEscalation to false"
        ],
    ),
    (
        nothing_is_privileged,
        release(valueYamlFiles=[object()]),
        [
            "Helm release app takes values from files: what a chart is told must be in `values`, "
            "or no rule sees what it runs.\nFix: move the values from valueYamlFiles to values"
        ],
    ),
    (
        nothing_is_privileged,
        pod({"privileged": True}, "initContainers"),
        [
            f"privileged is true for container main of Pod p: {WHAT_RUNS}Fix: set securityContext.privileged to false",
            f"allowPrivilegeEscalation is not said for container main of Pod p: {WHAT_RUNS}"
            "Fix: set securityContext.allowPrivilegeEscalation to false",
        ],
    ),
    (
        nothing_is_privileged,
        {"kind": "Deployment", "spec": {"template": pod(GOOD | {"allowPrivilegeEscalation": True})}},
        [
            f"allowPrivilegeEscalation is true for container main of Deployment: {WHAT_RUNS}"
            "Fix: set securityContext.allowPrivilegeEscalation to false"
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
    (
        enforce_pod_security,
        namespace({LABEL: "privileged"}),
        [f"namespace dev enforces the Pod Security level 'privileged': {UNENFORCED}"],
    ),
    (enforce_pod_security, namespace({}), [f"namespace dev enforces no Pod Security level: {UNENFORCED}"]),
    (enforce_pod_security, {}, [f"namespace enforces no Pod Security level: {UNENFORCED}"]),
    (
        are_not_the_administrators,
        secret("stringData", {"config": KUBECONFIG % "kapsule-admin"}),
        [f"key config of secret s is the kubeconfig of user kapsule-admin: {ADMIN}"],
    ),
    (
        are_not_the_administrators,
        {"data": {"config": base64_of(KUBECONFIG % "admin")}},
        [f"key config of secret is the kubeconfig of user admin: {ADMIN}"],
    ),
]


@pytest.mark.parametrize(("check", "props", "messages"), FAILING)
def test_fails(check: Check, props: dict[str, Any], messages: list[str]) -> None:
    assert list(check(props)) == messages


def test_a_config_toml_that_is_none_is_refused() -> None:
    (message,) = nothing_is_privileged(release("["))
    assert message.startswith("config.toml of Helm release app cannot be read (")
    assert message.endswith("): nothing may run privileged, or no rule sees what it runs.\nFix: write it as TOML")


def test_the_life_of_keys_is_configured() -> None:
    expiry = {"expiresAt": "2026-12-23T00:00:00Z"}
    assert list(keys_expire(expiry, max_key_days=30.0, now=NOW)) == []
    assert list(keys_expire(expiry, max_key_days=29.0, now=NOW)) == [
        "API key ends at 2026-12-23T00:00:00Z: keys must end within 29 days, or a key that leaked is good for long.\n"
        "Fix: set expiresAt to a time (RFC 3339) within 29 days"
    ]


def test_no_message_shows_a_value() -> None:
    (message,) = hold_no_credential(variable(value=ACCESS_KEY))
    assert ACCESS_KEY not in message
