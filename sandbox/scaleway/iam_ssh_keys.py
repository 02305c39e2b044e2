"""Stand-in for Scaleway's IAM API (v1alpha1): public SSH keys of projects.

Owns their records, by the types of Scaleway's SDK. Nothing of the sandbox can be logged in to.
"""

import base64
import binascii
import hashlib

from sandbox.scaleway.common import (
    SSH_KEYS,
    Fields,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    project_of,
    query_flag,
    shown,
    touched,
)
from sandbox.store import Record
from sandbox.web import Call, Routes

routes = Routes()

_RULE = "/iam/v1alpha1/ssh-keys"


def _fingerprint(public_key: str) -> str:
    """As ssh-keygen tells it with MD5: bits are left at 256, because only Ed25519 keys of that size are common."""
    kind, _, rest = public_key.partition(" ")
    key, _, comment = rest.partition(" ")
    try:
        digest = hashlib.md5(base64.b64decode(key, validate=True), usedforsecurity=False).hexdigest()
    except binascii.Error:
        raise invalid("public_key", "format", "an OpenSSH public key is expected") from None
    if not key:
        raise invalid("public_key", "format", "an OpenSSH public key is expected")
    pairs = ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
    return f"256 MD5:{pairs} {comment or 'no comment'} ({kind})"


@routes.post(_RULE, "iam.CreateSSHKey")
def create(call: Call) -> Record:
    fields, project, moment = Fields(call.body), project_of(call, "ssh_key"), now()
    public_key = fields.required("public_key")
    key = {
        "id": new_id(),
        "name": fields.text("name") or f"key-{new_id()[:8]}",
        "public_key": public_key,
        "fingerprint": _fingerprint(public_key),
        "created_at": moment,
        "updated_at": moment,
        "organization_id": project["organization_id"],
        "project_id": project["id"],
        "disabled": False,
    }
    return shown(call.store.put(SSH_KEYS, key["id"], key))


@routes.get(_RULE, "iam.ListSSHKeys")
def list_all(call: Call) -> Record:
    found = filtered(call, call.store.all(SSH_KEYS), "organization_id", "project_id", contains=["name"])
    disabled = query_flag(call, "disabled")
    return paged(call, "ssh_keys", [k for k in found if disabled is None or k["disabled"] is disabled])


@routes.get(f"{_RULE}/<id>", "iam.GetSSHKey")
def get(call: Call) -> Record:
    return shown(_key(call))


@routes.patch(f"{_RULE}/<id>", "iam.UpdateSSHKey")
def update(call: Call) -> Record:
    changes = Fields(call.body).changes(text=["name"], flags=["disabled"])
    return shown(touched(call.store, SSH_KEYS, _key(call), **changes))


@routes.delete(f"{_RULE}/<id>", "iam.DeleteSSHKey")
def delete(call: Call) -> None:
    call.store.delete(SSH_KEYS, _key(call)["id"])


def _key(call: Call) -> Record:
    return find(call, SSH_KEYS, "ssh_key", call.args["id"])
