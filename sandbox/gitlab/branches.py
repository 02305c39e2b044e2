"""Branches of the GitLab stand-in and their protection.

A Community Edition knows only one push and one merge level, set at creation; an Enterprise Edition has lists of levels,
users and groups (`allowed_to_*`) that a PATCH changes item by item.

Does not own which commit a branch ends at (`history`).
"""

from fnmatch import fnmatchcase
from typing import Any

from sandbox.gitlab import commits
from sandbox.gitlab.common import (
    DEVELOPER,
    MAINTAINER,
    REPORTER,
    bad_request,
    conflict,
    created,
    enterprise,
    flag,
    no_record,
    not_found,
    number,
    one_of,
    paged,
    params,
    project_of,
    required,
)
from sandbox.gitlab.history import BRANCHES, add_branch, branch_exists, commit_of, head
from sandbox.gitlab.protection import changed, level_item
from sandbox.store import Record, Store
from sandbox.web import Call, Reply, Routes

PROTECTED_BRANCHES = "gitlab.protected_branches"
_LEVELS = (0, 30, 40, 60)
_LISTS = {"push": "allowed_to_push", "merge": "allowed_to_merge", "unprotect": "allowed_to_unprotect"}

routes = Routes()


def is_protected(store: Store, project: Record, name: str) -> bool:
    return bool(_rules(store, project, name))


def _rules(store: Store, project: Record, name: str) -> list[Record]:
    """The protections that a branch is under, by its name or by a wildcard."""
    return [r for r in store.all(PROTECTED_BRANCHES, project_id=project["id"]) if fnmatchcase(name, r["name"])]


def _developers_can(rules: list[Record], kind: str) -> bool:
    return any(level["access_level"] == DEVELOPER for rule in rules for level in rule[f"{kind}_access_levels"])


def _branch(call: Call, project: Record, name: str) -> Record:
    commit = commit_of(call.store, project["id"], str(head(call.store, project["id"], name)))
    rules = _rules(call.store, project, name)
    return {
        "name": name,
        "commit": commits.shown(call, project, commit),
        "merged": False,
        "protected": bool(rules),
        "developers_can_push": _developers_can(rules, "push"),
        "developers_can_merge": _developers_can(rules, "merge"),
        "default": name == project["default_branch"],
        "can_push": True,
        "web_url": f"{call.base_url}{project['web_url']}/-/tree/{name}",
    }


@routes.get("/api/v4/projects/<id>/repository/branches", "gitlab.Branches.list")
def list_branches(call: Call) -> Reply:
    project = project_of(call, REPORTER)
    wanted = str(params(call).get("search", ""))
    names = sorted(b["name"] for b in call.store.all(BRANCHES, project_id=project["id"]))
    return paged(call, [_branch(call, project, n) for n in names if wanted in n])


@routes.post("/api/v4/projects/<id>/repository/branches", "gitlab.Branches.create")
def create_branch(call: Call) -> Reply:
    project, given = project_of(call, DEVELOPER), params(call)
    required(given, "branch", "ref")
    if branch_exists(call.store, project, given["branch"]):
        bad_request("Branch already exists")
    sha = head(call.store, project["id"], given["ref"])
    if sha is None:
        bad_request(f"Invalid reference name: {given['ref']}")
    add_branch(call.store, project, given["branch"], sha)
    return created(_branch(call, project, given["branch"]))


@routes.get("/api/v4/projects/<id>/repository/branches/<branch>", "gitlab.Branches.get")
def get_branch(call: Call) -> Record:
    project = project_of(call, REPORTER)
    if not branch_exists(call.store, project, call.args["branch"]):
        not_found("Branch")
    return _branch(call, project, call.args["branch"])


@routes.delete("/api/v4/projects/<id>/repository/branches/<branch>", "gitlab.Branches.delete")
def delete_branch(call: Call) -> None:
    project = project_of(call, DEVELOPER)
    if not call.store.delete(BRANCHES, f"{project['id']}:{call.args['branch']}"):
        not_found("Branch")


