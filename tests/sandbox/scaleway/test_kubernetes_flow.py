"""A cluster's life as the provider sees it: states, nodes, labels and taints, and the shapes of the recordings."""

from typing import Any

import pytest

from sandbox.control_plane import Taint

CLUSTERS = "/k8s/v1/regions/fr-par/clusters"
POOLS = "/k8s/v1/regions/fr-par/pools"
NODES = "/k8s/v1/regions/fr-par/nodes"


def words(text: str) -> set[str]:
    return set(text.split())


CLUSTER_KEYS = words(
    "region id organization_id project_id created_at updated_at type name description status version cni tags"
    " cluster_url dns_wildcard autoscaler_config auto_upgrade upgrade_available feature_gates admission_plugins"
    " open_id_connect_config apiserver_cert_sans private_network_id commitment_ends_at acl_available"
    " iam_nodes_group_id pod_cidr service_cidr service_dns_ip"
)
AUTOSCALER = {
    "scale_down_disabled": False,
    "scale_down_delay_after_add": "10m",
    "estimator": "binpacking",
    "expander": "random",
    "ignore_daemonsets_utilization": False,
    "balance_similar_node_groups": False,
    "expendable_pods_priority_cutoff": 0,
    "scale_down_unneeded_time": "10m",
    "scale_down_utilization_threshold": 0.5,
    "max_graceful_termination_sec": 0,
    "skip_nodes_with_local_storage": False,
    "log_level": 2,
}
POOL_KEYS = words(
    "region id cluster_id created_at updated_at name status version node_type autoscaling size min_size max_size"
    " container_runtime autohealing tags placement_group_id kubelet_args upgrade_policy zone root_volume_type"
    " root_volume_size public_ip_disabled security_group_id labels taints startup_taints"
)
NODE_KEYS = words(
    "region id cluster_id created_at updated_at pool_id status conditions name public_ip_v4 public_ip_v6 provider_id"
    " error_message"
)


def test_a_cluster_waits_for_its_control_plane_then_for_a_pool(api: Any, planes: Any) -> None:
    planes.slow = True
    cluster = api.cluster()
    path = f"{CLUSTERS}/{cluster['id']}"
    assert planes.started == [cluster["id"]]
    assert set(cluster) == CLUSTER_KEYS
    assert cluster["status"] == "creating"
    assert api.get(path)["status"] == "creating"
    assert api.get(path)["iam_nodes_group_id"] == ""
    planes.slow = False
    ready = api.get(path)
    assert ready["status"] == "pool_required"
    assert ready["iam_nodes_group_id"] != ""
    assert ready["updated_at"] > cluster["updated_at"]
    assert api.get(path) == ready


def test_a_new_cluster_answers_the_defaults_of_the_recordings(api: Any) -> None:
    nulls = dict.fromkeys(AUTOSCALER) | {"estimator": "unknown_estimator", "expander": "unknown_expander"}
    cluster = api.cluster(type="", description="", tags=[], pools=None, autoscaler_config=nulls, feature_gates=[])
    assert cluster["type"] == "kapsule"
    assert cluster["autoscaler_config"] == AUTOSCALER
    assert cluster["auto_upgrade"] == {"enabled": False, "maintenance_window": {"start_hour": 0, "day": "any"}}
    assert cluster["open_id_connect_config"] == {
        "issuer_url": "",
        "client_id": "",
        "username_claim": "",
        "username_prefix": "",
        "groups_claim": [],
        "groups_prefix": "",
        "required_claim": [],
    }
    assert (cluster["pod_cidr"], cluster["service_cidr"]) == ("100.64.0.0/15", "10.32.0.0/20")
    assert cluster["service_dns_ip"] == "10.32.0.10"
    assert cluster["cluster_url"] == f"https://{cluster['id']}.api.k8s.fr-par.scw.cloud:6443"


