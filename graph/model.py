"""What a picture of a stack shows: a frame for each component, its resources in it, and which frame needs which. Pure.

Owns what is left out: the stack itself, and the providers that the engine makes by itself. Does not own where a frame is
(`layout`), nor how it is drawn (`svg`). Only names, types and what depends on what are read of a state, no value.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from repair.resources import Resource, State

# Resources that are in no component, such as the reference to another stack.
OUTSIDE: Final = "in no component"
_STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:"
_BY_ITSELF: Final = "default"  # how the names of the engine's own providers begin


@dataclass(frozen=True, kw_only=True)
class Row:
    """A resource: its name without that of its component, and its type, as `ApiKey` of `scaleway`."""

    name: str
    type: str
    service: str
    protected: bool


@dataclass(kw_only=True)
class Section:
    """The resources of one component; `title` is empty for the frame's own."""

    title: str
    rows: list[Row] = field(default_factory=list)


@dataclass(kw_only=True)
class Frame:
    """A component right below the stack, with those in it as sections."""

    name: str
    type: str
    sections: list[Section]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """`arrows` lead from the name of a frame to that of one that needs it."""

    frames: list[Frame]
    arrows: frozenset[tuple[str, str]]

    @property
    def resources(self) -> int:
        return sum(len(section.rows) for frame in self.frames for section in frame.sections)


def graph_of(state: State) -> Graph:
    """The graph of a state. A resource that is there twice, because its old one is still to be deleted, shows once."""
    known = {each.urn: each for each in state.resources}
    shown = [each for each in known.values() if _is_shown(each)]
    frames: dict[str, Frame] = {}
    for each in shown:
        if each.custom:
            _add(frames, each, known)
    arrows = {
        (_frame_of(known[needed], known), _frame_of(each, known))
        for each in shown
        for needed in _needs(each)
        if needed in known and _is_shown(known[needed])
    }
    return Graph(
        frames=list(frames.values()),
        arrows=frozenset((first, then) for first, then in arrows if first != then and {first, then} <= frames.keys()),
    )


def short_type(token: str) -> str:
    """`kubernetes:core/v1:Secret` is a `Secret`, `pulumi:providers:kubernetes` a `Provider`. Pure."""
    return "Provider" if token.startswith(_PROVIDER) else token.rpartition(":")[2]


def service(token: str) -> str:
    """Whose a type is: `scaleway`, `gitlab`, `kubernetes`, or what else its token begins with. Pure."""
    return token.removeprefix(_PROVIDER).partition(":")[0]


def _is_shown(each: Resource) -> bool:
    by_itself = each.type.startswith(_PROVIDER) and each.name.startswith(_BY_ITSELF)
    return each.type != _STACK and not by_itself


def _needs(each: Resource) -> Iterator[str]:
    yield from each.dependencies
    if each.provider:
        yield each.provider.rpartition("::")[0]  # its URN, then its id


def _above(each: Resource, known: Mapping[str, Resource]) -> list[Resource]:
    """The components that it is in, the outermost first."""
    found: list[Resource] = []
    parent = known.get(each.parent)
    while parent is not None and parent.type != _STACK:
        if not parent.custom:
            found.insert(0, parent)
        parent = known.get(parent.parent)
    return found


def _frame_of(each: Resource, known: Mapping[str, Resource]) -> str:
    above = _above(each, known)
    if above:
        return above[0].name
    return OUTSIDE if each.custom else each.name


def _add(frames: dict[str, Frame], each: Resource, known: Mapping[str, Resource]) -> None:
    above = _above(each, known)
    name = above[0].name if above else OUTSIDE
    kind = short_type(above[0].type) if above else ""
    frame = frames.setdefault(name, Frame(name=name, type=kind, sections=[Section(title="")]))
    title = _without(above[-1].name, name) if len(above) > 1 else ""
    section = next((s for s in frame.sections if s.title == title), None)
    if section is None:
        section = Section(title=title)
        frame.sections.append(section)
    section.rows.append(
        Row(
            name=_without(each.name, *(component.name for component in reversed(above))),
            type=short_type(each.type),
            service=service(each.type),
            protected=each.protect,
        )
    )


def _without(name: str, *components: str) -> str:
    """A name without that of the component that it begins with: the first of them that fits."""
    return next((name[len(c) + 1 :] for c in components if name.startswith(f"{c}-")), name)


def by_service(rows: Iterable[Row]) -> dict[str, int]:
    """How many there are of each service, the most first. Pure."""
    found = Counter(row.service for row in rows)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