def _shown(call: Call, rule: Record) -> Record:
    """A Community Edition has no users, groups, inheritance, or lists of who may unprotect."""
    shown = {k: v for k, v in rule.items() if k != "project_id"}
    if enterprise(call.store):
        return shown | {"inherited": False}
    for kind in ("push_access_levels", "merge_access_levels"):
        shown[kind] = [{k: v for k, v in i.items() if k not in ("user_id", "group_id")} for i in shown[kind]]
    return {k: v for k, v in shown.items() if k not in ("unprotect_access_levels", "code_owner_approval_required")}


def _rule(call: Call) -> Record:
    project = project_of(call, MAINTAINER)
    rule = call.store.get(PROTECTED_BRANCHES, f"{project['id']}:{call.args['name']}")
    if rule is None:
        no_record()
    return rule


def _asked(call: Call, given: dict[str, Any], kind: str) -> list[Record]:
    """Who may do it according to a POST: the lists where the edition has them, else the one level, else maintainers."""
    listed = given.get(_LISTS[kind]) if enterprise(call.store) else None
    level = number({kind: one_of(given, f"{kind}_access_level", _LEVELS)}, kind)
    if listed is None and level is None and kind == "unprotect":
        return []
    asked = list(listed or [])
    if level is not None or not asked:
        asked.append(level_item(MAINTAINER if level is None else level))
    return changed(call.store, [], asked)


@routes.get("/api/v4/projects/<id>/protected_branches", "gitlab.ProtectedBranches.list")
def list_protected(call: Call) -> Reply:
    project = project_of(call, MAINTAINER)
    wanted = str(params(call).get("search", ""))
    rules = call.store.all(PROTECTED_BRANCHES, project_id=project["id"])
    return paged(call, [_shown(call, r) for r in rules if wanted in r["name"]])


@routes.post("/api/v4/projects/<id>/protected_branches", "gitlab.ProtectedBranches.create")
def protect(call: Call) -> Reply:
    project, given = project_of(call, MAINTAINER), params(call)
    required(given, "name")
    key = f"{project['id']}:{given['name']}"
    if call.store.get(PROTECTED_BRANCHES, key):
        conflict(f"Protected branch '{given['name']}' already exists")
    rule = {
        "id": call.store.next_id("gitlab.protected_branch"),
        "project_id": project["id"],
        "name": given["name"],
        "push_access_levels": _asked(call, given, "push"),
        "merge_access_levels": _asked(call, given, "merge"),
        "allow_force_push": flag(given, "allow_force_push"),
        "unprotect_access_levels": _asked(call, given, "unprotect"),
        "code_owner_approval_required": flag(given, "code_owner_approval_required"),
    }
    return created(_shown(call, call.store.put(PROTECTED_BRANCHES, key, rule)))


@routes.get("/api/v4/projects/<id>/protected_branches/<name>", "gitlab.ProtectedBranches.get")
def get_protected(call: Call) -> Record:
    return _shown(call, _rule(call))


@routes.patch("/api/v4/projects/<id>/protected_branches/<name>", "gitlab.ProtectedBranches.update")
def update_protected(call: Call) -> Record:
    rule, given = _rule(call), params(call)
    rule["allow_force_push"] = flag(given, "allow_force_push", rule["allow_force_push"])
    if enterprise(call.store):
        owners = flag(given, "code_owner_approval_required", rule["code_owner_approval_required"])
        rule["code_owner_approval_required"] = owners
        for kind, name in _LISTS.items():
            if given.get(name) is not None:
                levels = changed(call.store, rule[f"{kind}_access_levels"], given[name])
                rule[f"{kind}_access_levels"] = levels
    return _shown(call, call.store.put(PROTECTED_BRANCHES, f"{rule['project_id']}:{rule['name']}", rule))


@routes.delete("/api/v4/projects/<id>/protected_branches/<name>", "gitlab.ProtectedBranches.delete")
def unprotect(call: Call) -> None:
    rule = _rule(call)
    call.store.delete(PROTECTED_BRANCHES, f"{rule['project_id']}:{rule['name']}")
