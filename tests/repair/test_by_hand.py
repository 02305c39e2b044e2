"""What a person has made in GitLab and at Scaleway before the program came, against the stand-ins over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from repair.kinds import Found, all_kinds
from repair.services import Services, services
from tests.sandbox.gitlab.conftest import Instance, instance, start
from tests.sandbox.scaleway.conftest import api, server

__all__ = ["api", "instance", "server", "start"]
RUNNER, VPC = "gitlab:index/userRunner:UserRunner", "scaleway:network/vpc:Vpc"
VPCS = "/vpc/v2/regions/fr-par/vpcs"


@pytest.fixture
def gitlab(instance: Instance) -> Iterator[Services]:
    given = {"GITLAB_TOKEN": instance.account.token, "GITLAB_BASE_URL": f"{instance.listener.url}/api/v4/"}
    with services(given) as found:
        yield found


def registered(instance: Instance, description: str) -> dict[str, Any]:
    """A runner's id and token."""
    body = {"runner_type": "project_type", "project_id": instance.account.project_id, "description": description}
    made: dict[str, Any] = instance.call("POST", "user/runners", json=body).json()
    return made


def test_a_runner_that_was_ever_in_contact_is_somebodys(gitlab: Services, instance: Instance) -> None:
    lost, works, other = (registered(instance, each) for each in ("ours", "ours", "theirs"))
    for runner in (works, other):
        assert instance.call("POST", "runners/verify", json={"token": runner["token"]}).status_code == 200
    kind = all_kinds()[RUNNER]
    inputs = {"projectId": str(instance.account.project_id), "description": "ours"}
    found = {each.id: each.in_use for each in kind.find(gitlab, inputs)}
    assert found == {str(lost["id"]): False, str(works["id"]): True}
    assert kind.remove is not None
    kind.remove(gitlab, inputs, str(lost["id"]))
    gitlab.forget_lists()
    assert [each.id for each in kind.find(gitlab, inputs)] == [str(works["id"])]


def test_a_default_vpc_is_found_by_the_name_that_it_was_given_and_never_removed(clients: Services, api: Any) -> None:
    inputs = {"name": "devops-dev", "projectId": api.account.project_id, "region": "fr-par"}

    def found() -> list[Found]:
        return list(all_kinds()[VPC].find(clients, inputs))

    assert found() == []
    (default,) = (each for each in api.ask("GET", VPCS)["vpcs"] if each["is_default"])
    api.ask("PATCH", f"{VPCS}/{default['id']}", {"name": "devops-dev"})
    assert [(each.id, each.in_use) for each in found()] == [(f"fr-par/{default['id']}", True)]
    made = api.ask("POST", VPCS, {"name": "devops-dev", "project_id": api.account.project_id})
    assert {each.id: each.in_use for each in found()} == {
        f"fr-par/{default['id']}": True,
        f"fr-par/{made['id']}": False,
    }
