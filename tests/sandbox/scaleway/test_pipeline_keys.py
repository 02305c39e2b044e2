"""The two keys of a pipeline, each used as a job uses it: a config.yaml file and Scaleway's own SDK."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from scaleway import Client, ScalewayException
from scaleway.account.v3 import AccountV3ProjectAPI
from scaleway.iam.v1alpha1 import IamV1Alpha1API
from scaleway.k8s.v1 import K8SV1API
from scaleway.registry.v1 import RegistryV1API
from scaleway.secret.v1beta1 import SecretV1Beta1API
from scaleway.vpc.v2 import VpcV2API

from sandbox.scaleway import make_service
from sandbox.scaleway.operations import OPERATIONS

DEPLOY = ["KubernetesFullAccess", "PrivateNetworksFullAccess", "VPCFullAccess", "ContainerRegistryFullAccess"]
PREVIEW = ["KubernetesReadOnly", "PrivateNetworksReadOnly", "VPCReadOnly", "ContainerRegistryReadOnly"]


@pytest.fixture
def target(api: Any) -> str:
    return str(api.project("target"))


@pytest.fixture
def key(api: Any, target: str, request: pytest.FixtureRequest) -> Any:
    rule = {"permission_set_names": request.param, "project_ids": [target]}
    return api.key(rule, default_project_id=target)


@pytest.fixture
def client(api: Any, target: str, key: Any, tmp_path: Path) -> Client:
    profile = {
        "access_key": key["access_key"],
        "secret_key": key["secret_key"],
        "default_organization_id": api.account.organization_id,
        "default_project_id": target,
        "default_region": "fr-par",
        "default_zone": "fr-par-1",
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(profile | {"api_url": api.url}))
    return Client.from_config_file(str(file))


def refused(call: Callable[..., Any], **arguments: Any) -> list[dict[str, str]]:
    with pytest.raises(ScalewayException) as caught:
        call(**arguments)
    assert caught.value.status_code == 403
    body = caught.value.response.json()
    assert (body["type"], body["message"]) == ("permissions_denied", "insufficient permissions")
    details: list[dict[str, str]] = body["details"]
    return details


@pytest.mark.parametrize("key", [DEPLOY], indirect=True)
def test_the_deploy_key_deploys_to_its_project(client: Client, api: Any, key: Any, target: str) -> None:
    vpc, k8s, registry = VpcV2API(client), K8SV1API(client), RegistryV1API(client)
    own = vpc.create_vpc(enable_routing=True, enable_transitivity=False, name="v")
    network = vpc.create_private_network(default_route_propagation_enabled=False, name="pn", vpc_id=own.id)
    cluster = k8s.create_cluster(
        type_="", description="", name="app", version=k8s.list_versions().versions[0].name, cni="cilium",
        private_network_id=network.id,
    )  # fmt: skip
    assert cluster.project_id == target
    assert k8s.get_cluster(cluster_id=cluster.id).status == "pool_required"
    pool = k8s.create_pool(
        cluster_id=cluster.id, name="default", node_type="pro2_xxs", autoscaling=False, size=1, autohealing=True,
        public_ip_disabled=False, zone="fr-par-1", container_runtime="containerd",
        root_volume_type="default_volume_type", kubelet_args={}, labels={}, tags=[], taints=[], startup_taints=[],
    )  # fmt: skip
    assert k8s.get_pool(pool_id=pool.id).status == "ready"
    assert [c.id for c in k8s.list_clusters_all(project_id=target)] == [cluster.id]
    path = f"/k8s/v1/regions/fr-par/clusters/{cluster.id}/kubeconfig"  # the SDK has no public method for it
    assert api.ask("GET", path, token=key["secret_key"])["name"] == "kubeconfig"
    registry.create_namespace(description="", is_public=False, name="images")
    assert [n.name for n in registry.list_namespaces_all()] == ["images"]
    k8s.delete_cluster(cluster_id=cluster.id, with_additional_resources=False)
    vpc.delete_private_network(private_network_id=network.id)


@pytest.mark.parametrize("key", [DEPLOY], indirect=True)
def test_the_deploy_key_reaches_nothing_else(client: Client, api: Any, key: Any) -> None:
    credentials = api.project("credentials")
    network, cluster = api.private_network(credentials), api.cluster(project_id=credentials)
    copy = api.post("/secret-manager/v1beta1/regions/fr-par/secrets", {"name": "s", "project_id": credentials})
    api.post(f"/secret-manager/v1beta1/regions/fr-par/secrets/{copy['id']}/versions", {"data": "b25l"})
    vpc, k8s, registry = VpcV2API(client), K8SV1API(client), RegistryV1API(client)
    iam, secrets = IamV1Alpha1API(client), SecretV1Beta1API(client)

    def create_elsewhere() -> None:
        k8s.create_cluster(
            type_="", description="", name="app", version="1.34.6", cni="cilium", private_network_id=network["id"],
            project_id=credentials,
        )  # fmt: skip

    assert refused(create_elsewhere) == [{"resource": "cluster", "action": "create"}]
    assert refused(k8s.get_cluster, cluster_id=cluster["id"]) == [{"resource": "cluster", "action": "read"}]
    api.ask("GET", f"/k8s/v1/regions/fr-par/clusters/{cluster['id']}/kubeconfig", None, 403, token=key["secret_key"])
    assert refused(k8s.delete_cluster, cluster_id=cluster["id"], with_additional_resources=False)
    assert refused(k8s.list_clusters, project_id=credentials)
    assert refused(vpc.list_private_networks, project_id=credentials)
    assert refused(vpc.delete_private_network, private_network_id=network["id"])
    assert refused(registry.create_namespace, description="", is_public=False, name="n", project_id=credentials)
    listed = refused(secrets.list_secrets, project_id=credentials, scheduled_for_deletion=False)
    assert listed == [{"resource": "secret", "action": "list"}]
    assert refused(secrets.get_secret, secret_id=copy["id"])
    assert refused(secrets.access_secret_version, secret_id=copy["id"], revision="latest") == [
        {"resource": "secret", "action": "access"}
    ]
    assert refused(secrets.create_secret, protected=False, name="mine")
    assert refused(iam.list_applications) == [{"resource": "application", "action": "list"}]
    assert refused(iam.create_api_key, description="", application_id=key["application_id"])
    assert refused(iam.create_policy, description="", name="p", application_id=key["application_id"])
    assert refused(iam.update_api_key, access_key=key["access_key"], description="later")
    assert iam.get_api_key(access_key=key["access_key"]).application_id == key["application_id"]
    assert refused(AccountV3ProjectAPI(client).list_projects)
    assert refused(AccountV3ProjectAPI(client).create_project, description="", name="p")


@pytest.mark.parametrize("key", [PREVIEW], indirect=True)
def test_the_preview_key_reads(client: Client, api: Any, target: str) -> None:
    cluster = api.cluster(project_id=target)
    api.pool(cluster["id"])
    vpc, k8s = VpcV2API(client), K8SV1API(client)
    assert [c.id for c in k8s.list_clusters(project_id=target).clusters] == [cluster["id"]]
    assert k8s.get_cluster(cluster_id=cluster["id"]).name == cluster["name"]
    assert len(k8s.list_nodes_all(cluster_id=cluster["id"])) == 1
    assert [n.id for n in vpc.list_private_networks_all(project_id=target)] == [cluster["private_network_id"]]
    assert [v.name for v in vpc.list_vp_cs_all(project_id=target)] == ["default"]
    assert RegistryV1API(client).list_namespaces_all() == []
    assert refused(k8s.list_clusters, project_id=api.project("other"))
    assert refused(k8s.delete_cluster, cluster_id=cluster["id"], with_additional_resources=False)


@pytest.mark.parametrize("key", [PREVIEW], indirect=True)
def test_the_preview_key_changes_nothing(api: Any, server: Any, world: Any, key: Any) -> None:
    """Every operation of the table, on things of the project that the key is for."""
    rule = {"permission_set_names": PREVIEW, "project_ids": [world.project]}
    policy = api.get("/iam/v1alpha1/policies", application_ids=[key["application_id"]])["policies"][0]
    api.put("/iam/v1alpha1/rules", {"policy_id": policy["id"], "rules": [rule]})
    tried, before = set(), world.everything()
    for route in make_service(server.store, server.planes, server.requests).routes:
        if route.public:
            continue
        product = route.operation.partition(".")[0]
        readable = product in ("k8s", "vpc", "registry") or route.operation == "instance.ListServersTypes"
        reads = route.method == "GET" and readable
        query = {"project_id": world.project} if route.method == "GET" else {}
        expect = 200 if reads else 403
        body = None if route.method == "GET" else world.body
        api.ask(route.method, world.path(route.rule), body, expect, token=key["secret_key"], **query)
        tried.add(route.operation)
    assert tried == set(OPERATIONS)
    assert world.everything() == before
