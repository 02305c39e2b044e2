"""What an update's time was spent on: the parts add up, and each is where it belongs."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import article, up
from benchmarks.latencies import Latencies
from benchmarks.needs import HELD, ONLY_DECLARED, Need
from benchmarks.operations import Stamped
from benchmarks.shares import Recorded, only_declared
from benchmarks.update import Update


def urn(name: str, kind: str = "a:b:C") -> str:
    return f"urn:pulumi:dev::p::{kind}::{name}"


CLUSTER, POOL, RELEASE, GUARD = (urn(name) for name in ("cluster", "pool", "release", "guard"))
NEEDS = [
    Need(of=POOL, on=CLUSTER, how=HELD),
    Need(of=RELEASE, on=POOL, how=HELD),
    Need(of=GUARD, on=RELEASE, how=ONLY_DECLARED, why="it goes first"),
    Need(of=GUARD, on=POOL, how=ONLY_DECLARED),
]


def steps(*spans: tuple[str, float, float]) -> Iterator[Stamped]:
    """The events of one run of the engine."""
    events = [(began, "resourcePreEvent", name) for name, began, _ in spans]
    events += [(ended, "resOutputsEvent", name) for name, _, ended in spans]
    for at, event, name in sorted(events):
        yield Stamped(at=at, event={event: {"metadata": {"urn": name, "op": "create", "new": {"custom": True}}}})


def begin(at: float) -> Stamped:
    return Stamped(at=at, event={"preludeEvent": {}})


def recorded(shift: float = 0, **changes: Any) -> Recorded:
    """A preview, an update, and what is waited for between its operations. `shift` makes the end later."""
    preview = [begin(1), *steps((CLUSTER, 2, 2.1), (POOL, 2, 2.1))]
    made = ((CLUSTER, 12, 192), (POOL, 193, 283), (RELEASE, 284, 288), (GUARD, 289, 290))
    given: dict[str, Any] = {
        "began": 0,
        "ended": 293 + shift,
        "events": [*preview, begin(10), *steps(*made)],
        "needs": NEEDS,
        "unseen": {CLUSTER: 2.5, RELEASE: 1},
    }
    return Recorded(**given | changes)


def test_the_parts_add_up() -> None:
    details = recorded().details()
    outside = details["outside_the_chain"]
    assert details["chain_seconds"] == 180 + 90 + 4
    assert details["chain_seconds"] + outside["seconds"] == details["seconds"] == 293
    assert outside | {"longest_waits": None} == {
        "seconds": 19,
        "share": round(19 / 293, 4),
        "start_and_preview": 10,
        "until_the_first_operation": 2,
        "between_operations": 3,
        "after_the_last_operation": 3,
        "longest_waits": None,
    }
    assert {wait["before"] for wait in outside["longest_waits"]} == {"pool", "release", "guard"}


def test_the_chain_is_of_true_needs_and_the_other_is_told_beside_it() -> None:
    details = recorded().details()
    assert [step["operation"] for step in details["chain"]] == ["cluster", "pool", "release"]
    assert details["chain_of_all_declared_seconds"] == 275
    assert details["operations"] == 4
    assert details["operations_one_after_another_seconds"] == 275
    assert recorded().ratio == pytest.approx(293 / 274)


def test_polling_is_that_of_the_chain() -> None:
    details = recorded(unseen={CLUSTER: 2.5, RELEASE: 1, GUARD: 9}).details()
    assert details["polling_seconds"] == 3.5
    assert details["ratio_to_the_chain_without_polling"] == round(293 / 270.5, 4)
    assert [step.get("polling_seconds") for step in details["chain"]] == [2.5, None, 1]


def test_what_is_only_declared_is_counted_by_kinds_with_what_it_is_for() -> None:
    assert only_declared(NEEDS) == [
        {"of": "a:b:C", "on": "a:b:C", "number": 1, "for": ""},
        {"of": "a:b:C", "on": "a:b:C", "number": 1, "for": "it goes first"},
    ]


def run(together: float, shift: float) -> up.Run:
    applications = Update(began=15, ended=15 + 280, events=())
    return up.Run(environment=recorded(shift), applications=applications, together=together)


def test_the_figures_have_a_value_of_each_run_and_the_details_of_the_middle_one() -> None:
    used = Latencies(cluster=180, pool=90, requests={"*": 0.1})
    runs = [run(300, shift=20), run(310, shift=0), run(320, shift=10)]
    chain, by_hand = up.figures(runs, used, article.commands())
    assert (chain.name, chain.at_most, by_hand.name, by_hand.at_most) == (
        "up_over_longest_chain",
        1.1,
        "up_over_article",
        0.6,
    )
    assert chain.values == pytest.approx([313 / 274, 293 / 274, 303 / 274])
    assert chain.details["seconds"] == 303
    total = sum(c.seconds(used) for c in article.commands())
    assert by_hand.values == pytest.approx([300 / total, 310 / total, 320 / total])
    assert by_hand.details["together_seconds"] == 310
    assert by_hand.details["one_after_the_other_over_article"] == pytest.approx((293 + 280) / total, abs=1e-4)
    assert by_hand.details["environment_alone_over_its_part_of_the_article"] > 1
