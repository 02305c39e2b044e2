"""What the SDK `pulumi_gitlab` and the provider's schema say of a property's type, in one form for both.

A type is text: str, bool, int, object, and `[x]` for a list. Does not own which of the two a test looks at.
"""

import inspect
import json
import os
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pulumi_gitlab

SCHEMA = "GITLAB_PROVIDER_SCHEMA"
_BESIDE = Path(__file__).parents[4] / "shared" / "facts" / "gitlab-provider-schema.json"
_NAMES = {"string": "str", "boolean": "bool", "integer": "int", "object": "object"}


@dataclass(frozen=True)
class Type:
    """A property's type; `fields` are those of an object, or of each object in a list; `needed`: never absent."""

    name: str
    needed: bool
    fields: Mapping[str, "Type"] = field(default_factory=dict)


Types = dict[str, Type]


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


# --- the SDK ----------------------------------------------------------------------------------------------------------


def arguments(class_: type) -> Types:
    """What a class of arguments, or of an object in a state, takes: names as in Python."""
    parameters = inspect.signature(class_).parameters.values()
    return {p.name: _type(p.annotation, p.default is inspect.Parameter.empty) for p in parameters}


def outputs(class_: type) -> Types:
    """What a resource, or a function's result, has. What it may lack is Optional."""
    found = {}
    for name, value in vars(class_).items():
        if isinstance(value, property) and value.fget is not None:
            annotation = value.fget.__annotations__["return"]
            inner = typing.get_args(annotation) if _is_output(annotation) else (annotation,)
            found[name] = _type(inner[0], type(None) not in typing.get_args(inner[0]))
    return found


def _is_output(annotation: Any) -> bool:
    return getattr(typing.get_origin(annotation), "__name__", "") == "Output"


def _type(annotation: Any, needed: bool) -> Type:
    leaves = {leaf for leaf in _leaves(annotation) if not leaf.endswith(("ArgsDict", "Output[T]"))}
    assert len(leaves) == 1, annotation
    leaf = leaves.pop()
    name = leaf if leaf in ("str", "bool", "int") else "object"
    plain = leaf in ("str", "bool", "int", "Mapping")
    fields = {} if plain else arguments(_named(leaf))
    return Type(f"[{name}]" if _is_list(annotation) else name, needed, fields)


def _named(leaf: str) -> type:
    place, _, name = leaf.rpartition(".")
    found: type = getattr(pulumi_gitlab.outputs if place else pulumi_gitlab, name)
    return found


def _leaves(annotation: Any) -> set[str]:
    if isinstance(annotation, typing.ForwardRef):
        return {annotation.__forward_arg__}
    if typing.get_origin(annotation) in (Mapping, dict):
        return {"Mapping"}
    inner = typing.get_args(annotation)
    if not inner:
        return set() if annotation is type(None) else {annotation.__name__}
    return {leaf for each in inner for leaf in _leaves(each)}


def _is_list(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return origin in (Sequence, list) or any(_is_list(each) for each in typing.get_args(annotation))


def secret_outputs(class_: type) -> set[str]:
    """The outputs that the SDK marks as secret: only its code says it."""
    found = re.search(r"additional_secret_outputs=\[([^\]]*)\]", inspect.getsource(class_))
    return set(re.findall(r'"(\w+)"', found[1])) if found else set()


# --- the schema -------------------------------------------------------------------------------------------------------


@cache
def schema() -> dict[str, Any] | None:
    """The provider's own schema, which is no part of this repository: $GITLAB_PROVIDER_SCHEMA, or beside the checkout."""
    path = Path(os.environ.get(SCHEMA) or _BESIDE)
    read: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
    return read


def properties(given: Mapping[str, Any], needed: Sequence[str]) -> Types:
    return {name: _of_schema(each, name in needed) for name, each in given.items()}


def _of_schema(given: Mapping[str, Any], needed: bool) -> Type:
    if "$ref" in given:
        whole = schema()
        assert whole is not None
        named = whole["types"].get(given["$ref"].removeprefix("#/types/"), {})
        return Type("object", needed, properties(named.get("properties", {}), named.get("required", [])))
    if given["type"] == "array":
        inner = _of_schema(given["items"], True)
        return Type(f"[{inner.name}]", needed, inner.fields)
    return Type(_NAMES[given["type"]], needed)


def conforms(wanted: Type, value: Any) -> bool:
    """Whether a value of a state has the type, and if it is an object no other properties."""
    if wanted.name.startswith("["):
        inner = Type(wanted.name[1:-1], True, wanted.fields)
        return isinstance(value, list) and all(conforms(inner, each) for each in value)
    if wanted.name == "object":
        known = all(snake(n) in wanted.fields and conforms(wanted.fields[snake(n)], v) for n, v in dict(value).items())
        return not wanted.fields or (
            known and {n for n, t in wanted.fields.items() if t.needed} <= set(map(snake, value))
        )
    classes: dict[str, type] = {"str": str, "bool": bool, "int": int}
    return type(value) is classes[wanted.name]
