"""The rules of what pipelines work with: merge requests and notes, environments, schedules, users."""

from typing import Any

from tests.sandbox.gitlab.conftest import Instance

SCHEDULE = {"description": "nightly", "ref": "main", "cron": "0 1 * * *"}


# --- merge requests ---------------------------------------------------------------------------------------------------


def _open(instance: Instance, source: str = "main", target: str = "prod", **more: Any) -> Any:
    body = {"title": "t", "source_branch": source, "target_branch": target} | more
    return instance.call("POST", instance.project("merge_requests"), json=body)


def test_merge_requests(instance: Instance) -> None:
    first = _open(instance, assignee_id=instance.account.alice_id)
    assert first.status_code == 201
    assert first.json()["assignee"]["username"] == "alice"
    again = _open(instance)
    assert (again.status_code, again.json()) == (
        409,
        {"message": ["Another open merge request already exists for this source branch: !1"]},
    )
    assert _open(instance, target="preprod").json()["iid"] == 2
    assert _open(instance, target="main").status_code == 422
    assert _open(instance, source="gone").status_code == 400
    query = "merge_requests?state=opened&source_branch=main&target_branch=prod"
    assert [m["iid"] for m in instance.call("GET", instance.project(query)).json()] == [1]
    closed = instance.call(
        "PUT", instance.project("merge_requests/1"), json={"state_event": "close", "title": "Draft: x"}
    )
    assert (closed.json()["state"], closed.json()["draft"]) == ("closed", True)
    assert instance.call("GET", instance.project(query)).json() == []
    assert _open(instance).json()["iid"] == 3
    assert instance.call("PUT", instance.project("merge_requests/3/merge")).json()["state"] == "merged"
    assert instance.call("PUT", instance.project("merge_requests/3/merge")).status_code == 405
    assert [m["iid"] for m in instance.call("GET", instance.project("merge_requests?sort=asc")).json()] == [1, 2, 3]
    assert [m["iid"] for m in instance.call("GET", instance.project("merge_requests?state=merged")).json()] == [3]


def test_notes(instance: Instance) -> None:
    _open(instance)
    notes = instance.project("merge_requests/1/notes")
    numbers = [instance.call("POST", notes, json={"body": f"n{n}"}).json()["id"] for n in range(21)]
    assert len(instance.call("GET", notes).json()) == 20
    assert instance.call("GET", instance.project("merge_requests/1")).json()["user_notes_count"] == 21
    changed = instance.call("PUT", f"{notes}/{numbers[0]}", json={"body": "new"})
    assert changed.json()["body"] == "new"
    assert instance.call("GET", f"{notes}/{numbers[0]}").json()["body"] == "new"
    assert instance.call("POST", notes, json={}).json() == {"error": "body is missing"}
    assert instance.call("POST", notes, json={"body": "x" * 1_000_001}).status_code == 400
    reporter = instance.project_token(level=20)["token"]
    assert instance.call("PUT", f"{notes}/{numbers[0]}", token=reporter, json={"body": "x"}).status_code == 403
    own = instance.call("POST", notes, token=reporter, json={"body": "mine"}).json()
    assert instance.call("PUT", f"{notes}/{own['id']}", token=reporter, json={"body": "still mine"}).status_code == 200
    assert instance.call("DELETE", f"{notes}/{own['id']}", token=reporter).status_code == 204
    assert instance.call("GET", f"{notes}/{own['id']}").status_code == 404


# --- environments -----------------------------------------------------------------------------------------------------


