"""Rules over one resource in the cluster: releases, pods, namespaces, secrets.

What passes, what fails and how it is said, what is missing, what is not known yet.
"""

from typing import Any

import pytest

from policies.rules.base import UNKNOWN
from policies.rules.kubeconfigs import are_not_the_administrators
from policies.rules.namespaces import LABEL, enforce_pod_security
from policies.rules.privileges import nothing_is_privileged
from policies.rules.releases import are_pinned, mount_secrets_read_only
from tests.policies.samples import KUBECONFIG, Check, base64_of

WHAT_RUNS = "nothing may run privileged, or what runs there can read its node's other pods, with their keys.\n"
GOOD = {"privileged": False, "allowPrivilegeEscalation": False}
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
ADMIN = (
    "no secret may hold an administrator's kubeconfig, or every pod that mounts it administers the cluster and reads all "
    "keys in it.\nFix: make a kubeconfig for a service account with a role of its own"
)


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


PASSING: list[tuple[Check, dict[str, Any]]] = [
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


FAILING: list[tuple[Check, dict[str, Any], list[str]]] = [
    (are_pinned, {"name": "app"}, [f"Helm release app has no version: {UNPINNED}"]),
    (are_pinned, release(version="^0.86.0"), [f"Helm release app has version '^0.86.0': {UNPINNED}"]),
    (are_pinned, release(version="0.86"), [f"Helm release app has version '0.86': {UNPINNED}"]),
    (mount_secrets_read_only, release(toml(volume="")), [WRITABLE]),
    (mount_secrets_read_only, release(toml(volume="read_only = false")), [WRITABLE]),
    (  # what the runner refuses is refused here in the same words
        mount_secrets_read_only,
        release('[[runners]]\n[runners.kubernetes.volumes]\nsecret = ["key"]\n'),
        [WRITABLE.replace("secret key", "secret")],
    ),
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
