"""Requests that fail, and processes that are killed, while an environment is made: the short part of `make reliability`."""

from collections.abc import Iterator

import pytest

from tests.engine.estate import Estate
from tests.reliability.kills import play_kill
from tests.reliability.life import small_estate
from tests.reliability.matrix import Case, Reference, play, reference

FAULTS = (
    ("iam.CreatePolicy", "one 500"),
    ("gitlab.ProjectVariables.create", "403 for good"),
    ("account.CreateProject", "dropped after"),  # exists, and the next one would be refused
    ("vpc.CreateVPC", "dropped after"),  # exists twice, and nobody hears of it
)
KILLS = {"engine": 1, "plugin": 5, "stand-in": 0, "control plane": 6}  # the seed by whom it kills: each once


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate of its own: each test empties it."""
    with small_estate(tmp_path_factory.mktemp("lone")) as estate:
        yield estate


@pytest.fixture(scope="module")
def normal(lone: Estate) -> Reference:
    return reference(lone, ["make"])


@pytest.mark.parametrize(("operation", "fault"), FAULTS)
def test_after_a_fault_the_next_update_ends_where_one_without_it_does(
    lone: Estate, normal: Reference, operation: str, fault: str
) -> None:
    case = Case(phase="make", operation=operation, fault=fault)
    assert operation in normal.operations["make"]
    outcome = play(lone, case, normal)
    assert outcome.wrong == ()
    assert outcome.survived == (fault == "one 500")


@pytest.mark.parametrize("victim", KILLS)
def test_after_a_kill_the_next_update_ends_where_one_without_it_does(
    lone: Estate, normal: Reference, victim: str
) -> None:
    outcome = play_kill(lone, KILLS[victim], normal)
    assert (outcome.victim, outcome.wrong) == (victim, ())
