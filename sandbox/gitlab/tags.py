"""Protected tags of the GitLab stand-in. The API has no update: a protection is removed and made again."""

from sandbox.gitlab.common import (
    MAINTAINER,
    conflict,
    created,
    enterprise,
    no_record,
    one_of,
    paged,
    params,
    project_of,
    required,
)
from sandbox.gitlab.protection import changed, level_item
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

PROTECTED_TAGS = "gitlab.protected_tags"
_LEVELS = (0, 30, 40, 60)

routes = Routes()
_ALL = "/api/v4/projects/<id>/protected_tags"


def _shown(call: Call, rule: Record) -> Record:
    hidden = () if enterprise(call.store) else ("user_id", "group_id")
    levels = [{k: v for k, v in i.items() if k not in hidden} for i in rule["create_access_levels"]]
    return {"name": rule["name"], "create_access_levels": levels}


def _rule(call: Call) -> Record:
    project = project_of(call, MAINTAINER)
    rule = call.store.get(PROTECTED_TAGS, f"{project['id']}:{call.args['name']}")
    if rule is None:
        no_record()
    return rule


@routes.get(_ALL, "gitlab.ProtectedTags.list")
def list_protected(call: Call) -> Reply:
    project = project_of(call, MAINTAINER)
    return paged(call, [_shown(call, r) for r in call.store.all(PROTECTED_TAGS, project_id=project["id"])])


@routes.post(_ALL, "gitlab.ProtectedTags.create")
def protect(call: Call) -> Reply:
    project, given = project_of(call, MAINTAINER), params(call)
    required(given, "name")
    key = f"{project['id']}:{given['name']}"
    if call.store.get(PROTECTED_TAGS, key):
        conflict(f"Protected tag '{given['name']}' already exists")
    asked = list(given.get("allowed_to_create") or []) if enterprise(call.store) else []
    level = one_of(given, "create_access_level", _LEVELS)
    if level is not None or not asked:
        asked.append(level_item(MAINTAINER if level is None else level))
    rule = {
        "project_id": project["id"],
        "name": given["name"],
        "create_access_levels": changed(call.store, [], asked),
    }
    return created(_shown(call, call.store.put(PROTECTED_TAGS, key, rule)))


@routes.get(f"{_ALL}/<name>", "gitlab.ProtectedTags.get")
def get_protected(call: Call) -> Record:
    return _shown(call, _rule(call))


@routes.delete(f"{_ALL}/<name>", "gitlab.ProtectedTags.delete")
def unprotect(call: Call) -> None:
    rule = _rule(call)
    call.store.delete(PROTECTED_TAGS, f"{rule['project_id']}:{rule['name']}")
