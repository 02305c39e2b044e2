"""Stand-in for Scaleway's IAM API (v1alpha1): users.

Owns the organization's owner, whom the seed creates, and its members. Nobody can log in: members have no password here, and
no mail is sent.
"""

from sandbox.scaleway.common import (
    API_KEYS,
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
    precondition_failed,
    shown,
    touched,
)
from sandbox.scaleway.iam_groups import leave_groups
from sandbox.scaleway.iam_policies import release_policies
from sandbox.store import Record
from sandbox.web import Call, Routes

routes = Routes()

_RULE = "/iam/v1alpha1/users"
_PERSONAL = ("email", "first_name", "last_name", "phone_number", "locale")


def new_owner(organization_id: str, user_id: str) -> Record:
    named = {"email": "owner@sandbox.invalid", "first_name": "Sandbox", "last_name": "Owner", "locale": "en_US"}
    return _new(organization_id, user_id, username="owner@sandbox.invalid", kind="owner", named=named)


def _new(organization_id: str, user_id: str, *, username: str, kind: str, named: dict[str, str]) -> Record:
    moment = now()
    return {
        "id": user_id,
        "email": named["email"],
        "username": username,
        "first_name": named.get("first_name", ""),
        "last_name": named.get("last_name", ""),
        "phone_number": named.get("phone_number", ""),
        "locale": named.get("locale", ""),
        "created_at": moment,
        "updated_at": moment,
        "organization_id": organization_id,
        "deletable": kind != "owner",
        "last_login_at": None,
        "type": kind,
        "two_factor_enabled": False,
        "status": "activated",
        "mfa": False,
        "account_root_user_id": user_id,
        "tags": [],
        "locked": False,
    }


@routes.post(_RULE, "iam.CreateUser")
def create(call: Call) -> Record:
    fields = Fields(call.body)
    organization_id = fields.text("organization_id") or call.caller.organization_id
    if organization_id != call.caller.organization_id:
        raise permissions_denied("user", "write")
    member = fields.nested("member")
    if not fields.given("member"):
        raise invalid("member", "required", "users are members: an address alone is for guests, whom nobody can invite")
    username = member.required("username")
    _check_username(call, username)
    named = {name: member.text(name) for name in _PERSONAL} | {"email": member.required("email")}
    user = _new(organization_id, new_id(), username=username, kind="member", named=named)
    return shown(call.store.put(USERS, user["id"], user | {"tags": fields.texts("tags")}))


@routes.get(_RULE, "iam.ListUsers")
def list_all(call: Call) -> Record:
    wanted = call.query.getlist("user_ids")
    users = filtered(call, call.store.all(USERS), "organization_id", "type")
    return paged(call, "users", [u for u in users if not wanted or u["id"] in wanted])


@routes.get(f"{_RULE}/<id>", "iam.GetUser")
def get(call: Call) -> Record:
    return shown(_user(call))


@routes.patch(f"{_RULE}/<id>", "iam.UpdateUser")
def update(call: Call) -> Record:
    changes = Fields(call.body).changes(text=_PERSONAL, lists=["tags"])
    return shown(touched(call.store, USERS, _user(call), **changes))


@routes.post(f"{_RULE}/<id>/update-username", "iam.UpdateUserUsername")
def update_username(call: Call) -> Record:
    user, username = _user(call), Fields(call.body).required("username")
    if username != user["username"]:
        _check_username(call, username)
    return shown(touched(call.store, USERS, user, username=username))


@routes.delete(f"{_RULE}/<id>", "iam.DeleteUser")
def delete(call: Call) -> None:
    """Their keys go with them; their policies stay, without a principal."""
    user = _user(call)
    if not user["deletable"]:
        raise precondition_failed("resource_not_deletable", "the owner of the organization cannot be deleted")
    for key in call.store.all(API_KEYS, user_id=user["id"]):
        call.store.delete(API_KEYS, key["access_key"])
    release_policies(call.store, "user_id", user["id"])
    leave_groups(call.store, user["id"], "user_ids")
    call.store.delete(USERS, user["id"])


def _user(call: Call) -> Record:
    return find(call, USERS, "user", call.args["id"])


def _check_username(call: Call, username: str) -> None:
    same = call.store.all(USERS, username=username)
    if same:
        raise already_exists("user", same[0]["id"], "a user of the organization has this name")
