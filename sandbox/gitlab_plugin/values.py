"""Pulumi's property values as plain Python and back.

Owns the two things that JSON has no word for: unknown values of a preview, and secrets. The SDK's own conversion hands an
unknown value over as a magic string and refuses to send one back, so it is made here.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pulumi.provider.experimental.property_value import PropertyValue

_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how the protocol writes an unknown value

Properties = dict[str, PropertyValue]


class Unknown:
    """A value that is known only after an update. Never equal to anything, itself included."""

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def is_unknown(value: Any) -> bool:
    """Whether the value is unknown, or anything in it."""
    if isinstance(value, Mapping):
        return any(is_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(is_unknown(v) for v in value)
    return isinstance(value, Unknown)


def plain(value: PropertyValue) -> Any:
    """Secrets lose their mark; whole numbers become integers; an absent entry of an object is dropped."""
    inner = value.value
    if inner is None or isinstance(inner, bool):
        return inner
    if isinstance(inner, str):
        return UNKNOWN if inner == _UNKNOWN_TEXT else inner
    if isinstance(inner, float):
        return int(inner) if inner.is_integer() else inner
    if isinstance(inner, Mapping):
        return plain_map(inner)
    if isinstance(inner, Iterable):
        return [plain(v) for v in inner]
    return UNKNOWN  # a Computed, which the protocol does not produce


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Any]:
    return {k: plain(v) for k, v in values.items() if v.value is not None and not k.startswith("__")}


def secret_names(values: Mapping[str, PropertyValue]) -> set[str]:
    return {k for k, v in values.items() if v.contains_secret()}


def wrapped(value: Any, *, secret: bool = False) -> PropertyValue:
    """The property value of plain Python."""
    if isinstance(value, Unknown):
        return PropertyValue(_UNKNOWN_TEXT, is_secret=secret)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return PropertyValue(value, is_secret=secret)
    if isinstance(value, int | float):
        return PropertyValue(float(value), is_secret=secret)
    if isinstance(value, Mapping):
        return PropertyValue({k: wrapped(v) for k, v in value.items()}, is_secret=secret)
    return PropertyValue([wrapped(v) for v in value], is_secret=secret)


def wrapped_map(values: Mapping[str, Any], secrets: Collection[str] = ()) -> Properties:
    return {k: wrapped(v, secret=k in secrets) for k, v in values.items()}
