"""VPCs, private networks, addresses, registry namespaces and the list of server types."""

import ipaddress
from typing import Any

import pytest

VPCS = "/vpc/v2/regions/fr-par/vpcs"
NETWORKS = "/vpc/v2/regions/fr-par/private-networks"
NAMESPACES = "/registry/v1/regions/fr-par/namespaces"
NOBODY = "2d6c8f63-0000-4000-8000-000000000000"


def words(text: str) -> set[str]:
    return set(text.split())


def test_a_vpc_has_the_shape_of_the_recordings(api: Any) -> None:
    body = {"name": "v", "project_id": api.account.project_id, "tags": [], "enable_routing": False}
    vpc = api.post(VPCS, body | {"enable_transitivity": True})
    assert set(vpc) == words(
        "created_at custom_routes_propagation_enabled id is_default name organization_id private_network_count"
        " project_id region routing_enabled tags transitivity_enabled updated_at"
    )
    assert (vpc["routing_enabled"], vpc["transitivity_enabled"], vpc["is_default"]) == (True, True, False)
    path = f"{VPCS}/{vpc['id']}"
    assert api.get(path) == vpc
    assert api.patch(path, {"name": "w", "tags": ["t"]})["tags"] == ["t"]
    assert api.post(f"{path}/enable-routing")["name"] == "w"
    assert api.post(f"{path}/enable-custom-routes-propagation")["custom_routes_propagation_enabled"] is True
    network = api.post(NETWORKS, {"project_id": api.account.project_id, "vpc_id": vpc["id"], "subnets": None})
    assert network["name"].startswith("pn-")
    assert api.get(path)["private_network_count"] == 1
    assert api.delete(path, 412)["precondition"] == "resource_still_in_use"
    api.delete(f"{NETWORKS}/{network['id']}")
    api.delete(path)
    api.get(path, 404)


def test_every_project_has_a_default_vpc_in_every_region(api: Any) -> None:
    project = api.project()
    for region in ("fr-par", "nl-ams", "pl-waw"):
        listed = api.get(f"/vpc/v2/regions/{region}/vpcs", project_id=project)
        assert [(v["name"], v["is_default"]) for v in listed["vpcs"]] == [("default", True)]
    vpc_id = api.get(VPCS, project_id=project)["vpcs"][0]["id"]
    assert api.private_network(project)["vpc_id"] == vpc_id
    assert api.delete(f"{VPCS}/{vpc_id}", 412)["type"] == "precondition_failed"
    assert api.get(VPCS, is_default="false")["total_count"] == 0


def test_a_private_network_has_one_subnet_of_each_family(api: Any) -> None:
    network = api.private_network()
    assert set(network) == words(
        "id name tags organization_id created_at updated_at project_id subnets vpc_id dhcp_enabled"
        " default_route_propagation_enabled region"
    )
    v4, v6 = (ipaddress.ip_network(s["subnet"]) for s in network["subnets"])
    assert (v4.version, v4.prefixlen, v4.is_private) == (4, 22, True)
    assert (v6.version, v6.prefixlen, v6.is_private) == (6, 64, True)
    for subnet in network["subnets"]:
        assert set(subnet) == words("id created_at updated_at subnet project_id private_network_id vpc_id region")
        assert subnet["private_network_id"] == network["id"]
    assert api.private_network()["subnets"][0]["subnet"] != network["subnets"][0]["subnet"]
    path = f"{NETWORKS}/{network['id']}"
    assert api.get(path) == network
    changed = api.patch(path, {"name": "n", "default_route_propagation_enabled": True})
    assert (changed["name"], changed["default_route_propagation_enabled"]) == ("n", True)
    assert api.get(NETWORKS, private_network_ids=[network["id"]])["private_networks"] == [changed]
    assert api.get(NETWORKS, vpc_id=network["vpc_id"], page_size=1)["total_count"] == 2
    assert len(api.get(NETWORKS, page_size=1)["private_networks"]) == 1
    api.delete(path)
    error = api.get(path, 404)
    assert (error["resource"], error["resource_id"]) == ("private_network", network["id"])


def test_wanted_subnets_are_taken(api: Any) -> None:
    body = {"project_id": api.account.project_id, "subnets": ["192.168.8.0/24", "fd00:1:2:3::/64"]}
    subnets = [s["subnet"] for s in api.post(NETWORKS, body)["subnets"]]
    assert subnets == body["subnets"]


@pytest.mark.parametrize(
    "subnets",
    [
        ["192.168.0.0/16"],
        ["8.8.8.0/24"],
        ["10.0.0.1/24"],
        ["x"],
        ["172.16.0.0/24"],
        ["10.0.0.0/24", "10.0.1.0/24"],
        ["fd00::/48"],
    ],
)
def test_subnets_that_cannot_be(api: Any, subnets: list[str]) -> None:
    assert api.private_network()["subnets"][0]["subnet"] == "172.16.0.0/22"
    error = api.post(NETWORKS, {"project_id": api.account.project_id, "subnets": subnets}, 400)
    assert error["details"][0]["argument_name"] == "subnets"


