"""The same flows through Scaleway's own Python SDK, which decodes every answer into its types."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scaleway import Client, ScalewayException
from scaleway.account.v3 import AccountV3ProjectAPI
from scaleway.iam.v1alpha1 import IamV1Alpha1API, RuleSpecs
from scaleway.k8s.v1 import K8SV1API
from scaleway.registry.v1 import RegistryV1API
from scaleway.secret.v1beta1 import SecretV1Beta1API
from scaleway.vpc.v2 import VpcV2API


def client_for(api: Any, access_key: str, secret_key: str) -> Client:
    return Client(
        api_url=api.url,
        access_key=access_key,
        secret_key=secret_key,
        default_organization_id=api.account.organization_id,
        default_project_id=api.account.project_id,
        default_region="fr-par",
        default_zone="fr-par-1",
    )


@pytest.fixture
def client(api: Any) -> Client:
    return client_for(api, api.account.access_key, api.account.secret_key)


def test_a_cluster_from_the_network_to_the_node(client: Client, planes: Any) -> None:
    vpc, k8s = VpcV2API(client), K8SV1API(client)
    network = vpc.create_private_network(default_route_propagation_enabled=False, name="pn")
    version = k8s.list_versions().versions[0].name
    cluster = k8s.create_cluster(
        type_="", description="", name="kapsule", version=version, cni="cilium", private_network_id=network.id
    )
    assert cluster.status == "creating"
    assert k8s.wait_for_cluster(cluster_id=cluster.id).status == "pool_required"
    pool = k8s.create_pool(
        cluster_id=cluster.id, name="runner", node_type="pro2_xxs", autoscaling=False, size=2, autohealing=True,
        public_ip_disabled=False, zone="fr-par-1", container_runtime="containerd",
        root_volume_type="default_volume_type", kubelet_args={}, labels={}, tags=[], taints=[], startup_taints=[],
    )  # fmt: skip
    assert k8s.wait_for_pool(pool_id=pool.id).status == "ready"
    nodes = k8s.list_nodes_all(cluster_id=cluster.id, pool_id=pool.id)
    assert [n.name for n in nodes] == [s.name for s in planes.nodes[cluster.id, pool.id]]
    assert k8s.get_cluster(cluster_id=cluster.id).status == "ready"
    assert k8s.delete_cluster(cluster_id=cluster.id, with_additional_resources=False).status == "deleting"
    with pytest.raises(ScalewayException) as caught:
        k8s.get_cluster(cluster_id=cluster.id)
    assert caught.value.status_code == 404
    vpc.delete_private_network(private_network_id=network.id)


def test_a_key_of_an_application_works_until_it_is_deleted(client: Client, api: Any) -> None:
    iam = IamV1Alpha1API(client)
    project = AccountV3ProjectAPI(client).create_project(description="", name="dev")
    application = iam.create_application(description="", name="ci")
    policy = iam.create_policy(
        description="",
        name="ci",
        application_id=application.id,
        rules=[RuleSpecs(condition="", permission_set_names=["KubernetesReadOnly"], project_ids=[project.id])],
    )
    assert [r.project_ids for r in iam.list_rules_all(policy_id=policy.id)] == [[project.id]]
    expiry = datetime.now(UTC) + timedelta(days=30)
    key = iam.create_api_key(
        description="", application_id=application.id, expires_at=expiry, default_project_id=project.id
    )
    assert key.expires_at == expiry
    assert key.secret_key is not None
    own = IamV1Alpha1API(client_for(api, key.access_key, key.secret_key))
    assert own.get_api_key(access_key=key.access_key).secret_key is None
    iam.delete_api_key(access_key=key.access_key)
    with pytest.raises(ScalewayException) as caught:
        own.get_application(application_id=application.id)
    assert caught.value.status_code == 401


def test_a_secret_and_its_payload(client: Client, api: Any) -> None:
    secrets = SecretV1Beta1API(client)
    secret = secrets.create_secret(protected=False, name="dev-api-key")
    secrets.create_secret_version(secret_id=secret.id, data="b25l")
    secrets.create_secret_version(secret_id=secret.id, data="dHdv", disable_previous=True)
    assert secrets.access_secret_version(secret_id=secret.id, revision="latest_enabled").data == "dHdv"
    assert [v.status for v in secrets.list_secret_versions_all(secret_id=secret.id)] == ["disabled", "enabled"]
    secrets.delete_secret(secret_id=secret.id)
    assert secrets.get_secret(secret_id=secret.id).deletion_requested_at is not None


def test_every_page_of_a_list_is_read(client: Client) -> None:
    projects, registry = AccountV3ProjectAPI(client), RegistryV1API(client)
    for number in range(25):
        projects.create_project(description="", name=f"project-{number}")
    listed = projects.list_projects_all()
    assert [p.name for p in listed[:3]] == ["default", "project-0", "project-1"]
    assert len({p.id for p in listed}) == 26
    registry.create_namespace(description="", is_public=False, name="images")
    assert [n.status for n in registry.list_namespaces_all()] == ["ready"]
