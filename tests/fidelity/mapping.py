"""Which of the stand-in's ids and generated names stands for which of a recording.

Owns the pairs and how a recorded request is written anew with them. They are learnt from pairs of answers: where the
recorded one has an id, the stand-in's has its own. Does not own which fields of two answers belong together (`compare`).
"""

import ipaddress
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

JSON = Any

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_ID = re.compile(rf"{_UUID}|\bSCW[A-Z0-9]{{17}}\b")  # an access key is the id of an API key
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_NO_ID = "00000000-0000-0000-0000-000000000000"  # what recordings write in the place of a secret
_SECRET = frozenset({"secret_key", "data", "content"})


class Leaf(NamedTuple):
    """Two texts at the same place of two answers; `name` is the field's."""

    name: str
    recorded: str
    answered: str


def ids_in(text: str) -> list[str]:
    return [found for found in _ID.findall(text) if found != _NO_ID]


class Ids:
    """Recorded ids and names with what stands for them."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._sent: set[str] = set()

    def assume(self, recorded: str, answered: str) -> None:
        """Says beforehand what stands for a whole text, such as a version that is on offer no more."""
        self._names[recorded] = answered

    def learn(self, leaves: Iterable[Leaf], *, made: tuple[str, str] | None = None) -> None:
        """What was learnt first stays, because lists are paired by likeness; but `made` counts: it has just been made."""
        if made is not None:
            self._ids[made[0]] = made[1]
        for leaf in leaves:
            if leaf.name in _SECRET:
                continue
            recorded, answered = ids_in(leaf.recorded), ids_in(leaf.answered)
            if recorded and len(recorded) == len(answered):
                for one, other in zip(recorded, answered, strict=True):
                    self._ids.setdefault(one, other)
            elif leaf.recorded != leaf.answered and leaf.recorded not in self._sent and _generated(leaf):
                self._names.setdefault(leaf.recorded, leaf.answered)

    def known(self, recorded: str) -> str | None:
        """The stand-in's id for a recorded one."""
        return self._ids.get(recorded)

    def stands(self, answered: str) -> bool:
        """Whether this id of the stand-in's stands for a recorded one."""
        return answered in self._ids.values()

    # A request with the stand-in's ids.

    def text(self, text: str) -> str:
        if text in self._names:
            return self._names[text]
        return _ID.sub(lambda found: self._ids.get(found[0], found[0]), text)

    def path(self, path: str) -> str:
        return "/".join(quote(self.text(unquote(part)), safe=":@") for part in path.split("/"))

    def query(self, query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, self.text(value)) for name, value in query]

    def body(self, body: str, content_type: str, recorded_on: date | None = None) -> str:
        """JSON and forms value by value; any other body, such as one of several parts, id by id.

        What lay ahead on the day of the recording lies as far ahead today: an expiry date must be in the future.
        """
        if content_type.startswith("application/x-www-form-urlencoded"):
            return urlencode(self.query(parse_qsl(body, keep_blank_values=True)))
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return _ID.sub(lambda found: self._ids.get(found[0], found[0]), body)
        self._sent.update(_texts(content))
        return json.dumps(self._json(content, recorded_on))

    def _json(self, value: JSON, recorded_on: date | None) -> JSON:
        if isinstance(value, dict):
            return {self.text(name): self._json(inner, recorded_on) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._json(inner, recorded_on) for inner in value]
        return self.text(_moved(value, recorded_on)) if isinstance(value, str) else value


def _moved(text: str, recorded_on: date | None) -> str:
    """A date after the recording, by as much later as the recording is old."""
    if recorded_on is None or not RFC3339.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.date() < recorded_on:
        return text
    return (moment + (datetime.now(UTC).date() - recorded_on)).isoformat().replace("+00:00", "Z")


def _generated(leaf: Leaf) -> bool:
    """Whether the text is one that a server thinks up and a client may send back: a name or an address."""
    if leaf.name.endswith("name") or leaf.name in ("email", "endpoint"):
        return bool(leaf.recorded and leaf.answered)
    return _is_address(leaf.recorded) and _is_address(leaf.answered)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _texts(value: JSON) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and value:
        yield value
