"""Stand-in for Scaleway's Secret Manager API (v1beta1): secrets and their versions.

Owns soft deletion, protection and revisions. Keeps payloads as they are sent, in the store: the sandbox holds no real
secret, so it has no key to encrypt them with.
"""

import base64
import binascii
import re
import zlib

from sandbox.scaleway.common import (
    SECRETS,
    Fields,
    already_exists,
    filtered,
    find,
    invalid,
    new_id,
    not_found,
    now,
    paged,
    precondition_failed,
    project_of,
    query_flag,
    region_of,
    shown,
    touched,
)
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

VERSIONS = "scaleway.secret.versions"

routes = Routes()

_RULE = "/secret-manager/v1beta1/regions/<region>/secrets"
_VERSIONS_RULE = f"{_RULE}/<id>/versions"
_VERSION_RULE = f"{_VERSIONS_RULE}/<revision>"
_TYPES = ("opaque", "certificate", "key_value", "basic_credentials", "database_credentials", "ssh_key")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
_MAX_BYTES = 64 * 1024


def _secret(call: Call) -> Record:
    return find(call, SECRETS, "secret", call.args["id"])


def _live(call: Call) -> Record:
    """The secret, unless it waits for its deletion: it can be looked at then, but no longer used."""
    secret = _secret(call)
    if secret["deletion_requested_at"] is not None:
        raise precondition_failed("resource_not_usable", "the secret is scheduled for deletion")
    return secret


def _counted(store: Store, secret: Record) -> Record:
    return secret | {"version_count": len(store.all(VERSIONS, secret_id=secret["id"]))}


def _check_name(call: Call, secret: Record) -> None:
    place = {name: secret[name] for name in ("project_id", "region", "path", "name")}
    for other in call.store.all(SECRETS, **place, deletion_requested_at=None):
        if other["id"] != secret["id"]:
            raise already_exists("secret", other["id"], "a secret of the project has this path and name")


def _path(fields: Fields) -> str:
    path = fields.text("path") or "/"
    if not path.startswith("/"):
        raise invalid("path", "constraint", "must begin with a slash")
    return path


@routes.post(_RULE, "secret.CreateSecret")
def create(call: Call) -> Record:
    fields, project, moment = Fields(call.body), project_of(call, "secret"), now()
    name, kind = fields.required("name"), fields.text("type", "opaque")
    if not _NAME.fullmatch(name):
        raise invalid("name", "format", "letters, digits, dots, hyphens and underscores only")
    if kind == "unknown_type":
        kind = "opaque"
    if kind not in _TYPES:
        raise invalid("type", "constraint", f"must be one of {', '.join(_TYPES)}")
    secret = {
        "id": new_id(),
        "project_id": project["id"],
        "name": name,
        "status": "ready",
        "created_at": moment,
        "updated_at": moment,
        "tags": fields.texts("tags"),
        "version_count": 0,
        "description": fields.text("description"),
        "managed": False,
        "type": kind,
        "protected": fields.flag("protected"),
        "path": _path(fields),
        "ephemeral_policy": call.body.get("ephemeral_policy"),
        "used_by": [],
        "deletion_requested_at": None,
        "key_id": fields.optional("key_id"),
        "region": region_of(call),
        "_organization_id": project["organization_id"],
    }
    _check_name(call, secret)
    return shown(call.store.put(SECRETS, secret["id"], secret))


@routes.get(_RULE, "secret.ListSecrets")
def list_all(call: Call) -> Record:
    secrets = filtered(call, call.store.all(SECRETS, region=region_of(call)), "project_id", "name", "path", "type")
    organization_id = call.query.get("organization_id", "")
    deleted, ephemeral = bool(query_flag(call, "scheduled_for_deletion")), query_flag(call, "ephemeral")
    secrets = [s for s in secrets if (s["deletion_requested_at"] is not None) is deleted]
    secrets = [s for s in secrets if ephemeral is None or (s["ephemeral_policy"] is not None) is ephemeral]
    secrets = [s for s in secrets if not organization_id or s["_organization_id"] == organization_id]
    return paged(call, "secrets", [_counted(call.store, s) for s in secrets])


@routes.get(f"{_RULE}/<id>", "secret.GetSecret")
def get(call: Call) -> Record:
    return shown(_counted(call.store, _secret(call)))


@routes.patch(f"{_RULE}/<id>", "secret.UpdateSecret")
def update(call: Call) -> Record:
    secret, fields = _live(call), Fields(call.body)
    changes = fields.changes(text=["name", "description"], lists=["tags"])
    if fields.given("path"):
        changes["path"] = _path(fields)
    if fields.given("ephemeral_policy"):
        changes["ephemeral_policy"] = call.body["ephemeral_policy"]
    _check_name(call, secret | changes)
    return shown(_counted(call.store, touched(call.store, SECRETS, secret, **changes)))


@routes.delete(f"{_RULE}/<id>", "secret.DeleteSecret")
def delete(call: Call) -> None:
    secret = _live(call)
    _check_unprotected(secret)
    moment = now()
    call.store.put(SECRETS, secret["id"], secret | {"updated_at": moment, "deletion_requested_at": moment})


@routes.post(f"{_RULE}/<id>/restore", "secret.RestoreSecret")
def restore(call: Call) -> Record:
    secret = _secret(call) | {"deletion_requested_at": None}
    _check_name(call, secret)
    return shown(_counted(call.store, touched(call.store, SECRETS, secret)))


