"""Stand-in for Scaleway's IAM API (v1alpha1): applications and API keys.

Owns which applications exist, and who has which key. Users are `iam_users`, groups `iam_groups`, policies `iam_policies`;
what a key may do is `access`.
"""

from sandbox.scaleway.common import (
    API_KEYS,
    APPLICATIONS,
    PROJECTS,
    USERS,
    Fields,
    already_exists,
    expired,
    filtered,
    find,
    invalid,
    new_access_key,
    new_id,
    now,
    paged,
    permissions_denied,
    query_flag,
    shown,
    touched,
)
from sandbox.scaleway.iam_groups import leave_groups
from sandbox.scaleway.iam_policies import release_policies
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

routes = Routes()

_APPLICATIONS_RULE = "/iam/v1alpha1/applications"
_KEYS_RULE = "/iam/v1alpha1/api-keys"


def new_api_key(
    *,
    organization_id: str,
    default_project_id: str,
    bearer: dict[str, str],
    description: str = "",
    expires_at: str | None = None,
) -> Record:
    """A key as it is stored, with its secret. `bearer` is {application_id: …} or {user_id: …}."""
    moment = now()
    return {
        "access_key": new_access_key(),
        "secret_key": new_id(),
        **bearer,
        "description": description,
        "created_at": moment,
        "updated_at": moment,
        "expires_at": expires_at,
        "default_project_id": default_project_id,
        "editable": True,
        "deletable": True,
        "managed": False,
        "creation_ip": "127.0.0.1",
        "_organization_id": organization_id,
    }


# Applications.


def _counted(store: Store, application: Record) -> Record:
    return application | {"nb_api_keys": len(store.all(API_KEYS, application_id=application["id"]))}


@routes.post(_APPLICATIONS_RULE, "iam.CreateApplication")
def create_application(call: Call) -> Record:
    fields, moment = Fields(call.body), now()
    organization_id = fields.text("organization_id") or call.caller.organization_id
    if organization_id != call.caller.organization_id:
        raise permissions_denied("application", "write")
    name = fields.text("name") or f"app-{new_id()[:8]}"
    _check_name(call, name)
    application: Record = {
        "id": new_id(),
        "name": name,
        "description": fields.text("description"),
        "created_at": moment,
        "updated_at": moment,
        "organization_id": organization_id,
        "editable": True,
        "deletable": True,
        "managed": False,
        "nb_api_keys": 0,
        "tags": fields.texts("tags"),
    }
    return shown(call.store.put(APPLICATIONS, application["id"], application))


@routes.get(_APPLICATIONS_RULE, "iam.ListApplications")
def list_applications(call: Call) -> Record:
    found = filtered(call, call.store.all(APPLICATIONS), "organization_id", contains=["name"])
    wanted = call.query.getlist("application_ids")
    return paged(call, "applications", [_counted(call.store, a) for a in found if not wanted or a["id"] in wanted])


@routes.get(f"{_APPLICATIONS_RULE}/<id>", "iam.GetApplication")
def get_application(call: Call) -> Record:
    return shown(_counted(call.store, find(call, APPLICATIONS, "application", call.args["id"])))


@routes.patch(f"{_APPLICATIONS_RULE}/<id>", "iam.UpdateApplication")
def update_application(call: Call) -> Record:
    application = find(call, APPLICATIONS, "application", call.args["id"])
    changes = Fields(call.body).changes(text=["name", "description"], lists=["tags"])
    if changes.get("name", application["name"]) != application["name"]:
        _check_name(call, changes["name"])
    return shown(_counted(call.store, touched(call.store, APPLICATIONS, application, **changes)))


@routes.delete(f"{_APPLICATIONS_RULE}/<id>", "iam.DeleteApplication")
def delete_application(call: Call) -> None:
    """Its keys go with it; its policies stay, without a principal."""
    application = find(call, APPLICATIONS, "application", call.args["id"])
    for key in call.store.all(API_KEYS, application_id=application["id"]):
        call.store.delete(API_KEYS, key["access_key"])
    release_policies(call.store, "application_id", application["id"])
    leave_groups(call.store, application["id"])
    call.store.delete(APPLICATIONS, application["id"])