def test_references_of_a_private_network_are_checked(api: Any) -> None:
    api.post(NETWORKS, {"project_id": api.account.project_id, "vpc_id": NOBODY}, 404)
    api.post(NETWORKS, {"project_id": NOBODY}, 403)
    api.post(NETWORKS, {}, 400)
    other = api.get(VPCS, project_id=api.project())["vpcs"][0]["id"]
    api.post(NETWORKS, {"project_id": api.account.project_id, "vpc_id": other}, 400)
    network = api.private_network(api.project("third"))["id"]
    body = {"name": "k", "version": "1.34.6", "project_id": api.account.project_id, "private_network_id": network}
    api.post("/k8s/v1/regions/fr-par/clusters", body, 403)


def test_addresses_of_nodes(api: Any) -> None:
    cluster = api.cluster()
    api.pool(cluster["id"], size=2)
    path = "/ipam/v1/regions/fr-par/ips"
    listed = api.get(path, order_by="created_at_desc", resource_type="unknown_type")
    assert listed["total_count"] == 4
    ip = listed["ips"][0]
    assert set(ip) == words(
        "id address project_id is_ipv6 created_at updated_at source resource tags reverses region zone"
    )
    assert set(ip["resource"]) == {"type", "id", "mac_address", "name"}
    assert (ip["is_ipv6"], ip["resource"]["type"]) == (True, "instance_private_nic")
    v4 = api.get(path, is_ipv6="false")["ips"]
    assert [i["address"] for i in v4] == ["172.16.0.2/22", "172.16.0.3/22"]
    for query, count in (
        ({"private_network_id": cluster["private_network_id"]}, 4),
        ({"private_network_id": NOBODY}, 0),
        ({"subnet_id": ip["source"]["subnet_id"]}, 2),
        ({"resource_id": ip["resource"]["id"]}, 2),
        ({"resource_type": "instance_private_nic"}, 4),
        ({"resource_type": "lb_server"}, 0),
        ({"mac_address": ip["resource"]["mac_address"]}, 2),
        ({"project_id": NOBODY}, 0),
    ):
        assert api.get(path, **query)["total_count"] == count, query


def test_registry_namespaces(api: Any) -> None:
    body = {"name": "team-images", "description": "d", "project_id": api.account.project_id, "is_public": False}
    namespace = api.post(NAMESPACES, body)
    assert set(namespace) == words(
        "id name description organization_id project_id status status_message endpoint is_public size created_at"
        " updated_at image_count region"
    )
    assert (namespace["status"], namespace["endpoint"]) == ("ready", "rg.fr-par.scw.cloud/team-images")
    path = f"{NAMESPACES}/{namespace['id']}"
    assert api.get(path) == namespace
    assert api.patch(path, {"is_public": True})["is_public"] is True
    assert api.get(NAMESPACES, name="team-images")["total_count"] == 1
    assert api.get(NAMESPACES, name="team")["total_count"] == 0
    assert api.get(NAMESPACES, page=2)["namespaces"] == []
    api.post(NAMESPACES, body, 409)
    api.post(NAMESPACES, body | {"name": "No Such"}, 400)
    api.post(NAMESPACES, body | {"project_id": NOBODY}, 403)
    api.get(path.replace("fr-par", "nl-ams"), 404)
    assert api.delete(path, 200)["status"] == "deleting"
    assert api.get(path, 404) == {"message": "Namespace was not found"}


def test_server_types_are_paged_as_the_instance_api_pages(api: Any) -> None:
    path = "/instance/v1/zones/fr-par-1/products/servers"
    headers = {"X-Auth-Token": api.account.secret_key}
    answer = api.client.get(api.url + path, headers=headers)
    assert int(answer.headers["X-Total-Count"]) == len(answer.json()["servers"])
    server = api.get(path)["servers"]["GP1-XS"]
    assert (server["ncpus"], server["ram"], server["arch"]) == (4, 16 * 2**30, "x86_64")
    assert (server["hourly_price"], server["monthly_price"]) == (0.09282, 67.7586)
    assert server["volumes_constraint"] == {"min_size": 0, "max_size": 150 * 10**9}
    assert len(api.get(path, per_page=3, page=2)["servers"]) == 3
    assert api.get(path, page=9)["servers"] == {}
    api.get(path.replace("fr-par-1", "fr-par-9"), 404)
    api.get(path, 400, per_page="many")


def test_server_types_are_those_of_the_zone_at_its_prices(api: Any) -> None:
    servers = {
        zone: api.get(f"/instance/v1/zones/{zone}/products/servers", per_page=100)["servers"]
        for zone in ("fr-par-1", "fr-par-3", "nl-ams-3")
    }
    assert [s["GP1-XS"]["hourly_price"] if "GP1-XS" in s else None for s in servers.values()] == [
        0.09282,
        0.13923,
        None,
    ]
    assert ["PLAY2-NANO" in s for s in servers.values()] == [True, False, True]
