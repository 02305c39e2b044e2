"""Projects, applications, API keys, policies and users; and what an unknown, old or removed key gets."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.scaleway import Account, make_service, seed

PROJECTS = "/account/v3/projects"
APPLICATIONS = "/iam/v1alpha1/applications"
KEYS = "/iam/v1alpha1/api-keys"
POLICIES = "/iam/v1alpha1/policies"
RULES = "/iam/v1alpha1/rules"
NOBODY = "2d6c8f63-0000-4000-8000-000000000000"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def application(api: Any) -> Any:
    return api.post(APPLICATIONS, {"name": "ci", "description": "a", "tags": ["t"]})


def test_every_route_refuses_an_unknown_key(api: Any, server: Any) -> None:
    routes = [r for r in make_service(server.store, server.planes, server.requests).routes if not r.public]
    assert len(routes) > 80
    for route in routes:
        path = re.sub(
            r"<(\w+)>", lambda part: {"region": "fr-par", "zone": "fr-par-1"}.get(part[1], NOBODY), route.rule
        )
        for token, reason in (("", "invalid_argument"), (NOBODY, "not_found")):
            error = api.ask(route.method, path, None, 401, token=token)
            assert error == {
                "message": "authentication is denied",
                "method": "api_key",
                "reason": reason,
                "type": "denied_authentication",
            }


def test_every_route_of_one_thing_answers_404_for_an_unknown_one(api: Any, server: Any) -> None:
    routes = [r for r in make_service(server.store, server.planes, server.requests).routes if "<id>" in r.rule]
    assert len(routes) > 50
    for route in routes:
        path = re.sub(r"<(\w+)>", lambda part: {"region": "fr-par"}.get(part[1], NOBODY), route.rule)
        error = api.ask(route.method, path, {}, 404)
        if "registry" in path:
            assert error == {"message": "Namespace was not found"}
        else:
            assert (error["type"], error["message"]) == ("not_found", "resource is not found")
            assert error["resource_id"] == NOBODY
            assert set(error) == {"message", "resource", "resource_id", "type"}


def test_operations_have_names_of_their_own(server: Any) -> None:
    names = [r.operation for r in make_service(server.store, server.planes, server.requests).routes]
    assert len(names) == len(set(names))
    products = "account|catalog|iam|instance|ipam|k8s|registry|secret|vpc"
    assert [n for n in names if not re.fullmatch(rf"({products})\.[A-Z]\w+", n)] == []


def test_a_body_must_be_an_object(api: Any) -> None:
    assert api.post(PROJECTS, ["name"], 400)["type"] == "invalid_arguments"


def test_the_seed_is_the_same_each_time_and_hides_its_secret(api: Any, store: Any) -> None:
    before = {table: store.all(table) for table in store.tables()}
    again = seed(store)
    assert again == api.account
    assert {table: store.all(table) for table in store.tables()} == before
    assert again.secret_key not in repr(again)
    assert re.fullmatch(r"SCW[A-Z0-9]{17}", again.access_key)
    assert again.project_id == again.organization_id
    assert isinstance(again, Account)


def test_the_seed_puts_back_what_a_reset_took(api: Any, store: Any) -> None:
    store.clear(keep=("scaleway.sandbox.account",))
    api.get(PROJECTS, 401)
    assert seed(store) == api.account
    assert [p["id"] for p in api.get(PROJECTS)["projects"]] == [api.account.project_id]
    assert [u["type"] for u in api.get("/iam/v1alpha1/users")["users"]] == ["owner"]


def test_no_secret_is_shown_by_the_sandbox_itself(api: Any, application: Any) -> None:
    secret = api.post(KEYS, {"application_id": application["id"]})["secret_key"]
    for path in ("/_sandbox/state", "/_sandbox/requests"):
        text = api.client.get(api.url + path).text
        assert application["id"] in text
        assert secret not in text
        assert api.account.secret_key not in text


def test_a_failure_on_purpose_has_scaleways_words(api: Any) -> None:
    asked = api.client.post(f"{api.url}/_sandbox/fault", json={"operation": "iam.ListAPIKeys", "status": 429})
    assert asked.status_code == 201
    answer = api.client.get(api.url + KEYS)
    assert (answer.status_code, answer.json()) == (
        429, {"message": "too many requests", "type": "too_many_requests"}
    )  # fmt: skip


def test_projects(api: Any) -> None:
    project = api.post(PROJECTS, {"name": "dev", "organization_id": api.account.organization_id, "description": "d"})
    assert set(project) == {
        "id",
        "name",
        "organization_id",
        "created_at",
        "updated_at",
        "description",
        "qualification",
    }
    assert MOMENT.fullmatch(project["created_at"])
    path = f"{PROJECTS}/{project['id']}"
    assert api.get(path) == project
    changed = api.patch(path, {"description": "", "name": "dev"})
    assert (changed["name"], changed["description"]) == ("dev", "")
    assert changed["updated_at"] > project["updated_at"]
    assert api.post(PROJECTS, {"name": "dev"}, 409)["type"] == "already_exists"
    other = api.project("other")
    assert api.patch(f"{PROJECTS}/{other}", {"name": "dev"}, 409)["resource_id"] == project["id"]
    assert [p["name"] for p in api.get(PROJECTS, name="dev")["projects"]] == ["dev"]
    assert api.get(PROJECTS, project_ids=[other])["total_count"] == 1
    assert [p["name"] for p in api.get(PROJECTS, order_by="name_desc", page_size=1)["projects"]] == ["other"]
    api.delete(path)
    api.get(path, 404)
    api.post(PROJECTS, {"name": "x", "organization_id": NOBODY}, 403)


@pytest.mark.parametrize("product", ["cluster", "private_network", "vpc", "secret", "namespace"])
def test_a_project_that_holds_something_is_not_deleted(api: Any, product: str) -> None:
    project = api.project()
    body = {"name": "thing", "project_id": project}
    region = "regions/fr-par"
    if product == "cluster":
        thing = f"/k8s/v1/{region}/clusters/{api.cluster(project_id=project)['id']}"
    elif product == "private_network":
        thing = f"/vpc/v2/{region}/private-networks/{api.private_network(project)['id']}"
    else:
        paths = {
            "vpc": f"/vpc/v2/{region}/vpcs",
            "secret": f"/secret-manager/v1beta1/{region}/secrets",
            "namespace": f"/registry/v1/{region}/namespaces",
        }
        thing = f"{paths[product]}/{api.post(paths[product], body)['id']}"
    error = api.delete(f"{PROJECTS}/{project}", 412)
    assert (error["type"], error["precondition"]) == ("precondition_failed", "resource_still_in_use")
    api.delete(thing, 200 if product in ("cluster", "namespace") else 204, with_additional_resources="true")
    api.delete(f"{PROJECTS}/{project}")
    assert api.get(f"/vpc/v2/{region}/vpcs", project_id=project)["total_count"] == 0


def test_the_default_project_stays(api: Any) -> None:
    assert api.delete(f"{PROJECTS}/{api.account.project_id}", 412)["type"] == "precondition_failed"


def test_applications(api: Any, application: Any) -> None:
    assert set(application) == {
        "id",
        "name",
        "description",
        "created_at",
        "updated_at",
        "organization_id",
        "editable",
        "deletable",
        "managed",
        "nb_api_keys",
        "tags",
    }
    path = f"{APPLICATIONS}/{application['id']}"
    assert api.get(path) == application
    changed = api.patch(path, {"name": "cd", "tags": []})
    assert (changed["name"], changed["description"], changed["tags"]) == ("cd", "a", [])
    api.post(APPLICATIONS, {"name": "ci"})
    assert api.post(APPLICATIONS, {"name": "ci"}, 409)["resource"] == "application"
    api.patch(path, {"name": "ci"}, 409)
    assert [a["name"] for a in api.get(APPLICATIONS, order_by="name_desc")["applications"]] == ["ci", "cd"]
    assert api.get(APPLICATIONS, page=2, page_size=1)["total_count"] == 2
    assert len(api.get(APPLICATIONS, page=2, page_size=1)["applications"]) == 1
    assert api.get(APPLICATIONS, application_ids=[application["id"]])["total_count"] == 1
    assert api.get(APPLICATIONS, organization_id=NOBODY)["total_count"] == 0
    api.post(APPLICATIONS, {"name": "x", "organization_id": NOBODY}, 403)


def test_an_api_key_shows_its_secret_once(api: Any, application: Any) -> None:
    key = api.post(KEYS, {"application_id": application["id"], "description": "d"})
    assert set(key) == {
        "access_key",
        "secret_key",
        "application_id",
        "description",
        "created_at",
        "updated_at",
        "expires_at",
        "default_project_id",
        "editable",
        "deletable",
        "managed",
        "creation_ip",
    }
    assert re.fullmatch(r"SCW[A-Z0-9]{17}", key["access_key"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key["secret_key"])
    assert (key["default_project_id"], key["expires_at"]) == (api.account.project_id, None)
    path = f"{KEYS}/{key['access_key']}"
    assert api.get(path) == key | {"secret_key": None}
    project = api.project()
    changed = api.patch(path, {"description": "e", "default_project_id": project})
    assert (changed["description"], changed["default_project_id"], changed["secret_key"]) == ("e", project, None)
    api.patch(path, {"default_project_id": NOBODY}, 403)
    assert api.get(f"{APPLICATIONS}/{application['id']}")["nb_api_keys"] == 1
    for query in (
        {"application_id": application["id"]},
        {"bearer_id": application["id"]},
        {"bearer_type": "application"},
        {"access_key": key["access_key"]},
        {"access_keys": [key["access_key"]]},
        {"description": "e"},
    ):
        assert [k["access_key"] for k in api.get(KEYS, **query)["api_keys"]] == [key["access_key"]]
        assert [k["secret_key"] for k in api.get(KEYS, **query)["api_keys"]] == [None]
    assert api.get(KEYS, expired="true")["total_count"] == 0
    assert api.ask("GET", path, None, 200, token=key["secret_key"])["secret_key"] is None
    api.delete(path)
    api.get(path, 404)
    api.ask("GET", PROJECTS, None, 401, token=key["secret_key"])


def test_an_expiry_date_is_normalised_and_obeyed(api: Any, application: Any, store: Any) -> None:
    body = {"application_id": application["id"], "expires_at": "2150-01-01T01:00:00+02:00"}
    key = api.post(KEYS, body)
    assert key["expires_at"] == "2149-12-31T23:00:00.000000Z"
    path = f"{KEYS}/{key['access_key']}"
    assert api.patch(path, {"expires_at": "2151-01-01T00:00:00Z"})["expires_at"] == "2151-01-01T00:00:00.000000Z"
    stored = store.get("scaleway.iam.api_keys", key["access_key"])
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    store.put("scaleway.iam.api_keys", key["access_key"], stored | {"expires_at": past})
    assert api.ask("GET", PROJECTS, None, 401, token=key["secret_key"])["reason"] == "expired"
    assert [k["access_key"] for k in api.get(KEYS, expired="true")["api_keys"]] == [key["access_key"]]
    for wrong in (past, "tomorrow", "2150-13-01T00:00:00Z", 7):
        assert api.post(KEYS, body | {"expires_at": wrong}, 400)["details"][0]["argument_name"] == "expires_at"


def test_a_key_has_one_bearer(api: Any, application: Any) -> None:
    owner = api.get("/iam/v1alpha1/users")["users"][0]["id"]
    assert api.post(KEYS, {"user_id": owner})["user_id"] == owner
    for bearer in ({}, {"user_id": owner, "application_id": application["id"]}):
        api.post(KEYS, bearer, 400)
    api.post(KEYS, {"application_id": NOBODY}, 404)
    api.post(KEYS, {"user_id": NOBODY}, 404)
    assert api.get(f"/iam/v1alpha1/users/{owner}")["type"] == "owner"


def test_a_deleted_application_takes_its_keys_along(api: Any, application: Any) -> None:
    key = api.post(KEYS, {"application_id": application["id"]})
    rules = [{"permission_set_names": ["IAMReadOnly"], "organization_id": api.account.organization_id}]
    policy = api.post(POLICIES, {"name": "p", "application_id": application["id"], "rules": rules})
    api.delete(f"{APPLICATIONS}/{application['id']}")
    api.get(f"{APPLICATIONS}/{application['id']}", 404)
    api.get(f"{KEYS}/{key['access_key']}", 404)
    api.ask("GET", PROJECTS, None, 401, token=key["secret_key"])
    left = api.get(f"{POLICIES}/{policy['id']}")
    assert left["no_principal"] is True
    assert "application_id" not in left


def test_policies_and_their_rules(api: Any, application: Any) -> None:
    project, organization = api.project(), api.account.organization_id
    body = {
        "name": "ci",
        "description": "",
        "organization_id": organization,
        "tags": ["t"],
        "application_id": application["id"],
        "rules": [
            {
                "permission_set_names": ["KubernetesReadOnly", "VPCReadOnly"],
                "project_ids": [project],
                "condition": 'request.ip == "192.0.2.1"',
            },
            {"permission_set_names": ["IAMReadOnly"], "condition": "", "organization_id": organization},
        ],
    }
    policy = api.post(POLICIES, body)
    assert set(policy) == {
        "id",
        "name",
        "description",
        "organization_id",
        "created_at",
        "updated_at",
        "editable",
        "deletable",
        "managed",
        "nb_rules",
        "nb_scopes",
        "nb_permission_sets",
        "tags",
        "application_id",
    }
    assert (policy["nb_rules"], policy["nb_scopes"], policy["nb_permission_sets"]) == (2, 2, 3)
    path = f"{POLICIES}/{policy['id']}"
    assert api.get(path) == policy
    listed = api.get(RULES, policy_id=policy["id"], page=1)
    assert listed["total_count"] == 2
    assert [{k: v for k, v in r.items() if k != "id"} for r in listed["rules"]] == [
        body["rules"][0] | {"permission_sets_scope_type": "projects"},
        body["rules"][1] | {"permission_sets_scope_type": "organization"},
    ]
    only = {"permission_set_names": ["KubernetesFullAccess"], "project_ids": [project]}
    assert len(api.put(RULES, {"policy_id": policy["id"], "rules": [only]})["rules"]) == 1
    assert api.get(RULES, policy_id=policy["id"])["total_count"] == 1
    changed = api.patch(path, {"name": "cd", "no_principal": True})
    assert (changed["name"], changed["no_principal"], changed["nb_rules"]) == ("cd", True, 1)
    assert "application_id" not in changed
    assert api.patch(path, {"application_id": application["id"]})["application_id"] == application["id"]
    assert api.post(POLICIES, body | {"name": "cd"}, 409)["resource"] == "policy"
    assert api.get(POLICIES, policy_name="cd", application_ids=[application["id"]])["total_count"] == 1
    assert api.get(POLICIES, no_principal="true")["total_count"] == 0
    api.delete(path)
    api.get(path, 404)
    api.get(RULES, 404, policy_id=policy["id"])
    api.get(RULES, 400)


@pytest.mark.parametrize(
    ("rule", "argument"),
    [
        ({"permission_set_names": []}, "permission_set_names"),
        ({"permission_set_names": ["MakeTea"]}, "permission_set_names"),
        ({"permission_set_names": ["IAMReadOnly", "VPCReadOnly"]}, "permission_set_names"),
        ({"permission_set_names": ["IAMReadOnly"]}, "scope"),
        ({"project_ids": []}, "scope"),
        ({"organization_id": NOBODY}, "scope"),
        ({"project_ids": [NOBODY]}, "project_ids"),
    ],
)
def test_a_rule_that_cannot_be(api: Any, application: Any, rule: dict[str, Any], argument: str) -> None:
    wanted = {"permission_set_names": ["VPCReadOnly"], "project_ids": [api.account.project_id]} | rule
    body = {"name": "p", "application_id": application["id"], "rules": [wanted]}
    assert api.post(POLICIES, body, 400)["details"][0]["argument_name"] == argument
    assert api.get(POLICIES)["total_count"] == 0


def test_a_policy_has_one_principal(api: Any, application: Any) -> None:
    api.post(POLICIES, {"name": "p"}, 400)
    api.post(POLICIES, {"name": "p", "application_id": application["id"], "no_principal": True}, 400)
    for unknown in ("application_id", "user_id", "group_id"):
        api.post(POLICIES, {"name": "p", unknown: NOBODY}, 404)
    assert api.post(POLICIES, {"name": "p", "no_principal": True})["nb_rules"] == 0


def test_permission_sets(api: Any) -> None:
    path = "/iam/v1alpha1/permission-sets"
    total = api.get(path)["total_count"]
    sets = [
        s for page in range(1, total // 100 + 2) for s in api.get(path, page_size=100, page=page)["permission_sets"]
    ]
    assert len(sets) == total
    assert set(sets[0]) == {"id", "name", "scope_type", "description", "categories"}
    scopes = {s["name"]: s["scope_type"] for s in sets}
    assert (scopes["KubernetesFullAccess"], scopes["ProjectManager"]) == ("projects", "organization")
    assert api.get(path, page_size=1)["permission_sets"] == sets[:1]