def test_the_first_pool_takes_the_cluster_to_ready_and_the_last_one_back(api: Any, planes: Any) -> None:
    path = f"{CLUSTERS}/{api.cluster()['id']}"
    planes.slow_nodes = True
    pool = api.pool(path.rpartition("/")[2], name="system")
    assert set(pool) == POOL_KEYS
    assert (pool["status"], api.get(path)["status"]) == ("scaling", "creating")
    assert api.get(f"{POOLS}/{pool['id']}")["status"] == "scaling"
    planes.slow_nodes = False
    assert api.get(f"{POOLS}/{pool['id']}")["status"] == "ready"
    assert api.get(path)["status"] == "ready"
    planes.slow_nodes = True
    second = api.pool(pool["cluster_id"])
    assert api.get(path)["status"] == "ready", "a second pool does not trouble the cluster"
    assert api.delete(f"{POOLS}/{second['id']}", 200)["status"] == "deleting"
    assert planes.nodes[pool["cluster_id"], second["id"]] == []
    assert api.get(f"{POOLS}/{second['id']}")["status"] == "deleting"
    api.patch(f"{POOLS}/{second['id']}", {"size": 2}, 409)
    planes.slow_nodes = False
    error = api.get(f"{POOLS}/{second['id']}", 404)
    assert error == {
        "message": "resource is not found",
        "resource": "pool",
        "resource_id": second["id"],
        "type": "not_found",
    }
    api.delete(f"{POOLS}/{pool['id']}", 200)
    assert api.get(path)["status"] == "pool_required"
    assert api.get(f"{path}/pools") == {"total_count": 0, "pools": []}


def test_nodes_have_names_addresses_and_what_kapsule_puts_on_them(api: Any, planes: Any) -> None:
    cluster = api.cluster(name="kapsule-devops")
    pool = api.pool(
        cluster["id"],
        name="dev-runner",
        size=2,
        node_type="GP1-XS",
        labels={"team": "ci"},
        taints=[{"key": "runner", "value": "dev", "effect": "NoSchedule"}],
        tags=["cost=ci", "noprefix=bare=yes", "taint=slow=a:NoExecute", "taint=noprefix=gpu=b:NoSchedule", "no good!"],
    )
    assert pool["node_type"] == "gp1_xs"
    listed = api.get(f"{CLUSTERS}/{cluster['id']}/nodes", pool_id=pool["id"], status="unknown", page=1)
    assert listed["total_count"] == 2
    node = listed["nodes"][0]
    assert set(node) == NODE_KEYS
    assert node["name"] == f"scw-kapsule-devops-dev-runner-{node['id'][:6]}"
    assert node["status"] == "ready"
    assert node["conditions"]["Ready"] == "True"
    specs = planes.nodes[cluster["id"], pool["id"]]
    assert [s.name for s in specs] == [n["name"] for n in listed["nodes"]]
    spec = specs[0]
    assert (spec.cpu, spec.memory_gib) == (4, 16)
    assert spec.labels == spec.labels | {
        "k8s.scaleway.com/pool-name": "dev-runner",
        "k8s.scaleway.com/pool": pool["id"],
        "k8s.scaleway.com/cost": "ci",
        "bare": "yes",
        "team": "ci",
        "topology.kubernetes.io/region": "fr-par",
        "topology.kubernetes.io/zone": "fr-par-1",
        "node.kubernetes.io/instance-type": "GP1-XS",
        "kubernetes.io/hostname": node["name"],
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
    }
    assert set(spec.taints) == {
        Taint("runner", "dev", "NoSchedule"),
        Taint("k8s.scaleway.com/slow", "a", "NoExecute"),
        Taint("gpu", "b", "NoSchedule"),
    }
    ips = api.get("/ipam/v1/regions/fr-par/ips", resource_name=node["name"], project_id=cluster["project_id"])
    assert [ip["is_ipv6"] for ip in ips["ips"]] == [False, True]
    assert {ip["resource"]["name"] for ip in ips["ips"]} == {node["name"]}
    assert api.get(f"{NODES}/{node['id']}") == node


