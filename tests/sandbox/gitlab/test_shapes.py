"""Every answer of the GitLab stand-in against the shapes of GitLab's API reference.

The fixtures compare whatever any test here asks for; this file holds that each route is asked, that shapes.yaml is whole,
and that GitLab's usual Python client finds in an answer what it needs.
"""

from collections.abc import Callable
from typing import Any

import gitlab.v4.objects as client
import pytest

from tests.sandbox.gitlab import shapes
from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played

SCHEDULE = {"description": "nightly", "ref": "main", "cron": "0 1 * * *"}
PAID = "gitlab.ProtectedEnvironments."


def _routes(instance: Instance) -> list[tuple[str, str]]:
    return [(r.method, r.operation) for r in instance.service.routes if r.operation.startswith("gitlab.")]


def test_every_route_has_a_shape_and_no_shape_is_idle(instance: Instance) -> None:
    routes = _routes(instance)
    assert [operation for method, operation in routes if shapes.answer_of(method, operation) is None] == []
    assert shapes.named() - {operation for _, operation in routes} == set()
    used = {name for entry in shapes.shapes().values() for form in entry.keys(True).values() for name in _names(form)}
    for method, operation in routes:
        answer = shapes.answer_of(method, operation)
        assert answer is not None
        used.update(_names(answer.form))
    assert set(shapes.shapes()) - used == set()


def _names(form: Any) -> list[str]:
    names: list[str] = (form[0] if isinstance(form, list) else form).split("|")
    return names


@pytest.mark.parametrize("name", shapes.shapes())
def test_a_shape_has_a_source_and_known_types_and_a_reason_for_each_difference(name: str) -> None:
    shape = shapes.shapes()[name]
    known = {*shapes.shapes(), *shapes.PLAIN, "time", "date", "any"}
    assert shape.source
    assert {each for form in shape.keys(True).values() for each in _names(form)} <= known
    assert shape.optional <= set(shape.fields)
    for key, (what, reason) in shape.allowed.items():
        assert reason
        assert (key in shape.fields) == {"missing": False, "null": True}[what], key


# --- each route -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enterprise", [True, False])
def test_every_route_answers_in_its_shape(start: Callable[..., Instance], enterprise: bool) -> None:
    instance = start(enterprise=enterprise)
    played = Played(instance)
    _look_around(instance, played)
    _set_up(instance, played)
    _protect(played, enterprise)
    _work(instance, played)
    asked = {operation for _, operation in _routes(instance) if enterprise or not operation.startswith(PAID)}
    always_refuses = {"gitlab.ProjectPushRules.get"}
    assert asked - instance.log.answered == always_refuses
    assert instance.log.differences == []


def _look_around(instance: Instance, played: Played) -> None:
    developer = instance.project_token(level=30)["token"]
    for token in ("", developer):
        for path in (
            "user",
            "users",
            f"users/{instance.account.bob_id}",
            "projects",
            "metadata",
            "version",
            "personal_access_tokens/self",
        ):
            assert instance.call("GET", path, token=token).status_code == 200
    assert instance.call("GET", "groups/acme").status_code == 200
    assert instance.call("GET", instance.project("push_rule")).status_code == 404
    played.api("GET", "")
    played.api("PUT", "", merge_method="merge")


def _lives(api: Callable[..., Any], path: str, new: dict[str, Any], change: dict[str, Any], key: str = "id") -> None:
    """Creates, lists, gets, changes and deletes one thing."""
    name = api("POST", path, **new)[key]
    api("GET", path)
    api("GET", f"{path}/{name}")
    if change:
        api("PATCH" if path == "protected_branches" else "PUT", f"{path}/{name}", **change)
    if path == "environments":
        api("POST", f"{path}/{name}/stop")
    api("DELETE", f"{path}/{name}")


def _set_up(instance: Instance, played: Played) -> None:
    _lives(played.api, "variables", {"key": "K", "value": "v"}, {"value": "w"}, "key")
    hidden = {"key": "H", "value": "abcdefgh", "masked_and_hidden": True}
    _lives(played.api, "variables", hidden, {"description": "d"}, "key")
    for method, path, body in (
        ("POST", "groups/acme/variables", {"key": "K", "value": "v"}),
        ("GET", "groups/acme/variables", None),
        ("GET", "groups/acme/variables/K", None),
        ("PUT", "groups/acme/variables/K", {"raw": True}),
        ("DELETE", "groups/acme/variables/K", None),
    ):
        assert instance.call(method, path, json=body).ok
    token = played.api("POST", "access_tokens", name="t", scopes=["api"])
    played.api("GET", "access_tokens")
    played.api("GET", f"access_tokens/{token['id']}")
    rotated = played.api("POST", f"access_tokens/{token['id']}/rotate")
    played.api("DELETE", f"access_tokens/{rotated['id']}")
    for place in ({"runner_type": "group_type", "group_id": 1}, {"runner_type": "instance_type"}):
        made = instance.call("POST", "user/runners", json=place).json()
        assert instance.call("POST", "runners/verify", token=None, json={"token": made["token"]}).ok
        assert instance.call("GET", f"runners/{made['id']}").ok
        assert instance.call("PUT", f"runners/{made['id']}", json={"paused": True, "maintenance_note": "n"}).ok
        assert instance.call("GET", "runners").ok
        played.api("GET", "runners")
        assert instance.call("DELETE", f"runners/{made['id']}").ok


