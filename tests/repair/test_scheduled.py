"""Secrets that Scaleway is to delete while the state holds them, against the stand-in over HTTP."""

from typing import Any

import pytest
import scaleway

from repair.resources import Resource
from repair.scheduled import SECRET, restore, scheduled
from repair.services import Services
from tests.repair.things import resource
from tests.sandbox.scaleway.conftest import api, server

__all__ = ["api", "server"]
SECRETS = "/secret-manager/v1beta1/regions/fr-par/secrets"


def made(api: Any, name: str) -> Resource:
    secret = api.ask("POST", SECRETS, {"name": name, "project_id": api.account.project_id})
    return resource(name, SECRET, f"fr-par/{secret['id']}")


def bare(each: Resource) -> str:
    return each.id.rpartition("/")[2]


def test_only_what_is_to_be_deleted_is_found_and_it_is_as_before_when_it_is_restored(
    clients: Services, api: Any
) -> None:
    kept, leaving, gone = (
        made(api, "kept"),
        made(api, "leaving"),
        resource("gone", SECRET, f"fr-par/{'0' * 8}-0000-4000-8000-{'0' * 12}"),
    )
    unmade, other = resource("unmade", SECRET), resource("other", id_="fr-par/1")
    api.ask("DELETE", f"{SECRETS}/{bare(leaving)}", None, 204)
    resources = [kept, leaving, gone, unmade, other]
    assert list(scheduled(clients, resources)) == [leaving]
    restore(clients, leaving)
    assert list(scheduled(clients, resources)) == []
    api.ask("DELETE", f"{SECRETS}/{bare(leaving)}", None, 204)


def test_a_secret_that_cannot_be_asked_for_is_an_error(clients: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCW_SECRET_KEY", "00000000-0000-4000-8000-000000000009")
    with pytest.raises(scaleway.ScalewayException):
        list(scheduled(clients, [resource("a", SECRET, "fr-par/1")]))
