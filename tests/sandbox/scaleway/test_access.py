"""Who gets in, and who may do what where: keys, applications, groups, users, and the projects of things."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.scaleway import make_service
from sandbox.scaleway.operations import OPERATIONS

KEYS = "/iam/v1alpha1/api-keys"
GROUPS = "/iam/v1alpha1/groups"
POLICIES = "/iam/v1alpha1/policies"
RULES = "/iam/v1alpha1/rules"
PROJECTS = "/account/v3/projects"
NOBODY = "2d6c8f63-0000-4000-8000-000000000000"
CLUSTERS = "/k8s/v1/regions/fr-par/clusters"
SECRETS = "/secret-manager/v1beta1/regions/fr-par/secrets"


def on(*projects: str, sets: tuple[str, ...] = ("KubernetesReadOnly",)) -> dict[str, Any]:
    return {"permission_set_names": list(sets), "project_ids": list(projects)}


def everywhere(api: Any, *sets: str) -> dict[str, Any]:
    return {"permission_set_names": list(sets), "organization_id": api.account.organization_id}


# Keys.


def test_a_key_without_a_policy_may_look_at_itself_and_no_more(api: Any, server: Any, world: Any) -> None:
    key = api.key()
    token, own = key["secret_key"], f"{KEYS}/{key['access_key']}"
    assert api.ask("GET", own, token=token)["access_key"] == key["access_key"]
    api.ask("GET", f"{KEYS}/{api.account.access_key}", None, 403, token=token)
    api.ask("PATCH", own, {"description": "mine"}, 403, token=token)
    api.ask("DELETE", own, None, 403, token=token)
    before = world.everything()
    for route in make_service(server.store, server.planes, server.requests).routes:
        if route.public:
            continue
        _, resource, action = OPERATIONS[route.operation][0].split(":")
        error = api.ask(route.method, world.path(route.rule), world.body, 403, token=token)
        assert error == {
            "message": "insufficient permissions",
            "type": "permissions_denied",
            "details": [{"resource": resource, "action": action}],
        }
    assert world.everything() == before


def test_the_owner_may_do_everything(api: Any, server: Any, world: Any) -> None:
    owner = api.get("/iam/v1alpha1/users")["users"][0]["id"]
    second = api.post(KEYS, {"user_id": owner})["secret_key"]
    routes = make_service(server.store, server.planes, server.requests).routes
    for route in sorted(routes, key=lambda r: (r.method == "DELETE", r.operation)):
        response = api.client.request(
            route.method,
            api.url + world.path(route.rule),
            json=world.body,
            headers={"X-Auth-Token": second, "X-Sandbox-Client-Ip": "203.0.113.9"},
        )
        assert response.status_code not in (401, 403, 500, 501), f"{route.operation}: {response.text}"


def test_a_key_expires_by_the_clock(api: Any) -> None:
    key = api.key(on(api.account.project_id), expires_at="2150-01-01T00:00:00Z")
    token = key["secret_key"]
    api.clock.moment = datetime(2149, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    api.ask("GET", CLUSTERS, token=token, project_id=api.account.project_id)
    assert api.get(KEYS, expired="true")["total_count"] == 0
    api.clock.moment = datetime(2150, 1, 1, tzinfo=UTC)
    error = api.ask("GET", CLUSTERS, None, 401, token=token, project_id=api.account.project_id)
    assert error == {
        "message": "authentication is denied",
        "method": "api_key",
        "reason": "expired",
        "type": "denied_authentication",
    }
    assert [k["access_key"] for k in api.get(KEYS, expired="true")["api_keys"]] == [key["access_key"]]
    assert [k["access_key"] for k in api.get(KEYS, expired="false")["api_keys"]] == [api.account.access_key]


@pytest.mark.parametrize("how", ["its own deletion", "its application's deletion", "a lost application"])
def test_a_key_ends_with(api: Any, store: Any, how: str) -> None:
    key = api.key(on(api.account.project_id))
    api.ask("GET", CLUSTERS, token=key["secret_key"], project_id=api.account.project_id)
    if how == "its own deletion":
        api.delete(f"{KEYS}/{key['access_key']}")
    elif how == "its application's deletion":
        api.delete(f"/iam/v1alpha1/applications/{key['application_id']}")
    else:
        store.delete("scaleway.iam.applications", key["application_id"])
    error = api.ask("GET", CLUSTERS, None, 401, token=key["secret_key"], project_id=api.account.project_id)
    assert (error["type"], error["reason"]) == ("denied_authentication", "not_found")


# Projects.


def test_a_thing_is_in_its_project(api: Any) -> None:
    """What is in a cluster or a secret is in that one's project; the region of a path does not matter."""
    mine, other = api.project("mine"), api.project("other")
    token = api.token(on(mine, sets=("KubernetesFullAccess", "SecretManagerFullAccess")))
    for project, expect in ((mine, 200), (other, 403)):
        cluster = api.cluster(project_id=project, name=f"in-{expect}")["id"]
        pool = api.pool(cluster)["id"]
        node = api.get(f"{CLUSTERS}/{cluster}/nodes")["nodes"][0]["id"]
        acl = api.get(f"{CLUSTERS}/{cluster}/acls")["rules"][0]["id"]
        secret = api.post(SECRETS, {"name": "s", "project_id": project})["id"]
        api.post(f"{SECRETS}/{secret}/versions", {"data": "b25l"})
        base = "/k8s/v1/regions/fr-par"
        for path in (
            f"{CLUSTERS}/{cluster}",
            f"{CLUSTERS}/{cluster}/kubeconfig",
            f"{CLUSTERS}/{cluster}/pools",
            f"{CLUSTERS}/{cluster}/nodes",
            f"{CLUSTERS}/{cluster}/acls",
            f"{CLUSTERS}/{cluster}/available-versions",
            f"{base}/pools/{pool}",
            f"{base}/nodes/{node}",
            f"{SECRETS}/{secret}",
            f"{SECRETS}/{secret}/versions",
            f"{SECRETS}/{secret}/versions/1/access",
        ):
            api.ask("GET", path, None, expect, token=token)
        elsewhere = 404 if expect == 200 else 403
        api.ask("GET", f"{CLUSTERS}/{cluster}".replace("fr-par", "nl-ams"), None, elsewhere, token=token)
        gone = 204 if expect == 200 else 403
        api.ask("DELETE", f"{base}/acls/{acl}", None, gone, token=token)


