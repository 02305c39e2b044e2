"""What the mounted keys may do, with the mounted file itself and Scaleway's own SDK; and how they rotate."""

from pathlib import Path
from typing import Any

import pytest
import scaleway.iam.v1alpha1 as iam
import scaleway.k8s.v1 as k8s
import scaleway.secret.v1beta1 as secret
import scaleway.vpc.v2 as vpc
import yaml
from scaleway import Client, ScalewayException

from sandbox.scaleway.common import API_KEYS
from sandbox.scaleway.secret_manager import VERSIONS
from tests.engine.estate import Estate, Up, eventually

pytestmark = pytest.mark.usefixtures("environments")
REGION = "fr-par"


@pytest.fixture(scope="module")
def outputs(estate: Estate, environments: dict[str, Up]) -> dict[str, Any]:
    return estate.outputs("dev")


def _client(estate: Estate, runner: dict[str, Any], folder: Path) -> Client:
    """Scaleway's SDK with the file that a job of the runner finds."""
    file = folder / f"{runner['name']}.yaml"
    file.write_text(estate.mounted("dev", runner)["config.yaml"])
    client = Client.from_config_file(str(file))
    client.api_url = estate.variables()["SCW_API_URL"]
    return client


@pytest.fixture
def deploy(estate: Estate, outputs: dict[str, Any], tmp_path: Path) -> Client:
    return _client(estate, outputs["runners"][0], tmp_path)


@pytest.fixture
def preview(estate: Estate, outputs: dict[str, Any], tmp_path: Path) -> Client:
    return _client(estate, outputs["runners"][1], tmp_path)


def _status(error: pytest.ExceptionInfo[ScalewayException]) -> int:
    return int(error.value.status_code)


def _create_cluster(client: Client, project_id: str, private_network_id: str) -> Any:
    return k8s.K8SV1API(client).create_cluster(
        region=REGION,
        project_id=project_id,
        type_="kapsule",
        name="kapsule-dev",
        description="",
        version="1.35.3",
        cni=k8s.CNI.CILIUM,
        private_network_id=private_network_id,
    )


def _exists(api: Any, cluster_id: str) -> bool:
    try:
        api.get_cluster(region=REGION, cluster_id=cluster_id)
    except ScalewayException as error:
        return int(error.status_code) != 404
    return True


def test_deploys_key_makes_a_cluster_in_the_target_project(deploy: Client, outputs: dict[str, Any]) -> None:
    target = outputs["targetProjectId"]
    network = vpc.VpcV2API(deploy).create_private_network(
        region=REGION, name="n", project_id=target, default_route_propagation_enabled=False
    )
    cluster = _create_cluster(deploy, target, network.id)
    assert cluster.project_id == target
    api = k8s.K8SV1API(deploy)
    api.wait_for_cluster(region=REGION, cluster_id=cluster.id)
    api.delete_cluster(region=REGION, cluster_id=cluster.id, with_additional_resources=False)
    eventually(lambda: _exists(api, cluster.id), lambda exists: not exists)
    vpc.VpcV2API(deploy).delete_private_network(region=REGION, private_network_id=network.id)


def test_deploys_key_is_refused_everywhere_else(deploy: Client, estate: Estate, outputs: dict[str, Any]) -> None:
    others = [outputs["devopsProjectId"], outputs["credentialsProjectId"]]
    others += [estate.outputs(e)[f"{p}ProjectId"] for e in ("preprod", "prod") for p in ("target", "devops")]
    for project_id in others:
        with pytest.raises(ScalewayException) as refused:
            _create_cluster(deploy, project_id, outputs["privateNetworkId"].rpartition("/")[2])
        assert _status(refused) == 403
    with pytest.raises(ScalewayException) as refused:
        k8s.K8SV1API(deploy).get_cluster(region=REGION, cluster_id=outputs["clusterId"].rpartition("/")[2])
    assert _status(refused) == 403
    with pytest.raises(ScalewayException) as refused:
        iam.IamV1Alpha1API(deploy).create_application(name="mine", description="")
    assert _status(refused) == 403
    for runner in outputs["runners"]:
        with pytest.raises(ScalewayException) as refused:
            secret.SecretV1Beta1API(deploy).access_secret_version(
                region=REGION, secret_id=runner["secretManagerId"].rpartition("/")[2], revision="latest"
            )
        assert _status(refused) == 403


def test_previews_key_reads_and_changes_nothing(preview: Client, outputs: dict[str, Any]) -> None:
    target = outputs["targetProjectId"]
    assert k8s.K8SV1API(preview).list_clusters(region=REGION, project_id=target).total_count == 0
    with pytest.raises(ScalewayException) as refused:
        _create_cluster(preview, target, outputs["privateNetworkId"].rpartition("/")[2])
    assert _status(refused) == 403
    with pytest.raises(ScalewayException) as refused:
        vpc.VpcV2API(preview).create_private_network(
            region=REGION, name="n", project_id=target, default_route_propagation_enabled=False
        )
    assert _status(refused) == 403


def _mounted_key(estate: Estate, runner: dict[str, Any]) -> str:
    return str(yaml.safe_load(estate.mounted("prod", runner)["config.yaml"])["access_key"])


def _keys(estate: Estate, runner: dict[str, Any]) -> set[str]:
    return {k["access_key"] for k in estate.records(API_KEYS) if k.get("application_id") == runner["applicationId"]}


def _copies(estate: Estate, runner: dict[str, Any]) -> int:
    secret_id = runner["secretManagerId"].rpartition("/")[2]
    return len([v for v in estate.records(VERSIONS) if v["secret_id"] == secret_id and v["status"] == "enabled"])


def test_keys_rotate_with_overlap_and_a_leaked_one_dies_at_once(estate: Estate) -> None:
    def up(now: str) -> None:
        estate.pulumi("up --yes --skip-preview --stack prod", KAPSULE_DEVOPS_NOW=now)

    runner = estate.outputs("prod")["runners"][0]
    up("2030-01-10T00:00:00+00:00")  # in the middle of a period
    first = _mounted_key(estate, runner)
    assert _keys(estate, runner) == {first}
    up("2030-01-29T12:00:00+00:00")  # the next period has begun: the old key stays for jobs that hold it
    second = _mounted_key(estate, runner)
    assert second != first
    assert _keys(estate, runner) == {first, second}
    assert _copies(estate, runner) == 2
    up("2030-02-10T00:00:00+00:00")  # the overlap is over
    assert _mounted_key(estate, runner) == second
    assert _keys(estate, runner) == {second}
    assert _copies(estate, runner) == 1
    file = estate.checkout / "Pulumi.prod.yaml"
    before = file.read_text()
    estate.set("prod", "rotation.serial", "1")
    up("2030-02-10T00:00:00+00:00")  # leaked
    third = _mounted_key(estate, runner)
    assert third != second
    assert _keys(estate, runner) == {third}
    file.write_text(before)
    estate.pulumi("up --yes --skip-preview --stack prod")
    assert estate.changes("prod") == {}
