"""Stand-in for Scaleway's Container Registry API (v1): namespaces.

Owns namespaces as the API describes them. Does not own images: nothing can be pushed to the sandbox.
"""

import re

from sandbox.scaleway.common import (
    NAMESPACES,
    Fields,
    filtered,
    invalid,
    new_id,
    now,
    paged,
    project_of,
    region_of,
    shown,
    touched,
)
from sandbox.store import Record
from sandbox.web import ApiError, Call, Routes

routes = Routes()

_RULE = "/registry/v1/regions/<region>/namespaces"
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,48}[a-z0-9])?")


@routes.post(_RULE, "registry.CreateNamespace")
def create(call: Call) -> Record:
    fields, project, region, moment = Fields(call.body), project_of(call, "registry"), region_of(call), now()
    name = fields.required("name")
    if not _NAME.fullmatch(name):
        raise invalid("name", "constraint", "lower-case letters, digits, dots, hyphens and underscores only")
    if call.store.all(NAMESPACES, name=name, region=region):
        # Names are shared by all customers of a region, and this API has error bodies of its own.
        raise ApiError(409, {"message": "Namespace already exists", "type": "already_exists"})
    namespace = {
        "id": new_id(),
        "name": name,
        "description": fields.text("description"),
        "organization_id": project["organization_id"],
        "project_id": project["id"],
        "status": "ready",
        "status_message": "",
        "endpoint": f"rg.{region}.scw.cloud/{name}",
        "is_public": fields.flag("is_public"),
        "size": 0,
        "created_at": moment,
        "updated_at": moment,
        "image_count": 0,
        "region": region,
    }
    return shown(call.store.put(NAMESPACES, namespace["id"], namespace))


@routes.get(_RULE, "registry.ListNamespaces")
def list_all(call: Call) -> Record:
    namespaces = call.store.all(NAMESPACES, region=region_of(call))
    return paged(call, "namespaces", filtered(call, namespaces, "organization_id", "project_id", "name"))


@routes.get(f"{_RULE}/<id>", "registry.GetNamespace")
def get(call: Call) -> Record:
    return shown(_find(call))


@routes.patch(f"{_RULE}/<id>", "registry.UpdateNamespace")
def update(call: Call) -> Record:
    changes = Fields(call.body).changes(text=["description"], flags=["is_public"])
    return shown(touched(call.store, NAMESPACES, _find(call), **changes))


@routes.delete(f"{_RULE}/<id>", "registry.DeleteNamespace")
def delete(call: Call) -> Record:
    namespace = _find(call)
    call.store.delete(NAMESPACES, namespace["id"])
    return shown(namespace | {"status": "deleting", "updated_at": now()})


def _find(call: Call) -> Record:
    namespace = call.store.get(NAMESPACES, call.args["id"])
    if namespace is None or namespace["region"] != call.args["region"]:
        raise ApiError(404, {"message": "Namespace was not found"})
    return namespace
