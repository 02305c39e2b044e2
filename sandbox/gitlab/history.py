"""The history of the GitLab stand-in's projects: commits with their parents, and the commit that each branch ends at.

Owns the tables of branches and commits. A commit has a title and parents and no files: nothing that is tested reads a file.

Does not own routes: `branches`, `commits` and `merge_requests` have those.
"""

import hashlib

from sandbox.gitlab.common import now
from sandbox.store import Record, Store

BRANCHES = "gitlab.branches"
COMMITS = "gitlab.commits"
_BRANCH_REF = "refs/heads/"


def _put_commit(store: Store, project_id: int, sha: str, title: str, parents: list[str]) -> Record:
    at = now()
    commit = {
        "project_id": project_id,
        "n": store.next_id("gitlab.commit"),
        "id": sha,
        "short_id": sha[:8],
        "title": title.partition("\n")[0],
        "message": title,
        "parent_ids": parents,
        "created_at": at,
        "committed_date": at,
    }
    return store.put(COMMITS, f"{project_id}:{sha}", commit)


def _first_commit(store: Store, project_id: int) -> str:
    """The commit that all branches of a fresh project share."""
    sha = hashlib.sha1(f"{project_id}:first".encode(), usedforsecurity=False).hexdigest()
    if store.get(COMMITS, f"{project_id}:{sha}") is None:
        _put_commit(store, project_id, sha, "Initial commit", [])
    return sha


def add_commit(store: Store, project_id: int, title: str, parents: list[str]) -> Record:
    unique = f"{project_id}:{store.next_id('gitlab.commit')}:{title}"
    sha = hashlib.sha1(unique.encode(errors="replace"), usedforsecurity=False).hexdigest()
    return _put_commit(store, project_id, sha, title, parents)


def commit_of(store: Store, project_id: int, sha: str) -> Record:
    found = store.get(COMMITS, f"{project_id}:{sha}")
    assert found is not None
    return found


def add_branch(store: Store, project: Record, name: str, sha: str | None = None) -> Record:
    """A branch that ends at the given commit, else at the project's first one."""
    return move_branch(store, project["id"], name, sha or _first_commit(store, project["id"]))


def move_branch(store: Store, project_id: int, name: str, sha: str) -> Record:
    return store.put(BRANCHES, f"{project_id}:{name}", {"project_id": project_id, "name": name, "sha": sha})


def branch_exists(store: Store, project: Record, name: str) -> bool:
    return store.get(BRANCHES, f"{project['id']}:{name}") is not None


def head(store: Store, project_id: int, ref: str) -> str | None:
    """The commit that a branch's name, or a commit's own number, means."""
    branch = store.get(BRANCHES, f"{project_id}:{ref.removeprefix(_BRANCH_REF)}")
    if branch is not None:
        return str(branch.get("sha") or _first_commit(store, project_id))  # a state that an older sandbox has kept
    return ref if store.get(COMMITS, f"{project_id}:{ref}") else None


def between(store: Store, project_id: int, base: str | None, tip: str) -> list[Record]:
    """The commits that `tip` has and `base` has not (`base..tip` of git), newest first."""
    known = {c["id"]: c for c in store.all(COMMITS, project_id=project_id)}
    missing = _reachable(known, tip) - (_reachable(known, base) if base else set())
    return sorted((known[sha] for sha in missing), key=lambda c: int(c["n"]), reverse=True)


def _reachable(known: dict[str, Record], tip: str) -> set[str]:
    seen: set[str] = set()
    todo = [tip]
    while todo:
        sha = todo.pop()
        if sha not in seen:
            seen.add(sha)
            todo += known[sha]["parent_ids"]
    return seen