@routes.post(f"{_RULE}/<id>/protect", "secret.ProtectSecret")
def protect(call: Call) -> Record:
    return shown(_counted(call.store, touched(call.store, SECRETS, _live(call), protected=True)))


@routes.post(f"{_RULE}/<id>/unprotect", "secret.UnprotectSecret")
def unprotect(call: Call) -> Record:
    return shown(_counted(call.store, touched(call.store, SECRETS, _live(call), protected=False)))


def _check_unprotected(secret: Record) -> None:
    if secret["protected"]:
        raise precondition_failed("resource_not_deletable", "the secret is protected")


# Versions. Stored with their payload in `data`, which no answer but that of `access` shows.


def _shown_version(version: Record) -> Record:
    return {name: value for name, value in shown(version).items() if name not in ("data", "data_crc32")}


def _version(call: Call) -> Record:
    """By number, or `latest`, or `latest_enabled`."""
    secret, revision = _secret(call), call.args["revision"]
    versions = call.store.all(VERSIONS, secret_id=secret["id"])
    if revision == "latest_enabled":
        versions = [v for v in versions if v["status"] == "enabled"]
    elif revision != "latest":
        versions = [v for v in versions if str(v["revision"]) == revision]
    if not versions:
        raise not_found("secret_version", revision)
    return versions[-1]


def _put(store: Store, version: Record, **changes: object) -> Record:
    changed = version | changes | {"updated_at": now()}
    return store.put(VERSIONS, f"{version['secret_id']}/{version['revision']}", changed)


@routes.post(_VERSIONS_RULE, "secret.CreateSecretVersion")
def create_version(call: Call) -> Record:
    secret, fields, moment = _live(call), Fields(call.body), now()
    try:
        payload = base64.b64decode(fields.text("data"), validate=True)
    except binascii.Error:
        raise invalid("data", "format", "base64 is expected") from None
    if len(payload) > _MAX_BYTES:
        raise invalid("data", "constraint", f"must have at most {_MAX_BYTES} bytes")
    checksum = fields.number("data_crc32") if fields.given("data_crc32") else None
    if checksum not in (None, zlib.crc32(payload)):
        raise invalid("data_crc32", "constraint", "does not match the data")
    previous = call.store.all(VERSIONS, secret_id=secret["id"])
    for version in previous:
        disabled = fields.flag("disable_previous") and version["latest"] and version["status"] == "enabled"
        if version["latest"]:
            _put(call.store, version, latest=False, status="disabled" if disabled else version["status"])
    version = {
        "revision": len(previous) + 1,
        "secret_id": secret["id"],
        "status": "enabled",
        "created_at": moment,
        "updated_at": moment,
        "deleted_at": None,
        "description": fields.text("description"),
        "latest": True,
        "ephemeral_properties": None,
        "deletion_requested_at": None,
        "region": secret["region"],
        "data": base64.b64encode(payload).decode(),
        "data_crc32": checksum,
    }
    return _shown_version(_put(call.store, version))


@routes.get(_VERSIONS_RULE, "secret.ListSecretVersions")
def list_versions(call: Call) -> Record:
    versions = call.store.all(VERSIONS, secret_id=_secret(call)["id"])
    wanted = call.query.getlist("status")
    found = [v for v in versions if not wanted or v["status"] in wanted]
    return paged(call, "versions", [_shown_version(v) for v in found])


@routes.get(_VERSION_RULE, "secret.GetSecretVersion")
def get_version(call: Call) -> Record:
    return _shown_version(_version(call))


@routes.patch(_VERSION_RULE, "secret.UpdateSecretVersion")
def update_version(call: Call) -> Record:
    _live(call)
    changes = Fields(call.body).changes(text=["description"])
    if call.body.get("ephemeral_properties") is not None:
        changes["ephemeral_properties"] = call.body["ephemeral_properties"]
    return _shown_version(_put(call.store, _version(call), **changes))


@routes.delete(_VERSION_RULE, "secret.DeleteSecretVersion")
def delete_version(call: Call) -> None:
    _check_unprotected(_live(call))
    _put(call.store, _version(call), status="scheduled_for_deletion", deletion_requested_at=now())


@routes.get(f"{_VERSION_RULE}/access", "secret.AccessSecretVersion")
def access(call: Call) -> Record:
    secret, version = _live(call), _version(call)
    if version["status"] != "enabled":
        raise precondition_failed("resource_not_usable", f"the version is {version['status']}")
    return {
        "secret_id": secret["id"],
        "revision": version["revision"],
        "data": version["data"],
        "data_crc32": version["data_crc32"],
        "type": secret["type"],
    }


@routes.post(f"{_VERSION_RULE}/enable", "secret.EnableSecretVersion")
def enable_version(call: Call) -> Record:
    return _shown_version(_switched(call, "enabled"))


@routes.post(f"{_VERSION_RULE}/disable", "secret.DisableSecretVersion")
def disable_version(call: Call) -> Record:
    return _shown_version(_switched(call, "disabled"))


def _switched(call: Call, status: str) -> Record:
    _live(call)
    version = _version(call)
    if version["deletion_requested_at"] is not None:
        raise precondition_failed("resource_not_usable", "the version is scheduled for deletion")
    return _put(call.store, version, status=status)
