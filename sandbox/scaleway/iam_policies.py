"""Stand-in for Scaleway's IAM API (v1alpha1): policies, their rules, and the list of permission sets.

Owns what a policy may say. Its effect on requests is `access`, and what a condition may say is `conditions`.
"""

from typing import Any

from sandbox.scaleway import conditions
from sandbox.scaleway.common import (
    APPLICATIONS,
    GROUPS,
    PROJECTS,
    USERS,
    Fields,
    already_exists,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    permissions_denied,
    query_flag,
    shown,
    touched,
)
from sandbox.scaleway.permission_sets import SCOPES
from sandbox.scaleway.permission_sets import shown as shown_permission_set
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

POLICIES = "scaleway.iam.policies"
RULES = "scaleway.iam.rules"

routes = Routes()

_RULE = "/iam/v1alpha1/policies"
_PRINCIPALS = ("user_id", "group_id", "application_id", "no_principal")


def release_policies(store: Store, principal: str, bearer_id: str) -> None:
    """Leaves the policies without a principal whose principal (application_id, user_id or group_id) this is."""
    for policy in store.all(POLICIES, **{principal: bearer_id}):
        store.put(POLICIES, policy["id"], _without_principal(policy) | {"no_principal": True, "updated_at": now()})


def _without_principal(policy: Record) -> Record:
    return {name: value for name, value in policy.items() if name not in _PRINCIPALS}


def _principal(call: Call, fields: Fields) -> dict[str, Any]:
    """The one principal that the body names; empty where it names none."""
    ids = {name: fields.optional(name) for name in ("user_id", "group_id", "application_id")}
    named: dict[str, Any] = {name: value for name, value in ids.items() if value is not None}
    if fields.flag("no_principal"):
        named["no_principal"] = True
    if len(named) > 1:
        raise invalid("principal", "constraint", "exactly one principal must be set")
    if "application_id" in named:
        find(call, APPLICATIONS, "application", named["application_id"])
    if "user_id" in named:
        find(call, USERS, "user", named["user_id"])
    if "group_id" in named:
        find(call, GROUPS, "group", named["group_id"])
    return named


def _rules(call: Call, fields: Fields) -> list[Record]:
    return [_rule(call, rule) for rule in fields.all_nested("rules")]


def _rule(call: Call, fields: Fields) -> Record:
    names, projects = fields.texts("permission_set_names"), fields.texts("project_ids")
    organization_id = fields.optional("organization_id")
    if not names:
        raise invalid("permission_set_names", "required")
    for name in names:
        if name not in SCOPES:
            raise invalid("permission_set_names", "constraint", f"there is no permission set {name}")
    kinds = {SCOPES[name] for name in names}
    if len(kinds) > 1:
        raise invalid("permission_set_names", "constraint", "all permission sets of a rule must have one scope type")
    kind = kinds.pop()
    if bool(projects) is (organization_id is not None):
        raise invalid("scope", "constraint", "either project_ids or organization_id must be set")
    if projects and kind == "organization":
        raise invalid("scope", "constraint", "permission sets of the organization need organization_id")
    if organization_id not in (None, call.caller.organization_id):
        raise permissions_denied("organization", "write")
    for project_id in projects:
        if call.store.get(PROJECTS, project_id) is None:
            raise invalid("project_ids", "constraint", f"there is no project {project_id}")
    condition = fields.text("condition")
    try:
        conditions.check(condition)
    except conditions.ConditionError as error:
        raise invalid("condition", "format", str(error)) from None
    scope: Record = {"project_ids": projects} if projects else {"organization_id": organization_id}
    return {
        "id": new_id(),
        "permission_set_names": names,
        "permission_sets_scope_type": kind,
        "condition": condition,
        **scope,
    }


def _put_rules(store: Store, policy_id: str, rules: list[Record]) -> None:
    for old in store.all(RULES, _policy_id=policy_id):
        store.delete(RULES, old["id"])
    for rule in rules:
        store.put(RULES, rule["id"], rule | {"_policy_id": policy_id})


def _counted(store: Store, policy: Record) -> Record:
    rules = store.all(RULES, _policy_id=policy["id"])
    return policy | {
        "nb_rules": len(rules),
        "nb_scopes": sum(len(r.get("project_ids", ["the organization"])) for r in rules),
        "nb_permission_sets": sum(len(r["permission_set_names"]) for r in rules),
    }


