"""What may stand in the place of any value in JSON that a tool reads, and putting it there."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from ci.values import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE

Path = tuple[str | int, ...]


def nested(depth: int, *, lists: bool) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


HUGE = int("9" * 4_299)  # the longest that Python takes from text
_SAMPLES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, HUGE, 1.5, float("inf"), float("nan"), "", "x", "\ud800", "\x00\x1b[2J\u202e",
    "a\nb", "(((", "../..", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-99-99", [], {}, [{}], [[]], [1, "a"],
    {"": None}, {"a": 1}, {"id": -1}, nested(99, lists=True), nested(450, lists=True), nested(450, lists=False),
    {SIGNATURE: SECRET_SIGNATURE}, {SIGNATURE: 5}, {SIGNATURE: OUTPUT_SIGNATURE, "value": nested(99, lists=True)},
    "urn:pulumi:dev::p::t::n", "create", "[secret]", "-eyJ" * 5_000, "token=" * 4_000,
)  # fmt: skip
wrong_values = st.sampled_from(_SAMPLES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, the whole one first."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from paths(inner, (*path, key))


def put(value: Any, path: Path, wrong: Any) -> Any:
    """The document with that in the place."""
    if not path:
        return wrong
    made = copy.copy(value)
    made[path[0]] = put(value[path[0]], path[1:], wrong)
    return made
