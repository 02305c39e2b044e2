"""The clients of the repair, which ask Scaleway's stand-in over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from repair.services import Services, services


@pytest.fixture
def clients(api: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    credentials = {"NO_PROXY": "127.0.0.1", **api.variables()}
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    with services(credentials) as found:
        yield found
