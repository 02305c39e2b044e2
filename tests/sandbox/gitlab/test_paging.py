"""How the GitLab stand-in cuts lists into pages, by its headers and through GitLab's usual Python client."""

import re
from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played

HEADERS = ("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page")


def _variables(instance: Instance, count: int = 45) -> list[str]:
    keys = [f"K{n}" for n in range(count)]
    for key in keys:
        assert instance.call("POST", instance.project("variables"), json={"key": key, "value": "v"}).status_code == 201
    return keys


def _page(instance: Instance, query: str = "") -> tuple[list[str], list[str], dict[str, str]]:
    """The keys on a page of the variables, its headers, and the query of each of its links."""
    answer = instance.call("GET", instance.project(f"variables{query}"))
    assert answer.status_code == 200, answer.text
    links = {rel: re.sub(r".*\?", "", link["url"]) for rel, link in answer.links.items()}
    return [v["key"] for v in answer.json()], [answer.headers[name] for name in HEADERS], links


def test_a_page_and_its_headers(instance: Instance) -> None:
    keys = _variables(instance)
    first = "page=1&per_page=20"
    assert _page(instance) == (
        keys[:20],
        ["45", "3", "1", "20", "2", ""],
        {"next": "page=2&per_page=20", "first": first, "last": "page=3&per_page=20"},
    )
    assert _page(instance, "?page=3") == (
        keys[40:],
        ["45", "3", "3", "20", "", "2"],
        {"prev": "page=2&per_page=20", "first": first, "last": "page=3&per_page=20"},
    )
    found, headers, links = _page(instance, "?page=2&per_page=10")
    assert (found, headers) == (keys[10:20], ["45", "5", "2", "10", "3", "1"])
    assert list(links) == ["prev", "next", "first", "last"]


def test_a_link_is_followed_to_the_next_page(instance: Instance) -> None:
    keys, found = _variables(instance), []
    url = f"{instance.listener.url}/api/v4/{instance.project('variables')}?per_page=7"
    while url:
        answer = instance.session.get(url, headers={"PRIVATE-TOKEN": instance.account.token}, timeout=10)
        found += [v["key"] for v in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert found == keys


def test_a_link_keeps_what_else_was_asked(instance: Instance) -> None:
    for target in ("preprod", "prod"):
        body = {"title": "t", "source_branch": "main", "target_branch": target}
        instance.call("POST", instance.project("merge_requests"), json=body)
    query = "merge_requests?state=opened&labels[]=a&labels[]=b&per_page=1"
    answer = instance.call("GET", instance.project(query))
    path = f"{instance.listener.url}/api/v4/{instance.project('merge_requests')}"
    assert answer.links["next"]["url"] == (f"{path}?state=opened&labels%5B%5D=a&labels%5B%5D=b&page=2&per_page=1")


def test_a_page_holds_a_hundred_at_most(instance: Instance) -> None:
    keys = _variables(instance, 101)
    for asked in (100, 101, 1000):
        found, headers, _ = _page(instance, f"?per_page={asked}")
        assert (found, headers) == (keys[:100], ["101", "2", "1", "100", "2", ""])


def test_beyond_the_last_page_there_is_nothing_and_no_way_back(instance: Instance) -> None:
    _variables(instance, 3)
    found, headers, links = _page(instance, "?page=9")
    assert (found, headers) == ([], ["3", "1", "9", "20", "", ""])
    assert set(links) == {"first", "last"}


def test_an_empty_list_is_one_empty_page(instance: Instance) -> None:
    links = {"first": "page=1&per_page=20", "last": "page=1&per_page=20"}
    assert _page(instance) == ([], ["0", "1", "1", "20", "", ""], links)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page=-1", "page does not have a valid value"),
        ("page=0", "page does not have a valid value"),
        ("per_page=-5", "per_page does not have a valid value"),
        ("per_page=0", "per_page has a value not allowed"),
        ("page=x", "page is invalid"),
        ("per_page=2.5", "per_page is invalid"),
    ],
)
def test_a_wrong_page_is_refused(instance: Instance, query: str, error: str) -> None:
    answer = instance.call("GET", instance.project(f"variables?{query}"))
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_keyset_paging_is_said_not_to_be_there(instance: Instance) -> None:
    answer = instance.call("GET", "projects?pagination=keyset&order_by=id&sort=asc")
    assert answer.status_code == 501
    assert "offset" in answer.json()["message"]


