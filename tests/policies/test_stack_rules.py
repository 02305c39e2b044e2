"""Rules over all resources: where a value comes from, and what a runner's key may do."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from policies.rules.base import UNKNOWN, Resource, Violation
from policies.rules.ci_variables import PROJECT_VARIABLE, SCHEDULE_VARIABLE, come_from_no_credential
from policies.rules.iam import POLICY
from policies.rules.kubeconfigs import SECRET, come_from_no_cluster
from policies.rules.outputs import STACK, hold_no_secret
from policies.rules.runners import GIVEN_KEY_READS, RUNNER, are_protected_where_keys_write
from policies.rules.secret_values import API_KEY, CLUSTER, SECRET_VERSION

SECRET_KEY = "11111111-2222-3333-4444-555555555555"
TOKEN = "the-token-of-an-administrator"
ADDRESS = "https://cluster.example:6443"
LEAK = (
    "no cloud credential may be in GitLab, or every job that sees the variable can use it outside the cloud's control.\n"
    "Fix: remove the variable; jobs find their key as a file that Kubernetes mounts"
)
ADMIN = (
    "no secret may hold an administrator's kubeconfig, or every pod that mounts it administers the cluster and reads all "
    "keys in it.\nFix: make a kubeconfig for a service account with a role of its own"
)
CREATE_FIRST = "; for the cluster's address, create the cluster first: pulumi up --target 'cluster'"


def resource(kind: str, name: str, props: dict[str, Any], **more: Any) -> Resource:
    """One whose URN is its name, which is enough for a rule."""
    return Resource(type=kind, name=name, urn=name, props=props, **more)


KEY = resource(API_KEY, "key", {"accessKey": "A", "secretKey": SECRET_KEY}, secret_outputs=["secretKey"])
NEW_KEY = resource(API_KEY, "key", {"accessKey": UNKNOWN, "secretKey": UNKNOWN}, secret_outputs=["secretKey"])
VERSION = resource(SECRET_VERSION, "version", {"data": UNKNOWN}, secret_outputs=["data"])
KUBECONFIGS = [
    {"host": ADDRESS, "clusterCaCertificate": "a certificate", "token": TOKEN, "configFile": f"token: {TOKEN}"}
]
CLUSTER_UP = resource(CLUSTER, "cluster", {"kubeconfigs": KUBECONFIGS}, secret_outputs=["kubeconfigs"])
NEW_CLUSTER = resource(CLUSTER, "cluster", {"kubeconfigs": UNKNOWN}, secret_outputs=["kubeconfigs"])
NAMESPACE = resource("kubernetes:core/v1:Namespace", "namespace", {})


def variable(value: Any, *origins: str) -> Resource:
    return resource(PROJECT_VARIABLE, "variable", {"key": "V", "value": value}, dependencies={"value": origins})


def kubernetes_secret(origin: str | None = None, **fields: Any) -> Resource:
    dependencies = {"stringData": [origin], "data": [origin]} if origin else {}
    return resource(SECRET, "secret", {"metadata": {"name": "s"}} | fields, dependencies=dependencies)


def outputs(**values: Any) -> Resource:
    return resource(STACK, "stack", values)


@pytest.mark.parametrize(
    "resources",
    [
        [KEY, variable("build")],
        [NEW_KEY, NAMESPACE, variable(UNKNOWN, "namespace")],
        [NEW_KEY, variable(UNKNOWN)],
        [NEW_KEY, variable(UNKNOWN, "not-in-the-stack")],
        [CLUSTER_UP, variable(ADDRESS, "cluster")],
        [KEY, resource(PROJECT_VARIABLE, "variable", {})],
        [KEY, resource(SECRET, "secret", {"value": SECRET_KEY})],
        [],
    ],
)
def test_variables_pass(resources: list[Resource]) -> None:
    assert list(come_from_no_credential(resources)) == []


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([KEY, variable(SECRET_KEY)], f"CI variable V holds secretKey of key: {LEAK}"),
        (
            [KEY, replace(variable(SECRET_KEY), type=SCHEDULE_VARIABLE)],
            f"CI variable V holds secretKey of key: {LEAK}",
        ),
        ([KEY, variable(f"x={SECRET_KEY}")], f"CI variable V holds secretKey of key: {LEAK}"),
        (
            [KEY, variable(base64.b64encode(SECRET_KEY.encode()).decode())],
            f"CI variable V holds secretKey of key: {LEAK}",
        ),
        ([CLUSTER_UP, variable(TOKEN)], f"CI variable V holds kubeconfigs[0].token of cluster: {LEAK}"),
        ([NEW_KEY, variable(UNKNOWN, "key")], f"CI variable V is made from key: {LEAK}"),
        ([KEY, variable("changed beyond recognition", "key")], f"CI variable V is made from key: {LEAK}"),
        ([VERSION, variable(UNKNOWN, "version")], f"CI variable V is made from version: {LEAK}"),
        (
            [NEW_CLUSTER, variable(UNKNOWN, "cluster")],
            f"CI variable V is made from the new cluster cluster and may be its kubeconfig: {LEAK}{CREATE_FIRST}",
        ),
    ],
)
def test_variables_fail(resources: list[Resource], message: str) -> None:
    assert list(come_from_no_credential(resources)) == [Violation("variable", message)]


@pytest.mark.parametrize(
    "resources",
    [
        [KEY, outputs(environment="dev", clusterId=UNKNOWN, runners=[{"apiKeySecret": "dev-api-key"}])],
        [KEY, outputs(kubeconfig="", token=None)],
        [CLUSTER_UP, outputs(apiServerUrl=ADDRESS)],
        [resource(API_KEY, "key", {"secretKey": "short"}, secret_outputs=["secretKey"]), outputs(x="short")],
        [
            resource(API_KEY, "key", {"secretKey": "dev-runner"}, secret_outputs=["secretKey"]),
            outputs(x="a dev-runner"),
        ],
        [resource(STACK, "stack", {})],
        [],
    ],
)
def test_outputs_pass(resources: list[Resource]) -> None:
    assert list(hold_no_secret(resources)) == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"answer": SECRET_KEY}, "answer is secretKey of key"),
        ({"runners": [{"answer": SECRET_KEY}]}, "runners[0].answer is secretKey of key"),
        ({"answer": "SCW" + 17 * "X"}, "answer is a Scaleway access key"),
        ({"deployToken": UNKNOWN}, "deployToken is what is named like a secret"),
        ({"kubeconfigs": ["x"]}, "kubeconfigs[0] is what is named like a secret"),
        ({"secret_key": "x"}, "secret_key is what is named like a secret"),
    ],
)
def test_outputs_fail(values: dict[str, Any], what: str) -> None:
    message = (
        f"stack output {what}: no output may be a secret, or everybody who may read the stack can decrypt it.\n"
        "Fix: remove the output; export the name of the secret instead"
    )
    assert list(hold_no_secret([KEY, outputs(**values)])) == [Violation("stack", message)]


def runner_with(level: Any, *rules: Any, component: str = "component") -> list[Resource]:
    """A runner in one component, and an IAM policy in another below `component`."""
    return [
        resource(RUNNER, "runner", {"description": "app", "accessLevel": level}, parent="component"),
        resource(POLICY, "policy", {"rules": list(rules)}, parent="credentials"),
        resource("kapsule-devops:scaleway:Credentials", "credentials", {}, parent=component),
        resource("kapsule-devops:gitlab:Runner", "component", {}, parent="stack"),
        outputs(),
    ]


def registered(resources: list[Resource]) -> list[Resource]:
    """The same runner in a component of its own inside the one that it was in, as each project of an environment has."""
    runner, *others = resources
    inner = resource("kapsule-devops:gitlab:Registration", "registration", {}, parent=runner.parent)
    return [replace(runner, parent="registration"), inner, *others]


def given_key(*around: Resource) -> list[Resource]:
    """A runner for any branch whose key a person has made, as it says, and what is beside it."""
    said = {"description": "app", "accessLevel": "not_protected", "maintenanceNote": GIVEN_KEY_READS}
    runner = resource(RUNNER, "runner", said, parent="component")
    return [runner, resource("kapsule-devops:gitlab:Runner", "component", {}, parent="stack"), outputs(), *around]


def rule(*sets: Any) -> dict[str, Any]:
    return {"permissionSetNames": list(sets)}


@pytest.mark.parametrize(
    "resources",
    [
        runner_with("ref_protected", rule("KubernetesFullAccess")),
        runner_with(UNKNOWN, rule("KubernetesFullAccess")),
        runner_with("not_protected", rule("KubernetesReadOnly"), rule("ObjectStorageBucketsRead")),
        runner_with("not_protected", {"permissionSetNames": UNKNOWN}),
        runner_with("not_protected", UNKNOWN),
        [*runner_with("not_protected")[:1], resource(POLICY, "policy", {"rules": UNKNOWN}, parent="component")],
        registered(runner_with("not_protected", rule("KubernetesReadOnly"))),
        given_key(),
        [],
    ],
)
def test_runners_pass(resources: list[Resource]) -> None:
    assert list(are_protected_where_keys_write(resources)) == []


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (
            runner_with(
                "not_protected", rule("KubernetesReadOnly", "VPCFullAccess"), rule("ObjectStorageObjectsWrite")
            ),
            "its key may write (ObjectStorageObjectsWrite, VPCFullAccess)",
        ),
        (runner_with(None, rule("VPCFullAccess")), "its key may write (VPCFullAccess)"),
        (runner_with("not_protected"), "no IAM policy beside it shows that its key only reads"),
        (
            given_key(resource(POLICY, "policy", {"rules": [rule("VPCFullAccess")]}, parent="component")),
            "its key may write (VPCFullAccess)",
        ),
        (registered(runner_with("not_protected", rule("VPCFullAccess"))), "its key may write (VPCFullAccess)"),
        (
            registered(runner_with("not_protected", rule("KubernetesReadOnly"), component="another")),
            "no IAM policy beside it shows that its key only reads",
        ),
        (
            runner_with("not_protected", rule("KubernetesReadOnly"), component="another"),
            "no IAM policy beside it shows that its key only reads",
        ),
    ],
)
def test_runners_fail(resources: list[Resource], why: str) -> None:
    message = (
        f"runner app is not protected and {why}: only a runner whose permission sets all end in ReadOnly or Read may run "
        "jobs of any branch, or whoever can push a branch can use the key.\n"
        'Fix: set accessLevel="ref_protected", or give it permission sets that only read'
    )
    assert list(are_protected_where_keys_write(resources)) == [Violation("runner", message)]


@pytest.mark.parametrize(
    "resources",
    [
        [CLUSTER_UP, kubernetes_secret("cluster", stringData={"address": ADDRESS})],
        [NEW_KEY, kubernetes_secret("key", stringData=UNKNOWN)],
        [NEW_CLUSTER, kubernetes_secret("cluster", stringData={"known": "x"})],
        [NEW_CLUSTER, kubernetes_secret(stringData=UNKNOWN)],
        [CLUSTER_UP, resource(SECRET, "secret", {})],
        [],
    ],
)
def test_secrets_pass(resources: list[Resource]) -> None:
    assert list(come_from_no_cluster(resources)) == []


@pytest.mark.parametrize(
    ("resources", "what"),
    [
        (
            [CLUSTER_UP, kubernetes_secret(stringData={"config": f"users: {TOKEN}"})],
            f"key config of secret s holds kubeconfigs[0].token of cluster: {ADMIN}",
        ),
        (
            [CLUSTER_UP, kubernetes_secret(data={"config": base64.b64encode(TOKEN.encode()).decode()})],
            f"key config of secret s holds kubeconfigs[0].token of cluster: {ADMIN}",
        ),
        *(
            (
                [NEW_CLUSTER, kubernetes_secret("cluster", **{field: value})],
                f"{field} of secret s is made from the new cluster cluster and may be its kubeconfig: "
                f"{ADMIN}{CREATE_FIRST}",
            )
            for field in ("data", "stringData")
            for value in (UNKNOWN, {"config": UNKNOWN})
        ),
    ],
)
def test_secrets_fail(resources: list[Resource], what: str) -> None:
    assert list(come_from_no_cluster(resources)) == [Violation("secret", what)]
