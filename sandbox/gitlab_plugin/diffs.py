"""What an update would change: the last known state against the wanted inputs. Pure.

Owns sets (order never matters in them), access levels (an item is whom it names), unknown values (they may be different),
replacement, and when a project access token is due for rotation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sandbox.gitlab_plugin.fields import Input, Kind, Resource
from sandbox.gitlab_plugin.values import is_unknown

ADD, DELETE, UPDATE = "ADD", "DELETE", "UPDATE"


@dataclass
class Diff:
    """`detailed` maps a property path (`tagLists[1]`) to ADD, DELETE or UPDATE; `replaces` names inputs."""

    detailed: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False
    rotates: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed)


def compare(resource: Resource, state: Mapping[str, Any], wanted: Mapping[str, Any], today: date) -> Diff:
    diff = Diff()
    for spec in resource.inputs:
        new = wanted.get(spec.name)
        if new is None:
            if spec.computed:
                continue
            new = spec.default
        paths = _compared(spec, state.get(spec.name), new, spec.name)
        if paths:
            diff.detailed |= paths
            diff.changed.append(spec.name)
            if spec.replaces:
                diff.replaces.append(spec.name)
    if "rotates" in resource.flags and not diff.replaces and rotation_due(state, wanted, diff.changed, today):
        diff.rotates = True
        diff.detailed.setdefault("expiresAt", UPDATE)
        if "expiresAt" not in diff.changed:
            diff.changed.append("expiresAt")
    same = resource.unique and not any(n in diff.changed for n in resource.unique)
    diff.delete_first = bool(diff.replaces and same)
    return diff


def rotation_due(state: Mapping[str, Any], wanted: Mapping[str, Any], changed: list[str], today: date) -> bool:
    """A token rotates when its wanted end has changed, or when its end is nearer than its configuration allows."""
    if "expiresAt" in changed:
        return True
    rotation = wanted.get("rotationConfiguration")
    if not isinstance(rotation, dict) or is_unknown(rotation):
        return False
    before = state.get("rotationConfiguration") or {}
    if before and before.get("expirationDays") != rotation["expirationDays"]:
        return True
    expires_at = state.get("expiresAt")
    if not isinstance(expires_at, str):
        return False
    return (date.fromisoformat(expires_at) - today).days < int(rotation["rotateBeforeDays"])


def identity(item: Mapping[str, Any]) -> tuple[str, str]:
    """Whom an access level names. The API adds a level to users and groups, so the name goes before the level."""
    for name in ("userId", "groupId", "deployKeyId"):
        if item.get(name):
            return name, str(item[name])
    return "accessLevel", str(item.get("accessLevel"))


def level_key(spec: Input, item: Mapping[str, Any]) -> tuple[Any, ...]:
    """An access level as far as a change of it matters: whom it names, and the settings that the table gives it."""
    settings = [f for f in spec.fields if f.default is not None]
    return (*identity(item), *(item.get(f.name, f.default) for f in settings))


def _compared(spec: Input, old: Any, new: Any, path: str) -> dict[str, str]:
    if is_unknown(new):
        return {path: ADD if old is None else UPDATE}
    if spec.kind is Kind.INTEGER:
        old, new = (str(v) if v is not None else None for v in (old, new))
    if _empty(old) and _empty(new):
        return {}
    if _empty(old) or _empty(new):
        return {path: ADD if _empty(old) else DELETE}
    if spec.kind is Kind.OBJECT:
        found: dict[str, str] = {}
        for inner in spec.fields:
            found |= _compared(inner, old.get(inner.name), new.get(inner.name), f"{path}.{inner.name}")
        return found
    if isinstance(new, list):
        return _compared_sets(spec, old, new, path)
    return {} if old == new else {path: UPDATE}


def _compared_sets(spec: Input, old: list[Any], new: list[Any], path: str) -> dict[str, str]:
    """What is in one of the lists only, at its place there; a place where both differ is an update."""
    before, after = ([_key(spec, item) for item in items] for items in (old, new))
    found = {f"{path}[{n}]": DELETE for n, key in enumerate(before) if key not in after}
    for n, key in enumerate(after):
        if key not in before:
            place = f"{path}[{n}]"
            found[place] = UPDATE if place in found else ADD
    return found


def _key(spec: Input, item: Any) -> Any:
    if spec.kind is Kind.LEVELS:
        return level_key(spec, item)
    if isinstance(item, Mapping):
        return tuple(item.get(f.name) for f in spec.fields)
    return item


def _empty(value: Any) -> bool:
    """Absent, or what GitLab stores as absent."""
    return value is None or value == "" or value == [] or value == {}