def _protect(played: Played, enterprise: bool) -> None:
    people = [{"user_id": 2}, {"group_id": 1}, {"deploy_key_id": 1}, {"access_level": 40}]
    branch: dict[str, Any] = {"name": "prod", "push_access_level": 0}
    tag: dict[str, Any] = {"name": "v*"}
    if enterprise:
        branch |= {"allowed_to_push": people, "allowed_to_merge": people[:2], "allowed_to_unprotect": people[-1:]}
        tag |= {"allowed_to_create": people}
    _lives(played.api, "protected_branches", branch, {"allow_force_push": True}, "name")
    _lives(played.api, "protected_tags", tag, {}, "name")
    _lives(played.api, "environments", {"name": "dev"}, {"external_url": "https://x", "cluster_agent_id": 1})
    if enterprise:
        rule = {"name": "dev", "deploy_access_levels": [people[3], people[1]], "approval_rules": people[:2]}
        _lives(played.api, "protected_environments", rule, {"approval_rules": [{"access_level": 30}]}, "name")


def _work(instance: Instance, played: Played) -> None:
    api = played.api
    request = played.change("feature")
    api("GET", "repository/branches")
    api("GET", "repository/branches/feature")
    api("GET", "repository/commits")
    api("PUT", f"merge_requests/{request}", assignee_id=2, reviewer_ids=[3], labels="a,b", description="d")
    notes = f"merge_requests/{request}/notes"
    _lives(api, notes, {"body": "b"}, {"body": "c"})
    api("POST", notes, body="kept")
    number = api("POST", "pipeline_schedules", **SCHEDULE, inputs=[{"name": "i", "value": 1}])["id"]
    path = f"pipeline_schedules/{number}"
    api("POST", f"{path}/variables", key="A", value="1")
    api("PUT", f"{path}/variables/A", value="2")
    for method, each in (("GET", "pipeline_schedules"), ("GET", path), ("POST", f"{path}/take_ownership")):
        api(method, each)
    api("PUT", path, active=False)
    api("DELETE", f"{path}/variables/A")
    api("DELETE", path)
    pipeline = played.start("good", "bad", merge_request=request)
    runner = played.runner()
    good, bad = played.took(runner, "good"), played.took(runner, "bad")
    assert played.take(runner) is None
    played.end(good, plan_json="{}")
    played.end(bad, "failed")
    for each in (
        f"pipelines/{pipeline['id']}",
        f"pipelines/{pipeline['id']}/jobs",
        f"merge_requests/{request}/pipelines",
    ):
        api("GET", each)
    assert instance.call("GET", instance.project(f"jobs/{good['id']}/artifacts/plan.json")).ok
    for state in ("opened", "merged"):
        api("GET", "merge_requests")
        api("GET", f"merge_requests/{request}")
        if state == "opened":
            played.merge(request)
    api("DELETE", "repository/branches/feature")


# --- GitLab's usual Python client -------------------------------------------------------------------------------------

MANAGERS: dict[str, Any] = {
    "Branches": client.ProjectBranchManager,
    "Commits": client.ProjectCommitManager,
    "Environments": client.ProjectEnvironmentManager,
    "GroupVariables": client.GroupVariableManager,
    "Groups": client.GroupManager,
    "MergeRequestNotes": client.ProjectMergeRequestNoteManager,
    "MergeRequestPipelines": client.ProjectMergeRequestPipelineManager,
    "MergeRequests": client.ProjectMergeRequestManager,
    "PersonalAccessTokens": client.PersonalAccessTokenManager,
    "PipelineJobs": client.ProjectPipelineJobManager,
    "PipelineScheduleVariables": client.ProjectPipelineScheduleVariableManager,
    "PipelineSchedules": client.ProjectPipelineScheduleManager,
    "Pipelines": client.ProjectPipelineManager,
    "ProjectAccessTokens": client.ProjectAccessTokenManager,
    "ProjectRunners": client.ProjectRunnerManager,
    "ProjectVariables": client.ProjectVariableManager,
    "Projects": client.ProjectManager,
    "ProtectedBranches": client.ProjectProtectedBranchManager,
    "ProtectedEnvironments": client.ProjectProtectedEnvironmentManager,
    "ProtectedTags": client.ProjectProtectedTagManager,
    "Runners": client.CurrentUserRunnerManager,
    "Users": client.UserManager,
}
# The client calls nothing of these: it asks for the version by path, and a runner's own API is not for clients.
WITHOUT = {"JobArtifacts", "Jobs", "Metadata", "ProjectPushRules", "Version"}


def _shapes_of(product: str, methods: list[tuple[str, str]]) -> set[str]:
    found = [shapes.answer_of(method, each) for method, each in methods if each.split(".")[1] == product]
    return {name for answer in found if answer for name in _names(answer.form)} & set(shapes.shapes())


