"""Environments of the GitLab stand-in and their protection (a paid feature: a Community Edition has no such routes, and
without a licence nobody may).

Owns the state of an environment: only a stopped one can be deleted.

Does not own deployments.
"""

import re
from typing import Any

from sandbox.gitlab.common import (
    DEVELOPER,
    MAINTAINER,
    REPORTER,
    bad_parameter,
    conflict,
    created,
    forbidden,
    invalid,
    no_record,
    not_found,
    now,
    one_of,
    paged,
    params,
    path_number,
    premium_only,
    project_of,
    required,
)
from sandbox.gitlab.protection import changed
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

ENVIRONMENTS = "gitlab.environments"
PROTECTED_ENVIRONMENTS = "gitlab.protected_environments"
TIERS = ("production", "staging", "testing", "development", "other")
_STOPS = ("always", "with_action")
_FREE_FIELDS = ("external_url", "description", "kubernetes_namespace", "flux_resource_path", "cluster_agent_id")
_TIER_NAMES = (
    ("development", r"dev|review|trunk"),
    ("testing", r"test|tst|int|ac(?:ce|)pt|qa|qc|control|quality"),
    ("staging", r"st(?:a|)g|mod(?:e|)l|pre|demo|non"),
    ("production", r"pr(?:o|)d|live"),
)

routes = Routes()
_ALL = "/api/v4/projects/<id>/environments"
_ONE = f"{_ALL}/<environment_id>"
_PROTECTED = "/api/v4/projects/<id>/protected_environments"


def _guessed_tier(name: str) -> str:
    return next((tier for tier, pattern in _TIER_NAMES if re.search(pattern, name, re.IGNORECASE)), "other")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24]


def _shown(environment: Record) -> Record:
    shown = {k: v for k, v in environment.items() if k not in ("project_id", "cluster_agent_id")}
    agent = environment["cluster_agent_id"]
    return shown | {"cluster_agent": {"id": agent} if agent else None}


def _environment(call: Call, level: int = REPORTER) -> Record:
    project = project_of(call, level)
    found = call.store.get(ENVIRONMENTS, path_number(call, "environment_id"))
    if found is None or found["project_id"] != project["id"]:
        no_record()
    return found


@routes.get(_ALL, "gitlab.Environments.list")
def list_environments(call: Call) -> Reply:
    project, given = project_of(call, REPORTER), params(call)
    found = call.store.all(ENVIRONMENTS, project_id=project["id"])
    if given.get("name"):
        found = [e for e in found if e["name"] == given["name"]]
    if given.get("search"):
        found = [e for e in found if given["search"] in e["name"]]
    if given.get("states"):
        found = [e for e in found if e["state"] == given["states"]]
    return paged(call, [_shown(e) for e in found])


@routes.post(_ALL, "gitlab.Environments.create")
def create_environment(call: Call) -> Reply:
    project, given = project_of(call, DEVELOPER), params(call)
    required(given, "name")
    name = given["name"]
    if not re.fullmatch(r"[A-Za-z0-9_\-/${}. ]{1,255}", name):
        allowed = "letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'"
        invalid("name", f"can contain only {allowed}")
    if call.store.all(ENVIRONMENTS, project_id=project["id"], name=name):
        invalid("name", "has already been taken")
    number = call.store.next_id("gitlab.environment")
    environment = {
        "id": number,
        "project_id": project["id"],
        "name": name,
        "slug": _slug(name),
        "state": "available",
        "tier": one_of(given, "tier", TIERS, _guessed_tier(name)),
        "auto_stop_at": None,
        "auto_stop_setting": one_of(given, "auto_stop_setting", _STOPS, "always"),
        "created_at": now(),
        "updated_at": now(),
    } | {k: given.get(k) for k in _FREE_FIELDS}
    return created(_shown(call.store.put(ENVIRONMENTS, number, environment)))


@routes.get(_ONE, "gitlab.Environments.get")
def get_environment(call: Call) -> Record:
    return _shown(_environment(call)) | {"last_deployment": None}


