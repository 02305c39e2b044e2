"""The stand-in through GitLab's usual Python client, as pipeline tools use it."""

from typing import Any

import gitlab
import pytest
import requests

from tests.sandbox.gitlab.conftest import Instance


def test_a_promotion(gl: gitlab.Gitlab, instance: Instance) -> None:
    project = gl.projects.get("acme/app")
    assert project.default_branch == "main"
    alice = gl.users.list(username="alice", get_all=True)[0]
    branches: dict[str, Any] = {"source_branch": "main", "target_branch": "prod"}
    opened = project.mergerequests.create({**branches, "title": "Deployment to prod", "assignee_id": alice.id})
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        project.mergerequests.create({**branches, "title": "again"})
    assert refused.value.response_code == 409
    found = project.mergerequests.list(state="opened", get_all=True, **branches)
    assert [m.iid for m in found] == [opened.iid]


def test_one_note_edited_in_place_among_many(gl: gitlab.Gitlab, instance: Instance) -> None:
    project = gl.projects.get(instance.account.project_id)
    merge_request = project.mergerequests.create({"source_branch": "main", "target_branch": "prod", "title": "t"})
    marked = merge_request.notes.create({"body": "<!-- marker --> first"})
    for n in range(25):
        merge_request.notes.create({"body": str(n)})
    found = [n for n in merge_request.notes.list(iterator=True) if "marker" in n.body]
    assert [n.id for n in found] == [marked.id]
    found[0].body = "second"
    found[0].save()
    assert merge_request.notes.get(marked.id).body == "second"
    found[0].delete()
    assert len(merge_request.notes.list(get_all=True)) == 25


def test_variables_by_scope(gl: gitlab.Gitlab, instance: Instance) -> None:
    project = gl.projects.get(instance.account.project_id)
    for scope in ("dev", "prod"):
        project.variables.create({"key": "K", "value": scope, "environment_scope": scope})
    assert project.variables.get("K", filter={"environment_scope": "prod"}).value == "prod"
    project.variables.update("K", {"value": "x"}, filter={"environment_scope": "dev"})
    assert project.variables.get("K", filter={"environment_scope": "dev"}).value == "x"
    project.variables.delete("K", filter={"environment_scope": "dev"})
    assert [v.environment_scope for v in project.variables.list(get_all=True)] == ["prod"]


def test_runners_tokens_and_environments(gl: gitlab.Gitlab, instance: Instance) -> None:
    project = gl.projects.get(instance.account.project_id)
    gl.auth()
    assert gl.user is not None
    runner = gl.user.runners.create({"runner_type": "project_type", "project_id": project.id})
    assert runner.token.startswith("glrt-")
    assert [r.id for r in project.runners.list(get_all=True)] == [runner.id]
    token = project.access_tokens.create({"name": "t", "scopes": ["api"], "access_level": 30})
    assert project.access_tokens.get(token.id).active is True
    environment = project.environments.create({"name": "prod"})
    environment.stop()
    environment.delete()
    assert project.environments.list(get_all=True) == []


def test_a_wrong_token_is_an_authentication_error(instance: Instance) -> None:
    with requests.Session() as session:
        session.trust_env = False
        client = gitlab.Gitlab(instance.listener.url, private_token="glpat-wrong", session=session)
        with pytest.raises(gitlab.GitlabAuthenticationError):
            client.auth()
