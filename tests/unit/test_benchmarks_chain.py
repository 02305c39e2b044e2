"""The longest chain: against every chain there is, and against a schedule with any number of hands."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.chain import ChainError, Operation, followed, longest


def operation(name: str, started: float, ended: float, *needs: str) -> Operation:
    return Operation(name=name, started=started, ended=ended, needs=frozenset(needs))


CLUSTER = operation("cluster", 1, 181)
POOL = operation("pool", 183, 273, "cluster")
SYSTEM = operation("system", 182, 262, "cluster")
KEY = operation("key", 1, 200)
RELEASE = operation("release", 274, 280, "pool", "key")
ALL = (RELEASE, KEY, SYSTEM, POOL, CLUSTER)


def test_the_longest_chain_and_its_seconds() -> None:
    chain = longest(ALL)
    assert [step.name for step in chain.steps] == ["cluster", "pool", "release"]
    assert chain.seconds == 180 + 90 + 6


def test_where_the_end_was_kept_waiting() -> None:
    waits = followed(ALL, began=0)
    assert [(w.operation.name, w.after.name if w.after else None, w.seconds) for w in waits] == [
        ("cluster", None, 1),
        ("pool", "cluster", 2),
        ("release", "pool", 1),
    ]


def test_of_nothing_there_is_no_chain() -> None:
    assert longest([]).steps == ()
    assert longest([]).seconds == 0
    assert list(followed([], began=0)) == []


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([CLUSTER, CLUSTER], "cluster is there twice"),
        ([operation("a", 2, 1)], "a ends before it begins"),
        ([POOL], "pool needs cluster, which is not there"),
        ([operation("a", 0, 1, "b"), operation("b", 0, 1, "a")], "each needs the next: a, b, a"),
    ],
)
def test_what_is_no_order_is_refused(operations: list[Operation], message: str) -> None:
    for ask in (longest, lambda given: followed(given, began=0)):
        with pytest.raises(ChainError) as refused:
            ask(operations)
        assert str(refused.value) == message


@st.composite
def orders(draw: st.DrawFn) -> list[Operation]:
    """Operations in any order, each with needs among the ones made before; it began after all of them had ended."""
    made: list[Operation] = []
    for number in range(draw(st.integers(1, 7))):
        needs = draw(st.sets(st.sampled_from(made), max_size=3)) if made else set()
        started = max((need.ended for need in needs), default=0) + draw(st.integers(0, 9))
        ended = started + draw(st.integers(0, 9))
        made.append(operation(str(number), started, ended, *(need.name for need in needs)))
    return draw(st.permutations(made))


def every_chain(operations: Sequence[Operation], end: Operation) -> list[list[Operation]]:
    known = {o.name: o for o in operations}
    before = [chain for need in end.needs for chain in every_chain(operations, known[need])]
    return [[*chain, end] for chain in before or [[]]]


def done(operations: Sequence[Operation]) -> float:
    """When the last one ends where each begins as soon as it may."""
    known = {o.name: o for o in operations}

    def end(name: str) -> float:
        return known[name].seconds + max((end(need) for need in known[name].needs), default=0)

    return max(map(end, known))


@given(orders())
def test_no_chain_is_longer_and_no_number_of_hands_is_faster(operations: list[Operation]) -> None:
    chain = longest(operations)
    assert all(one.name in other.needs for one, other in zip(chain.steps, chain.steps[1:], strict=False))
    chains = [each for end in operations for each in every_chain(operations, end)]
    assert chain.seconds == max(sum(o.seconds for o in each) for each in chains) == done(operations)


@given(orders())
def test_a_chain_is_between_its_longest_step_and_the_whole(operations: list[Operation]) -> None:
    seconds = longest(operations).seconds
    assert max(o.seconds for o in operations) <= seconds <= sum(o.seconds for o in operations)
    assert seconds <= max(o.ended for o in operations)


@given(orders())
def test_a_need_that_goes_never_makes_the_chain_longer(operations: list[Operation]) -> None:
    first, *others = operations
    fewer = operation(first.name, first.started, first.ended, *sorted(first.needs)[1:])
    assert longest([fewer, *others]).seconds <= longest(operations).seconds


@given(orders())
def test_waits_and_operations_reach_from_the_beginning_to_the_end(operations: list[Operation]) -> None:
    waits = followed(operations, began=0)
    assert all(wait.seconds >= 0 for wait in waits)
    assert sum(w.seconds + w.operation.seconds for w in waits) == max(o.ended for o in operations)
