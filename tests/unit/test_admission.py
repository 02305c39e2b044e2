"""The admission rules, evaluated: which pods they let in, and which message tells of each that they do not."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from components import admission
from components.admission import Rule

TAINT = "gitlab-runner-jobs-dev-reserved"
LABEL = ("gitlab-runner-jobs", "dev")
POOL = admission.reserved_pool(["dev-preview", "dev"], TAINT, LABEL)
JOBS = admission.job_pod("dev-api-key", "app-deployer")
VARIABLES = admission.job_pod_variables("dev-api-key")

# As the API server gives them to an expression: `oldObject` is null when a pod is created.
ENVIRONMENT = cel.NewEnv(
    variables=dict.fromkeys(("object", "oldObject", "variables"), cel.Type.DYN),
    extensions=[ext_optional.ExtOptional()],
)


def evaluated(expression: str, **values: Any) -> Any:
    return ENVIRONMENT.compile(expression).eval(data=values).plain_value()


def refusals(rules: Sequence[Rule], spec: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    """The messages of the rules that a pod with this spec breaks."""
    pod, before = {"spec": spec}, None if old is None else {"spec": old}
    variables: dict[str, Any] = {}
    if rules is JOBS:
        for name, expression in VARIABLES:
            variables[name] = evaluated(expression, object=pod, oldObject=before, variables=variables)
    results = {r.message: evaluated(r.expression, object=pod, oldObject=before, variables=variables) for r in rules}
    assert set(map(type, results.values())) == {bool}, results  # an error is a value, and no bool
    return [message for message, holds in results.items() if not holds]


TOLERATION = f"the pool with taint {TAINT} is reserved for job pods in dev, dev-preview: remove the toleration"
SELECTOR = (
    "nodes labelled gitlab-runner-jobs=dev are reserved for job pods in dev, dev-preview: remove the node selector"
)
NODE = "a pod that names its node goes past the scheduler and every taint: remove nodeName"
PLAIN: dict[str, Any] = {"containers": [{"name": "app", "image": "alpine"}]}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tolerations": [], "nodeSelector": {}, "nodeName": ""},
        {"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]},
        {"tolerations": [{"key": "gitlab-runner-jobs-prod-reserved", "operator": "Equal", "value": "true"}]},
        {"tolerations": [{"effect": "NoSchedule"}]},
        {"nodeSelector": {"gitlab-runner-jobs": "prod"}},
        {"nodeSelector": {"kubernetes.io/os": "linux", "pool": "dev"}},
    ],
)
def test_a_pod_that_keeps_off_the_pool_is_let_in(more: dict[str, Any]) -> None:
    assert refusals(POOL, PLAIN | more) == []


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": TAINT, "operator": "Equal", "value": "true", "effect": "NoSchedule"},
        {"key": TAINT, "operator": "Exists"},
        {"key": TAINT},
        {"operator": "Exists"},
        {"key": "", "operator": "Exists", "effect": "NoSchedule"},
    ],
)
def test_a_pod_that_tolerates_the_pools_taint_is_refused(toleration: dict[str, Any]) -> None:
    other = {"key": "other", "operator": "Exists"}
    for tolerations in ([toleration], [other, toleration], [toleration, other]):
        assert refusals(POOL, PLAIN | {"tolerations": tolerations}) == [TOLERATION]


def test_a_pod_that_selects_the_pool_is_refused() -> None:
    assert refusals(POOL, PLAIN | {"nodeSelector": dict([LABEL])}) == [SELECTOR]
    assert refusals(POOL, PLAIN | {"nodeSelector": {"kubernetes.io/os": "linux", **dict([LABEL])}}) == [SELECTOR]


def test_a_pod_that_names_its_node_is_refused() -> None:
    assert refusals(POOL, PLAIN | {"nodeName": "scw-node-1"}) == [NODE]


def test_a_pod_that_has_its_node_from_the_scheduler_may_change() -> None:
    """Controllers change labels and finalizers of pods that run; Kubernetes lets nobody change the node."""
    running = PLAIN | {"nodeName": "scw-node-1"}
    assert refusals(POOL, running, old=running) == []
    tolerant = running | {"tolerations": [{"operator": "Exists"}]}
    assert refusals(POOL, tolerant, old=running) == [TOLERATION]


def test_a_pod_that_breaks_all_rules_of_the_pool_is_told_all() -> None:
    worst = {"tolerations": [{"operator": "Exists"}], "nodeSelector": dict([LABEL]), "nodeName": "scw-node-1"}
    assert refusals(POOL, PLAIN | worst) == [TOLERATION, SELECTOR, NODE]


def test_pods_of_the_clusters_own_namespaces_are_not_asked() -> None:
    assert admission.SYSTEM_NAMESPACES == ("kube-system", "kube-node-lease", "kube-public")


PRIVILEGED = "a job pod must not be privileged: it could read the node's other pods"
ESCALATION = "a job pod must set allowPrivilegeEscalation to false"
HOST = "a job pod must not use the host's network, processes, memory or files"
ACCOUNT = "a job pod must run as service account app-deployer"
TOKEN = "a job pod must not mount a service account token"
READ_ONLY = "secret dev-api-key must be mounted read-only"
KINDS = ("containers", "initContainers", "ephemeralContainers")


def container(name: str, *, key_read_only: bool | None = True) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": "key", "mountPath": "/root/.config/scw"}
    if key_read_only is not None:
        mount["readOnly"] = key_read_only
    return {
        "name": name,
        "securityContext": {"privileged": False, "allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": "repo", "mountPath": "/builds"}, mount],
    }


@pytest.fixture
def job() -> dict[str, Any]:
    """A pod as GitLab Runner makes it, and with a container of each other kind."""
    return {
        "serviceAccountName": "app-deployer",
        "automountServiceAccountToken": False,
        "containers": [container("build"), container("helper")],
        "initContainers": [container("init-permissions")],
        "ephemeralContainers": [container("debug")],
        "volumes": [
            {"name": "repo", "emptyDir": {}},
            {"name": "key", "secret": {"secretName": "dev-api-key"}},
            {"name": "kube", "secret": {"secretName": "dev-kapsule-config"}},
        ],
    }


def test_a_job_pod_as_the_runner_makes_it_is_let_in(job: dict[str, Any]) -> None:
    assert refusals(JOBS, job) == []
    assert refusals(JOBS, job | {"nodeName": "scw-node-1"}, old=job) == []
    for kind in ("initContainers", "ephemeralContainers", "volumes"):
        del job[kind]
    assert refusals(JOBS, job) == []
    for each in job["containers"]:
        del each["volumeMounts"], each["securityContext"]["privileged"]
    assert refusals(JOBS, job) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_container_is_privileged(job: dict[str, Any], kind: str) -> None:
    job[kind][-1]["securityContext"]["privileged"] = True
    assert refusals(JOBS, job) == [PRIVILEGED]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", [None, {}, {"allowPrivilegeEscalation": True}])
def test_every_container_says_that_it_gains_nothing(
    job: dict[str, Any], kind: str, context: dict[str, Any] | None
) -> None:
    del job[kind][-1]["securityContext"]
    if context is not None:
        job[kind][-1]["securityContext"] = context
    assert refusals(JOBS, job) == [ESCALATION]


@pytest.mark.parametrize("host", ["hostNetwork", "hostPID", "hostIPC"])
def test_nothing_of_the_host_is_shared(job: dict[str, Any], host: str) -> None:
    assert refusals(JOBS, job | {host: False}) == []
    assert refusals(JOBS, job | {host: True}) == [HOST]


def test_no_file_of_the_host_is_mounted(job: dict[str, Any]) -> None:
    job["volumes"].append({"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}})
    assert refusals(JOBS, job) == [HOST]


@pytest.mark.parametrize("account", [None, "default", "admin", "app-deployer2", ""])
def test_no_other_account_is_used(job: dict[str, Any], account: str | None) -> None:
    del job["serviceAccountName"]
    assert refusals(JOBS, job if account is None else job | {"serviceAccountName": account}) == [ACCOUNT]


def test_no_token_is_mounted(job: dict[str, Any]) -> None:
    assert refusals(JOBS, job | {"automountServiceAccountToken": True}) == [TOKEN]
    del job["automountServiceAccountToken"]
    assert refusals(JOBS, job) == [TOKEN]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read_only", [False, None])
@pytest.mark.parametrize(
    "source",
    [
        {"secret": {"secretName": "dev-api-key"}},
        {"projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {"name": "dev-api-key"}}]}},
    ],
    ids=["secret", "projected"],
)
def test_the_key_is_mounted_read_only(
    job: dict[str, Any], kind: str, read_only: bool | None, source: dict[str, Any]
) -> None:
    job["volumes"][1] = {"name": "key", **source}
    assert refusals(JOBS, job) == []
    job[kind][-1] = container("x", key_read_only=read_only)
    assert refusals(JOBS, job) == [READ_ONLY]


def test_other_secrets_may_be_mounted_as_they_like(job: dict[str, Any]) -> None:
    """A volume's name says nothing of what it holds."""
    job["volumes"][1:] = [{"name": "key", "secret": {"secretName": "other"}}, {"name": "p", "projected": {}}]
    job["containers"][0] = container("build", key_read_only=False)
    assert refusals(JOBS, job) == []


def test_a_pod_that_breaks_all_rules_of_jobs_is_told_all(job: dict[str, Any]) -> None:
    worst = copy.deepcopy(job)
    worst["containers"][0] = container("x", key_read_only=False) | {"securityContext": {"privileged": True}}
    worst |= {"hostPID": True, "serviceAccountName": "default", "automountServiceAccountToken": True}
    assert refusals(JOBS, worst) == [PRIVILEGED, ESCALATION, HOST, ACCOUNT, TOKEN, READ_ONLY]


def test_variables_are_named_as_the_rules_use_them() -> None:
    assert [name for name, _ in VARIABLES] == ["containers", "keyVolumes"]
    assert not any("variables." in rule.expression for rule in POOL)


@pytest.mark.parametrize("rule", [*POOL, *JOBS], ids=lambda rule: rule.message[:40])
def test_a_message_is_one_line(rule: Rule) -> None:
    """Kubernetes refuses a policy whose message breaks the line."""
    assert "\n" not in rule.message
    assert rule.message
