"""Between a resource's properties and GitLab's JSON, by the table. Pure.

Owns ids, paths, request bodies and what an answer says about each property.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.gitlab_plugin.diffs import Diff, identity, level_key
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.fields import Input, Kind, Resource
from sandbox.gitlab_plugin.values import UNKNOWN

State = dict[str, Any]


def with_defaults(resource: Resource, inputs: Mapping[str, Any]) -> State:
    """The inputs with what counts where one is left out."""
    defaults = {i.name: i.default for i in resource.inputs if i.default is not None}
    return defaults | {k: v for k, v in inputs.items() if v is not None}


def collection(resource: Resource, state: Mapping[str, Any], *, create: bool = False) -> str:
    path = resource.create_path if create and resource.create_path else resource.path
    parts = {i.name: quote(str(state.get(i.name, "")), safe="") for i in resource.inputs}
    return path.format(**parts)


def item_name(resource: Resource, state: Mapping[str, Any]) -> str:
    """What the item is called below its collection."""
    if resource.key == "id":
        return str(state["id"]).rpartition(":")[2]
    field = next(i for i in resource.inputs if i.api == resource.key)
    return str(state[field.name])


def item(resource: Resource, state: Mapping[str, Any]) -> str:
    return f"{collection(resource, state)}/{quote(item_name(resource, state), safe='')}"


def query(resource: Resource, state: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"filter": {"environment_scope": state["environmentScope"]}} if resource.scoped else None


def pulumi_id(resource: Resource, state: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    return ":".join(str(answer["id"] if part == "id" else state[part]) for part in resource.id_parts)


def from_id(resource: Resource, given: str) -> State:
    """The properties that an id holds: all that an import knows."""
    parts = given.split(":", len(resource.id_parts) - 1)
    if len(parts) != len(resource.id_parts) or not all(parts):
        form = ":".join(resource.id_parts)
        raise PluginError(f"{resource.label}: {given!r} is not an id of this resource, which has the form {form}")
    state: State = {"id": given}
    for name, text in zip(resource.id_parts, parts, strict=True):
        field = resource.input(name)
        if field is not None:
            state[name] = int(text) if field.kind is Kind.INTEGER and text.isdecimal() else text
    return state


# --- requests ---------------------------------------------------------------------------------------------------------


def body(resource: Resource, wanted: Mapping[str, Any], *, edition: str | None, create: bool) -> dict[str, Any]:
    """A request's body: every input that is set and that this edition has."""
    sent: dict[str, Any] = {}
    for field in resource.inputs:
        value = wanted.get(field.name)
        if field.api is None or value is None or (field.create_only and not create):
            continue
        if edition is not None and field.edition not in (None, edition):
            continue
        sent[field.api] = _encoded(field, value)
    if resource.scoped:
        hidden = sent.pop("masked_and_hidden", False)
        if hidden:
            sent["masked_and_hidden"] = True
            del sent["masked"]  # the API takes one of the two
    return sent


def _encoded(field: Input, value: Any) -> Any:
    if field.kind is Kind.INTEGER:
        return int(value)
    if field.kind in (Kind.OBJECTS, Kind.LEVELS):
        return [_encoded_item(field, entry) for entry in value]
    return field.levels[value] if field.levels else value


