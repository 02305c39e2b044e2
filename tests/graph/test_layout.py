"""Columns, arrows that say something, and frames that do not lie on each other."""

from dataclasses import replace
from itertools import combinations
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.layout import WIDTH, columns, needed_arrows, placed
from graph.model import graph_of
from tests.graph.states import declared

NAMES = "abcdef"
graphs = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]))
ordered = graphs.map(lambda arrows: {(min(pair), max(pair)) for pair in arrows})  # no circles


def reaches(arrows: set[tuple[str, str]], start: str) -> set[str]:
    found: set[str] = set()
    left = {start}
    while left:
        left = {then for first, then in arrows if first in left} - found
        found |= left
    return found


@given(ordered)
def test_what_is_needed_is_further_left(arrows: set[tuple[str, str]]) -> None:
    found = columns(NAMES, arrows)
    assert all(found[first] < found[then] for first, then in arrows)
    for name in NAMES:
        after = [found[then] for first, then in arrows if first == name]
        before = [found[first] for first, then in arrows if then == name]
        assert found[name] == (min(after) - 1 if after else max(before, default=-1) + 1) or (after and before)


@given(ordered)
def test_arrows_that_are_left_say_all_and_nothing_twice(arrows: set[tuple[str, str]]) -> None:
    left = needed_arrows(arrows)
    assert left <= arrows
    assert all(reaches(left, name) == reaches(arrows, name) for name in NAMES)
    for arrow in left:
        assert arrow[1] not in reaches(left - {arrow}, arrow[0])


@given(graphs)
def test_circles_have_columns_too(arrows: set[tuple[str, str]]) -> None:
    assert columns(NAMES, arrows).keys() == set(NAMES)
    assert needed_arrows(arrows) <= arrows


def test_a_circle_of_two_is_shown_as_one() -> None:
    assert needed_arrows({("a", "b"), ("b", "a")}) == {("a", "b"), ("b", "a")}
    assert columns("ab", {("a", "b"), ("b", "a")}) in ({"a": 0, "b": 1}, {"a": 1, "b": 0})


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_frame_lies_on_another(stack: str) -> None:
    graph = graph_of(declared(stack))
    found = placed(graph)
    assert found.keys() == {frame.name for frame in graph.frames}
    for one, other in combinations(found.values(), 2):
        beside = abs(one.x - other.x) >= WIDTH
        assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
    assert found["projects"].x < found["cluster"].x < found["runner-deploy"].x < found["cluster-guard"].x
    assert found["projects"].x == 0
    assert found["gitlab"].x == found["runner-deploy"].x  # it waits for nothing, and only the guard for it


def test_the_order_of_the_arrows_does_not_matter() -> None:
    graph = graph_of(declared("dev"))
    arrows = sorted(graph.arrows)
    one, other = (replace(graph, arrows=cast(frozenset[tuple[str, str]], each)) for each in (arrows, arrows[::-1]))
    assert placed(one) == placed(other) == placed(graph)


@given(graphs)
def test_nor_does_it_in_circles(arrows: set[tuple[str, str]]) -> None:
    one = sorted(arrows)
    assert columns(NAMES, one) == columns(NAMES, one[::-1])
