"""What the plugin accepts as inputs: known names, required ones, types, choices. Pure; unknown values pass.

Does not own what only GitLab can tell, except which edition it is, which the caller hands in.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sandbox.gitlab_plugin.fields import Input, Kind, Resource
from sandbox.gitlab_plugin.values import Unknown, is_unknown

Failure = tuple[str, str]  # property, reason

_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.STRING: (str,),
    Kind.BOOLEAN: (bool,),
    Kind.INTEGER: (int,),
    Kind.STRINGS: (list,),
    Kind.OBJECT: (dict,),
    Kind.OBJECTS: (list,),
    Kind.LEVELS: (list,),
}


def failures(resource: Resource, given: Mapping[str, Any], today: date) -> list[Failure]:
    """Everything that is wrong with the inputs."""
    found = list(_object(resource.inputs, given, ""))
    for (name, value), needed in resource.pairs.items():
        if given.get(name) == value and given.get(needed) is None:
            found.append((needed, f"is required when {name} is {value}"))
    if "rotates" in resource.flags:
        found += _expiry(given, today)
    return found


def edition_failures(resource: Resource, given: Mapping[str, Any], enterprise: bool) -> list[Failure]:
    """Inputs that the instance's edition does not have."""
    edition = "enterprise" if enterprise else "community"
    found = []
    for field in resource.inputs:
        unset = given.get(field.name) in (None, field.default)
        if field.edition in (None, edition) or unset:
            continue
        reason = (
            f"is only available on {'Enterprise' if field.edition == 'enterprise' else 'Community'} Edition instances."
        )
        found.append((field.name, reason + (f" Use {field.instead} instead" if field.instead else "")))
    return found


def _object(fields: Sequence[Input], given: Mapping[str, Any], prefix: str) -> Iterator[Failure]:
    known = {f.name for f in fields}
    for name in given:
        if name not in known:
            yield prefix + name, f"is not a property of this {'object' if prefix else 'resource'}"
    for field in fields:
        value = given.get(field.name)
        if value is None:
            if field.required:
                yield prefix + field.name, "is required"
        else:
            yield from _value(field, value, prefix + field.name)


def _value(field: Input, value: Any, path: str) -> Iterator[Failure]:
    if isinstance(value, Unknown):
        return
    if field.kind is Kind.INTEGER and isinstance(value, str) and value.isdecimal():
        return  # an id that is handed on as text: the engine's own conversion takes it, too
    wrong = not isinstance(value, _TYPES[field.kind]) or (field.kind is Kind.INTEGER and isinstance(value, bool))
    if wrong:
        yield path, f"must be {field.kind.value}"
        return
    if field.kind in (Kind.OBJECTS, Kind.LEVELS):
        for n, item in enumerate(value):
            if isinstance(item, dict):
                yield from _object(field.fields, item, f"{path}[{n}].")
            elif not isinstance(item, Unknown):
                yield f"{path}[{n}]", "must be an object"
    elif field.kind is Kind.OBJECT:
        yield from _object(field.fields, value, f"{path}.")
    allowed = tuple(field.levels) if field.levels else field.choices
    if allowed:
        for item in value if isinstance(value, list) else [value]:
            if not is_unknown(item) and item not in allowed:
                yield path, f"{item!r} is not valid: must be one of {', '.join(allowed)}"


def _expiry(given: Mapping[str, Any], today: date) -> Iterator[Failure]:
    expires_at, rotation = given.get("expiresAt"), given.get("rotationConfiguration")
    if expires_at is not None and rotation is not None:
        yield "expiresAt", "cannot be set together with rotationConfiguration"
    if isinstance(expires_at, str):
        try:
            past = date.fromisoformat(expires_at) <= today
        except ValueError:
            yield "expiresAt", f"{expires_at!r} is not a date in the form YYYY-MM-DD"
            return
        if past and given.get("validatePastExpirationDate") is not False:
            yield "expiresAt", "must be in the future"
    if isinstance(rotation, dict) and not is_unknown(rotation):
        days, before = rotation.get("expirationDays"), rotation.get("rotateBeforeDays")
        if isinstance(days, int) and days < 1:
            yield "rotationConfiguration.expirationDays", "must be at least 1"
        if isinstance(before, int) and isinstance(days, int) and before > days:
            yield "rotationConfiguration.rotateBeforeDays", "must not be more than expirationDays"