def test_python_gitlab_finds_the_names_that_it_goes_by(instance: Instance) -> None:
    routes = _routes(instance)
    assert {operation.split(".")[1] for _, operation in routes} - WITHOUT == set(MANAGERS)
    for product, manager in MANAGERS.items():
        names = {manager._obj_cls._id_attr, manager._obj_cls._repr_attr} - {None}
        for shape in _shapes_of(product, routes):
            assert names <= set(shapes.shapes()[shape].fields), (product, shape)


CREATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "Branches": ("repository/branches", {"branch": "b", "ref": "main"}),
    "Commits": ("repository/commits", {"branch": "main", "commit_message": "m", "actions": []}),
    "Environments": ("environments", {"name": "e"}),
    "MergeRequestNotes": ("merge_requests/1/notes", {"body": "b"}),
    "MergeRequests": ("merge_requests", {"source_branch": "preprod", "target_branch": "prod", "title": "t"}),
    "PipelineScheduleVariables": ("pipeline_schedules/1/variables", {"key": "K", "value": "v"}),
    "PipelineSchedules": ("pipeline_schedules", SCHEDULE),
    "ProjectAccessTokens": ("access_tokens", {"name": "t", "scopes": ["api"]}),
    "ProjectVariables": ("variables", {"key": "K", "value": "v"}),
    "ProtectedBranches": ("protected_branches", {"name": "b"}),
    "ProtectedEnvironments": (
        "protected_environments",
        {"name": "e", "deploy_access_levels": [{"access_level": 40}]},
    ),
    "ProtectedTags": ("protected_tags", {"name": "t"}),
}


@pytest.mark.parametrize("product", CREATIONS)
def test_what_python_gitlab_takes_for_required_is_required(instance: Instance, product: str) -> None:
    played = Played(instance)
    played.change("feature")
    played.api("POST", "pipeline_schedules", **SCHEDULE)
    path, body = CREATIONS[product]
    assert set(MANAGERS[product]._create_attrs.required) == set(body)
    for name in body:
        answer = instance.call("POST", instance.project(path), json={k: v for k, v in body.items() if k != name})
        assert (answer.status_code, answer.json()) == (400, {"error": f"{name} is missing"})
    assert instance.call("POST", instance.project(path), json=body).status_code == 201


# --- the comparison ---------------------------------------------------------------------------------------------------


def _told(method: str, operation: str, status: int, reply: Any, enterprise: bool = True) -> list[str]:
    found = shapes.differences(method, f"gitlab.{operation}", status, reply, enterprise=enterprise)
    return [f"{d.field} {d.what}" for d in found]


def test_differences_are_told() -> None:
    version = {"version": "1", "revision": "2"}
    assert _told("GET", "Version.get", 200, version) == []
    assert _told("GET", "Version.get", 201, version) == ["body code"]
    assert _told("GET", "Version.get", 200, {"version": 1, "more": None}) == [
        "version type",
        "revision missing",
        "more extra",
    ]
    assert _told("GET", "Nothing.get", 200, {}) == ["body code"]
    assert _told("DELETE", "Branches.delete", 204, None) == []
    assert _told("DELETE", "Branches.delete", 204, {}) == ["body extra"]
    assert _told("GET", "Branches.list", 200, {}) == ["body type"]
    level = {"id": 1, "access_level": None, "access_level_description": "x", "user_id": None, "group_id": None}
    tag = {"name": "v", "create_access_levels": [level]}
    assert _told("GET", "ProtectedTags.get", 200, tag) == []
    at = "create_access_levels[0]"
    assert _told("GET", "ProtectedTags.get", 200, tag, enterprise=False) in (
        [f"{at}.user_id extra", f"{at}.group_id extra"],
        [f"{at}.group_id extra", f"{at}.user_id extra"],
    )
    credentials = {"id": True, "token": "t", "token_expires_at": "soon"}
    assert _told("POST", "Runners.create", 201, credentials) == ["id type", "token_expires_at form"]
    assert _told("GET", "JobArtifacts.file", 200, {}) == ["body type"]


@pytest.mark.parametrize(
    ("status", "reply", "good"),
    [
        (400, {"error": "name is missing"}, True),
        (400, {"message": {"key": ["(K) has already been taken"]}}, True),
        (400, {"message": {"key": "taken"}}, False),
        (400, {"message": ["taken"]}, False),
        (401, {"message": "401 Unauthorized"}, True),
        (401, {"message": "no"}, False),
        (401, {"error": "invalid_token", "error_description": "Token is expired."}, True),
        (403, {"error": "insufficient_scope", "error_description": "d", "scope": "api"}, True),
        (404, {"message": "404 Project Not Found"}, True),
        (404, {"message": "404 Not found"}, True),
        (404, {"message": "no such thing"}, False),
        (409, {"message": ["Another open merge request already exists"]}, True),
        (422, {"message": {"base": ["x"]}}, False),
        (418, {"message": "tea"}, False),
        (400, None, False),
        (502, {"anything": 1}, True),
    ],
)
def test_an_error_has_a_form(status: int, reply: Any, good: bool) -> None:
    assert (_told("GET", "Version.get", status, reply) == []) is good
