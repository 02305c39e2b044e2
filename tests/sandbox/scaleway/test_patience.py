"""Questions that wait for what is about to happen, and those that do not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox.requests import RequestLog
from sandbox.scaleway import make_service, pace, patience
from tests.sandbox.scaleway.conftest import Api

REGION = "/k8s/v1/regions/fr-par"
LONG = 3600.0  # no test waits so long


class Looks:
    """Counts how often somebody looks, and lets happen at the second look what is about to."""

    def __init__(self) -> None:
        self.number = 0
        self.happens: Callable[[], Any] = lambda: None

    def __call__(self, seconds: float) -> None:
        assert 0 < seconds < 1
        self.number += 1
        if self.number == 2:
            self.happens()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks()
    monkeypatch.setattr("sandbox.scaleway.patience.time.sleep", looks)
    return looks


def asked(api: Api, path: str, method: str = "GET", seconds: float = LONG) -> None:
    patience.wait(api.store, api.planes, method, path, seconds)


def cluster_starts(api: Api) -> str:
    api.planes.slow = True
    return f"{REGION}/clusters/{api.cluster()['id']}"


def first_nodes_join(api: Api) -> str:
    cluster = api.cluster()["id"]
    api.get(f"{REGION}/clusters/{cluster}")
    api.planes.slow_nodes = True
    api.pool(cluster)
    return f"{REGION}/clusters/{cluster}"


def pool_grows(api: Api) -> str:
    pool = api.pool(api.cluster()["id"])["id"]
    api.get(f"{REGION}/pools/{pool}")
    api.planes.slow_nodes = True
    api.patch(f"{REGION}/pools/{pool}", {"size": 3})
    return f"{REGION}/pools/{pool}"


def pool_goes(api: Api) -> str:
    pool = api.pool(api.cluster()["id"])["id"]
    api.planes.slow_nodes = True
    api.delete(f"{REGION}/pools/{pool}", 200)
    return f"{REGION}/pools/{pool}"


def cluster_goes(api: Api) -> str:
    cluster = api.cluster()["id"]
    api.planes.slow_deletion = True
    api.delete(f"{REGION}/clusters/{cluster}", 200)
    return f"{REGION}/clusters/{cluster}"


@pytest.mark.parametrize("begun", [cluster_starts, first_nodes_join, pool_grows, pool_goes, cluster_goes])
def test_a_question_waits_for_what_is_about_to_happen(api: Api, looks: Looks, begun: Callable[[Api], str]) -> None:
    path = begun(api)
    looks.happens = lambda: vars(api.planes).update(slow=False, slow_nodes=False, slow_deletion=False)
    asked(api, path)
    assert looks.number == 2


@pytest.mark.parametrize("begun", [cluster_starts, first_nodes_join, pool_grows, pool_goes, cluster_goes])
def test_it_waits_no_longer_than_it_is_told(api: Api, looks: Looks, begun: Callable[[Api], str]) -> None:
    asked(api, begun(api), seconds=0.0)
    assert looks.number == 0


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_only_questions_wait(api: Api, looks: Looks, method: str) -> None:
    asked(api, cluster_starts(api), method)
    asked(api, f"{REGION}/clusters")
    asked(api, f"{REGION}/clusters/11111111-2222-3333-4444-555555555555")
    assert looks.number == 0


def test_what_lasts_is_not_waited_for(api: Api, looks: Looks) -> None:
    cluster = api.cluster()["id"]
    asked(api, f"{REGION}/clusters/{cluster}")  # it requires a pool
    pool = api.pool(cluster)["id"]
    assert api.get(f"{REGION}/pools/{pool}")["status"] == "ready"
    api.planes.slow_nodes = True  # labels or taints change
    asked(api, f"{REGION}/pools/{pool}")
    asked(api, f"{REGION}/clusters/{cluster}")
    assert looks.number == 0


def test_a_control_plane_that_has_failed_is_not_waited_for(api: Api, looks: Looks) -> None:
    cluster, pool = cluster_starts(api), api.pool(api.cluster()["id"])["id"]
    api.planes.failure = "etcd ended with 1"
    asked(api, cluster)
    asked(api, f"{REGION}/pools/{pool}")
    assert looks.number == 0


def test_what_a_pace_holds_is_not_waited_for(api: Api, looks: Looks) -> None:
    api.put("/_sandbox/pace", {"cluster": LONG, "pool": LONG})
    cluster = api.cluster()["id"]
    pool = api.pool(cluster)["id"]
    asked(api, f"{REGION}/clusters/{cluster}")
    asked(api, f"{REGION}/pools/{pool}")
    assert looks.number == 0
    for record in api.store.all("scaleway.k8s.clusters"):
        api.store.put("scaleway.k8s.clusters", record["id"], record | {pace.HELD_UNTIL: ""})
    asked(api, f"{REGION}/clusters/{cluster}")  # now its pool's nodes are
    assert looks.number == 0


def test_the_answer_is_that_of_the_moment_later(api: Api, looks: Looks, tmp_path: Path) -> None:
    path = cluster_starts(api)
    looks.happens = lambda: vars(api.planes).update(slow=False)
    requests = RequestLog(tmp_path / "requests.jsonl")
    service = make_service(api.store, api.planes, requests, wait_seconds=LONG)
    answer = Client(service).get(path, headers={"X-Auth-Token": api.account.secret_key})
    requests.close()
    assert (answer.status_code, answer.json["status"] if answer.json else None) == (200, "pool_required")
    assert looks.number == 2


def test_it_answers_before_a_provider_would_ask_again() -> None:
    assert patience.SECONDS < 5