def _encoded_item(field: Input, entry: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {f.name: f.default for f in field.fields if f.default is not None} | dict(entry)
    if field.kind is Kind.LEVELS and identity(entry)[0] != "accessLevel":
        wanted.pop("accessLevel", None)  # a user or group has no level of its own
    sent = {f.api: _encoded(f, wanted[f.name]) for f in field.fields if f.api and wanted.get(f.name) is not None}
    if "group_id" not in sent:
        sent.pop("group_inheritance_type", None)
    return {k: v for k, v in sent.items() if k is not None}


def level_changes(
    field: Input, current: list[Mapping[str, Any]], wanted: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The list of changes that turns the API's items into the wanted ones: additions, and `{id, _destroy}` for the rest."""
    have = {level_key(field, _decoded_item(field, entry)): entry["id"] for entry in current}
    keys = {level_key(field, entry) for entry in wanted}
    gone = [{"id": number, "_destroy": True} for key, number in have.items() if key not in keys]
    return [_encoded_item(field, e) for e in wanted if level_key(field, e) not in have] + gone


# --- answers ----------------------------------------------------------------------------------------------------------


def state_of(resource: Resource, known: Mapping[str, Any], answer: Mapping[str, Any]) -> State:
    """The properties after an answer. `known` is what the plugin knew: what GitLab does not show stays as it was."""
    state: State = {}
    for field in resource.inputs:
        path = field.answer or field.api
        value = known.get(field.name)
        if path is not None:
            shown, found = _at(answer, path)
            if found and not (field.kept and shown is None):
                value = _decoded(resource, field, shown, known)
            elif not found and field.computed and field.kind is Kind.LEVELS:
                value = []  # this edition does not have it
        state[field.name] = field.default if value is None else value
    for output in resource.outputs:
        shown, found = _at(answer, output.answer)
        state[output.name] = shown if found else known.get(output.name) if output.once else None
    state["id"] = pulumi_id(resource, state | {k: known[k] for k in resource.id_parts if k in known}, answer)
    return {k: v for k, v in state.items() if v is not None}


def preview_of(resource: Resource, wanted: Mapping[str, Any]) -> State:
    """The properties that a creation would give, as far as they are known."""
    state = {i.name: wanted.get(i.name, UNKNOWN if i.computed else None) for i in resource.inputs}
    state |= {o.name: UNKNOWN for o in resource.outputs}
    return {k: v for k, v in state.items() if v is not None}


def after(resource: Resource, state: Mapping[str, Any], inputs: Mapping[str, Any], diff: Diff) -> State:
    """The state with the wanted inputs, and without the ones that are not wanted any more."""
    wanted = with_defaults(resource, inputs)
    return {k: v for k, v in {**state, **wanted}.items() if k in wanted or k not in diff.changed}


def planned(resource: Resource, state: Mapping[str, Any], inputs: Mapping[str, Any], diff: Diff) -> State:
    """The properties that an update would give, as far as they are known."""
    touched = diff.rotates or "rotates" not in resource.flags
    unknown = {o.name: UNKNOWN for o in resource.outputs if o.changes and touched}
    if diff.rotates and "expiresAt" not in inputs:
        unknown["expiresAt"] = UNKNOWN
    return after(resource, state, inputs, diff) | unknown


def inputs_of(resource: Resource, state: Mapping[str, Any], edition: str | None) -> State:
    """The inputs that an import would write down: what is required or not the default."""
    found: State = {}
    for field in resource.inputs:
        value = state.get(field.name)
        unset = value is None or value == field.default or (not field.required and value in ("", [], {}))
        if (unset and not field.required) or (edition and field.edition not in (None, edition)):
            continue
        if field.kind is Kind.LEVELS:
            value = [_as_input(entry) for entry in value or []]
        found[field.name] = value
    return found


def _as_input(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An access level without what only GitLab says of it."""
    named = identity(entry)[0]
    return {k: v for k, v in entry.items() if k == named or k in ("groupInheritanceType", "requiredApprovals")}


def _at(answer: Mapping[str, Any], path: str) -> tuple[Any, bool]:
    value: Any = answer
    for part in path.split("."):
        if isinstance(value, list):
            if int(part) >= len(value):
                return None, True
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return None, value is None
    return value, True


def _decoded(resource: Resource, field: Input, shown: Any, known: Mapping[str, Any]) -> Any:
    if field.levels and isinstance(shown, list):
        return _first_level(field, shown, known.get(field.name))
    if field.levels:
        return _level_name(field, shown)
    if field.kind is Kind.LEVELS:
        items = [_decoded_item(field, entry) for entry in shown]
        if "one_level_apart" in resource.flags:
            items = _without_apart(resource, items, known)
        return _in_order(field, items, known.get(field.name))
    if field.kind is Kind.OBJECTS:
        items = [{f.name: entry.get(f.api) for f in field.fields} for entry in shown]
        return (
            sorted(items, key=(known.get(field.name) or items).index) if _same(items, known.get(field.name)) else items
        )
    if field.kind is Kind.STRINGS:
        before = known.get(field.name)
        return before if isinstance(before, list) and _same(before, shown) else list(shown)
    if field.kind is Kind.STRING and shown is None and field.default is None:
        return ""  # the official provider knows no text that is null
    return shown


def _decoded_item(field: Input, entry: Mapping[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for inner in field.fields:
        value = entry.get(inner.answer or inner.api or "")
        if value is not None:
            decoded[inner.name] = _level_name(inner, value) if inner.levels else value
    return decoded


def _level_name(field: Input, value: Any) -> Any:
    return next((name for name, number in (field.levels or {}).items() if number == value), None)


def _first_level(field: Input, shown: list[Mapping[str, Any]], known: Any) -> str | None:
    """The one level of a list: the one that was asked for, if it is there, else the first that names nobody."""
    plain_levels = [
        _level_name(field, e["access_level"])
        for e in shown
        if not (e.get("user_id") or e.get("group_id") or e.get("deploy_key_id"))
    ]
    return known if known in plain_levels else next(iter(plain_levels), None)


def _without_apart(resource: Resource, items: list[dict[str, Any]], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Without the one level that is an input of its own (a protected tag's createAccessLevel)."""
    single = next(i for i in resource.inputs if i.levels)
    levels = [e.get("accessLevel") for e in items if identity(e)[0] == "accessLevel"]
    wanted = known.get(single.name)
    apart = wanted if wanted in levels else next(iter(levels), None)
    rest, dropped = [], False
    for entry in items:
        if not dropped and identity(entry) == ("accessLevel", str(apart)):
            dropped = True
        else:
            rest.append(entry)
    return rest


def _same(one: Any, other: Any) -> bool:
    return isinstance(other, list) and len(one) == len(other) and all(e in other for e in one)


def _in_order(field: Input, items: list[dict[str, Any]], known: Any) -> list[dict[str, Any]]:
    """The items in the order of the inputs, so that a state that says the same reads the same; new ones last."""
    order = [level_key(field, e) for e in known] if isinstance(known, list) else []
    return sorted(items, key=lambda e: order.index(level_key(field, e)) if level_key(field, e) in order else len(order))