def test_every_list_is_cut_into_pages(instance: Instance) -> None:
    """Each with at least one thing, so that its page holds what it counts."""
    played = Played(instance)
    request = played.change("feature")
    pipeline = played.start("a", merge_request=request)
    new: dict[str, dict[str, Any]] = {
        f"merge_requests/{request}/notes": {"body": "b"},
        "variables": {"key": "K", "value": "v"},
        "environments": {"name": "e"},
        "protected_branches": {"name": "b"},
        "protected_tags": {"name": "t"},
        "protected_environments": {"name": "e", "deploy_access_levels": [{"access_level": 40}]},
        "access_tokens": {"name": "t", "scopes": ["api"]},
        "pipeline_schedules": {"description": "d", "ref": "main", "cron": "0 1 * * *"},
    }
    for path, body in new.items():
        played.api("POST", path, **body)
    played.runner()
    assert instance.call("POST", "groups/acme/variables", json={"key": "K", "value": "v"}).ok
    own = [
        *new, "repository/branches", "repository/commits", "merge_requests", "runners", f"pipelines/{pipeline['id']}/jobs",
        f"merge_requests/{request}/pipelines",
    ]  # fmt: skip
    lists = [*(instance.project(path) for path in own), "projects", "users", "runners", "groups/acme/variables"]
    asked = len(instance.operations())
    for path in lists:
        answer = instance.call("GET", f"{path}?per_page=1")
        assert (answer.headers["X-Per-Page"], answer.headers["X-Page"], len(answer.json())) == ("1", "1", 1), path
        assert answer.headers["X-Total"] == answer.headers["X-Total-Pages"]
        assert {"first", "last"} <= set(answer.links)
        assert instance.call("GET", f"{path}?per_page=0").status_code == 400
    routes = {r.operation for r in instance.service.routes if r.operation.endswith(".list")}
    assert {operation for operation, _ in instance.operations()[asked:]} == routes


# --- GitLab's usual Python client -------------------------------------------------------------------------------------


def test_python_gitlab_pages_as_it_is_told(gl: gitlab.Gitlab, instance: Instance) -> None:
    keys = _variables(instance)
    variables = gl.projects.get(instance.account.project_id).variables
    asked = len(instance.operations())
    assert [v.key for v in variables.list(get_all=True)] == keys
    assert len(instance.operations()) - asked == 3
    assert [v.key for v in variables.list(iterator=True, per_page=50)] == keys
    assert len(instance.operations()) - asked == 4
    assert [v.key for v in variables.list(page=2, per_page=7)] == keys[7:14]
    assert [v.key for v in variables.list(get_all=False)] == keys[:20]
    lazily = variables.list(iterator=True, per_page=10)
    assert (lazily.total, lazily.total_pages, lazily.per_page, lazily.current_page, lazily.next_page) == (
        45,
        5,
        10,
        1,
        2,
    )
    assert lazily.prev_page is None
    assert len(lazily) == 45
    assert list(variables.list(get_all=False, page=9)) == []


def test_python_gitlab_warns_of_a_page_that_is_not_all(gl: gitlab.Gitlab, instance: Instance) -> None:
    """It counts by the headers; as it does with GitLab itself."""
    _variables(instance, 21)
    project = gl.projects.get(instance.account.project_id)
    with pytest.warns(UserWarning, match="Your query returned 20 of 21 items"):
        assert len(project.variables.list()) == 20


def test_python_gitlab_says_what_is_wrong_with_a_page(gl: gitlab.Gitlab, instance: Instance) -> None:
    project = gl.projects.get(instance.account.project_id)
    with pytest.raises(gitlab.GitlabListError) as refused:
        project.variables.list(page=1, per_page=0)
    assert (refused.value.response_code, refused.value.error_message) == (400, "per_page has a value not allowed")
