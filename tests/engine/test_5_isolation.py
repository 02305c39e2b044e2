"""Who may do what in the cluster, tried by the identity in question against the real API server."""

from collections.abc import Callable, Iterator

import pytest
from lightkube import Client
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import (
    Container,
    HostPathVolumeSource,
    PodSpec,
    SecurityContext,
    Toleration,
    Volume,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import (
    ConfigMap,
    LimitRange,
    Namespace,
    Node,
    Pod,
    ResourceQuota,
    Secret,
)

from tests.engine.estate import Estate, Up
from tests.engine.job_pod import as_account, executor_config, job_pod

pytestmark = pytest.mark.usefixtures("environments")


@pytest.fixture(scope="module")
def admin(estate: Estate, environments: dict[str, Up]) -> Iterator[Client]:
    with estate.kubernetes("dev") as client:
        yield client


@pytest.fixture
def manager(admin: Client) -> Iterator[Client]:
    """The deploy runner's manager."""
    with as_account(admin, "app-dev-runner", "dev-runners") as client:
        yield client


@pytest.fixture
def job(admin: Client) -> Iterator[Client]:
    """What a job pod would be, had it a token."""
    with as_account(admin, "app-deployer", "dev") as client:
        yield client


def _refused(action: Callable[[], object]) -> str:
    with pytest.raises(ApiError) as refusal:
        action()
    assert refusal.value.status.code in (403, 422), refusal.value
    return str(refusal.value)


def test_the_manager_makes_job_pods_and_no_others(admin: Client, manager: Client) -> None:
    config = executor_config(admin, "dev")
    manager.create(job_pod(config, "by-the-manager"))
    manager.delete(Pod, "by-the-manager", namespace="dev", grace_period=0)
    elsewhere = job_pod({**config, "namespace": "dev-preview"}, "elsewhere")
    assert "cannot create resource" in _refused(lambda: manager.create(elsewhere))


@pytest.mark.parametrize(
    "action",
    [
        lambda c: c.get(Secret, "dev-runner-tokens", namespace="dev-runners"),
        lambda c: list(c.list(Secret, namespace="dev")),
        lambda c: list(c.list(Secret, namespace="dev-preview")),
        lambda c: c.get(Secret, "dev-preview-api-key", namespace="dev-preview"),
        lambda c: list(c.list(Node)),
        lambda c: list(c.list(Namespace)),
        lambda c: list(c.list(Pod, namespace="kube-system")),
        lambda c: c.create(ConfigMap(metadata=ObjectMeta(name="x", namespace="dev"))),
    ],
)
def test_the_manager_reaches_nothing_else(manager: Client, action: Callable[[Client], object]) -> None:
    assert "cannot" in _refused(lambda: action(manager))


@pytest.mark.parametrize(
    "action",
    [
        lambda c: c.get(Secret, "dev-api-key", namespace="dev"),
        lambda c: list(c.list(Pod, namespace="dev")),
        lambda c: c.get(Secret, "dev-runner-tokens", namespace="dev-runners"),
        lambda c: c.delete(Namespace, "dev"),
    ],
)
def test_a_job_may_do_nothing_in_the_cluster(job: Client, action: Callable[[Client], object]) -> None:
    assert "cannot" in _refused(lambda: action(job))


def _privileged(pod: Pod) -> None:
    _first(pod).securityContext = SecurityContext(privileged=True, allowPrivilegeEscalation=True)


def _escalates(pod: Pod) -> None:
    _first(pod).securityContext = SecurityContext()


def _host_network(pod: Pod) -> None:
    _spec(pod).hostNetwork = True


def _host_path(pod: Pod) -> None:
    (_spec(pod).volumes or []).append(Volume(name="host", hostPath=HostPathVolumeSource(path="/")))


def _other_account(pod: Pod) -> None:
    _spec(pod).serviceAccountName = "default"


def _token(pod: Pod) -> None:
    _spec(pod).automountServiceAccountToken = True


def _writable_key(pod: Pod) -> None:
    for mount in _first(pod).volumeMounts or []:
        mount.readOnly = False


def _spec(pod: Pod) -> PodSpec:
    assert pod.spec is not None
    return pod.spec


def _first(pod: Pod) -> Container:
    return _spec(pod).containers[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_privileged, "privileged"),
        (_escalates, "a job pod must set allowPrivilegeEscalation to false"),
        (_host_network, "host"),
        (_host_path, "host"),
        (_other_account, "a job pod must run as service account app-deployer"),
        (_token, "a job pod must not mount a service account token"),
        (_writable_key, "secret dev-api-key must be mounted read-only"),
    ],
)
def test_a_job_pod_that_reaches_beyond_its_job_is_refused(
    admin: Client, manager: Client, change: Callable[[Pod], None], message: str
) -> None:
    pod = job_pod(executor_config(admin, "dev"), "reaches-beyond")
    change(pod)
    assert message in _refused(lambda: manager.create(pod))


def _guest(name: str) -> Pod:
    """A pod of somebody else, in a namespace of their own."""
    return Pod(
        metadata=ObjectMeta(name=name, namespace="default"),
        spec=PodSpec(containers=[Container(name="c", image="i")]),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"tolerations": [Toleration(key="gitlab-runner-jobs-dev-reserved", operator="Exists")]},
            "is reserved for job pods in dev, dev-preview: remove the toleration",
        ),
        ({"tolerations": [Toleration(operator="Exists")]}, "remove the toleration"),
        ({"nodeSelector": {"gitlab-runner-jobs": "dev"}}, "remove the node selector"),
        ({"nodeName": "any"}, "remove nodeName"),
    ],
)
def test_nobody_else_gets_onto_the_reserved_pool(admin: Client, change: dict[str, object], message: str) -> None:
    pod = _guest("guest")
    for name, value in change.items():
        setattr(_spec(pod), name, value)
    assert message in _refused(lambda: admin.create(pod))


def test_everybody_else_is_left_alone(admin: Client) -> None:
    admin.create(_guest("welcome"))
    admin.delete(Pod, "welcome", namespace="default", grace_period=0)
    agent = _guest("agent")
    assert agent.metadata is not None
    agent.metadata.namespace = "kube-system"
    _spec(agent).tolerations = [Toleration(operator="Exists")]
    admin.create(agent)
    admin.delete(Pod, "agent", namespace="kube-system", grace_period=0)


def test_namespaces_carry_pod_security_quota_and_limits(admin: Client) -> None:
    levels = {}
    for name in ("dev", "dev-preview", "dev-runners"):
        found = admin.get(Namespace, name).metadata
        assert found is not None
        assert found.labels is not None
        levels[name] = found.labels["pod-security.kubernetes.io/enforce"]
    assert levels == {"dev": "baseline", "dev-preview": "baseline", "dev-runners": "restricted"}
    for name in ("dev", "dev-preview"):
        assert len(list(admin.list(ResourceQuota, namespace=name))) == 1
        assert len(list(admin.list(LimitRange, namespace=name))) == 1


def test_pod_security_alone_refuses_a_root_pod_among_the_managers(admin: Client) -> None:
    pod = _guest("root")
    assert pod.metadata is not None
    pod.metadata.namespace = "dev-runners"
    assert "violates PodSecurity" in _refused(lambda: admin.create(pod))
