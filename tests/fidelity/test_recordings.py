"""The stand-in against the recordings of the real API that it was built after.

They come with the Go module of the Scaleway provider, which the toolchain's build downloads; nothing of them is copied
here. Where there is no such module, as on a machine that has built no toolchain, there is nothing to replay.
"""

from pathlib import Path

import pytest

from tests.fidelity import allowed, cassette
from tests.fidelity.allowed import reason_for
from tests.fidelity.recordings import NAMED, NoRecordingsError, named
from tests.fidelity.replay import replay


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    try:
        return {path.name: path for path in named()}
    except NoRecordingsError as error:
        pytest.skip(f"{error}: make test downloads it with the toolchain")


@pytest.mark.parametrize("name", [name for _, name in NAMED])
def test_the_stand_in_answers_as_recorded(paths: dict[str, Path], name: str) -> None:
    outcomes = replay(cassette.read(paths[f"{name}.cassette.yaml"]), allowed.read())
    assert [f"#{o.interaction.number} {d}" for o in outcomes for d in o.wrong] == []


def test_no_entry_of_the_allow_list_is_left_over(paths: dict[str, Path]) -> None:
    entries, used = allowed.read(), set()
    for path in paths.values():
        for outcome in replay(cassette.read(path)):
            used |= {reason_for(entries, outcome.interaction, difference) for difference in outcome.wrong}
    assert [entry for entry in entries if entry not in used] == []
