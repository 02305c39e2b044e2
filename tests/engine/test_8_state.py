"""Pulumi's state while several people, or a crash, meet in it: one stack is one person's at a time, and nothing is lost."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.estate import ENVIRONMENTS, HUNG_SECONDS, Estate, Up, eventually
from tests.engine.updates import LOCKED, answer, crash, hold_back, up_of


@pytest.fixture
def slow(estate: Estate, environments: dict[str, Up], dev_as_declared: None) -> Iterator["subprocess.Popen[str]"]:
    """An `up` of a change that holds its lock until `answer`."""
    estate.set("dev", "runners[0].concurrent", "9")
    hold_back(estate)
    with _started(estate, "dev") as running:
        eventually(lambda: _locks(estate), lambda found: len(found) == 1)
        yield running
        answer(estate)
        if running.poll() is None:
            running.communicate(timeout=HUNG_SECONDS)  # killed, it would leave its lock


def _started(estate: Estate, stack: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        up_of(stack),
        cwd=estate.checkout,
        env=estate.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _locks(estate: Estate) -> list[Path]:
    return list((estate.folder / "state" / ".pulumi" / "locks").rglob("*.json"))


def test_three_stacks_that_were_brought_up_at_the_same_time_are_all_there(
    estate: Estate, environments: dict[str, Up]
) -> None:
    """`environments` brings them up at once; here is what that leaves."""
    assert {name: up.code for name, up in environments.items()} == dict.fromkeys(ENVIRONMENTS, 0)
    states = (estate.folder / "state" / ".pulumi" / "stacks").rglob("*.json")
    assert sorted(file.stem for file in states) == sorted(ENVIRONMENTS)
    assert _locks(estate) == []


def test_a_second_update_of_a_stack_is_refused_and_the_first_one_ends(
    estate: Estate, slow: "subprocess.Popen[str]"
) -> None:
    second = estate.shell(shlex.join(up_of("dev")) + " 2>&1")
    assert second.returncode != 0
    assert LOCKED in " ".join(second.stdout.split())
    answer(estate)
    printed, _ = slow.communicate(timeout=HUNG_SECONDS)
    assert slow.returncode == 0, printed
    assert _locks(estate) == []
    assert estate.changes("dev") == {}


def test_another_stack_is_not_locked(estate: Estate, slow: "subprocess.Popen[str]") -> None:
    with _started(estate, "preprod") as other:
        eventually(lambda: _locks(estate), lambda found: len(found) == 2)  # each holds its own at the same time
        assert (slow.poll(), other.poll()) == (None, None)
        answer(estate)
        for update in (slow, other):
            printed, _ = update.communicate(timeout=HUNG_SECONDS)
            assert update.returncode == 0, printed


def test_the_lock_of_a_killed_engine_is_cancelled_and_nothing_is_lost(
    estate: Estate, slow: "subprocess.Popen[str]"
) -> None:
    before = json.loads(estate.pulumi("stack export --stack preprod"))["deployment"]["resources"]
    crash(slow)
    answer(estate)
    assert LOCKED in " ".join(estate.pulumi("up --yes --skip-preview --stack dev", code=None).split())
    estate.pulumi("cancel --yes --stack dev")
    estate.pulumi("up --yes --skip-preview --stack dev")
    assert estate.changes("dev") == {}
    assert json.loads(estate.pulumi("stack export --stack preprod"))["deployment"]["resources"] == before
