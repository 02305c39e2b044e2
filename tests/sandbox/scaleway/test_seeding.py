"""The account that the stand-in plays: any, the one that is wanted, and not another while it is in use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.scaleway import Wanted, seed
from sandbox.scaleway.common import API_KEYS, APPLICATIONS, PROJECTS, USERS, VPCS
from sandbox.store import Store

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
PROJECT = "00000000-0000-4000-8000-000000000002"
TAKEN = "00000000-0000-4000-8000-000000000003"
OTHER = Wanted(organization_id="11111111-2222-3333-4444-555555555555")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "records.db")
    yield store
    store.close()


def names(store: Store) -> dict[str, str]:
    return {p["id"]: p["name"] for p in store.all(PROJECTS)}


def test_an_account_is_random_where_none_is_wanted(store: Store, tmp_path: Path) -> None:
    account = seed(store)
    assert account.project_id == account.organization_id
    assert seed(store) == account
    assert account.meets(Wanted())
    other = Store(tmp_path / "other.db")
    assert seed(other).organization_id != account.organization_id
    other.close()


def test_the_wanted_account_is_played(store: Store) -> None:
    wanted = Wanted(organization_id=ORGANIZATION, project_id=PROJECT, projects=(TAKEN,))
    account = seed(store, wanted)
    assert (account.organization_id, account.project_id) == (ORGANIZATION, PROJECT)
    assert account.meets(wanted)
    assert names(store) == {ORGANIZATION: "default", PROJECT: f"project-{PROJECT}", TAKEN: f"project-{TAKEN}"}
    assert {p["organization_id"] for p in store.all(PROJECTS)} == {ORGANIZATION}
    (key,) = store.all(API_KEYS)
    assert key["default_project_id"] == PROJECT
    assert seed(store, wanted) == account
    assert seed(store) == account


@pytest.mark.parametrize("wanted", [Wanted(organization_id=ORGANIZATION), Wanted(project_id=ORGANIZATION)])
def test_one_id_is_the_other_where_only_one_is_wanted(store: Store, wanted: Wanted) -> None:
    account = seed(store, wanted)
    assert (account.organization_id, account.project_id) == (ORGANIZATION, ORGANIZATION)


def test_an_account_without_anything_becomes_another(store: Store) -> None:
    seed(store, Wanted(organization_id=ORGANIZATION, projects=(TAKEN,)))
    store.put("gitlab.projects", 1, {"id": 1})
    account = seed(store, OTHER)
    assert account.meets(OTHER)
    assert names(store) == {account.organization_id: "default"}
    assert len(store.all(USERS)) == len(store.all(API_KEYS)) == 1
    assert {v["project_id"] for v in store.all(VPCS)} == {account.organization_id}
    assert store.get("gitlab.projects", 1) is not None


@pytest.mark.parametrize("table", [PROJECTS, APPLICATIONS])
def test_an_account_that_is_in_use_stays(store: Store, table: str) -> None:
    account = seed(store)
    store.put(table, "x", {"id": "x", "organization_id": account.organization_id})
    assert seed(store, OTHER) == account
    assert not account.meets(OTHER)


def test_a_project_is_put_beside_what_is_in_use(store: Store) -> None:
    account = seed(store, Wanted(organization_id=ORGANIZATION))
    store.put(APPLICATIONS, "x", {"id": "x"})
    assert seed(store, Wanted(organization_id=ORGANIZATION, projects=(TAKEN,))) == account
    assert TAKEN in names(store)