def test_taints_and_labels_are_set_in_place(api: Any, planes: Any) -> None:
    pool = api.pool(api.cluster()["id"])
    path = f"{POOLS}/{pool['id']}"
    assert api.get(path)["status"] == "ready"
    name = planes.nodes[pool["cluster_id"], pool["id"]][0].name
    taints = [
        {"key": "b", "value": "1", "effect": "NoSchedule"},
        {"key": "a", "value": "", "effect": "PreferNoSchedule"},
    ]
    answered = api.put(f"{path}/set-taints", {"taints": taints})
    assert answered["status"] == "ready"
    assert answered["taints"] == taints[::-1]
    assert api.put(f"{path}/set-labels", {"labels": {"x": "y"}})["labels"] == {"x": "y"}
    assert api.put(f"{path}/set-startup-taints", {"startup_taints": taints})["startup_taints"] == taints[::-1]
    (spec,) = planes.nodes[pool["cluster_id"], pool["id"]]
    assert spec.name == name
    assert spec.labels["x"] == "y"
    assert set(spec.taints) == {Taint("a", "", "PreferNoSchedule"), Taint("b", "1", "NoSchedule")}
    api.put(f"{path}/set-taints", {"taints": [{"key": "a", "value": "", "effect": "Never"}]}, 400)


def test_a_pool_is_resized_within_its_bounds(api: Any, planes: Any) -> None:
    pool = api.pool(api.cluster()["id"], min_size=1, max_size=5)
    path, key = f"{POOLS}/{pool['id']}", (pool["cluster_id"], pool["id"])
    api.get(path)
    kept = planes.nodes[key][0].name
    planes.slow_nodes = True
    policy = {"max_unavailable": None, "max_surge": 2}
    changed = api.patch(path, {"size": 3, "upgrade_policy": policy, "kubelet_args": {"maxPods": "50"}})
    assert (changed["status"], changed["size"]) == ("scaling", 3)
    assert changed["upgrade_policy"] == {"max_unavailable": 1, "max_surge": 2}
    assert planes.nodes[key][0].name == kept
    assert len(planes.nodes[key]) == 3
    planes.slow_nodes = False
    assert api.get(path)["status"] == "ready"
    assert api.patch(path, {"size": 1})["size"] == 1
    assert [s.name for s in planes.nodes[key]] == [kept]
    assert api.get("/ipam/v1/regions/fr-par/ips")["total_count"] == 2, "addresses of removed nodes are free"
    assert api.patch(path, {"autoscaling": True, "min_size": 2})["size"] == 2
    api.patch(path, {"tags": ["noprefix=a=b"]})
    assert planes.nodes[key][0].labels["a"] == "b"
    api.patch(path, {"max_size": 1}, 400)


def test_a_node_is_replaced_by_a_new_one(api: Any, planes: Any) -> None:
    pool = api.pool(api.cluster()["id"])
    (node,) = api.get(f"{CLUSTERS}/{pool['cluster_id']}/nodes")["nodes"]
    assert api.post(f"{NODES}/{node['id']}/replace")["status"] == "deleting"
    (new,) = api.get(f"{CLUSTERS}/{pool['cluster_id']}/nodes")["nodes"]
    assert new["name"] != node["name"]
    assert [s.name for s in planes.nodes[pool["cluster_id"], pool["id"]]] == [new["name"]]
    api.get(f"{NODES}/{node['id']}", 404)
    assert api.delete(f"{NODES}/{new['id']}", 200, replace="true")["status"] == "deleting"
    (last,) = api.get(f"{CLUSTERS}/{pool['cluster_id']}/nodes")["nodes"]
    api.delete(f"{NODES}/{last['id']}", 200)
    assert api.get(f"{POOLS}/{pool['id']}")["size"] == 0
    assert planes.nodes[pool["cluster_id"], pool["id"]] == []


def test_upgrades_go_one_minor_version_at_a_time(api: Any, planes: Any) -> None:
    cluster = api.cluster(version="1.33.10")
    path = f"{CLUSTERS}/{cluster['id']}"
    pool = api.pool(cluster["id"])
    assert api.get(path)["upgrade_available"] is True
    assert [v["name"] for v in api.get(f"{path}/available-versions")["versions"]] == ["1.34.6"]
    api.post(f"{path}/upgrade", {"version": "1.35.3", "upgrade_pools": True}, 400)
    planes.slow_nodes = True
    upgraded = api.post(f"{path}/upgrade", {"version": "1.34.6", "upgrade_pools": True})
    assert (upgraded["status"], upgraded["version"]) == ("updating", "1.34.6")
    assert api.get(f"{POOLS}/{pool['id']}")["status"] == "upgrading"
    planes.slow_nodes = False
    done = api.get(f"{POOLS}/{pool['id']}")
    assert (done["status"], done["version"]) == ("ready", "1.34.6")
    assert api.get(path)["status"] == "ready"
    api.post(f"{path}/upgrade", {"version": "1.35.3", "upgrade_pools": False})
    api.post(f"{POOLS}/{pool['id']}/upgrade", {"version": "1.36.0"}, 400)
    assert api.post(f"{POOLS}/{pool['id']}/upgrade", {"version": "1.35.3"})["status"] == "upgrading"


