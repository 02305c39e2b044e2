"""The Scaleway stand-in as a recording is replayed against it: new, with the recording's account, without an engine.

Owns its start and end, and control planes whose clock is the replay: whatever takes time has only begun until the replay
says that it is done (`Planes.finish`). So a replay neither waits nor depends on how busy the machine is.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from sandbox.control_plane import ControlPlaneError, NodeSpec
from sandbox.requests import RequestLog
from sandbox.scaleway import Account, Wanted, iam_users, make_service, seed
from sandbox.scaleway.common import USERS
from sandbox.store import Store
from sandbox.web import Listener
from tests.fidelity.given import Given


class Planes:
    """Control planes in memory. What was begun stays begun until `finish`."""

    def __init__(self) -> None:
        self._ready: dict[str, bool] = {}
        self._nodes: dict[tuple[str, str], tuple[list[NodeSpec], bool]] = {}
        self._gone: dict[str, bool] = {}

    def finish(self) -> bool:
        """Everything that was begun is done now. False where nothing was."""
        states = [*self._ready.values(), *(settled for _, settled in self._nodes.values()), *self._gone.values()]
        self._ready = dict.fromkeys(self._ready, True)
        self._nodes = {pool: (nodes, True) for pool, (nodes, _) in self._nodes.items()}
        self._gone = dict.fromkeys(self._gone, True)
        return not all(states)

    # What the stand-in asks of control planes.

    def start(self, cluster_id: str) -> None:
        self._ready.setdefault(cluster_id, False)

    def ready(self, cluster_id: str) -> bool:
        self._check(cluster_id)
        return self._ready[cluster_id]

    def kubeconfig(self, cluster_id: str, name: str) -> str:
        self._check(cluster_id)
        return f"clusters: [{{name: {name}}}]"

    def set_nodes(self, cluster_id: str, pool_id: str, nodes: Sequence[NodeSpec]) -> None:
        self._check(cluster_id)
        before = self._nodes.get((cluster_id, pool_id))
        self._nodes[cluster_id, pool_id] = (list(nodes), before is not None and before == (list(nodes), True))

    def nodes_ready(self, cluster_id: str, pool_id: str) -> bool:
        self._check(cluster_id)
        return self._ready[cluster_id] and self._nodes.get((cluster_id, pool_id), ([], True))[1]

    def delete(self, cluster_id: str) -> None:
        self._ready.pop(cluster_id, None)
        self._gone.setdefault(cluster_id, False)

    def deleted(self, cluster_id: str) -> bool:
        return self._gone.get(cluster_id, False)

    def _check(self, cluster_id: str) -> None:
        if cluster_id not in self._ready:
            raise ControlPlaneError(f"cluster {cluster_id} has no control plane")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer of the stand-in."""

    code: int
    text: str


@dataclass
class StandIn:
    """The stand-in, asked with the key of the account's owner."""

    account: Account
    planes: Planes
    _client: httpx2.Client

    def send(self, method: str, path: str, query: Sequence[tuple[str, str]], body: str, content_type: str) -> Reply:
        headers = {"X-Auth-Token": self.account.secret_key}
        if content_type:
            headers["Content-Type"] = content_type
        response = self._client.request(method, path, params=list(query), content=body or None, headers=headers)
        return Reply(code=response.status_code, text=response.text)


@contextmanager
def stand_in(account: Given) -> Iterator[StandIn]:
    """A new stand-in that plays this account."""
    with tempfile.TemporaryDirectory(prefix="fidelity-") as name:
        folder, planes = Path(name), Planes()
        store, requests = Store(folder / "store.sqlite"), RequestLog(folder / "requests.jsonl")
        wanted = Wanted(
            organization_id=account.organization_id, project_id=account.project_id, projects=account.projects
        )
        seeded = seed(store, wanted)
        for user_id in account.users:
            owner = iam_users.new_owner(seeded.organization_id, user_id)
            store.put(USERS, user_id, owner | {"type": "member", "last_login_at": owner["created_at"]})
        listener = Listener(make_service(store, planes, requests))
        try:
            with httpx2.Client(base_url=listener.url, follow_redirects=False, timeout=30, verify=False) as client:
                yield StandIn(seeded, planes, client)
        finally:
            listener.close()
            requests.close()
            store.close()
