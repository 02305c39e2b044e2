"""A GitLab stand-in of its own for each test, over real HTTP, and the plugin as the engine uses it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import gitlab
import pytest
import requests
from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.charts.repository import routes as chart_routes
from sandbox.gitlab import Account, make_service, seed
from sandbox.gitlab.common import enterprise as is_enterprise
from sandbox.gitlab_plugin.provider import GitLabProvider
from sandbox.gitlab_plugin.table import RESOURCES
from sandbox.gitlab_plugin.values import plain_map, wrapped_map
from sandbox.requests import RequestLog
from sandbox.store import Store
from sandbox.web import Listener, Service
from tests.sandbox.gitlab import shapes


class WatchedLog(RequestLog):
    """Compares each answer with GitLab's, whatever test asks for it, before its secrets are masked."""

    def __init__(self, path: Path, store: Store) -> None:
        super().__init__(path)
        self._store = store
        self.differences: list[str] = []
        self.answered: set[str] = set()  # the operations that have answered without an error

    def add(self, *, request: bytes, reply: Any, **entry: Any) -> None:
        operation, status = entry["operation"], entry["status"]
        if operation.startswith("gitlab."):
            edition = is_enterprise(self._store)
            found = shapes.differences(entry["method"], operation, status, reply, enterprise=edition)
            self.differences += [f"{operation} {status}: {each}" for each in found]
            if status < 400:
                self.answered.add(operation)
        super().add(request=request, reply=reply, **entry)


class Instance:
    """A running stand-in and what a test does with it."""

    def __init__(self, folder: Path, *, enterprise: bool) -> None:
        self.store = Store(folder / "store.db")
        self.log = WatchedLog(folder / "requests.jsonl", self.store)
        self.account: Account = seed(self.store, enterprise=enterprise)
        self.service: Service = make_service(self.store, self.log, chart_routes())
        self.listener = Listener(self.service)
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()
        self.listener.close()
        self.log.close()
        self.store.close()

    def call(self, method: str, path: str, *, token: str | None = "", **more: Any) -> requests.Response:
        """A request below /api/v4 as the administrator, as another (`token`) or as nobody (`token=None`)."""
        headers = more.pop("headers", {})
        if token is not None:
            headers["PRIVATE-TOKEN"] = token or self.account.token
        url = f"{self.listener.url}/api/v4/{path}"
        return self.session.request(method, url, headers=headers, timeout=10, **more)

    def project(self, rest: str) -> str:
        return f"projects/{self.account.project_id}/{rest}"

    def project_token(self, level: int = 40, scopes: tuple[str, ...] = ("api",)) -> dict[str, Any]:
        body = {"name": "bot", "scopes": list(scopes), "access_level": level}
        answer = self.call("POST", self.project("access_tokens"), json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def operations(self) -> list[tuple[str, int]]:
        return [(e["operation"], e["status"]) for e in self.log.entries()]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    started: list[Instance] = []

    def make(*, enterprise: bool = True) -> Instance:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Instance(folder, enterprise=enterprise))
        return started[-1]

    yield make
    for instance in started:
        instance.close()
        assert not [e for e in instance.log.entries() if e["operation"] == "unknown" and "nowhere" not in e["path"]]
        differences = sorted(set(instance.log.differences))
        assert not differences, "\n".join(differences)


@pytest.fixture
def instance(start: Callable[..., Instance]) -> Instance:
    return start()


@pytest.fixture
def gl(instance: Instance) -> Iterator[gitlab.Gitlab]:
    session = requests.Session()
    session.trust_env = False
    yield gitlab.Gitlab(instance.listener.url, oauth_token=instance.account.token, session=session)
    session.close()


# --- the plugin ---------------------------------------------------------------------------------------------------------

T = TypeVar("T")
TYPES = {r.label: t for t, r in RESOURCES.items()}


class Engine:
    """What the engine asks of a plugin, in its order, with the state that it keeps."""

    def __init__(self, url: str, token: str) -> None:
        self.provider = GitLabProvider()
        request = api.ConfigureRequest(
            {"gitlab:config:baseUrl": f"{url}/api/v4/", "gitlab:config:token": token}, {}, True, True
        )
        self.configured = self._run(self.provider.configure(request))

    @staticmethod
    def _run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    @staticmethod
    def urn(label: str) -> str:
        return f"urn:pulumi:dev::p::{TYPES[label]}::name"

    def check(self, label: str, inputs: dict[str, Any], old: dict[str, Any] | None = None) -> api.CheckResponse:
        request = api.CheckRequest(self.urn(label), wrapped_map(old or {}), wrapped_map(inputs), b"12345678")
        return self._run(self.provider.check(request))

    def create(
        self, label: str, inputs: dict[str, Any], *, preview: bool = False, secrets: set[str] | None = None
    ) -> api.CreateResponse:
        checked = self.check(label, inputs)
        assert not checked.failures, [(f.property, f.reason) for f in checked.failures]
        properties = wrapped_map(plain_map(checked.inputs or {}), secrets or set())
        return self._run(self.provider.create(api.CreateRequest(self.urn(label), properties, 0, preview)))

    def diff(self, label: str, state: dict[str, PropertyValue], inputs: dict[str, Any]) -> api.DiffResponse:
        return self._run(self.provider.diff(api.DiffRequest(self.urn(label), "", state, wrapped_map(inputs), [])))

    def update(
        self, label: str, id_: str | None, state: Any, inputs: Any, *, preview: bool = False
    ) -> dict[str, PropertyValue]:
        request = api.UpdateRequest(self.urn(label), id_ or "", state, wrapped_map(inputs), 0, [], preview)
        return self._run(self.provider.update(request)).properties

    def read(self, label: str, id_: str | None, state: Any = None, inputs: Any = None) -> api.ReadResponse:
        request = api.ReadRequest(self.urn(label), id_ or "", state or {}, wrapped_map(inputs or {}))
        return self._run(self.provider.read(request))

    def delete(self, label: str, id_: str | None, state: Any) -> None:
        self._run(self.provider.delete(api.DeleteRequest(self.urn(label), id_ or "", state, 0)))

    def invoke(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        token = f"gitlab:index/{name}:{name}"
        return plain_map(
            self._run(self.provider.invoke(api.InvokeRequest(token, wrapped_map(args)))).return_value or {}
        )

    @staticmethod
    def kinds(diff: api.DiffResponse) -> dict[str, str]:
        return {p: d.kind.name for p, d in diff.detailed_diff.items()}


@pytest.fixture
def engine_of() -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []

    def make(instance: Instance, token: str = "") -> Engine:
        made.append(Engine(instance.listener.url, token or instance.account.token))
        return made[-1]

    yield make
    for engine in made:
        engine.provider.close()


@pytest.fixture
def engine(engine_of: Callable[..., Engine], instance: Instance) -> Engine:
    made: Engine = engine_of(instance)
    return made
