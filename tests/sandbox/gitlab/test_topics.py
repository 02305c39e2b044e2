"""The rules of what a project is set up with: variables, branches, tags, runners, tokens."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.sandbox.gitlab.conftest import Instance

# --- variables --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["projects/acme%2Fapp", "groups/acme"])
def test_variables_are_unique_per_scope(instance: Instance, owner: str) -> None:
    for scope in ("dev", "prod"):
        body = {"key": "K", "value": "v", "environment_scope": scope}
        assert instance.call("POST", f"{owner}/variables", json=body).status_code == 201
    again = instance.call("POST", f"{owner}/variables", json={"key": "K", "value": "v", "environment_scope": "dev"})
    assert (again.status_code, again.json()) == (400, {"message": {"key": ["(K) has already been taken"]}})
    assert instance.call("GET", f"{owner}/variables/K").status_code == 409
    dev = {"filter[environment_scope]": "dev"}
    assert instance.call("GET", f"{owner}/variables/K", params=dev).json()["environment_scope"] == "dev"
    changed = instance.call("PUT", f"{owner}/variables/K", params=dev, json={"value": "w"})
    assert (changed.status_code, changed.json()["value"]) == (200, "w")
    clash = instance.call("PUT", f"{owner}/variables/K", params=dev, json={"environment_scope": "prod"})
    assert clash.status_code == 400
    moved = instance.call(
        "PUT", f"{owner}/variables/K", json={"environment_scope": "qa", "filter": {"environment_scope": "dev"}}
    )
    assert moved.json()["environment_scope"] == "qa"
    assert instance.call("DELETE", f"{owner}/variables/K", params=dev).status_code == 404
    assert (
        instance.call("DELETE", f"{owner}/variables/K", params={"filter[environment_scope]": "qa"}).status_code == 204
    )
    assert [v["environment_scope"] for v in instance.call("GET", f"{owner}/variables").json()] == ["prod"]


@pytest.mark.parametrize(
    ("value", "raw", "accepted"),
    [
        ("abcdefg", False, False),
        ("abcdefgh", False, True),
        ("a-b_c+d/e=f@g:h.i~", False, True),
        ("abc defghi", False, False),
        ("abcdefgh\nabcdefgh", True, False),
        ("abcd$efgh", False, False),
        ("abcd$efgh", True, True),
    ],
)
def test_a_masked_value_has_a_form(instance: Instance, value: str, raw: bool, accepted: bool) -> None:
    body = {"key": "K", "value": value, "masked": True, "raw": raw}
    answer = instance.call("POST", instance.project("variables"), json=body)
    if accepted:
        assert answer.status_code == 201
    else:
        assert (answer.status_code, answer.json()) == (400, {"message": {"value": ["is invalid"]}})


def test_a_hidden_value_is_never_shown(instance: Instance) -> None:
    body = {"key": "K", "value": "abcdefgh", "masked_and_hidden": True}
    created = instance.call("POST", instance.project("variables"), json=body).json()
    assert (created["value"], created["hidden"], created["masked"]) == (None, True, True)
    assert instance.call("GET", instance.project("variables/K")).json()["value"] is None
    unmask = instance.call("PUT", instance.project("variables/K"), json={"masked": False})
    assert unmask.status_code == 400


def test_a_variable_needs_a_key_that_is_a_word_and_a_value(instance: Instance) -> None:
    assert instance.call("POST", instance.project("variables"), json={"value": "v"}).json() == {
        "error": "key is missing"
    }
    assert instance.call("POST", instance.project("variables"), json={"key": "K"}).json() == {
        "error": "value is missing"
    }
    assert (
        "key"
        in instance.call("POST", instance.project("variables"), json={"key": "a-b", "value": "v"}).json()["message"]
    )
    wrong = {"key": "K", "value": "v", "variable_type": "x"}
    assert instance.call("POST", instance.project("variables"), json=wrong).json()["error"].startswith("variable_type")
    assert instance.call("POST", instance.project("variables"), json={"key": "K", "value": ""}).status_code == 201


# --- branches ---------------------------------------------------------------------------------------------------------


def test_branches(instance: Instance) -> None:
    names = [b["name"] for b in instance.call("GET", instance.project("repository/branches")).json()]
    assert names == ["main", "preprod", "prod"]
    body = {"branch": "feature/x", "ref": "main"}
    assert instance.call("POST", instance.project("repository/branches"), json=body).status_code == 201
    assert instance.call("POST", instance.project("repository/branches"), json=body).status_code == 400
    assert (
        instance.call("POST", instance.project("repository/branches"), json={"branch": "y", "ref": "z"}).status_code
        == 400
    )
    one = instance.call("GET", instance.project("repository/branches/feature%2Fx")).json()
    assert (one["name"], one["default"], one["protected"]) == ("feature/x", False, False)
    assert instance.call("DELETE", instance.project("repository/branches/feature%2Fx")).status_code == 204
    assert len(instance.call("GET", instance.project("repository/branches?search=prod")).json()) == 2


def test_protected_branches_of_an_enterprise_edition(instance: Instance) -> None:
    alice = instance.account.alice_id
    body = {
        "name": "prod",
        "allowed_to_push": [{"access_level": 0}],
        "allowed_to_merge": [{"user_id": alice}, {"access_level": 30}],
    }
    rule = instance.call("POST", instance.project("protected_branches"), json=body).json()
    assert [(i["access_level"], i["access_level_description"]) for i in rule["push_access_levels"]] == [(0, "No one")]
    assert [i["user_id"] for i in rule["merge_access_levels"]] == [alice, None]
    assert rule["unprotect_access_levels"] == []
    again = instance.call("POST", instance.project("protected_branches"), json=body)
    assert (again.status_code, again.json()) == (409, {"message": "Protected branch 'prod' already exists"})
    numbers = [i["id"] for i in rule["merge_access_levels"]]
    patch = {
        "allow_force_push": True,
        "allowed_to_merge": [
            {"id": numbers[0], "_destroy": True},
            {"id": numbers[1], "access_level": 40},
            {"access_level": 60},
        ],
    }
    changed = instance.call("PATCH", instance.project("protected_branches/prod"), json=patch).json()
    assert [i["access_level"] for i in changed["merge_access_levels"]] == [40, 60]
    assert changed["merge_access_levels"][0]["id"] == numbers[1]
    assert changed["allow_force_push"] is True
    unknown = {"allowed_to_merge": [{"id": 12345, "_destroy": True}]}
    assert instance.call("PATCH", instance.project("protected_branches/prod"), json=unknown).status_code == 404
    nobody = {"allowed_to_push": [{"user_id": 12345}]}
    assert instance.call("PATCH", instance.project("protected_branches/prod"), json=nobody).status_code == 422
    assert instance.call("GET", instance.project("repository/branches/prod")).json()["protected"] is True
    assert instance.call("DELETE", instance.project("protected_branches/prod")).status_code == 204
    assert instance.call("GET", instance.project("protected_branches")).json() == []


def test_protected_branches_of_a_community_edition(start: Callable[..., Instance]) -> None:
    instance = start(enterprise=False)
    body = {"name": "prod", "push_access_level": 0, "allowed_to_merge": [{"user_id": instance.account.alice_id}]}
    rule = instance.call("POST", instance.project("protected_branches"), json=body).json()
    assert [(i["access_level"]) for i in rule["push_access_levels"]] == [0]
    assert [(i["access_level"]) for i in rule["merge_access_levels"]] == [40]
    assert "user_id" not in rule["merge_access_levels"][0]
    assert not {"unprotect_access_levels", "code_owner_approval_required"} & set(rule)
    patch = {"allow_force_push": True, "allowed_to_push": [{"access_level": 30}]}
    changed = instance.call("PATCH", instance.project("protected_branches/prod"), json=patch).json()
    assert changed["allow_force_push"] is True
    assert changed["push_access_levels"] == rule["push_access_levels"]
    wrong = instance.call("POST", instance.project("protected_branches"), json={"name": "x", "push_access_level": 31})
    assert wrong.json() == {"error": "push_access_level does not have a valid value"}


def test_protected_tags(instance: Instance) -> None:
    body = {"name": "v*", "create_access_level": 40, "allowed_to_create": [{"user_id": instance.account.bob_id}]}
    rule = instance.call("POST", instance.project("protected_tags"), json=body).json()
    assert [(i["user_id"], i["access_level"]) for i in rule["create_access_levels"]] == [
        (instance.account.bob_id, 40),
        (None, 40),
    ]
    assert instance.call("POST", instance.project("protected_tags"), json=body).status_code == 409
    assert instance.call("GET", instance.project("protected_tags/v%2A")).json() == rule
    assert instance.call("GET", instance.project("protected_tags")).json() == [rule]
    assert instance.call("DELETE", instance.project("protected_tags/v%2A")).status_code == 204
    assert instance.call("GET", instance.project("protected_tags/v%2A")).status_code == 404


# --- runners ----------------------------------------------------------------------------------------------------------


def test_runners(instance: Instance) -> None:
    body = {
        "runner_type": "project_type",
        "project_id": instance.account.project_id,
        "tag_list": ["b", "a"],
        "run_untagged": False,
        "locked": True,
    }
    created = instance.call("POST", "user/runners", json=body).json()
    assert set(created) == {"id", "token", "token_expires_at"}
    runner = instance.call("GET", f"runners/{created['id']}").json()
    assert (runner["tag_list"], runner["run_untagged"], runner["locked"], runner["status"]) == (
        ["a", "b"],
        False,
        True,
        "never_contacted",
    )
    assert "token" not in runner
    assert [p["path_with_namespace"] for p in runner["projects"]] == ["acme/app"]
    changed = instance.call("PUT", f"runners/{created['id']}", json={"paused": True, "tag_list": "c,d"}).json()
    assert (changed["paused"], changed["active"], changed["tag_list"]) == (True, False, ["c", "d"])
    listed = instance.call("GET", instance.project("runners?type=project_type&tag_list=c&paused=true")).json()
    assert [r["id"] for r in listed] == [created["id"]]
    assert instance.call("GET", instance.project("runners?tag_list=zzz")).json() == []
    verified = instance.call("POST", "runners/verify", token=None, json={"token": created["token"]})
    assert (verified.status_code, verified.json()["id"]) == (200, created["id"])
    assert instance.call("GET", f"runners/{created['id']}").json()["status"] == "online"
    assert instance.call("POST", "runners/verify", token=None, json={"token": "glrt-x"}).status_code == 403
    assert instance.call("DELETE", f"runners/{created['id']}").status_code == 204
    assert instance.call("GET", f"runners/{created['id']}").json() == {"message": "404 Runner Not Found"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tag_list": [], "run_untagged": False}, "tags_list"),
        ({"maximum_timeout": 599}, "maximum_timeout"),
        ({"maintenance_note": "x" * 1025}, "maintenance_note"),
    ],
)
def test_a_runners_settings_are_checked(instance: Instance, change: Any, field: str) -> None:
    body = {"runner_type": "instance_type"} | change
    answer = instance.call("POST", "user/runners", json=body)
    assert (answer.status_code, list(answer.json()["message"])) == (400, [field])


def test_a_runner_needs_its_place_and_a_maintainer(instance: Instance) -> None:
    assert instance.call("POST", "user/runners", json={"runner_type": "project_type"}).json() == {
        "error": "project_id is missing"
    }
    assert instance.call("POST", "user/runners", json={"runner_type": "x"}).status_code == 400
    assert instance.call("POST", "user/runners", json={"runner_type": "group_type", "group_id": 99}).status_code == 404
    group = {"runner_type": "group_type", "group_id": instance.account.group_id}
    assert instance.call("POST", "user/runners", json=group).status_code == 201
    developer = instance.project_token(level=30)["token"]
    body = {"runner_type": "project_type", "project_id": instance.account.project_id}
    assert instance.call("POST", "user/runners", token=developer, json=body).status_code == 403


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_created_rotated_and_revoked(instance: Instance) -> None:
    token = instance.project_token(level=30)
    path = instance.project(f"access_tokens/{token['id']}")
    shown = instance.call("GET", path).json()
    assert "token" not in shown
    assert (shown["active"], shown["access_level"]) == (True, 30)
    assert shown["expires_at"] == str(date.today() + timedelta(days=365))
    ends = str(date.today() + timedelta(days=30))
    new = instance.call("POST", f"{path}/rotate", json={"expires_at": ends}).json()
    assert (new["expires_at"], new["user_id"]) == (ends, token["user_id"])
    assert new["id"] != token["id"]
    old = instance.call("GET", path).json()
    assert (old["revoked"], old["active"]) == (True, False)
    assert instance.call("GET", "user", token=token["token"]).status_code == 401
    own = instance.call("POST", instance.project("access_tokens/self/rotate"), token=new["token"]).json()
    assert own["expires_at"] == str(date.today() + timedelta(days=7))

    def listed(query: str) -> list[int]:
        return [t["id"] for t in instance.call("GET", instance.project(f"access_tokens{query}")).json()]

    assert listed("") == [token["id"], new["id"], own["id"]]
    assert listed("?state=inactive") == [token["id"], new["id"]]
    assert listed("?state=active") == [own["id"]]
    assert instance.call("DELETE", instance.project(f"access_tokens/{own['id']}")).status_code == 204
    assert instance.call("GET", instance.project(f"access_tokens/{own['id']}")).status_code == 404


def test_a_token_tells_of_itself_whatever_its_scopes(instance: Instance) -> None:
    administrator = instance.call("GET", "personal_access_tokens/self").json()
    assert (administrator["scopes"], administrator["expires_at"], administrator["active"]) == (["api"], None, True)
    token = instance.project_token(level=20, scopes=("read_repository",))
    shown = instance.call("GET", "personal_access_tokens/self", token=token["token"]).json()
    assert shown == {name: token[name] for name in shown}
    assert not {"token", "access_level"} & shown.keys()
    assert instance.call("GET", "user", token=token["token"]).status_code == 403
    assert instance.call("GET", "personal_access_tokens/self", token=None).status_code == 401
    instance.call("DELETE", instance.project(f"access_tokens/{token['id']}"))
    assert instance.call("GET", "personal_access_tokens/self", token=token["token"]).status_code == 401


def test_who_may_not_manage_tokens_is_not_authorized(instance: Instance) -> None:
    token, tokens = instance.project_token(level=40), instance.project("access_tokens")
    developer, one = instance.project_token(level=30)["token"], f"{tokens}/{token['id']}"
    for method, path in (("GET", tokens), ("GET", one), ("POST", f"{one}/rotate")):
        answer = instance.call(method, path, token=developer)
        assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})
    for method, path, body in (("POST", tokens, {"name": "x", "scopes": ["api"]}), ("DELETE", one, None)):
        assert instance.call(method, path, token=developer, json=body).status_code == 400
    assert instance.call("GET", one).json()["active"] is True


def test_rotating_a_revoked_token_revokes_its_successors(instance: Instance) -> None:
    token = instance.project_token()
    path = instance.project(f"access_tokens/{token['id']}/rotate")
    successor = instance.call("POST", path).json()
    assert instance.call("GET", "user", token=successor["token"]).status_code == 200
    again = instance.call("POST", path)
    assert (again.status_code, again.json()) == (400, {"message": "400 Bad request - token already revoked"})
    assert instance.call("GET", "user", token=successor["token"]).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": timedelta(days=366)},
        {"expires_at": timedelta(days=0)},
        {"expires_at": "soon"},
        {"scopes": []},
        {"scopes": ["root"]},
        {"access_level": 41},
        {"name": ""},
    ],
)
def test_a_token_request_is_checked(instance: Instance, change: Any) -> None:
    # From the day of the request: tests are collected long before they run, and on another day where that is midnight.
    change = {
        name: str(date.today() + value) if isinstance(value, timedelta) else value for name, value in change.items()
    }
    body = {"name": "t", "scopes": ["api"]} | change
    assert instance.call("POST", instance.project("access_tokens"), json=body).status_code == 400
