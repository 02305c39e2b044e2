"""Compares an answer of the stand-in with the recorded one: key sets and types, whole and both ways.

Owns what counts as a difference. Values do not, because two accounts never have the same; but a state and a type are words
of a fixed vocabulary, and these do. Does not own which state is right at which time (`states`), nor what is allowed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fidelity.mapping import RFC3339, Ids, Leaf, ids_in

JSON = Any

STATES = ("status", "state")
_WORDS = (*STATES, "type")
# Objects whose keys are data: maps in the API's own types (map[string]…), not structures.
_MAPS = frozenset(
    {"annotations", "available_kubelet_args", "conditions", "kubelet_args", "labels", "servers", "volumes"}
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference. `what` is code, missing, extra, type, form, word, state or elements.

    `thing` is the recorded id of the object whose state differs; its states are in `recorded` and `answered`.
    """

    field: str
    what: str
    recorded: str
    answered: str
    thing: str = ""

    def __str__(self) -> str:
        return f"{self.field}: recorded {self.recorded}, stand-in {self.answered}"


@dataclass
class Comparison:
    """What differs, and the texts that stand at the same places."""

    differences: list[Difference] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


def kind(value: JSON) -> str:
    names = {type(None): "null", bool: "bool", int: "number", float: "number", str: "string", list: "list"}
    return names.get(type(value), "object")


def form(text: str) -> str:
    """The form of a text that clients parse."""
    if RFC3339.fullmatch(text):
        return "an RFC 3339 date"
    found = ids_in(text)
    return "an id" if found == [text] else "text"


def state_of(record: JSON) -> str | None:
    """The state that an object says that it is in."""
    if not isinstance(record, dict):
        return None
    return next((record[name] for name in STATES if isinstance(record.get(name), str)), None)


def identity(record: JSON) -> str | None:
    """The id of an object, as far as one can be seen."""
    if not isinstance(record, dict):
        return None
    found = record.get("id") or record.get("access_key")
    return found if isinstance(found, str) else None


def compare(recorded: JSON, answered: JSON, ids: Ids, *, others: bool = False, partial: bool = False) -> Comparison:
    """`others` says that the answer lists what else the account has; `partial`, that there are further pages of it."""
    comparer = _Comparer(ids, others=others, partial=partial)
    comparer.value("", "", recorded, answered)
    return Comparison(comparer.differences, comparer.leaves)


