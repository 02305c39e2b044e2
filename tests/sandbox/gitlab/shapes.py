"""What GitLab's REST API answers, by its reference (shapes.yaml), and how an answer of the stand-in differs from that.

Owns the form of shapes.yaml: key sets, types, what may be null or absent, what an edition has alone, status codes, the forms
of errors; and the differences that are known, each with its reason. Values do not count.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.fidelity.compare import Difference, kind
from tests.fidelity.mapping import RFC3339

JSON = Any
FILE = Path(__file__).parent / "shapes.yaml"
PLAIN = {"int": "number", "bool": "bool", "str": "string", "object": "object", "null": "null"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_METHODS = {"POST": 201, "DELETE": 204}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One object. `fields` maps a key to its type; `allowed` a key to the difference that is known."""

    name: str
    source: str
    fields: Mapping[str, Any]
    enterprise: Mapping[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    allowed: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # what, reason

    def keys(self, enterprise: bool) -> dict[str, Any]:
        return {**self.fields, **(self.enterprise if enterprise else {})}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an operation answers where it does not refuse."""

    form: Any
    statuses: tuple[int, ...]


@cache
def shapes() -> dict[str, Shape]:
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())["shapes"]
    return {name: _shape(name, read) for name in read}


def _shape(name: str, read: Mapping[str, Any]) -> Shape:
    own = read[name]
    base = _shape(own["extends"], read) if "extends" in own else None
    allowed = {each: (entry["what"], entry["reason"]) for entry in own.get("allowed", []) for each in entry["fields"]}
    return Shape(
        name=name,
        source=own["source"],
        fields={**(base.fields if base else {}), **own.get("fields", {})},
        enterprise={**(base.enterprise if base else {}), **own.get("enterprise", {})},
        optional=frozenset(own.get("optional", ())) | (base.optional if base else frozenset()),
        allowed={**(base.allowed if base else {}), **allowed},
    )


@cache
def _operations() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["operations"]
    return read


def named() -> set[str]:
    """The operations that shapes.yaml names."""
    return set(_operations())


def answer_of(method: str, operation: str) -> Answer | None:
    found = _operations().get(operation)
    if found is None and method != "DELETE":
        return None
    found = found or {"answer": "nothing"}
    return Answer(form=found["answer"], statuses=tuple(found.get("status", [_METHODS.get(method, 200)])))


def differences(method: str, operation: str, status: int, reply: JSON, *, enterprise: bool) -> list[Difference]:
    """How an answer differs from GitLab's; where it refuses, how the error is worded otherwise."""
    if status >= 400:
        return _error(status, reply)
    expected = answer_of(method, operation)
    if expected is None:
        return [_difference("body", "code", "no such operation", str(status))]
    if status not in expected.statuses:
        return [_difference("body", "code", str(expected.statuses), str(status))]
    if expected.form == "nothing" or status == 204:
        return [] if reply is None else [_difference("body", "extra", "nothing", kind(reply))]
    if expected.form in ("text", "file"):
        return [] if isinstance(reply, str | bytes) else [_difference("body", "type", expected.form, kind(reply))]
    return list(_value("", expected.form, reply, enterprise))


def _difference(path: str, what: str, wanted: str, answered: str) -> Difference:
    return Difference(field=path or "body", what=what, recorded=wanted, answered=answered)


# --- values -----------------------------------------------------------------------------------------------------------


def _value(path: str, form: Any, value: JSON, enterprise: bool) -> Iterator[Difference]:
    if isinstance(form, list):
        if not isinstance(value, list):
            yield _difference(path, "type", "list", kind(value))
            return
        for number, each in enumerate(value):
            yield from _value(f"{path}[{number}]", form[0], each, enterprise)
        return
    if "|" in form:
        tries = [list(_value(path, each, value, enterprise)) for each in form.split("|")]
        here = path or "body"
        yield from min(tries, key=lambda found: (any(d.field == here and d.what == "type" for d in found), len(found)))
    elif form in shapes():
        yield from _object(path, shapes()[form], value, enterprise)
    elif form in ("time", "date"):
        pattern = RFC3339 if form == "time" else _DAY
        if not (isinstance(value, str) and pattern.fullmatch(value)):
            yield _difference(path, "form", form, repr(value))
    elif form != "any" and (kind(value) != PLAIN[form] or (form == "int" and isinstance(value, float))):
        yield _difference(path, "type", form, kind(value))


def _object(path: str, shape: Shape, value: JSON, enterprise: bool) -> Iterator[Difference]:
    if not isinstance(value, dict):
        yield _difference(path, "type", shape.name, kind(value))
        return
    wanted = shape.keys(enterprise)
    for key, form in wanted.items():
        at = f"{path}.{key}" if path else key
        if key in value and not (value[key] is None and shape.allowed.get(key, ("",))[0] == "null"):
            yield from _value(at, form, value[key], enterprise)
        elif key not in value and key not in shape.optional:
            yield _difference(at, "missing", str(form), "no such key")
    for key in value.keys() - wanted.keys():
        yield _difference(f"{path}.{key}" if path else key, "extra", "no such key", kind(value[key]))


# --- errors -----------------------------------------------------------------------------------------------------------

# Grape's own parameter check says `error`, GitLab's code says `message`; OAuth's words come with a description.
_TEXT = {"message": "str"}
_FORMS: dict[int, tuple[dict[str, str], ...]] = {
    400: ({"error": "str"}, _TEXT, {"message": "fields"}),
    401: (_TEXT, {"error": "str", "error_description": "str"}),
    403: (_TEXT, {"error": "str", "error_description": "str", "scope": "str"}),
    404: (_TEXT, {"error": "str"}),
    405: (_TEXT,),
    409: (_TEXT, {"message": "texts"}),
    422: (_TEXT, {"message": "texts"}),
}
_PHRASES = {
    401: r"401 Unauthorized",
    403: r"403 Forbidden( - .+)?",
    404: r"404 ([\w ]+ )?Not [Ff]ound",
    405: r"405 Method Not Allowed",
}


def _error(status: int, reply: JSON) -> list[Difference]:
    if status >= 500:
        return []  # the sandbox's own, or injected: no rule of GitLab's
    forms = _FORMS.get(status, ())
    if not any(_is_error(form, reply) for form in forms):
        return [_difference("body", "type", f"an error of {status}", str(reply))]
    said = reply.get("message", reply.get("error")) if "error_description" not in reply else None
    if status in _PHRASES and said is not None and not re.fullmatch(_PHRASES[status], str(said)):
        return [_difference("message", "word", _PHRASES[status], str(said))]
    return []


def _is_error(form: Mapping[str, str], reply: JSON) -> bool:
    if not isinstance(reply, dict) or reply.keys() != form.keys():
        return False
    return all(_is_kind(wanted, reply[name]) for name, wanted in form.items())


def _is_kind(wanted: str, value: JSON) -> bool:
    if wanted == "fields":
        return isinstance(value, dict) and bool(value) and all(_is_kind("texts", each) for each in value.values())
    if wanted == "texts":
        return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
    return isinstance(value, str)
