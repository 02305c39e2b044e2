"""What the provider has resources for and the program does not use: SSH keys, members, custom routes, access rules, and the
servers behind nodes. Their answers have the keys of the SDK's types."""

from typing import Any

import pytest

IAM, VPC = "/iam/v1alpha1", "/vpc/v2/regions/fr-par"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@home"


def words(text: str) -> set[str]:
    return set(text.split())


def test_an_ssh_key(api: Any) -> None:
    project = api.project()
    key = api.post(f"{IAM}/ssh-keys", {"name": "k", "public_key": PUBLIC_KEY, "project_id": project})
    assert set(key) == words("id name public_key fingerprint created_at updated_at organization_id project_id disabled")
    assert key["fingerprint"] == "256 MD5:3d:52:38:ce:ff:94:f5:d7:81:a4:a4:f9:2b:4f:fe:a0 me@home (ssh-ed25519)"
    path = f"{IAM}/ssh-keys/{key['id']}"
    assert api.patch(path, {"name": "l", "disabled": True})["disabled"] is True
    assert api.get(path)["name"] == "l"
    assert api.get(f"{IAM}/ssh-keys", project_id=project)["ssh_keys"] == [api.get(path)]
    assert api.get(f"{IAM}/ssh-keys", disabled="false")["total_count"] == 0
    for wrong in ("ssh-ed25519", "ssh-ed25519 not-base64!"):
        api.post(f"{IAM}/ssh-keys", {"public_key": wrong, "project_id": project}, 400)
    api.delete(path)
    assert api.get(path, 404)["resource"] == "ssh_key"


def test_a_member(api: Any) -> None:
    owner = api.get(f"{IAM}/users")["users"][0]
    wanted = {"email": "a@example.com", "username": "a", "first_name": "A", "password": "not kept"}
    member = api.post(f"{IAM}/users", {"tags": ["t"], "member": wanted})
    assert set(member) == set(owner)
    assert (member["type"], member["tags"], member["deletable"]) == ("member", ["t"], True)
    path = f"{IAM}/users/{member['id']}"
    assert api.patch(path, {"last_name": "B", "tags": []})["last_name"] == "B"
    assert api.post(f"{path}/update-username", {"username": "b"})["username"] == "b"
    api.post(f"{IAM}/users", {"member": wanted | {"username": "b"}}, 409)
    api.post(f"{IAM}/users", {"email": "guest@example.com"}, 400)
    key = api.post(f"{IAM}/api-keys", {"user_id": member["id"]})
    group = api.post(f"{IAM}/groups", {"name": "g"})["id"]
    api.post(f"{IAM}/groups/{group}/add-member", {"user_id": member["id"]})
    policy = api.post(f"{IAM}/policies", {"name": "p", "user_id": member["id"]})["id"]
    api.delete(path)
    api.get(path, 404)
    api.get(f"{IAM}/api-keys/{key['access_key']}", 404)
    assert api.get(f"{IAM}/groups/{group}")["user_ids"] == []
    assert api.get(f"{IAM}/policies/{policy}")["no_principal"] is True
    assert api.delete(f"{IAM}/users/{owner['id']}", 412)["type"] == "precondition_failed"


def test_a_custom_route(api: Any) -> None:
    vpc = api.post(f"{VPC}/vpcs", {"name": "v", "project_id": api.account.project_id})["id"]
    network = api.private_network()["id"]
    route = api.post(
        f"{VPC}/routes", {"vpc_id": vpc, "destination": "10.0.0.0/24", "nexthop_private_network_id": network}
    )
    assert set(route) == words(
        "id description tags vpc_id destination nexthop_resource_id nexthop_private_network_id"
        " nexthop_vpc_connector_id created_at updated_at is_read_only type region"
    )
    assert (route["type"], route["nexthop_resource_id"]) == ("custom", None)
    path = f"{VPC}/routes/{route['id']}"
    changed = api.patch(path, {"destination": "10.1.0.0/24", "tags": ["t"]})
    assert (changed["destination"], changed["nexthop_private_network_id"]) == ("10.1.0.0/24", network)
    assert [r["id"] for r in api.get(f"{VPC}/routes", vpc_id=vpc)["routes"]] == [route["id"]]
    api.post(f"{VPC}/routes", {"vpc_id": vpc, "destination": "nowhere"}, 400)
    api.delete(f"{VPC}/vpcs/{vpc}")
    assert api.get(path, 404)["resource"] == "route"


def test_access_rules_of_a_vpc(api: Any) -> None:
    vpc = api.post(f"{VPC}/vpcs", {"name": "v", "project_id": api.account.project_id})["id"]
    path = f"{VPC}/vpcs/{vpc}/acl-rules"
    assert api.get(path, is_ipv6="false") == {"rules": [], "default_policy": "accept"}
    rule = {"protocol": "TCP", "source": "0.0.0.0/0", "destination": "10.0.0.0/8", "dst_port_low": 80, "action": "drop"}
    answer = api.put(path, {"rules": [rule], "default_policy": "drop", "is_ipv6": False})
    assert answer["rules"][0] == rule | {"src_port_low": 0, "src_port_high": 0, "dst_port_high": 0, "description": ""}
    assert api.get(path) == answer
    assert api.get(path, is_ipv6="true")["rules"] == []
    api.put(path, {"rules": [rule | {"action": "wave"}], "default_policy": "drop"}, 400)
    api.put(path, {"rules": [], "default_policy": "unknown_action"}, 400)
    assert api.put(path, {"rules": [], "default_policy": "accept"})["rules"] == []


@pytest.mark.parametrize("private", [False, True])
def test_the_server_of_a_node(api: Any, private: bool) -> None:
    pool = api.pool(api.cluster()["id"], public_ip_disabled=private, tags=["mine"])
    (node,) = api.get(f"/k8s/v1/regions/fr-par/clusters/{pool['cluster_id']}/nodes")["nodes"]
    path = "/instance/v1/zones/fr-par-1/servers/" + node["provider_id"].rpartition("/")[2]
    server = api.get(path)["server"]
    assert (server["name"], server["commercial_type"], server["state"]) == (node["name"], "PRO2-XXS", "running")
    assert (server["public_ip"] or {}).get("address") == node["public_ip_v4"]
    assert len(server["public_ips"]) == (0 if private else 2)
    assert "mine" in server["tags"]
    assert server["creation_date"].endswith("+00:00")
    (nic,) = server["private_nics"]
    assert len(nic["ipam_ip_ids"]) == 2
    api.delete(f"/k8s/v1/regions/fr-par/nodes/{node['id']}", 200)
    assert api.get(path, 404)["resource"] == "instance_server"
    api.get(path.replace("fr-par-1", "fr-par-2"), 404)