class _Comparer:
    def __init__(self, ids: Ids, *, others: bool, partial: bool) -> None:
        self._ids, self._others, self._partial = ids, others, partial
        self._foreign = False
        self.differences: list[Difference] = []
        self.leaves: list[Leaf] = []

    def _differs(self, path: str, what: str, recorded: str, answered: str, thing: str = "") -> None:
        found = Difference(field=path or "body", what=what, recorded=recorded, answered=answered, thing=thing)
        self.differences.append(found)

    def value(self, path: str, name: str, recorded: JSON, answered: JSON, thing: str = "") -> None:
        one, other = kind(recorded), kind(answered)
        if self._foreign and "null" in (one, other):
            return  # of somebody else's things, a null says only that there may be none
        if one != other:
            self._differs(path, "type", _shown(recorded), _shown(answered))
        elif isinstance(recorded, dict):
            self._object(path, name, recorded, answered)
        elif isinstance(recorded, list):
            self._list(path, name, recorded, answered)
        elif isinstance(recorded, str):
            self._text(path, name, recorded, answered, thing)

    def _text(self, path: str, name: str, recorded: str, answered: str, thing: str) -> None:
        if name in _WORDS:
            if recorded != answered:
                self._differs(path, "state" if name in STATES else "word", recorded, answered, thing)
            return
        wanted = form(recorded)
        # An id that is not known yet is an empty text; how soon it is known is a matter of time.
        unknown = wanted == "an id" and not answered
        if wanted != "text" and form(answered) != wanted and not unknown:
            self._differs(path, "form", wanted, f'"{answered}"' if len(answered) < 40 else "text")
        self.leaves.append(Leaf(name, recorded, answered))

    def _object(self, path: str, name: str, recorded: dict[str, JSON], answered: dict[str, JSON]) -> None:
        if name in _MAPS:
            self._map(path, recorded, answered)
            return
        thing = identity(recorded) or ""
        for key, value in recorded.items():
            at = f"{path}.{key}" if path else key
            if key in answered:
                self.value(at, key, value, answered[key], thing)
            else:
                self._differs(at, "missing", _shown(value), "no such key")
        for key in answered.keys() - recorded.keys():
            self._differs(f"{path}.{key}" if path else key, "extra", "no such key", _shown(answered[key]))

    def _map(self, path: str, recorded: dict[str, JSON], answered: dict[str, JSON]) -> None:
        """Values of the same key are compared, and else of any: each must look like some value of the other side."""
        for key in recorded.keys() & answered.keys():
            self.value(f"{path}.{key}", "", recorded[key], answered[key])
        for key in recorded.keys() - answered.keys():
            if answered:
                other = self._nearest(recorded[key], list(answered.values()))
                self._shape_only(f"{path}.{key}", recorded[key], other)
        for key in answered.keys() - recorded.keys():
            if recorded:
                self._shape_only(f"{path}.{key}", self._nearest(answered[key], list(recorded.values())), answered[key])

    # Lists.

    def _list(self, path: str, name: str, recorded: list[JSON], answered: list[JSON]) -> None:
        top = "." not in path and "[" not in path  # a list answer's own list; deeper ones belong to one thing
        if not recorded or not answered:
            whole = len(recorded) != len(answered)
            ours = [e for e in answered if self._ids.stands(identity(e) or "")]
            expected = [e for e in recorded if self._ids.known(identity(e) or "")]
            if whole and not self._partial and (ours or expected or (not self._others and (not top or recorded))):
                self._differs(f"{path}[]", "elements", _counted(recorded), _counted(answered))
            return
        left, right = list(range(len(recorded))), list(range(len(answered)))
        for i in range(len(recorded)):
            known = self._ids.known(identity(recorded[i]) or "")
            if known is None:
                continue
            j = next((j for j in right if identity(answered[j]) == known), None)
            if j is not None:
                left.remove(i)
                right.remove(j)
                self.value(f"{path}[{i}]", "", recorded[i], answered[j])
            elif not self._partial:
                left.remove(i)
                self._differs(f"{path}[{i}]", "elements", f"{identity(recorded[i])}, made before", "not listed")
        for j in [j for j in right if self._ids.stands(identity(answered[j]) or "")] if not self._partial else []:
            right.remove(j)
            self._differs(f"{path}[]", "elements", "not listed", f"{identity(answered[j])}, which it knows")
        self._alike(path, recorded, answered, left, right)

    def _alike(self, path: str, recorded: list[JSON], answered: list[JSON], left: list[int], right: list[int]) -> None:
        """Pairs what no id pairs by likeness. Who is left over must look like anybody of the other side."""
        for i in left:
            if right:
                j = min(right, key=lambda j: (*self._unlike(recorded[i], answered[j]), abs(i - j)))
                right.remove(j)
                self._foreign, before = self._foreign or self._others, self._foreign
                self.value(f"{path}[{i}]", "", recorded[i], answered[j])
                self._foreign = before
            else:
                self._shape_only(f"{path}[{i}]", recorded[i], self._nearest(recorded[i], answered))
        for j in right:
            near = min(recorded, key=lambda one: self._unlike(one, answered[j]))
            self._shape_only(f"{path}[]", near, answered[j])

    def _unlike(self, recorded: JSON, answered: JSON) -> tuple[int, int]:
        trial = self._trial()
        trial.value("", "", recorded, answered)
        names = [e.get("name") if isinstance(e, dict) else e for e in (recorded, answered)]
        return len(trial.differences), int(names[0] != names[1])

    def _trial(self) -> "_Comparer":
        trial = _Comparer(self._ids, others=True, partial=True)
        trial._foreign = self._foreign or self._others
        return trial

    def _nearest(self, wanted: JSON, candidates: list[JSON]) -> JSON:
        return min(candidates, key=lambda one: self._unlike(wanted, one))

    def _shape_only(self, path: str, recorded: JSON, answered: JSON) -> None:
        """Two objects that are not the same thing: their states may differ, and nothing is learnt."""
        trial = self._trial()
        trial.value(path, "", recorded, answered)
        self.differences += [d for d in trial.differences if d.what not in ("state", "word")]


def _shown(value: JSON) -> str:
    """The type, and the value where that says more and is no secret."""
    return str(value).lower() if isinstance(value, bool) else kind(value)


def _counted(values: list[JSON]) -> str:
    return f"{len(values)} elements" if values else "an empty list"


def things(answer: JSON, pick: Callable[[JSON], str | None] = state_of) -> Iterator[tuple[str, str]]:
    """Each object in an answer that has an id and a state, with both."""
    if isinstance(answer, dict):
        thing, state = identity(answer), pick(answer)
        if thing is not None and state is not None:
            yield thing, state
        for inner in answer.values():
            yield from things(inner, pick)
    elif isinstance(answer, list):
        for inner in answer:
            yield from things(inner, pick)
