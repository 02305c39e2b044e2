"""Paces: what is made takes its time, and stays in its state until then, however often somebody asks."""

import os
import time
from typing import Any

import pytest

from sandbox.__main__ import main
from sandbox.folder import Folder
from sandbox.running import Running, hold
from sandbox.scaleway import pace
from sandbox.scaleway.common import CLUSTERS as CLUSTER_RECORDS
from sandbox.scaleway.common import now
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.store import Store
from tests.sandbox.scaleway.conftest import Server

CLUSTERS, POOLS = "/k8s/v1/regions/fr-par/clusters", "/k8s/v1/regions/fr-par/pools"
LONG = 3000.0


@pytest.fixture
def paced(api: Any) -> Any:
    """With paces that no test outlives."""
    assert api.put("/_sandbox/pace", {"cluster": LONG, "pool": LONG}) == {"cluster": LONG, "pool": LONG}
    return api


def let_come(store: Store, table: str) -> None:
    """The time of everything in the table has come."""
    for record in store.all(table):
        store.put(table, record["id"], record | {pace.HELD_UNTIL: now()})


def test_a_cluster_stays_creating_until_its_time_has_come(paced: Any, store: Store) -> None:
    path = f"{CLUSTERS}/{paced.cluster()['id']}"
    assert {paced.get(path)["status"] for _ in range(3)} == {"creating"}
    assert pace.HELD_UNTIL not in paced.get(path)
    let_come(store, CLUSTER_RECORDS)
    assert paced.get(path)["status"] == "pool_required"


def test_a_pool_stays_scaling_until_the_time_of_its_nodes_has_come(paced: Any, store: Store, planes: Any) -> None:
    cluster = paced.cluster()["id"]
    let_come(store, CLUSTER_RECORDS)
    pool = paced.pool(cluster, size=2)["id"]
    assert {paced.get(f"{POOLS}/{pool}")["status"] for _ in range(3)} == {"scaling"}
    assert {n["status"] for n in paced.get(f"{CLUSTERS}/{cluster}/nodes")["nodes"]} == {"creating"}
    assert paced.get(f"{CLUSTERS}/{cluster}")["status"] == "creating"
    (nodes,) = planes.nodes.values()
    assert all(time.time() + LONG - 100 < node.joins_at <= time.time() + LONG for node in nodes)

    let_come(store, NODES)
    paced.put(f"{POOLS}/{pool}/set-labels", {"labels": {}})  # tells the control plane of the nodes
    assert paced.get(f"{POOLS}/{pool}")["status"] == "ready"
    assert paced.get(f"{CLUSTERS}/{cluster}")["status"] == "ready"


def test_only_what_is_new_takes_its_time(api: Any) -> None:
    cluster = api.cluster()["id"]
    pool = api.pool(cluster)["id"]
    api.put("/_sandbox/pace", {"pool": LONG})
    assert api.get(f"{POOLS}/{pool}")["status"] == "ready"
    assert api.patch(f"{POOLS}/{pool}", {"size": 2})["status"] == "scaling"
    assert api.get(f"{POOLS}/{pool}")["status"] == "scaling"
    assert [n["status"] for n in api.get(f"{CLUSTERS}/{cluster}/nodes")["nodes"]] == ["ready", "creating"]


def test_nodes_of_a_clusters_own_pools_come_after_it(paced: Any, planes: Any) -> None:
    paced.cluster(pools=[{"name": "runner", "node_type": "pro2_xxs", "size": 1}])
    (((node,)),) = planes.nodes.values()
    assert node.joins_at > time.time() + 2 * LONG - 100


def test_without_a_pace_nothing_is_held(api: Any, planes: Any) -> None:
    api.pool(api.cluster()["id"])
    (((node,)),) = planes.nodes.values()
    assert node.joins_at == 0.0
    assert api.get("/_sandbox/pace") == {}


def test_a_pace_of_nothing_takes_it_away(paced: Any) -> None:
    assert paced.put("/_sandbox/pace", {"cluster": 0}) == {"pool": LONG}
    assert paced.get(f"{CLUSTERS}/{paced.cluster()['id']}")["status"] == "pool_required"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no pace is given: cluster or pool, in seconds"),
        ([], "the paces must be an object"),
        ({"node": 1}, "node is no kind with a pace: cluster, pool are"),
        ({"cluster": -1, "pool": 3601}, "cluster: -1 must be 0 to 3600 seconds; pool: 3601 must be 0 to 3600 seconds"),
        ({"cluster": True}, "cluster: True must be 0 to 3600 seconds"),
        ({"cluster": "90"}, "cluster: '90' must be 0 to 3600 seconds"),
    ],
)
def test_a_pace_that_cannot_be_is_refused_with_all_that_is_wrong(api: Any, given: Any, message: str) -> None:
    assert api.put("/_sandbox/pace", given, 400)["message"] == message
    assert api.get("/_sandbox/pace") == {}


@pytest.fixture
def sandbox(api: Any, server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The commands find the stand-in of this process."""
    monkeypatch.setenv("SANDBOX_DIR", str(tmp_path / "sandbox"))
    folder = Folder.default()
    folder.create()
    with hold(folder):
        Running(os.getpid(), server.url, server.url).write(folder)
        yield api


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        ([], 0, "clusters and pools come as fast as this machine can make them\n", ""),
        (["cluster=180", "pool=1.5"], 0, "cluster: 180 s\npool: 1.5 s\n", ""),
        (["cluster"], 1, "", "error: cluster is no pace. Fix: python -m sandbox pace cluster=180\n"),
        (
            ["node=1"],
            1,
            "",
            "error: node is no kind with a pace: cluster, pool are. Fix: python -m sandbox pace --help\n",
        ),
    ],
)
def test_the_command(
    sandbox: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, out: str, err: str
) -> None:
    assert main(["pace", *arguments]) == code
    assert capsys.readouterr() == (out, err)