def _check_name(call: Call, name: str) -> None:
    same = call.store.all(APPLICATIONS, name=name)
    if same:
        raise already_exists("application", same[0]["id"], "an application of the organization has this name")


# API keys.


def _without_secret(key: Record) -> Record:
    return shown(key | {"secret_key": None})


@routes.post(_KEYS_RULE, "iam.CreateAPIKey")
def create_key(call: Call) -> Record:
    """The only answer that has the secret key."""
    fields = Fields(call.body)
    application_id, user_id = fields.optional("application_id"), fields.optional("user_id")
    if application_id is not None and user_id is not None:
        raise invalid("bearer", "constraint", "either application_id or user_id must be set")
    if application_id is not None:
        find(call, APPLICATIONS, "application", application_id)
        bearer = {"application_id": application_id}
    elif user_id is not None:
        find(call, USERS, "user", user_id)
        bearer = {"user_id": user_id}
    else:
        raise invalid("bearer", "required", "either application_id or user_id must be set")
    key = new_api_key(
        organization_id=call.caller.organization_id,
        default_project_id=_default_project(call, fields) or call.caller.organization_id,
        bearer=bearer,
        description=fields.text("description"),
        expires_at=_expiry(fields),
    )
    return shown(call.store.put(API_KEYS, key["access_key"], key))


@routes.get(_KEYS_RULE, "iam.ListAPIKeys")
def list_keys(call: Call) -> Record:
    keys = filtered(call, call.store.all(API_KEYS), "application_id", "user_id", "access_key", contains=["description"])
    bearer, is_expired = call.query.get("bearer_id", ""), query_flag(call, "expired")
    kind = call.query.get("bearer_type", "")
    wanted = call.query.getlist("access_keys")
    keys = [k for k in keys if not bearer or bearer in (k.get("application_id"), k.get("user_id"))]
    keys = [k for k in keys if kind not in ("application", "user") or f"{kind}_id" in k]
    keys = [k for k in keys if is_expired is None or expired(k, call.caller.moment) is is_expired]
    return paged(call, "api_keys", [_without_secret(k) for k in keys if not wanted or k["access_key"] in wanted])


@routes.get(f"{_KEYS_RULE}/<access_key>", "iam.GetAPIKey")
def get_key(call: Call) -> Record:
    return _without_secret(find(call, API_KEYS, "api_key", call.args["access_key"]))


@routes.patch(f"{_KEYS_RULE}/<access_key>", "iam.UpdateAPIKey")
def update_key(call: Call) -> Record:
    key, fields = find(call, API_KEYS, "api_key", call.args["access_key"]), Fields(call.body)
    changes = fields.changes(text=["description"])
    if project_id := _default_project(call, fields):
        changes["default_project_id"] = project_id
    if expires_at := _expiry(fields):
        changes["expires_at"] = expires_at
    return _without_secret(touched(call.store, API_KEYS, key, **changes))


@routes.delete(f"{_KEYS_RULE}/<access_key>", "iam.DeleteAPIKey")
def delete_key(call: Call) -> None:
    key = find(call, API_KEYS, "api_key", call.args["access_key"])
    call.store.delete(API_KEYS, key["access_key"])


def _expiry(fields: Fields) -> str | None:
    expires_at = fields.moment("expires_at")
    if expires_at is not None and expires_at <= now():
        raise invalid("expires_at", "constraint", "must be in the future")
    return expires_at


def _default_project(call: Call, fields: Fields) -> str | None:
    project_id = fields.optional("default_project_id")
    if project_id is not None and call.store.get(PROJECTS, project_id) is None:
        raise permissions_denied("project", "read")
    return project_id