@routes.put(_ONE, "gitlab.Environments.update")
def update_environment(call: Call) -> Record:
    found, given = _environment(call, DEVELOPER), params(call)
    if given.get("name") not in (None, found["name"]):
        bad_parameter("name cannot be changed")
    found |= {k: given[k] or None for k in _FREE_FIELDS if k in given}
    found["tier"] = one_of(given, "tier", TIERS, found["tier"])
    found["auto_stop_setting"] = one_of(given, "auto_stop_setting", _STOPS, found["auto_stop_setting"])
    found["updated_at"] = now()
    return _shown(call.store.put(ENVIRONMENTS, found["id"], found))


@routes.post(f"{_ONE}/stop", "gitlab.Environments.stop")
def stop_environment(call: Call) -> Record:
    found = _environment(call, DEVELOPER)
    found |= {"state": "stopped", "updated_at": now()}
    return _shown(call.store.put(ENVIRONMENTS, found["id"], found))


@routes.delete(_ONE, "gitlab.Environments.delete")
def delete_environment(call: Call) -> None:
    found = _environment(call, DEVELOPER)
    if found["state"] != "stopped":
        forbidden()
    call.store.delete(ENVIRONMENTS, found["id"])


# --- protection -------------------------------------------------------------------------------------------------------


def _rule(call: Call) -> Record:
    project = project_of(call, MAINTAINER)
    premium_only(call)
    rule = call.store.get(PROTECTED_ENVIRONMENTS, f"{project['id']}:{call.args['name']}")
    if rule is None:
        not_found()
    return rule


def _shown_rule(rule: Record) -> Record:
    return {k: v for k, v in rule.items() if k != "project_id"}


def _lists(call: Call, rule: Record, given: dict[str, Any]) -> Record:
    for name in ("deploy_access_levels", "approval_rules"):
        if given.get(name) is not None:
            items = [{"group_inheritance_type": 0} | i if "id" not in i else i for i in given[name]]
            if name == "approval_rules":
                items = [{"required_approvals": 1} | i if "id" not in i else i for i in items]
            rule[name] = changed(call.store, rule[name], items)
    return rule


@routes.get(_PROTECTED, "gitlab.ProtectedEnvironments.list")
def list_protected(call: Call) -> Reply:
    project = project_of(call, MAINTAINER)
    premium_only(call)
    return paged(call, [_shown_rule(r) for r in call.store.all(PROTECTED_ENVIRONMENTS, project_id=project["id"])])


@routes.post(_PROTECTED, "gitlab.ProtectedEnvironments.create")
def protect(call: Call) -> Reply:
    project, given = project_of(call, MAINTAINER), params(call)
    premium_only(call)
    required(given, "name", "deploy_access_levels")
    key = f"{project['id']}:{given['name']}"
    if call.store.get(PROTECTED_ENVIRONMENTS, key):
        conflict(f"Protected environment '{given['name']}' already exists")
    blank = {
        "project_id": project["id"],
        "name": given["name"],
        "deploy_access_levels": [],
        "required_approval_count": 0,
        "approval_rules": [],
    }
    return created(_shown_rule(call.store.put(PROTECTED_ENVIRONMENTS, key, _lists(call, blank, given))))


@routes.get(f"{_PROTECTED}/<name>", "gitlab.ProtectedEnvironments.get")
def get_protected(call: Call) -> Record:
    return _shown_rule(_rule(call))


@routes.put(f"{_PROTECTED}/<name>", "gitlab.ProtectedEnvironments.update")
def update_protected(call: Call) -> Record:
    rule = _lists(call, _rule(call), params(call))
    return _shown_rule(call.store.put(PROTECTED_ENVIRONMENTS, f"{rule['project_id']}:{rule['name']}", rule))


@routes.delete(f"{_PROTECTED}/<name>", "gitlab.ProtectedEnvironments.delete")
def unprotect(call: Call) -> None:
    rule = _rule(call)
    call.store.delete(PROTECTED_ENVIRONMENTS, f"{rule['project_id']}:{rule['name']}")
