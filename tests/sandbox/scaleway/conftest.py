"""The stand-in on a real port, with control planes in memory whose readiness a test decides."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from sandbox.admin import admin_routes
from sandbox.control_plane import ControlPlaneError, NodeSpec
from sandbox.requests import RequestLog
from sandbox.scaleway import Account, make_service, pace, seed
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
        there = all(node.joins_at <= time.time() for node in self.nodes.get((cluster_id, pool_id), []))
        return there and not self.slow and not self.slow_nodes and not self.failure

    def delete(self, cluster_id: str) -> None:
        if cluster_id in self.started:
            self.started.remove(cluster_id)
        self.deleting.append(cluster_id)

    def deleted(self, cluster_id: str) -> bool:
        return cluster_id in self.deleting and not self.slow_deletion

    def _check(self, cluster_id: str) -> None:
        if cluster_id not in self.started:
            raise ControlPlaneError(f"cluster {cluster_id} has no control plane")


class FakeClock:
    """The real time, until a test says another."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def __call__(self) -> datetime:
        return self.moment or datetime.now(UTC)


@dataclass
class Api:
    """Requests with the owner's key; a method answers the JSON and checks the status."""

    url: str
    account: Account
    store: Store
    planes: FakePlanes
    clock: FakeClock
    client: httpx2.Client

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        expect: int = 200,
        /,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Any:
        response = self.client.request(
            method,
            self.url + path,
            params=query,
            json=body,
            headers={"X-Auth-Token": self.account.secret_key if token is None else token} | (headers or {}),
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

    def variables(self, key: Any = None) -> dict[str, str]:
        """What Scaleway's clients read of their environment, with the owner's key or another."""
        account = self.account
        return {
            "SCW_API_URL": self.url,
            "SCW_ACCESS_KEY": key["access_key"] if key else account.access_key,
            "SCW_SECRET_KEY": key["secret_key"] if key else account.secret_key,
            "SCW_DEFAULT_ORGANIZATION_ID": account.organization_id,
            "SCW_DEFAULT_PROJECT_ID": account.project_id,
            "SCW_CONFIG_PATH": "/nowhere/config.yaml",  # not the user's own
        }

    # Keys of applications.

    def key(self, *rules: dict[str, Any], **fields: Any) -> Any:
        """A key of a new application with a policy of these rules."""
        name = f"app-{len(self.store.all('scaleway.iam.applications'))}"
        application = self.post("/iam/v1alpha1/applications", {"name": name})
        self.post("/iam/v1alpha1/policies", {"name": name, "application_id": application["id"], "rules": list(rules)})
        return self.post("/iam/v1alpha1/api-keys", {"application_id": application["id"]} | fields)

    def token(self, *rules: dict[str, Any]) -> str:
        """The secret of such a key."""
        return str(self.key(*rules)["secret_key"])

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


class World:
    """One thing of each kind in one project, so that every route can be tried on something that is there."""

    def __init__(self, api: Api) -> None:
        self._store = api.store
        region = "regions/fr-par"
        secrets, namespaces = f"/secret-manager/v1beta1/{region}/secrets", f"/registry/v1/{region}/namespaces"
        self.project = api.project("world")
        self.body = {"name": "new", "project_id": self.project}
        vpc = api.post(f"/vpc/v2/{region}/vpcs", {"name": "world", "project_id": self.project})
        cluster = api.cluster(project_id=self.project)["id"]
        pool = api.pool(cluster, size=2)["id"]
        node = api.get(f"/k8s/v1/{region}/clusters/{cluster}/nodes")["nodes"][0]
        secret = api.post(secrets, {"name": "world", "project_id": self.project})["id"]
        api.post(f"{secrets}/{secret}/versions", {"data": "b25l"})
        application = api.post("/iam/v1alpha1/applications", {"name": "world"})["id"]
        self._ids = {
            "region": "fr-par",
            "zone": "fr-par-1",
            "revision": "1",
            "name": "1.34.6",
            "acl_id": api.get(f"/k8s/v1/{region}/clusters/{cluster}/acls")["rules"][0]["id"],
            "access_key": api.post("/iam/v1alpha1/api-keys", {"application_id": application})["access_key"],
            "projects": self.project,
            "applications": application,
            "groups": api.post("/iam/v1alpha1/groups", {"name": "world"})["id"],
            "policies": api.post("/iam/v1alpha1/policies", {"name": "world", "no_principal": True})["id"],
            "users": api.get("/iam/v1alpha1/users")["users"][0]["id"],
            "clusters": cluster,
            "pools": pool,
            "nodes": node["id"],
            "server_id": node["provider_id"].rpartition("/")[2],
            "secrets": secret,
            "namespaces": api.post(namespaces, self.body)["id"],
            "vpcs": vpc["id"],
            "routes": api.post(f"/vpc/v2/{region}/routes", {"vpc_id": vpc["id"], "destination": "10.0.0.0/8"})["id"],
            "ssh-keys": api.post(
                "/iam/v1alpha1/ssh-keys", {"public_key": "ssh-ed25519 AAAA", "project_id": self.project}
            )["id"],
            "private-networks": api.private_network(self.project)["id"],
        }

    def path(self, rule: str) -> str:
        """The path of a route for the world's thing of that kind."""
        rule = re.sub(r"([a-z-]+)/<id>", lambda part: f"{part[1]}/{self._ids[part[1]]}", rule)
        return re.sub(r"<(\w+)>", lambda part: self._ids[part[1]], rule)

    def everything(self) -> dict[str, Any]:
        return {table: self._store.all(table) for table in self._store.tables()}


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


@dataclass
class Server:
    """What all tests share: a listener takes half a second to stop."""

    url: str
    store: Store
    planes: FakePlanes
    requests: RequestLog
    clock: FakeClock


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("scaleway")
    store, planes, requests = Store(folder / "store.sqlite"), FakePlanes(), RequestLog(folder / "requests.jsonl")
    clock = FakeClock()
    admin = [*pace.routes, *admin_routes("scaleway", requests, store.clear)]
    listener = Listener(make_service(store, planes, requests, admin, clock=clock))
    yield Server(listener.url, store, planes, requests, clock)
    listener.close()
    requests.close()
    store.close()


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """The stand-in with a new account and nothing else in it."""
    server.store.clear()
    vars(server.planes).update(vars(FakePlanes()))
    server.clock.moment = None
    with httpx2.Client(verify=False) as client:  # plain HTTP: to read the authorities takes longer than most tests
        yield Api(server.url, seed(server.store), server.store, server.planes, server.clock, client)


@pytest.fixture
def planes(api: Api) -> FakePlanes:
    return api.planes


@pytest.fixture
def store(api: Api) -> Store:
    return api.store
