"""CI/CD variables of projects and groups in the GitLab stand-in.

Owns GitLab's rules for them: a key is unique per environment scope; a masked value is one line of at least eight allowed
characters; a hidden value is never shown again, and stays hidden and masked.
"""

import re
from typing import Any

from sandbox.gitlab.common import (
    MAINTAINER,
    OWNER,
    conflict,
    created,
    flag,
    group_of,
    invalid,
    not_found,
    one_of,
    paged,
    params,
    premium,
    project_of,
    required,
)
from sandbox.store import Record
from sandbox.web import Call, Handler, Reply, Routes

VARIABLES = "gitlab.variables"
_KEY = re.compile(r"[A-Za-z0-9_]{1,255}")
_MASKABLE = re.compile(r"[A-Za-z0-9_+=/@:.~-]{8,}")  # the value is expanded, so `$` would hide what is really printed
_MASKABLE_RAW = re.compile(r"\S{8,}")

routes = Routes()


def _owner(call: Call, kind: str) -> str:
    if kind == "project":
        return f"project:{project_of(call, MAINTAINER)['id']}"
    return f"group:{group_of(call, OWNER)['id']}"


def _shown(variable: Record) -> Record:
    shown = {k: v for k, v in variable.items() if k not in ("owner", "id")}
    return shown | {"value": None} if variable["hidden"] else shown


def _key(variable: Record) -> str:
    return f"{variable['owner']}:{variable['key']}:{variable['environment_scope']}"


def _found(call: Call, owner: str) -> Record:
    """The variable that the key and `filter[environment_scope]` name; without the filter the key must be unambiguous."""
    scope = (params(call).get("filter") or {}).get("environment_scope")
    found = call.store.all(VARIABLES, owner=owner, key=call.args["key"])
    if scope is not None:
        found = [v for v in found if v["environment_scope"] == scope]
    if not found:
        not_found("Variable")
    if len(found) > 1:
        conflict("There are multiple variables with provided parameters. Please use 'filter[environment_scope]'")
    return found[0]


def _validate(variable: Record) -> None:
    if not _KEY.fullmatch(variable["key"]):
        invalid("key", "can contain only letters, digits and '_'.")
    if variable["masked"]:
        form = _MASKABLE_RAW if variable["raw"] else _MASKABLE
        if not form.fullmatch(variable["value"]):
            invalid("value", "is invalid")


def _merged(variable: Record, given: dict[str, Any]) -> Record:
    """The variable with what was given; what was not given stays."""
    kinds = ("env_var", "file")
    return variable | {
        "variable_type": one_of(given, "variable_type", kinds, variable["variable_type"]),
        "value": str(given["value"]) if given.get("value") is not None else variable["value"],
        "protected": flag(given, "protected", variable["protected"]),
        "masked": flag(given, "masked", variable["masked"]),
        "raw": flag(given, "raw", variable["raw"]),
        "environment_scope": given.get("environment_scope") or variable["environment_scope"],
        "description": given["description"] if "description" in given else variable["description"],
    }


def _list(kind: str) -> Handler:
    def handle(call: Call) -> Reply:
        return paged(call, [_shown(v) for v in call.store.all(VARIABLES, owner=_owner(call, kind))])

    return handle


def _create(kind: str) -> Handler:
    def handle(call: Call) -> Reply:
        owner, given = _owner(call, kind), params(call)
        required(given, "key")
        if given.get("value") is None:
            required(given, "value")
        if kind == "group" and not premium(call.store):
            given["environment_scope"] = "*"  # scopes of group variables are a paid feature
        hidden = flag(given, "masked_and_hidden")
        blank = {
            "id": call.store.next_id("gitlab.variable"),
            "owner": owner,
            "variable_type": "env_var",
            "key": given["key"],
            "value": "",
            "hidden": hidden,
            "protected": False,
            "masked": False,
            "raw": False,
            "environment_scope": "*",
            "description": None,
        }
        variable = _merged(blank, given)
        variable["masked"] = variable["masked"] or hidden
        _validate(variable)
        if call.store.get(VARIABLES, _key(variable)):
            invalid("key", f"({variable['key']}) has already been taken")
        return created(_shown(call.store.put(VARIABLES, _key(variable), variable)))

    return handle


def _get(kind: str) -> Handler:
    def handle(call: Call) -> Record:
        return _shown(_found(call, _owner(call, kind)))

    return handle


def _update(kind: str) -> Handler:
    def handle(call: Call) -> Record:
        owner, given = _owner(call, kind), params(call)
        variable = _found(call, owner)
        changed = _merged(variable, given)
        if variable["hidden"] and not changed["masked"]:
            invalid("base", "The visibility setting cannot be changed for masked and hidden variables.")
        _validate(changed)
        if _key(changed) != _key(variable) and call.store.get(VARIABLES, _key(changed)):
            invalid("key", f"({changed['key']}) has already been taken")
        if _key(changed) != _key(variable):
            call.store.delete(VARIABLES, _key(variable))
        return _shown(call.store.put(VARIABLES, _key(changed), changed))

    return handle


def _delete(kind: str) -> Handler:
    def handle(call: Call) -> None:
        call.store.delete(VARIABLES, _key(_found(call, _owner(call, kind))))

    return handle


for _kind, _name in (("project", "ProjectVariables"), ("group", "GroupVariables")):
    _all, _one = f"/api/v4/{_kind}s/<id>/variables", f"/api/v4/{_kind}s/<id>/variables/<key>"
    routes.get(_all, f"gitlab.{_name}.list")(_list(_kind))
    routes.post(_all, f"gitlab.{_name}.create")(_create(_kind))
    routes.get(_one, f"gitlab.{_name}.get")(_get(_kind))
    routes.put(_one, f"gitlab.{_name}.update")(_update(_kind))
    routes.delete(_one, f"gitlab.{_name}.delete")(_delete(_kind))
