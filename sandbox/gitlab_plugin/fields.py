"""The words that the table is written in: what an input, an output and a resource are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """An input's type; the value is its name in messages."""

    STRING = "a string"
    BOOLEAN = "a boolean"
    INTEGER = "an integer"
    STRINGS = "a list of strings"
    OBJECT = "an object"
    OBJECTS = "a list of objects"
    LEVELS = "a list of access levels"  # {accessLevel | userId | groupId | deployKeyId}, each with an id in the API


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a resource. A list is a set: its order never matters.

    `api`: its name in requests, none where it only steers the plugin. `answer`: the dotted path in answers where that is not
    `api`. `default`: what counts when it is left out. `computed`: left out, it is what GitLab says, so no drift.
    `replaces`: a change makes a new resource. `levels`: names that go out as numbers. `edition`:
    only there with `enterprise` or `community`. `create_only`: not in updates.
    """

    name: str
    kind: Kind = Kind.STRING
    api: str | None = None
    answer: str | None = None
    required: bool = False
    default: Any = None
    computed: bool = False
    replaces: bool = False
    choices: tuple[str, ...] = ()
    levels: Mapping[str, int] | None = None
    fields: tuple["Input", ...] = ()
    edition: str | None = None
    instead: str | None = None
    create_only: bool = False
    kept: bool = False  # GitLab may not show it again: then the known value stays


@dataclass(frozen=True, kw_only=True)
class Output:
    """A property that only GitLab knows. `answer` is the dotted path in its answers; `once`: only creation shows it."""

    name: str
    answer: str
    secret: bool = False
    once: bool = False
    changes: bool = False  # an update may change it, so a preview does not know it


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource.

    `path` is the collection, with inputs in braces. `key` is the answer's field that names one item in it; `id_parts` are
    the properties that make up the Pulumi id, the last one being the item. `unique`: inputs that no two resources may
    share, so that a replacement with the same ones must delete first. `autoname`: an input that gets a name when it is left
    out. `pairs`: an input that another's value makes necessary. `flags` name the few habits that a table cannot say.
    """

    type: str
    path: str
    key: str
    id_parts: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...] = ()
    unique: tuple[str, ...] = ()
    create_path: str | None = None
    update: str | None = "put"
    scoped: bool = False  # requests for one item carry filter[environment_scope]
    autoname: str | None = None
    pairs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    def input(self, name: str) -> Input | None:
        return next((i for i in self.inputs if i.name == name), None)

    @property
    def label(self) -> str:
        return self.type.rpartition(":")[2]
