"""Stand-in for Scaleway's IAM API (v1alpha1): groups of users and applications.

Owns who is in which group. What a group may do is a policy with the group as its principal (`iam_policies`).
"""

from sandbox.scaleway.common import (
    APPLICATIONS,
    GROUPS,
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
    shown,
    touched,
)
from sandbox.scaleway.iam_policies import release_policies
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

routes = Routes()

_RULE = "/iam/v1alpha1/groups"
_MEMBERS = {"user_ids": (USERS, "user"), "application_ids": (APPLICATIONS, "application")}


@routes.post(_RULE, "iam.CreateGroup")
def create(call: Call) -> Record:
    fields, moment = Fields(call.body), now()
    organization_id = fields.text("organization_id") or call.caller.organization_id
    if organization_id != call.caller.organization_id:
        raise permissions_denied("group", "write")
    name = fields.text("name") or f"grp-{new_id()[:8]}"
    _check_name(call, name)
    group: Record = {
        "id": new_id(),
        "created_at": moment,
        "updated_at": moment,
        "organization_id": organization_id,
        "name": name,
        "description": fields.text("description"),
        "user_ids": [],
        "application_ids": [],
        "tags": fields.texts("tags"),
        "editable": True,
        "deletable": True,
        "managed": False,
    }
    return shown(call.store.put(GROUPS, group["id"], group))


@routes.get(_RULE, "iam.ListGroups")
def list_all(call: Call) -> Record:
    groups = filtered(call, call.store.all(GROUPS), "organization_id", contains=["name"])
    wanted = call.query.getlist("group_ids")
    groups = [g for g in groups if not wanted or g["id"] in wanted]
    for name in _MEMBERS:
        members = call.query.getlist(name)
        groups = [g for g in groups if not members or set(members) & set(g[name])]
    return paged(call, "groups", groups)


@routes.get(f"{_RULE}/<id>", "iam.GetGroup")
def get(call: Call) -> Record:
    return shown(_group(call))


@routes.patch(f"{_RULE}/<id>", "iam.UpdateGroup")
def update(call: Call) -> Record:
    group = _group(call)
    changes = Fields(call.body).changes(text=["name", "description"], lists=["tags"])
    if changes.get("name", group["name"]) != group["name"]:
        _check_name(call, changes["name"])
    return shown(touched(call.store, GROUPS, group, **changes))


@routes.delete(f"{_RULE}/<id>", "iam.DeleteGroup")
def delete(call: Call) -> None:
    """Its policies stay, without a principal."""
    group = _group(call)
    release_policies(call.store, "group_id", group["id"])
    call.store.delete(GROUPS, group["id"])


@routes.put(f"{_RULE}/<id>/members", "iam.SetGroupMembers")
def set_members(call: Call) -> Record:
    group = _group(call)
    return shown(touched(call.store, GROUPS, group, **_members(call)))


@routes.post(f"{_RULE}/<id>/add-members", "iam.AddGroupMembers")
def add_members(call: Call) -> Record:
    group = _group(call)
    return _joined(call, group, _members(call))


@routes.post(f"{_RULE}/<id>/add-member", "iam.AddGroupMember")
def add_member(call: Call) -> Record:
    group = _group(call)
    return _joined(call, group, _member(call))


@routes.post(f"{_RULE}/<id>/remove-member", "iam.RemoveGroupMember")
def remove_member(call: Call) -> Record:
    group = _group(call)
    leaving = _member(call)
    left = {name: [m for m in group[name] if m not in leaving[name]] for name in _MEMBERS}
    return shown(touched(call.store, GROUPS, group, **left))


def leave_groups(store: Store, bearer_id: str, members: str = "application_ids") -> None:
    """For an application, or a user (`user_ids`), that is being deleted."""
    for group in store.all(GROUPS):
        if bearer_id in group[members]:
            touched(store, GROUPS, group, **{members: [member for member in group[members] if member != bearer_id]})


def _group(call: Call) -> Record:
    return find(call, GROUPS, "group", call.args["id"])


def _members(call: Call) -> dict[str, list[str]]:
    """The users and applications that the body lists. Raises a 404 for an unknown one."""
    fields = Fields(call.body)
    members = {name: list(dict.fromkeys(fields.texts(name))) for name in _MEMBERS}
    for name, (table, resource) in _MEMBERS.items():
        for member in members[name]:
            find(call, table, resource, member)
    return members


def _member(call: Call) -> dict[str, list[str]]:
    """The one user or application that the body names."""
    fields = Fields(call.body)
    named = {f"{name}s": fields.optional(name) for name in ("user_id", "application_id")}
    if sum(member is not None for member in named.values()) != 1:
        raise invalid("member", "required", "either user_id or application_id must be set")
    for name, member in named.items():
        if member is not None:
            table, resource = _MEMBERS[name]
            find(call, table, resource, member)
    return {name: [] if member is None else [member] for name, member in named.items()}


def _joined(call: Call, group: Record, members: dict[str, list[str]]) -> Record:
    together = {name: list(dict.fromkeys(group[name] + members[name])) for name in _MEMBERS}
    return shown(touched(call.store, GROUPS, group, **together))


def _check_name(call: Call, name: str) -> None:
    same = call.store.all(GROUPS, name=name)
    if same:
        raise already_exists("group", same[0]["id"], "a group of the organization has this name")
