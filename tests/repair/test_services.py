"""How the services are reached, and what is said when one is not."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler

import pytest
import scaleway_core.api
from lightkube.resources.core_v1 import Secret
from scaleway.account.v3 import AccountV3ProjectAPI

from ci.errors import CiError
from repair.services import services
from tests.http_server import answering

NO_FILE = {"SCW_CONFIG_PATH": "/nowhere"}
KEYS = {
    "SCW_ACCESS_KEY": "SCWXXXXXXXXXXXXXXXXX",
    "SCW_SECRET_KEY": "00000000-0000-4000-8000-000000000001",
    "SCW_DEFAULT_ORGANIZATION_ID": "00000000-0000-4000-8000-000000000001",
}


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_scaleway_is_not_waited_for_for_ever(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "SCW_API_URL": silent, "SCW_CONFIG_PATH": "/nowhere"}.items():
        monkeypatch.setenv(name, value)

    def ask() -> None:
        with services(NO_FILE, answer_seconds=0.2) as found:
            AccountV3ProjectAPI(found.scaleway).list_projects_all()

    with pytest.raises(CiError, match=r"Scaleway cannot be asked \(ReadTimeout\)"):
        ask()


def test_the_sdk_is_afterwards_as_it_was() -> None:
    names = vars(scaleway_core.api)
    before = names["requests"]
    with services(NO_FILE) as found:
        assert found.scaleway
        assert names["requests"] is not before
    assert names["requests"] is before


def test_who_asks_only_gitlab_at_the_same_time_leaves_the_sdk_alone() -> None:
    """As the doctor's areas do, each in a thread of its own."""
    names = vars(scaleway_core.api)
    before = names["requests"]
    with ExitStack() as of_scaleway:
        with services({}):
            assert of_scaleway.enter_context(services(NO_FILE)).scaleway
        assert names["requests"] is not before
    assert names["requests"] is before


def test_credentials_that_are_none_are_told_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "SCW_SECRET_KEY": "SECRET-VALUE"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CiError) as caught, services(NO_FILE) as found:
        AccountV3ProjectAPI(found.scaleway).list_projects_all()
    assert str(caught.value).startswith("the Scaleway credentials (SCW_…) are missing or not well-formed: ")
    assert "SECRET-VALUE" not in str(caught.value)


def test_a_fault_of_our_own_is_none_of_scaleways(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    def fail() -> None:
        with services(NO_FILE) as found:
            assert found.scaleway
            raise ValueError("ours")

    with pytest.raises(ValueError, match=r"^ours$"):
        fail()


# --- the cluster ------------------------------------------------------------------------------------------------------


@pytest.fixture
def having(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Has Scaleway answer this kubeconfig; the address of its server, which is the cluster's as well: before that stands a
    balancer which has lost it.
    """
    kind, lost = getattr(request, "param", ("text/html", "<html>Bad Gateway</html>"))
    file = {"name": "kubeconfig", "content_type": "text"}

    def answer(to: BaseHTTPRequestHandler) -> None:
        is_file = to.path.split("?")[0].endswith("/kubeconfig")
        body = (json.dumps(file) if is_file else lost).encode()
        to.send_response(200 if is_file else 502)
        if is_file or kind:
            to.send_header("Content-Type", "application/json" if is_file else kind)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    with answering(answer) as address:
        for name, value in {**KEYS, "SCW_API_URL": address, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)

        def has(kubeconfig: str) -> str:
            file["content"] = base64.b64encode(kubeconfig.encode()).decode()
            return address

        yield has


def kubeconfig(address: str) -> str:
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": {"server": address}}],
            "users": [{"name": "u", "user": {"token": "SECRET-VALUE"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


def of_the_cluster() -> str:
    with pytest.raises(CiError) as caught, services(NO_FILE) as found:
        list(found.cluster("fr-par/1").list(Secret, namespace="n"))
    return str(caught.value)


@pytest.mark.parametrize(("nobody", "error"), [(False, "HTTPStatusError"), (True, "ConnectError")])
def test_a_cluster_that_is_not_reached_is_told(having: Callable[[str], str], nobody: bool, error: str) -> None:
    having(kubeconfig("http://127.0.0.1:9" if nobody else having("")))
    assert of_the_cluster() == (
        f"the cluster cannot be asked ({error}): its releases must be seen, or one that is stuck stays so. Fix: run again "
        "when its API server answers; cluster.apiAllowedCidrs must let this machine in"
    )


@pytest.mark.parametrize(
    "having",
    [("", "Bad Gateway"), ("application/json", "Bad Gateway"), ("application/json", "[1]"), ("application/json", "{}")],
    indirect=True,
)
def test_an_answer_of_something_before_the_cluster_is_told(having: Callable[[str], str]) -> None:
    having(kubeconfig(having("")))
    assert of_the_cluster().startswith("the cluster ")


@pytest.mark.parametrize("text", ["a: [SECRET-VALUE", "[1]", "", "SECRET-VALUE", "clusters: 1", "\0", "contexts: [{}]"])
def test_a_kubeconfig_that_is_none_is_told_and_not_shown(having: Callable[[str], str], text: str) -> None:
    having(text)
    said = of_the_cluster()
    assert said.startswith("the kubeconfig that Scaleway has of the cluster fr-par/1 cannot be read: ")
    assert "SECRET-VALUE" not in said
