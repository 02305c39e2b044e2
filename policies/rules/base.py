"""What a rule is, and how it reads properties. Pure: no engine, and nothing of the program that is checked.

A rule is a function that yields a message for each breach. It sees plain dicts and lists in which a value that a preview
cannot know is `UNKNOWN`; of that no rule says anything, and it is checked when it is known, before the resource is made.
A property that is missing has the default of its provider, and each rule says what that means.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Unknown(Enum):
    """The type of `UNKNOWN`, which equals no value of a property."""

    UNKNOWN = "unknown until the update"


UNKNOWN: Final = Unknown.UNKNOWN

Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of the stack with its outputs. `parent` and `dependencies`, by input property, are URNs."""

    type: str
    name: str
    urn: str
    props: Properties
    parent: str = ""
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    secret_outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Violation:
    """A breach that a stack rule found; `urn` is the resource that has to change."""

    urn: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """Checks the inputs of each resource of `types`, before it is made or changed.

    `config` is a JSON schema of what the user may set, by name; `check` takes it as keyword arguments in snake_case.
    """

    name: str
    description: str
    types: tuple[str, ...]
    check: Callable[..., Iterable[str]]
    config: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """Checks all resources together, at the end of a preview or an update."""

    name: str
    description: str
    check: Callable[[Sequence[Resource]], Iterable[Violation]]


def problem(what: str, rule: str, consequence: str, fix: str) -> str:
    """The wording that all rules share."""
    return f"{what}: {rule}, or {consequence}.\nFix: {fix}"


def named(kind: str, name: Any) -> str:
    """How a message calls a resource whose own name may be missing or unknown."""
    return f"{kind} {name}" if isinstance(name, str) and name else kind


def at(properties: Any, *path: str) -> Any:
    """The value at a path: None where something on the way is missing, UNKNOWN where something is unknown."""
    found = properties
    for step in path:
        if found is UNKNOWN:
            return UNKNOWN
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def items(properties: Any, *path: str) -> list[Any]:
    """The list at a path; empty where it is missing or unknown."""
    found = at(properties, *path)
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else []


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is neither a mapping nor a list, with its path, `a.b[0].c`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