def test_environments(instance: Instance) -> None:
    created = instance.call("POST", instance.project("environments"), json={"name": "review/One two"}).json()
    assert (created["slug"], created["tier"], created["state"]) == ("review-one-two", "development", "available")
    path = instance.project(f"environments/{created['id']}")
    again = instance.call("POST", instance.project("environments"), json={"name": "review/One two"})
    assert again.json() == {"message": {"name": ["has already been taken"]}}
    assert instance.call("POST", instance.project("environments"), json={"name": "a*b"}).status_code == 400
    changed = instance.call("PUT", path, json={"external_url": "https://x", "tier": "production"}).json()
    assert (changed["external_url"], changed["tier"]) == ("https://x", "production")
    assert instance.call("DELETE", path).status_code == 403
    assert instance.call("POST", f"{path}/stop").json()["state"] == "stopped"
    assert [e["id"] for e in instance.call("GET", instance.project("environments?states=stopped")).json()] == [
        created["id"]
    ]
    assert instance.call("DELETE", path).status_code == 204
    assert instance.call("GET", path).json() == {"message": "404 Not found"}


def test_protected_environments(instance: Instance) -> None:
    body = {
        "name": "prod",
        "deploy_access_levels": [{"access_level": 40}],
        "approval_rules": [{"user_id": instance.account.alice_id}],
    }
    rule = instance.call("POST", instance.project("protected_environments"), json=body).json()
    assert rule["deploy_access_levels"][0]["access_level_description"] == "Maintainers"
    assert rule["approval_rules"][0]["required_approvals"] == 1
    assert instance.call("POST", instance.project("protected_environments"), json=body).status_code == 409
    number = rule["deploy_access_levels"][0]["id"]
    change = {"deploy_access_levels": [{"id": number, "_destroy": True}, {"access_level": 60}]}
    changed = instance.call("PUT", instance.project("protected_environments/prod"), json=change).json()
    assert [i["access_level"] for i in changed["deploy_access_levels"]] == [60]
    assert instance.call("GET", instance.project("protected_environments")).json() == [changed]
    assert instance.call("DELETE", instance.project("protected_environments/prod")).status_code == 204


# --- schedules, users -------------------------------------------------------------------------------------------------


def test_schedules_and_their_variables(instance: Instance) -> None:
    created = instance.call("POST", instance.project("pipeline_schedules"), json=SCHEDULE).json()
    assert (created["ref"], created["active"], created["owner"]["username"]) == ("refs/heads/main", True, "root")
    path = instance.project(f"pipeline_schedules/{created['id']}")
    assert instance.call("PUT", path, json={"cron": "61"}).json() == {"message": {"cron": ["syntax is invalid"]}}
    assert instance.call("PUT", path, json={"active": False}).json()["active"] is False
    assert instance.call("PUT", path, json={"ref": "gone"}).status_code == 400
    variable = instance.call("POST", f"{path}/variables", json={"key": "A", "value": "1"})
    assert variable.status_code == 201
    assert instance.call("POST", f"{path}/variables", json={"key": "A", "value": "1"}).status_code == 400
    assert instance.call("PUT", f"{path}/variables/A", json={"value": "2"}).json()["value"] == "2"
    assert instance.call("GET", path).json()["variables"][0]["value"] == "2"
    assert "variables" not in instance.call("GET", instance.project("pipeline_schedules")).json()[0]
    assert instance.call("DELETE", f"{path}/variables/A").status_code == 202
    other = instance.project_token(level=40)["token"]
    assert instance.call("PUT", path, token=other, json={"active": True}).status_code == 403
    assert instance.call("POST", f"{path}/take_ownership", token=other).status_code == 201
    assert instance.call("POST", f"{path}/take_ownership", token=other).status_code == 200
    assert instance.call("PUT", path, token=other, json={"active": True}).status_code == 200
    assert instance.call("DELETE", path).status_code == 204


def test_users(instance: Instance) -> None:
    alice = instance.call("GET", "users?username=alice").json()
    assert [u["id"] for u in alice] == [instance.account.alice_id]
    assert instance.call("GET", "users?username=nobody").json() == []
    assert instance.call("GET", f"users/{instance.account.bob_id}").json()["username"] == "bob"
    bot = instance.project_token()["token"]
    seen = instance.call("GET", f"users/{instance.account.bob_id}", token=bot).json()
    assert "email" not in seen
    for user in instance.call("GET", "users", token=bot).json():
        assert set(user) < set(seen), "a list has the basic form only"
    assert instance.call("GET", "users?search=ALI").json() == alice