@routes.post(_RULE, "iam.CreatePolicy")
def create(call: Call) -> Record:
    fields, moment = Fields(call.body), now()
    organization_id = fields.text("organization_id") or call.caller.organization_id
    if organization_id != call.caller.organization_id:
        raise permissions_denied("policy", "write")
    name = fields.text("name") or f"policy-{new_id()[:8]}"
    _check_name(call, name)
    principal = _principal(call, fields)
    if not principal:
        raise invalid("principal", "required", "exactly one principal must be set")
    rules = _rules(call, fields)
    policy = {
        "id": new_id(),
        "name": name,
        "description": fields.text("description"),
        "organization_id": organization_id,
        "created_at": moment,
        "updated_at": moment,
        "editable": True,
        "deletable": True,
        "managed": False,
        "nb_rules": 0,
        "nb_scopes": 0,
        "nb_permission_sets": 0,
        "tags": fields.texts("tags"),
        **principal,
    }
    call.store.put(POLICIES, policy["id"], policy)
    _put_rules(call.store, policy["id"], rules)
    return shown(_counted(call.store, policy))


@routes.get(_RULE, "iam.ListPolicies")
def list_all(call: Call) -> Record:
    policies = filtered(call, call.store.all(POLICIES), "organization_id")
    wanted = {name: call.query.getlist(f"{name}s") for name in ("user_id", "group_id", "application_id")}
    for name, ids in wanted.items():
        policies = [p for p in policies if not ids or p.get(name) in ids]
    ids, name, orphan = (
        call.query.getlist("policy_ids"),
        call.query.get("policy_name", ""),
        query_flag(call, "no_principal"),
    )
    policies = [p for p in policies if (not ids or p["id"] in ids) and name in p["name"]]
    policies = [p for p in policies if orphan is None or p.get("no_principal", False) is orphan]
    return paged(call, "policies", [_counted(call.store, p) for p in policies])


@routes.get(f"{_RULE}/<id>", "iam.GetPolicy")
def get(call: Call) -> Record:
    return shown(_counted(call.store, find(call, POLICIES, "policy", call.args["id"])))


@routes.patch(f"{_RULE}/<id>", "iam.UpdatePolicy")
def update(call: Call) -> Record:
    policy, fields = find(call, POLICIES, "policy", call.args["id"]), Fields(call.body)
    changes = fields.changes(text=["name", "description"], lists=["tags"])
    if changes.get("name", policy["name"]) != policy["name"]:
        _check_name(call, changes["name"])
    if principal := _principal(call, fields):
        policy = _without_principal(policy) | principal
    return shown(_counted(call.store, touched(call.store, POLICIES, policy, **changes)))


@routes.delete(f"{_RULE}/<id>", "iam.DeletePolicy")
def delete(call: Call) -> None:
    policy = find(call, POLICIES, "policy", call.args["id"])
    _put_rules(call.store, policy["id"], [])
    call.store.delete(POLICIES, policy["id"])


@routes.get("/iam/v1alpha1/rules", "iam.ListRules")
def list_rules(call: Call) -> Record:
    policy_id = call.query.get("policy_id", "")
    if not policy_id:
        raise invalid("policy_id", "required")
    find(call, POLICIES, "policy", policy_id)
    return paged(call, "rules", call.store.all(RULES, _policy_id=policy_id))


@routes.put("/iam/v1alpha1/rules", "iam.SetRules")
def set_rules(call: Call) -> Record:
    fields = Fields(call.body)
    policy = find(call, POLICIES, "policy", fields.required("policy_id"))
    rules = _rules(call, fields)
    _put_rules(call.store, policy["id"], rules)
    touched(call.store, POLICIES, policy)
    return {"rules": rules}


@routes.get("/iam/v1alpha1/permission-sets", "iam.ListPermissionSets")
def list_permission_sets(call: Call) -> Record:
    return paged(call, "permission_sets", [shown_permission_set(name) for name in SCOPES])


def _check_name(call: Call, name: str) -> None:
    same = call.store.all(POLICIES, name=name)
    if same:
        raise already_exists("policy", same[0]["id"], "a policy of the organization has this name")
