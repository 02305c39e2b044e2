"""Records the stand-in itself, as go-vcr records the real API: what the harness's own tests change and replay."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fidelity.given import Given
from tests.fidelity.made_up import ORGANIZATION, PROJECT, interaction
from tests.fidelity.stand_in import StandIn, stand_in


class Recorder:
    """Asks the stand-in and keeps what was asked and answered."""

    def __init__(self, server: StandIn) -> None:
        self._server = server
        self.interactions: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = urlsplit(path)
        text = "" if body is None else json.dumps(body)
        reply = self._server.send(method, url.path, parse_qsl(url.query), text, "application/json" if text else "")
        answer = json.loads(reply.text) if reply.text else None
        self.interactions.append(interaction(method, path, answer, reply.code, body))
        return answer

    def get(self, path: str, times: int = 1) -> Any:
        return [self.ask("GET", path) for _ in range(times)][-1]

    def finish(self) -> None:
        """Time passes: what has begun is done."""
        self._server.planes.finish()


@contextmanager
def recorder() -> Iterator[Recorder]:
    with stand_in(Given(organization_id=ORGANIZATION, project_id=PROJECT)) as server:
        yield Recorder(server)


def cluster_life(recorded: Recorder, polls: int = 1) -> None:
    """A cluster with one pool, from nothing to nothing; each state is seen so many times."""
    networks, clusters = "/vpc/v2/regions/fr-par/private-networks", "/k8s/v1/regions/fr-par/clusters"
    network = recorded.ask("POST", networks, {"name": "n", "project_id": PROJECT})["id"]
    wanted = {"name": "c", "version": "1.35.3", "project_id": PROJECT, "private_network_id": network}
    cluster = recorded.ask("POST", clusters, wanted)["id"]
    recorded.get(f"{clusters}/{cluster}", polls)
    recorded.finish()
    recorded.get(f"{clusters}/{cluster}", polls)
    wanted = {"name": "p", "node_type": "pro2_xxs", "size": 2}
    pool = recorded.ask("POST", f"{clusters}/{cluster}/pools", wanted)["id"]
    recorded.get(f"/k8s/v1/regions/fr-par/pools/{pool}", polls)
    recorded.finish()
    recorded.get(f"/k8s/v1/regions/fr-par/pools/{pool}", polls)
    recorded.get(f"{clusters}/{cluster}", polls)
    nodes = recorded.get(f"{clusters}/{cluster}/nodes?pool_id={pool}&status=unknown")["nodes"]
    recorded.get(f"/ipam/v1/regions/fr-par/ips?resource_name={nodes[1]['name']}")
    recorded.ask("PUT", f"{clusters}/{cluster}/acls", {"acls": [{"ip": "1.2.3.4/32"}, {"scaleway_ranges": True}]})
    recorded.get(f"{clusters}/{cluster}", polls + 1)
    recorded.get(f"{clusters}/{cluster}/acls")
    recorded.ask("DELETE", f"{clusters}/{cluster}")
    recorded.get(f"{clusters}/{cluster}", polls)
    recorded.ask("DELETE", f"{networks}/{network}")  # refused while the cluster is there
    recorded.finish()
    recorded.get(f"{clusters}/{cluster}")
    recorded.ask("DELETE", f"{networks}/{network}")
