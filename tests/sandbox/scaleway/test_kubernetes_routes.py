"""What else the Kubernetes API answers: kubeconfigs, access lists, versions, lists, and what it refuses."""

import base64
from typing import Any

import pytest

from sandbox.scaleway import resume

CLUSTERS = "/k8s/v1/regions/fr-par/clusters"
POOLS = "/k8s/v1/regions/fr-par/pools"


def words(text: str) -> set[str]:
    return set(text.split())


def test_kubeconfig(api: Any, planes: Any) -> None:
    path = f"{CLUSTERS}/{api.cluster(name='kapsule-devops')['id']}"
    answer = api.get(f"{path}/kubeconfig")
    assert set(answer) == {"name", "content_type", "content"}
    assert (answer["name"], answer["content_type"]) == ("kubeconfig", "application/octet-stream")
    assert base64.b64decode(answer["content"]).decode() == "clusters: [{name: kapsule-devops}]"
    planes.started.clear()
    assert api.get(f"{path}/kubeconfig", 409)["type"] == "transient_state"


def test_access_list(api: Any) -> None:
    path = f"{CLUSTERS}/{api.cluster()['id']}"
    assert [r["ip"] for r in api.get(f"{path}/acls")["rules"]] == ["0.0.0.0/0"]
    wanted = [
        {"ip": "12.2.3.4/32", "description": "First"},
        {"scaleway_ranges": True, "description": ""},
        {"ip": "1.2.3.4/32", "description": "Second"},
    ]
    answer = api.put(f"{path}/acls", {"acls": wanted})
    assert [{k: v for k, v in r.items() if k != "id"} for r in answer["rules"]] == wanted
    assert "total_count" not in answer
    assert [api.get(path)["status"] for _ in range(2)] == ["updating", "ready"]
    listed = api.get(f"{path}/acls")
    assert listed["total_count"] == 3
    assert [r.get("ip") for r in listed["rules"]] == ["1.2.3.4/32", "12.2.3.4/32", None]
    assert api.post(f"{path}/acls", {"acls": [{"ip": "9.9.9.9/32"}]})["rules"][0]["ip"] == "9.9.9.9/32"
    api.delete(f"/k8s/v1/regions/fr-par/acls/{listed['rules'][0]['id']}")
    assert api.get(f"{path}/acls")["total_count"] == 3
    api.put(f"{path}/acls", {"acls": [{"ip": "not an address"}]}, 400)


def test_versions(api: Any) -> None:
    answer = api.get("/k8s/v1/regions/fr-par/versions")
    assert set(answer) == {"versions"}
    assert [v["name"] for v in answer["versions"]] == ["1.35.3", "1.34.6", "1.33.10"]
    assert set(answer["versions"][0]) == words(
        "region name label available_cnis available_container_runtimes available_feature_gates"
        " available_admission_plugins available_kubelet_args deprecated_at end_of_life_at released_at"
    )
    assert api.get("/k8s/v1/regions/fr-par/versions/1.35.3") == answer["versions"][0]
    api.get("/k8s/v1/regions/fr-par/versions/1.2.3", 404)
    api.get("/k8s/v1/regions/mars/versions", 400)


