"""The stand-in on a real port, with control planes in memory whose readiness a test decides."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from sandbox.admin import admin_routes
from sandbox.control_plane import ControlPlaneError, NodeSpec
from sandbox.requests import RequestLog
from sandbox.scaleway import Account, make_service, seed
from sandbox.store import Store
from sandbox.web import Listener


class FakePlanes:
    """Control planes that are ready, and nodes that are, unless `slow` says that they still start."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.deleting: list[str] = []
        self.nodes: dict[tuple[str, str], list[NodeSpec]] = {}
        self.slow = False
        self.slow_nodes = False
        self.slow_deletion = False
        self.failure: str | None = None

    def start(self, cluster_id: str) -> None:
        if cluster_id not in self.started:
            self.started.append(cluster_id)

    def ready(self, cluster_id: str) -> bool:
        self._check(cluster_id)
        if self.failure:
            raise ControlPlaneError(self.failure)
        return not self.slow

    def kubeconfig(self, cluster_id: str, name: str) -> str:
        self._check(cluster_id)
        return f"clusters: [{{name: {name}}}]"

    def set_nodes(self, cluster_id: str, pool_id: str, nodes: Sequence[NodeSpec]) -> None:
        self._check(cluster_id)
        self.nodes[cluster_id, pool_id] = list(nodes)

    def nodes_ready(self, cluster_id: str, pool_id: str) -> bool:
        self._check(cluster_id)
        return not self.slow and not self.slow_nodes and not self.failure

    def delete(self, cluster_id: str) -> None:
        if cluster_id in self.started:
            self.started.remove(cluster_id)
        self.deleting.append(cluster_id)

    def deleted(self, cluster_id: str) -> bool:
        return cluster_id in self.deleting and not self.slow_deletion

    def _check(self, cluster_id: str) -> None:
        if cluster_id not in self.started:
            raise ControlPlaneError(f"cluster {cluster_id} has no control plane")


@dataclass
class Api:
    """Requests with the owner's key; a method answers the JSON and checks the status."""

    url: str
    account: Account
    store: Store
    planes: FakePlanes
    client: httpx2.Client

    def ask(
        self, method: str, path: str, body: Any = None, expect: int = 200, /, *, token: str | None = None, **query: Any
    ) -> Any:
        response = self.client.request(
            method,
            self.url + path,
            params=query,
            json=body,
            headers={"X-Auth-Token": self.account.secret_key if token is None else token},
        )
        assert response.status_code == expect, f"{method} {path}: {response.status_code} {response.text}"
        return json.loads(response.text) if response.text else None

    def get(self, path: str, expect: int = 200, /, **query: Any) -> Any:
        return self.ask("GET", path, None, expect, **query)

    def post(self, path: str, body: Any = None, expect: int = 200, /) -> Any:
        return self.ask("POST", path, body, expect)

    def put(self, path: str, body: Any = None, expect: int = 200, /) -> Any:
        return self.ask("PUT", path, body, expect)

    def patch(self, path: str, body: Any = None, expect: int = 200, /) -> Any:
        return self.ask("PATCH", path, body, expect)

    def delete(self, path: str, expect: int = 204, /, **query: Any) -> Any:
        return self.ask("DELETE", path, None, expect, **query)

    # What most products need first.

    def project(self, name: str = "dev") -> str:
        return str(self.post("/account/v3/projects", {"name": name})["id"])

    def private_network(self, project_id: str | None = None) -> Any:
        body = {"name": "pn", "project_id": project_id or self.account.project_id}
        return self.post("/vpc/v2/regions/fr-par/private-networks", body)

    def cluster(self, **fields: Any) -> Any:
        body = {"name": "kapsule", "version": "1.34.6", "cni": "cilium", "project_id": self.account.project_id} | fields
        if "private_network_id" not in body:
            body["private_network_id"] = self.private_network(body["project_id"])["id"]
        return self.post("/k8s/v1/regions/fr-par/clusters", body)

    def pool(self, cluster_id: str, expect: int = 200, /, **fields: Any) -> Any:
        body = {"name": "runner", "node_type": "pro2_xxs", "size": 1, "zone": "fr-par-1"} | fields
        return self.post(f"/k8s/v1/regions/fr-par/clusters/{cluster_id}/pools", body, expect)


@dataclass
class Server:
    """What all tests share: a listener takes half a second to stop."""

    url: str
    store: Store
    planes: FakePlanes
    requests: RequestLog


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("scaleway")
    store, planes, requests = Store(folder / "store.sqlite"), FakePlanes(), RequestLog(folder / "requests.jsonl")
    listener = Listener(make_service(store, planes, requests, admin_routes("scaleway", requests, store.clear)))
    yield Server(listener.url, store, planes, requests)
    listener.close()
    requests.close()
    store.close()


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """The stand-in with a new account and nothing else in it."""
    server.store.clear()
    vars(server.planes).update(vars(FakePlanes()))
    with httpx2.Client() as client:
        yield Api(server.url, seed(server.store), server.store, server.planes, client)


@pytest.fixture
def planes(api: Api) -> FakePlanes:
    return api.planes


@pytest.fixture
def store(api: Api) -> Store:
    return api.store
