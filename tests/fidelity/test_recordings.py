"""The stand-in against the recordings of the real API that it was built after."""

from pathlib import Path

import pytest

from tests.fidelity import allowed, cassette
from tests.fidelity.allowed import reason_for
from tests.fidelity.recordings import CATALOGUES, NAMED, named
from tests.fidelity.replay import replay

pytestmark = pytest.mark.engine  # it may download the module, which `make check` does not


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    return {path.name: path for path in named()}


@pytest.mark.parametrize("name", [name for _, name in (*NAMED, *CATALOGUES)])
def test_the_stand_in_answers_as_recorded(paths: dict[str, Path], name: str) -> None:
    outcomes = replay(cassette.read(paths[f"{name}.cassette.yaml"]), allowed.read())
    assert [f"#{o.interaction.number} {d}" for o in outcomes for d in o.wrong] == []


def test_no_entry_of_the_allow_list_is_left_over(paths: dict[str, Path]) -> None:
    entries, used = allowed.read(), set()
    for path in paths.values():
        for outcome in replay(cassette.read(path)):
            used |= {reason_for(entries, outcome.interaction, difference) for difference in outcome.wrong}
    assert [entry for entry in entries if entry not in used] == []