def test_a_cluster_is_updated(api: Any) -> None:
    path = f"{CLUSTERS}/{api.cluster()['id']}"
    changed = api.patch(
        path,
        {
            "description": "d",
            "tags": ["t"],
            "autoscaler_config": {"expander": "priority", "estimator": "unknown_estimator", "log_level": None},
            "auto_upgrade": {"enable": True, "maintenance_window": {"start_hour": 3, "day": "monday"}},
            "open_id_connect_config": {"issuer_url": "https://gitlab.example"},
        },
    )
    assert changed["status"] == "updating"
    now = api.get(path)
    assert now["status"] == "pool_required"
    assert (now["description"], now["tags"], now["name"]) == ("d", ["t"], "kapsule")
    assert now["autoscaler_config"] == AUTOSCALER | {"expander": "priority"}
    assert now["auto_upgrade"] == {"enabled": True, "maintenance_window": {"start_hour": 3, "day": "monday"}}
    assert now["open_id_connect_config"]["issuer_url"] == "https://gitlab.example"
    assert api.post(f"{path}/set-type", {"type": "kapsule-dedicated-4"})["type"] == "kapsule-dedicated-4"
    api.post(f"{path}/set-type", {"type": "mainframe"}, 400)


def test_a_deleted_cluster_takes_everything_of_it_along(api: Any, planes: Any, store: Any) -> None:
    cluster = api.cluster()
    path = f"{CLUSTERS}/{cluster['id']}"
    pool = api.pool(cluster["id"])
    network = f"/vpc/v2/regions/fr-par/private-networks/{cluster['private_network_id']}"
    error = api.delete(network, 412)
    assert (error["type"], error["precondition"]) == ("precondition_failed", "resource_still_in_use")
    planes.slow_deletion = True
    assert api.delete(path, 200, with_additional_resources="false")["status"] == "deleting"
    assert planes.deleting == [cluster["id"]]
    assert api.delete(path, 200)["status"] == "deleting"
    assert api.get(path)["status"] == "deleting"
    assert api.get(f"{CLUSTERS}/{cluster['id']}/pools")["total_count"] == 0, "nodes end with their control plane"
    error = api.pool(cluster["id"], 409)
    assert (error["type"], error["current_state"]) == ("transient_state", "deleting")
    api.patch(path, {"name": "n"}, 409)
    planes.slow_deletion = False
    error = api.get(path, 404)
    assert (error["resource"], error["resource_id"]) == ("cluster", cluster["id"])
    api.get(f"{POOLS}/{pool['id']}", 404)
    api.delete(network)
    assert [t for t in store.tables() if t.startswith(("scaleway.k8s.", "scaleway.ipam."))] == []


def test_additional_resources_are_deleted_where_asked_for(api: Any) -> None:
    cluster = api.cluster()
    api.delete(f"{CLUSTERS}/{cluster['id']}", 200, with_additional_resources="true")
    api.get(f"{CLUSTERS}/{cluster['id']}", 404)
    api.get(f"/vpc/v2/regions/fr-par/private-networks/{cluster['private_network_id']}", 404)


def test_a_failed_control_plane_locks_the_cluster_and_the_log_says_why(
    api: Any, planes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = api.cluster()
    pool = api.pool(cluster["id"])
    planes.failure = "etcd: no space left on device"
    assert api.get(f"{CLUSTERS}/{cluster['id']}")["status"] == "locked"
    assert "no space left on device" in caplog.text
    api.pool(cluster["id"], 409)
    api.delete(f"{POOLS}/{pool['id']}", 200)
    api.get(f"{POOLS}/{pool['id']}", 404)
    planes.failure = None
    assert api.get(f"{CLUSTERS}/{cluster['id']}")["status"] == "pool_required"