def test_an_unknown_thing_is_a_404_to_who_could_see_it(api: Any) -> None:
    token = api.token(on(api.project()))
    api.ask("GET", f"{CLUSTERS}/{NOBODY}", None, 404, token=token)
    api.ask("DELETE", f"{CLUSTERS}/{NOBODY}", None, 403, token=token)
    api.ask("GET", f"{SECRETS}/{NOBODY}", None, 403, token=token)


def test_a_list_without_a_project_is_one_of_the_organization(api: Any) -> None:
    mine, other = api.project("mine"), api.project("other")
    for project in (mine, other):
        api.cluster(project_id=project, name="k")
    scoped = api.token(on(mine))
    assert api.ask("GET", CLUSTERS, token=scoped, project_id=mine)["total_count"] == 1
    for query in ({}, {"project_id": other}, {"project_id": NOBODY}, {"project_id": ""}):
        api.ask("GET", CLUSTERS, None, 403, token=scoped, **query)
    api.ask("GET", CLUSTERS, None, 403, token=scoped, organization_id=api.account.organization_id)
    both = api.token(on(mine, other))
    api.ask("GET", CLUSTERS, None, 403, token=both)
    assert api.ask("GET", CLUSTERS, token=both, project_id=other)["total_count"] == 1
    all_of_them = api.token(everywhere(api, "AllProductsReadOnly"))
    assert api.ask("GET", CLUSTERS, token=all_of_them)["total_count"] == 2
    later = api.project("later")
    assert api.ask("GET", CLUSTERS, token=all_of_them, project_id=later)["total_count"] == 0


def test_what_is_created_is_in_the_project_of_the_body(api: Any) -> None:
    mine, other = api.project("mine"), api.project("other")
    token = api.token(on(mine, sets=("SecretManagerSecretCreate",)))
    api.ask("POST", SECRETS, {"name": "s", "project_id": mine}, token=token)
    for project in (other, NOBODY, api.account.project_id):
        error = api.ask("POST", SECRETS, {"name": "s", "project_id": project}, 403, token=token)
        assert error["details"] == [{"resource": "secret", "action": "create"}]
    for body in ({"name": "t"}, {"name": "t", "project_id": ""}, {"name": "t", "project_id": 7}):
        api.ask("POST", SECRETS, body, 400, token=token)
    assert [s["name"] for s in api.get(SECRETS)["secrets"]] == ["s"]


# Rules and policies.


def test_rules_of_all_policies_add_up_and_change_at_once(api: Any) -> None:
    mine, other = api.project("mine"), api.project("other")
    key = api.key(on(mine), on(mine, other, sets=("SecretManagerReadOnly",)))
    token = key["secret_key"]
    asked = [(path, project) for path in (CLUSTERS, SECRETS) for project in (mine, other)]

    def answers() -> list[bool]:
        return [
            api.client.get(api.url + path, params={"project_id": project}, headers={"X-Auth-Token": token}).is_success
            for path, project in asked
        ]

    assert answers() == [True, False, True, True]
    more = {"name": "more", "application_id": key["application_id"], "rules": [on(other)]}
    policy = api.post(POLICIES, more)["id"]
    assert answers() == [True, True, True, True]
    api.put(RULES, {"policy_id": policy, "rules": [on(mine)]})
    assert answers() == [True, False, True, True]
    api.put(RULES, {"policy_id": policy, "rules": [everywhere(api, "KubernetesFullAccess")]})
    assert answers() == [True, True, True, True]
    api.patch(f"{POLICIES}/{policy}", {"no_principal": True})
    assert answers() == [True, False, True, True]
    api.patch(f"{POLICIES}/{policy}", {"application_id": key["application_id"]})
    assert answers() == [True, True, True, True]
    api.delete(f"{POLICIES}/{policy}")
    assert answers() == [True, False, True, True]
    first = api.get(POLICIES, application_ids=[key["application_id"]])["policies"][0]
    api.put(RULES, {"policy_id": first["id"], "rules": []})
    assert answers() == [False] * 4


