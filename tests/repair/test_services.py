"""How the services are reached, and what is said when one is not."""

import socket
from collections.abc import Iterator

import pytest
import scaleway_core.api
from scaleway.account.v3 import AccountV3ProjectAPI

from ci.errors import CiError
from repair.services import services

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
        with services({"SCW_CONFIG_PATH": "/nowhere"}, answer_seconds=0.2) as found:
            AccountV3ProjectAPI(found.scaleway).list_projects_all()

    with pytest.raises(CiError, match=r"Scaleway cannot be asked \(ReadTimeout\)"):
        ask()


def test_the_sdk_is_afterwards_as_it_was() -> None:
    names = vars(scaleway_core.api)
    before = names["requests"]
    with services({}):
        assert names["requests"] is not before
    assert names["requests"] is before
