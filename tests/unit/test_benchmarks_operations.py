"""Operations out of events and needs: what was made and when."""

from typing import Any

import pytest

from benchmarks.needs import HELD, ONLY_DECLARED, Need
from benchmarks.operations import Stamped, UnfinishedError, operations, spans


def event(at: float, name: str, urn: str, *, op: str = "create", custom: bool = True) -> Stamped:
    return Stamped(at=at, event={name: {"metadata": {"urn": urn, "op": op, "new": {"custom": custom}}}})


def pre(at: float, urn: str, **more: Any) -> Stamped:
    return event(at, "resourcePreEvent", urn, **more)


def post(at: float, urn: str, **more: Any) -> Stamped:
    return event(at, "resOutputsEvent", urn, **more)


def test_spans_are_those_of_what_a_provider_makes() -> None:
    events = [
        Stamped(at=0, event={"preludeEvent": {}}),
        pre(1, "component", custom=False),
        pre(1, "a"),
        pre(2, "b"),
        post(3, "b"),
        pre(3, "kept", op="same"),
        post(3, "kept", op="same"),
        post(4, "component", custom=False),
        post(5, "a"),
        Stamped(at=6, event={"summaryEvent": {}}),
    ]
    assert spans(events) == {"a": (1, 5), "b": (2, 3)}


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([pre(1, "a")], "never ended: a"),
        ([post(1, "a")], "a has failed, or ended before it began"),
        ([pre(1, "a"), event(2, "resOpFailedEvent", "a")], "a has failed, or ended before it began"),
    ],
)
def test_an_update_that_did_not_end_well_has_none(events: list[Stamped], message: str) -> None:
    with pytest.raises(UnfinishedError, match=message):
        spans(events)


def test_an_operation_has_its_true_needs_or_all() -> None:
    found = {"a": (0.0, 1.0), "b": (0.0, 2.0), "c": (2.0, 3.0)}
    needs = [
        Need(of="c", on="a", how=HELD),
        Need(of="c", on="b", how=ONLY_DECLARED),
        Need(of="c", on="was there before", how=HELD),
    ]
    assert {o.name: o.needs for o in operations(found, needs)} == {"a": set(), "b": set(), "c": {"a"}}
    assert {o.name: o.needs for o in operations(found, needs, only_true=False)}["c"] == {"a", "b"}
