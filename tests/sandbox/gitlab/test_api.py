"""What every route of the GitLab stand-in has in common: who may call it, and what is missing."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from sandbox.gitlab import seed, set_enterprise
from sandbox.gitlab.auth import TOKENS, issue_job_token
from sandbox.gitlab.common import SETTINGS
from tests.sandbox.gitlab.conftest import Instance

# A runner shows its own token or its job's in the request: test_jobs.py.
_PUBLIC = {"gitlab.Runners.verify", "gitlab.Jobs.request", "gitlab.Jobs.update", "gitlab.Jobs.artifacts"}


def _api_routes(instance: Any) -> list[Any]:
    return [r for r in instance.service.routes if r.rule.startswith("/api/v4/") and r.operation not in _PUBLIC]


def _filled(rule: str, project: object) -> str:
    path = rule.removeprefix("/api/v4/").replace("<id>", str(project))
    return re.sub(r"<(?:path:)?\w+>", "999", path)


def test_every_route_wants_a_token(instance: Instance) -> None:
    for route in _api_routes(instance):
        answer = instance.call(route.method, _filled(route.rule, 1), token=None)
        assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"}), route.operation
        wrong = instance.call(route.method, _filled(route.rule, 1), token="glpat-wrong-token-here")
        assert wrong.status_code == 401, route.operation


def test_every_project_and_group_route_answers_404_where_there_is_none(instance: Instance) -> None:
    seen = 0
    for route in _api_routes(instance):
        if "<id>" in route.rule:
            what = "Group" if "/groups/" in route.rule else "Project"
            answer = instance.call(route.method, _filled(route.rule, "no%2Fwhere"))
            assert (answer.status_code, answer.json()) == (404, {"message": f"404 {what} Not Found"}), route.operation
            seen += 1
    assert seen > 40


def test_every_route_of_one_thing_answers_404_where_there_is_none(instance: Instance) -> None:
    seen = 0
    for route in _api_routes(instance):
        if re.search(r"<(?!id>)[\w:]+>", route.rule):
            answer = instance.call(route.method, _filled(route.rule, instance.account.project_id), json={"value": "x"})
            assert answer.status_code == 404, (route.operation, answer.text)
            seen += 1
    assert seen > 30


def test_operations_are_named_once_and_unknown_routes_are_501(instance: Instance) -> None:
    names = [r.operation for r in instance.service.routes]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"gitlab\.[A-Z]\w+\.[a-z]\w+|charts\.[\w-]+|_sandbox\.[\w.]+", n) for n in names)
    answer = instance.call("GET", "nowhere")
    assert answer.status_code == 501
    assert "GET /api/v4/nowhere" in answer.json()["message"]


@pytest.mark.parametrize("header", ["Authorization", "PRIVATE-TOKEN"])
def test_both_headers_say_who_calls(instance: Instance, header: str) -> None:
    value = instance.account.token if header == "PRIVATE-TOKEN" else f"Bearer {instance.account.token}"
    answer = instance.call("GET", "user", token=None, headers={header: value})
    assert (answer.status_code, answer.json()["username"], answer.json()["is_admin"]) == (200, "root", True)


def test_a_project_is_found_by_number_and_by_escaped_path(instance: Instance) -> None:
    by_number = instance.call("GET", f"projects/{instance.account.project_id}").json()
    by_path = instance.call("GET", "projects/acme%2Fapp").json()
    assert by_number == by_path
    assert by_path["path_with_namespace"] == "acme/app"
    assert by_path["namespace"]["id"] == instance.account.group_id
    assert instance.call("GET", "projects/acme%2Fapp/push_rule").status_code == 404


def test_how_a_project_merges_is_changed_by_a_maintainer(instance: Instance) -> None:
    before = instance.call("GET", "projects/acme%2Fapp").json()
    assert (before["only_allow_merge_if_pipeline_succeeds"], before["remove_source_branch_after_merge"]) == (
        True,
        False,
    )
    given = "merge_method=ff&squash_option=always&only_allow_merge_if_pipeline_succeeds=false"
    developer = instance.project_token(level=30)["token"]
    assert instance.call("PUT", f"projects/acme%2Fapp?{given}", token=developer).status_code == 403
    changed = instance.call("PUT", f"projects/acme%2Fapp?{given}")
    assert changed.status_code == 200
    found = instance.call("GET", "projects/acme%2Fapp").json()
    assert {k: v for k, v in found.items() if before[k] != v} == {
        "merge_method": "ff",
        "squash_option": "always",
        "only_allow_merge_if_pipeline_succeeds": False,
    }
    assert instance.call("PUT", "projects/acme%2Fapp", json={"merge_method": "rebase"}).status_code == 400


def test_a_second_project_has_the_same_branches(instance: Instance) -> None:
    for path in ("acme%2Fapp", "acme%2Fplatform"):
        found = instance.call("GET", f"projects/{path}/repository/branches").json()
        assert [branch["name"] for branch in found] == ["main", "preprod", "prod"]


@pytest.mark.parametrize("enterprise", [True, False])
def test_metadata_says_which_edition_it_is(start: Callable[..., Instance], enterprise: bool) -> None:
    instance = start(enterprise=enterprise)
    assert instance.call("GET", "metadata").json()["enterprise"] is enterprise
    assert instance.call("GET", "version").json()["version"].endswith("-ee") is enterprise
    set_enterprise(instance.store, not enterprise)
    assert instance.call("GET", "metadata").json()["enterprise"] is not enterprise


def test_the_seed_is_made_once_and_its_token_outlives_a_reset(instance: Instance) -> None:
    assert seed(instance.store) == instance.account
    assert len(instance.call("GET", "users").json()) == 3
    assert instance.account.token not in repr(instance.account)
    instance.store.clear(keep=("gitlab.seed",))
    again = seed(instance.store)
    assert again.token == instance.account.token
    assert instance.call("GET", "user").json()["id"] == again.admin_id


def test_a_store_of_an_older_sandbox_is_taken_over(instance: Instance) -> None:
    known = instance.store.get(SETTINGS, "account")
    assert known is not None
    instance.store.put(SETTINGS, "account", {**known, "project_path": "acme/app"})
    assert seed(instance.store) == instance.account


# --- what a token may do ----------------------------------------------------------------------------------------------


def test_a_project_token_acts_as_its_bot_with_its_level(instance: Instance) -> None:
    developer = instance.project_token(level=30)
    me = instance.call("GET", "user", token=developer["token"]).json()
    assert (me["id"], me["bot"]) == (developer["user_id"], True)
    refused = instance.call("GET", instance.project("variables"), token=developer["token"])
    assert (refused.status_code, refused.json()) == (403, {"message": "403 Forbidden"})
    maintainer = instance.project_token(level=40)
    assert instance.call("GET", instance.project("variables"), token=maintainer["token"]).status_code == 200
    refused = instance.call(
        "POST", instance.project("access_tokens"), token=maintainer["token"], json={"name": "x", "scopes": ["api"]}
    )
    assert refused.status_code == 400


def test_read_api_may_not_write(instance: Instance) -> None:
    reader = instance.project_token(scopes=("read_api",))["token"]
    assert instance.call("GET", instance.project("variables"), token=reader).status_code == 200
    refused = instance.call("POST", instance.project("variables"), token=reader, json={"key": "A", "value": "b"})
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_scopes_reach_as_far_as_they_say(instance: Instance) -> None:
    creator = instance.project_token(scopes=("create_runner",))["token"]
    body = {"runner_type": "project_type", "project_id": instance.account.project_id}
    assert instance.call("POST", "user/runners", token=creator, json=body).status_code == 201
    assert instance.call("GET", instance.project("runners"), token=creator).status_code == 403


def test_revoked_and_expired_tokens_are_refused(instance: Instance) -> None:
    token = instance.project_token()
    assert instance.call("DELETE", instance.project(f"access_tokens/{token['id']}")).status_code == 204
    refused = instance.call("GET", "user", token=token["token"])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert "revoked" in refused.json()["error_description"]
    other = instance.project_token()
    record = instance.store.get(TOKENS, other["id"]) or {}
    instance.store.put(TOKENS, other["id"], record | {"expires_at": str(date.today() - timedelta(days=2))})
    refused = instance.call("GET", "user", token=other["token"])
    assert (refused.status_code, "expired" in refused.json()["error_description"]) == (401, True)


def test_a_job_token_may_not_post_notes(instance: Instance) -> None:
    job = issue_job_token(instance.store, instance.account.alice_id)
    body = {"title": "t", "source_branch": "main", "target_branch": "prod"}
    assert instance.call("POST", instance.project("merge_requests"), json=body).status_code == 201
    refused = instance.call(
        "POST", instance.project("merge_requests/1/notes"), token=None, headers={"JOB-TOKEN": job}, json={"body": "x"}
    )
    assert refused.status_code == 401
    environments = instance.call("GET", instance.project("environments"), token=None, headers={"JOB-TOKEN": job})
    assert environments.status_code == 200


def test_no_token_is_kept_or_logged(instance: Instance) -> None:
    token = instance.project_token()["token"]
    runner = instance.call("POST", "user/runners", json={"runner_type": "instance_type"}).json()["token"]
    assert token.startswith("glpat-")
    assert runner.startswith("glrt-")
    kept = str([instance.store.all(t) for t in instance.store.tables()])
    logged = str(instance.log.entries())
    for secret in (token, runner):
        assert secret not in kept
        assert secret not in logged