@pytest.mark.parametrize(
    ("fields", "status", "argument"),
    [
        ({"version": "1.20.1"}, 400, "version"),
        ({"name": " "}, 400, "name"),
        ({"cni": "weave"}, 400, "cni"),
        ({"type": "mainframe"}, 400, "type"),
        ({"pod_cidr": "x"}, 400, "pod_cidr"),
        ({"service_dns_ip": "1.1.1.1"}, 400, "service_dns_ip"),
        ({"private_network_id": None}, 400, "private_network_id"),
        ({"private_network_id": "2d6c8f63-0000-0000-0000-000000000000"}, 404, None),
        ({"project_id": "2d6c8f63-0000-0000-0000-000000000000"}, 403, None),
        ({"tags": "no list"}, 400, "tags"),
        ({"autoscaler_config": []}, 400, "autoscaler_config"),
        ({"pools": [{"name": "p", "node_type": "abacus", "size": 1}]}, 400, "node_type"),
    ],
)
def test_a_cluster_that_cannot_be(
    api: Any, planes: Any, fields: dict[str, Any], status: int, argument: str | None
) -> None:
    network = api.private_network()["id"]
    body = {"name": "k", "version": "1.34.6", "private_network_id": network, "project_id": api.account.project_id}
    error = api.post(CLUSTERS, body | fields, status)
    if argument:
        assert error["type"] == "invalid_arguments"
        assert error["message"] == "invalid argument(s)"
        assert [d["argument_name"] for d in error["details"]] == [argument]
    assert api.get(CLUSTERS)["total_count"] == 0
    assert planes.started == []


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"node_type": "abacus"}, "node_type"),
        ({"name": ""}, "name"),
        ({"zone": "nl-ams-1"}, "zone"),
        ({"size": "one"}, "size"),
        ({"size": -1}, "size"),
        ({"size": True}, "size"),
        ({"min_size": 3, "max_size": 2}, "max_size"),
        ({"root_volume_size": 1000}, "root_volume_size"),
        ({"root_volume_type": "tape"}, "root_volume_type"),
        ({"container_runtime": "docker"}, "container_runtime"),
        ({"labels": {"a": 1}}, "labels"),
    ],
)
def test_a_pool_that_cannot_be(api: Any, fields: dict[str, Any], argument: str) -> None:
    cluster = api.cluster()
    error = api.pool(cluster["id"], 400, **fields)
    assert [d["argument_name"] for d in error["details"]] == [argument]
    assert api.get(f"{CLUSTERS}/{cluster['id']}/pools")["total_count"] == 0


def test_a_cluster_may_be_created_with_its_pools(api: Any, planes: Any) -> None:
    cluster = api.cluster(pools=[{"name": "system", "node_type": "dev1_m", "size": 1}])
    (pool,) = api.get(f"{CLUSTERS}/{cluster['id']}/pools", status="unknown", order_by="created_at_asc")["pools"]
    assert pool["status"] == "ready"
    assert (planes.nodes[cluster["id"], pool["id"]][0].cpu, pool["zone"]) == (3, "fr-par-1")
    assert api.get(f"{CLUSTERS}/{cluster['id']}")["status"] == "ready"


def test_lists_of_clusters_are_filtered_and_paged(api: Any) -> None:
    network = api.private_network()["id"]
    for name in ("one", "two", "three"):
        api.cluster(name=name, private_network_id=network)
    page = api.get(CLUSTERS, page_size=2, page=2, order_by="name_asc")
    assert (page["total_count"], [c["name"] for c in page["clusters"]]) == (3, ["two"])
    assert [c["name"] for c in api.get(CLUSTERS, name="three", status="unknown")["clusters"]] == ["three"]
    assert api.get(CLUSTERS, project_id="another")["total_count"] == 0
    assert api.get(CLUSTERS.replace("fr-par", "nl-ams"))["total_count"] == 0
    assert api.get(CLUSTERS, status="ready")["total_count"] == 0
    api.get(f"{CLUSTERS}/{api.get(CLUSTERS)['clusters'][0]['id']}".replace("fr-par", "nl-ams"), 404)
    api.get(CLUSTERS, 400, page=0)


def test_after_a_restart_all_clusters_run_again_with_the_same_nodes(api: Any, planes: Any, store: Any) -> None:
    pool = api.pool(api.cluster()["id"], size=2)
    leaving = api.cluster(name="leaving")
    planes.slow_deletion = True
    api.delete(f"{CLUSTERS}/{leaving['id']}", 200)
    api.get(f"{POOLS}/{pool['id']}")
    before, restarted = planes.nodes[pool["cluster_id"], pool["id"]], type(planes)()
    resume(store, restarted)
    assert restarted.started == [pool["cluster_id"]]
    assert restarted.deleting == [leaving["id"]]
    assert restarted.nodes == {(pool["cluster_id"], pool["id"]): before}
    planes.slow = True
    assert api.get(f"{CLUSTERS}/{pool['cluster_id']}")["status"] == "updating"


def test_a_cluster_of_several_clouds_has_no_private_network(api: Any) -> None:
    cluster = api.cluster(type="multicloud", cni="kilo", private_network_id=None)
    assert cluster["private_network_id"] is None
    pool = api.pool(cluster["id"])
    assert api.get(f"{POOLS}/{pool['id']}")["status"] == "ready"
    path = f"{CLUSTERS}/{cluster['id']}"
    api.delete(path, 200, with_additional_resources="true")
    api.get(path, 404)
