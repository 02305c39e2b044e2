"""In the cluster, by the real API server and scheduler: where job pods run, and what is mounted into them."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import scaleway.k8s.v1
import yaml
from lightkube import Client
from lightkube.resources.coordination_v1 import Lease
from lightkube.resources.core_v1 import Node, Pod, Secret, ServiceAccount
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding
from scaleway import Client as ScalewayClient

from sandbox.scaleway.secret_manager import VERSIONS
from tests.engine.estate import Estate, eventually
from tests.engine.job_pod import CONTAINERS, executor_config, job_pod


@pytest.fixture
def client(environment: str, estate: Estate) -> Iterator[Client]:
    with estate.kubernetes(environment) as client:
        yield client


def _phase(pod: Pod) -> str:
    return str(pod.status.phase if pod.status else None)


def test_a_job_pod_runs_on_the_runner_pool(environment: str, estate: Estate, client: Client) -> None:
    config = executor_config(client, environment)
    pod = client.create(job_pod(config, "tolerates"))
    namespace = config["namespace"]
    try:
        running = eventually(
            lambda: client.get(Pod, "tolerates", namespace=namespace), lambda p: _phase(p) == "Running"
        )
        assert running.spec is not None
        node = client.get(Node, str(running.spec.nodeName))
        pool_id = estate.outputs(environment)["runnerPoolId"].rpartition("/")[2]
        assert node.metadata is not None
        assert node.metadata.labels is not None
        assert node.metadata.labels["k8s.scaleway.com/pool"] == pool_id
        assert running.spec.serviceAccountName == "app-deployer"
    finally:
        client.delete(Pod, str(pod.metadata and pod.metadata.name), namespace=namespace, grace_period=0)


def test_without_the_toleration_it_stays_pending(environment: str, client: Client) -> None:
    config = executor_config(client, environment)
    client.create(job_pod(config, "does-not-tolerate", tolerations=False))
    namespace = config["namespace"]

    def verdict() -> tuple[str, str]:
        pod = client.get(Pod, "does-not-tolerate", namespace=namespace)
        conditions = (pod.status.conditions if pod.status else None) or []
        scheduled = next((c for c in conditions if c.type == "PodScheduled"), None)
        return _phase(pod), f"{scheduled.reason}: {scheduled.message}" if scheduled else ""

    try:
        phase, reason = eventually(verdict, lambda v: "Unschedulable" in v[1])
        assert phase == "Pending"
        assert "2 node(s) had untolerated taint(s)" in reason
    finally:
        client.delete(Pod, "does-not-tolerate", namespace=namespace, grace_period=0)


def test_the_managers_do_not_run_on_the_runner_pool(environment: str, client: Client) -> None:
    managers = list(client.list(Pod, namespace=f"{environment}-runners"))
    assert len(managers) == 4, "one for each runner and project"
    for manager in managers:
        assert manager.spec is not None
        node = client.get(Node, str(manager.spec.nodeName))
        assert node.metadata is not None
        assert node.metadata.labels is not None
        assert node.metadata.labels["k8s.scaleway.com/pool-name"] == "system"


def test_nodes_send_heartbeats(environment: str, client: Client) -> None:
    """Without them the controllers take nodes for dead after some minutes, and pods never become ready again."""

    def heartbeats() -> dict[str, str]:
        leases = client.list(Lease, namespace="kube-node-lease")
        return {str(le.metadata and le.metadata.name): str(le.spec and le.spec.renewTime) for le in leases}

    before = eventually(heartbeats, lambda found: len(found) == len(list(client.list(Node))))
    eventually(heartbeats, lambda found: all(found[node] != before[node] for node in before))


def test_the_key_is_mounted_read_only_into_every_container(environment: str, client: Client) -> None:
    pod = client.create(
        job_pod(executor_config(client, environment), "mounts"),
    )
    try:
        assert pod.spec is not None
        for container in pod.spec.containers:
            mounts = {m.mountPath: m for m in container.volumeMounts or []}
            assert mounts["/root/.config/scw"].readOnly is True
        assert [c.name for c in pod.spec.containers] == list(CONTAINERS)
        volumes = {v.name: v.secret.secretName for v in pod.spec.volumes or [] if v.secret}
        assert volumes == {f"{environment}-api-key": f"{environment}-api-key"}
    finally:
        client.delete(Pod, "mounts", namespace=environment, grace_period=0)


def test_the_mounted_file_is_a_valid_scaleway_configuration(
    environment: str, estate: Estate, client: Client, tmp_path: Path
) -> None:
    secret = client.get(Secret, f"{environment}-api-key", namespace=environment)
    assert secret.data is not None
    assert secret.data.keys() == {"config.yaml"}
    text = base64.b64decode(secret.data["config.yaml"]).decode()
    outputs = estate.outputs(environment)
    profile = yaml.safe_load(text)
    assert profile["default_project_id"] == outputs["targetProjectId"]
    assert profile["default_region"] == "fr-par"
    file = tmp_path / "config.yaml"
    file.write_text(text)
    api = ScalewayClient.from_config_file(str(file))
    api.api_url = estate.shell("echo $SCW_API_URL").stdout.strip()
    found = scaleway.k8s.v1.K8SV1API(api).list_clusters(region="fr-par", project_id=outputs["targetProjectId"])
    assert (found.total_count, found.clusters) == (0, [])


def test_secret_manager_has_the_same_file(environment: str, estate: Estate, client: Client) -> None:
    secret = client.get(Secret, f"{environment}-api-key", namespace=environment)
    assert secret.data is not None
    secret_id = estate.outputs(environment)["runners"][0]["secretManagerId"].rpartition("/")[2]
    versions = [v for v in estate.records(VERSIONS) if v["secret_id"] == secret_id]
    assert [(v["revision"], v["status"]) for v in versions] == [(1, "enabled")]
    assert base64.b64decode(versions[0]["data"]).decode() == base64.b64decode(secret.data["config.yaml"]).decode()


def test_the_runner_token_is_out_of_the_jobs_reach(environment: str, client: Client) -> None:
    in_jobs = {str(s.metadata and s.metadata.name) for s in client.list(Secret, namespace=environment)}
    assert in_jobs == {f"{environment}-api-key"}
    token = client.get(Secret, f"{environment}-runner-tokens", namespace=f"{environment}-runners")
    assert token.data is not None
    assert base64.b64decode(token.data["runner-token"]).decode().startswith("glrt-")
    assert token.data["runner-registration-token"] == ""


def test_the_manager_has_the_least_role_in_the_jobs_namespace(environment: str, client: Client) -> None:
    role = client.get(Role, f"app-{environment}-runner", namespace=environment)
    assert {(",".join(r.resources or []), ",".join(sorted(r.verbs))) for r in role.rules or []} == {
        ("pods", "create,delete,get,list,watch"),
        ("pods/attach,pods/exec", "create,delete,get,patch"),
        ("pods/log", "get,list"),
        ("secrets", "create,delete,get,update"),
        ("serviceaccounts", "get"),
        ("services", "create,get"),
        ("events", "list"),
    }
    binding = client.get(RoleBinding, f"app-{environment}-runner", namespace=environment)
    assert [(s.name, s.namespace) for s in binding.subjects or []] == [
        (f"app-{environment}-runner", f"{environment}-runners")
    ]
    account = client.get(ServiceAccount, "app-deployer", namespace=environment)
    assert account.automountServiceAccountToken is False
