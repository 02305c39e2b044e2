"""Commits of the GitLab stand-in: what a branch has, what another misses, and what merging does to them."""

from typing import Any

import pytest

from sandbox.gitlab.history import BRANCHES
from tests.sandbox.gitlab.conftest import Instance


def _get(instance: Instance, path: str) -> Any:
    answer = instance.call("GET", instance.project(path))
    assert answer.status_code == 200, answer.text
    return answer.json()


def _titles(instance: Instance, ref: str) -> list[str]:
    return [c["title"] for c in _get(instance, f"repository/commits?ref_name={ref}")]


def _commit(instance: Instance, branch: str, title: str) -> Any:
    body = {"branch": branch, "commit_message": title, "actions": []}
    return instance.call("POST", instance.project("repository/commits"), json=body)


def test_branches_of_a_fresh_project_share_their_first_commit(instance: Instance) -> None:
    ids = {b["commit"]["id"] for b in _get(instance, "repository/branches")}
    assert len(ids) == 1
    assert _titles(instance, "main") == ["Initial commit"]
    assert _titles(instance, "main..prod") == []


def test_commits_by_branch_by_number_and_by_range(instance: Instance) -> None:
    made = [_commit(instance, "main", f"c{n}\n\nMore.").json() for n in range(3)]
    assert (made[1]["title"], made[1]["parent_ids"]) == ("c1", [made[0]["id"]])
    assert _get(instance, "repository/branches/main")["commit"]["id"] == made[2]["id"]
    assert _titles(instance, "main") == ["c2", "c1", "c0", "Initial commit"]
    assert _titles(instance, "prod..main") == ["c2", "c1", "c0"]
    assert _titles(instance, "refs/heads/prod..refs/heads/main") == ["c2", "c1", "c0"]
    assert _titles(instance, f"{made[0]['id']}..{made[1]['id']}") == ["c1"]
    assert _titles(instance, "main..prod") == []
    assert [c["title"] for c in _get(instance, "repository/commits?per_page=1&page=2")] == ["c1"]
    assert instance.call("GET", instance.project("repository/commits?ref_name=prod..gone")).status_code == 404
    assert _commit(instance, "gone", "x").status_code == 400
    assert _commit(instance, made[0]["id"], "x").status_code == 400
    assert instance.call("POST", instance.project("repository/commits"), json={"branch": "main"}).status_code == 400


def test_a_branch_begins_where_it_was_made(instance: Instance) -> None:
    commit = _commit(instance, "main", "c").json()["id"]
    for name, ref in (("a", "main"), ("b", commit)):
        answer = instance.call("POST", instance.project("repository/branches"), json={"branch": name, "ref": ref})
        assert answer.json()["commit"]["id"] == commit


def test_a_branch_of_an_older_sandbox_has_the_first_commit(instance: Instance) -> None:
    old = {"project_id": instance.account.project_id, "name": "main"}
    instance.store.put(BRANCHES, f"{instance.account.project_id}:main", old)
    assert _titles(instance, "main") == ["Initial commit"]


@pytest.mark.parametrize(
    ("method", "squash", "titles"),
    [
        ("merge", False, ["Merge branch 'f' into 'main'", "work"]),
        ("merge", True, ["Merge branch 'f' into 'main'", "The title"]),
        ("ff", False, ["work"]),
        ("ff", True, ["The title"]),
    ],
)
def test_merging_moves_the_target(instance: Instance, method: str, squash: bool, titles: list[str]) -> None:
    project = instance.store.get("gitlab.projects", instance.account.project_id) or {}
    instance.store.put("gitlab.projects", project["id"], project | {"merge_method": method})
    instance.call("POST", instance.project("repository/branches"), json={"branch": "f", "ref": "main"})
    body = {"source_branch": "f", "target_branch": "main", "title": "The title", "squash": squash}
    assert instance.call("POST", instance.project("merge_requests"), json=body).json()["merge_commit_sha"] is None
    work = _commit(instance, "f", "work").json()["id"]
    assert _get(instance, "merge_requests/1")["sha"] == work
    merged = instance.call("PUT", instance.project("merge_requests/1/merge")).json()
    assert _titles(instance, "prod..main") == titles
    head = _get(instance, "repository/branches/main")["commit"]["id"]
    assert merged["sha"] == work
    assert (merged["merge_commit_sha"] is None) == (method == "ff")
    assert (merged["squash_commit_sha"] is None) == (not squash)
    assert head == (merged["merge_commit_sha"] or merged["squash_commit_sha"] or work)


def test_what_is_gone_cannot_be_merged(instance: Instance) -> None:
    instance.call("POST", instance.project("repository/branches"), json={"branch": "f", "ref": "main"})
    body = {"source_branch": "f", "target_branch": "main", "title": "t"}
    instance.call("POST", instance.project("merge_requests"), json=body)
    instance.call("DELETE", instance.project("repository/branches/f"))
    assert _get(instance, "merge_requests/1")["sha"] is None
    assert instance.call("PUT", instance.project("merge_requests/1/merge")).status_code == 405


def test_merge_requests_by_time_and_order(instance: Instance) -> None:
    for target in ("preprod", "prod"):
        body = {"source_branch": "main", "target_branch": target, "title": target}
        instance.call("POST", instance.project("merge_requests"), json=body)
    since = _get(instance, "merge_requests/2")["updated_at"]
    changed = instance.call("PUT", instance.project("merge_requests/1"), json={"title": "new"}).json()["updated_at"]

    def found(query: str) -> list[int]:
        return [m["iid"] for m in _get(instance, f"merge_requests?{query}")]

    assert found("") == found("order_by=created_at") == [2, 1]
    assert found("order_by=updated_at&sort=asc") == [2, 1]
    assert found("order_by=updated_at") == [1, 2]
    assert found(f"updated_after={since}&order_by=updated_at") == [1, 2]
    assert found("updated_after=2999-01-01") == []
    assert found(f"created_after={changed}") in ([], [2])  # within the same millisecond
    wrong = instance.call("GET", instance.project("merge_requests?updated_after=soon"))
    assert (wrong.status_code, wrong.json()) == (400, {"error": "updated_after is invalid"})


def test_people_of_a_merge_request(instance: Instance) -> None:
    account = instance.account
    people = [account.bob_id, account.alice_id, 999]
    body = {"source_branch": "main", "target_branch": "prod", "title": "t", "reviewer_ids": people}
    made = instance.call("POST", instance.project("merge_requests"), json=body).json()
    assert [r["username"] for r in made["reviewers"]] == ["bob", "alice"]
    bob = {"reviewer_ids": [account.bob_id], "squash": True}
    changed = instance.call("PUT", instance.project("merge_requests/1"), json=bob).json()
    assert ([r["username"] for r in changed["reviewers"]], changed["squash"]) == (["bob"], True)
    cleared = instance.call("PUT", instance.project("merge_requests/1"), json={"reviewer_ids": []}).json()
    assert cleared["reviewers"] == []