def test_a_manager_may_give_itself_what_it_likes(api: Any) -> None:
    """As Scaleway warns of IAMManager."""
    key = api.key(everywhere(api, "IAMManager"))
    token = key["secret_key"]
    project = api.ask("POST", PROJECTS, {"name": "new"}, token=token)["id"]
    api.ask("GET", SECRETS, None, 403, token=token, project_id=project)
    rules = [on(project, sets=("SecretManagerReadOnly",))]
    api.ask("POST", POLICIES, {"name": "q", "application_id": key["application_id"], "rules": rules}, token=token)
    api.ask("GET", SECRETS, token=token, project_id=project)


def test_a_reader_of_iam_changes_nothing(api: Any) -> None:
    token = api.token(everywhere(api, "IAMReadOnly", "ProjectReadOnly"))
    for path in (POLICIES, KEYS, GROUPS, PROJECTS, "/iam/v1alpha1/users", "/iam/v1alpha1/permission-sets"):
        api.ask("GET", path, token=token)
    for path in (POLICIES, KEYS, GROUPS, PROJECTS, "/iam/v1alpha1/applications"):
        assert api.ask("POST", path, {"name": "x"}, 403, token=token)["details"][0]["action"] == "create"


# Users and groups.


def test_a_user_who_is_not_the_owner_needs_policies_too(api: Any, store: Any) -> None:
    owner = api.get("/iam/v1alpha1/users")["users"][0]
    member = owner | {"id": NOBODY, "type": "member", "username": "member"}
    store.put("scaleway.iam.users", NOBODY, member)
    token = api.post(KEYS, {"user_id": NOBODY})["secret_key"]
    api.ask("GET", PROJECTS, None, 403, token=token)
    api.post(POLICIES, {"name": "p", "user_id": NOBODY, "rules": [everywhere(api, "ProjectReadOnly")]})
    api.ask("GET", PROJECTS, token=token)
    api.ask("POST", PROJECTS, {"name": "x"}, 403, token=token)


def test_a_group_has_its_policies(api: Any) -> None:
    group = api.post(GROUPS, {"name": "readers", "description": "d", "tags": ["t"]})
    assert set(group) == {
        "id",
        "created_at",
        "updated_at",
        "organization_id",
        "name",
        "description",
        "user_ids",
        "application_ids",
        "tags",
        "editable",
        "deletable",
        "managed",
    }
    path = f"{GROUPS}/{group['id']}"
    policy = api.post(POLICIES, {"name": "p", "group_id": group["id"], "rules": [everywhere(api, "ProjectReadOnly")]})
    one, two = api.key(), api.key()
    member = {"application_id": one["application_id"]}
    api.ask("GET", PROJECTS, None, 403, token=one["secret_key"])
    assert api.post(f"{path}/add-member", member)["application_ids"] == [one["application_id"]]
    api.ask("GET", PROJECTS, token=one["secret_key"])
    both = {"application_ids": [two["application_id"], one["application_id"]]}
    assert len(api.post(f"{path}/add-members", both)["application_ids"]) == 2
    api.ask("GET", PROJECTS, token=two["secret_key"])
    assert api.get(GROUPS, application_ids=[two["application_id"]])["total_count"] == 1
    assert api.get(GROUPS, user_ids=[NOBODY])["total_count"] == 0
    assert api.get(GROUPS, group_ids=[NOBODY])["total_count"] == 0
    api.post(f"{path}/remove-member", member)
    api.ask("GET", PROJECTS, None, 403, token=one["secret_key"])
    assert api.put(f"{path}/members", member | {"application_ids": [one["application_id"]]})["user_ids"] == []
    api.ask("GET", PROJECTS, token=one["secret_key"])
    api.delete(f"/iam/v1alpha1/applications/{one['application_id']}")
    assert api.get(path)["application_ids"] == []
    api.delete(path)
    assert api.get(f"{POLICIES}/{policy['id']}")["no_principal"] is True
    api.get(path, 404)


def test_groups_are_checked(api: Any) -> None:
    group = api.post(GROUPS, {"name": "g"})
    path = f"{GROUPS}/{group['id']}"
    assert api.patch(path, {"name": "h", "tags": ["t"]})["name"] == "h"
    other = api.post(GROUPS, {})
    assert other["name"].startswith("grp-")
    assert api.post(GROUPS, {"name": "h"}, 409)["resource"] == "group"
    api.patch(f"{GROUPS}/{other['id']}", {"name": "h"}, 409)
    api.post(GROUPS, {"name": "x", "organization_id": NOBODY}, 403)
    for body in ({}, {"user_id": NOBODY, "application_id": NOBODY}):
        api.post(f"{path}/add-member", body, 400)
    api.post(f"{path}/add-member", {"user_id": NOBODY}, 404)
    api.put(f"{path}/members", {"application_ids": [NOBODY]}, 404)
    assert api.get(GROUPS, name="h")["groups"] == [api.get(path)]
