"""The long suite: what was played is kept and not played again, its report adds up, each case has one sandbox."""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.engine.estate import Estate
from tests.reliability import suite
from tests.reliability.matrix import Case, Outcome, Reference
from tests.reliability.report import written
from tests.reliability.suite import Results, Suite, Turns

NORMAL = Reference(operations={"make": ["one", "two"], "change": [], "remove": ["one"]}, census={}, seconds={})
CASES = 3 * 4  # each operation of each phase with each fault; none of these can be stuck


def _outcome(case: Case, *, survived: bool = True, wrong: tuple[str, ...] = ()) -> Outcome:
    return Outcome(case=case, survived=survived, named=(), wrong=wrong)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cases that the suite has let play, in no engine; each survives."""
    names: list[str] = []

    def play(estate: Estate, case: Case, normal: Reference) -> Outcome:
        names.append(str(case))
        return _outcome(case)

    monkeypatch.setattr(suite, "reference", lambda estate: NORMAL)
    monkeypatch.setattr(suite, "play", play)
    return names


def _suite(results: Results, sandboxes: int = 3) -> Suite:
    estates: list[Any] = [object()] * sandboxes
    return Suite(estates, results, kills=0)


def test_every_case_is_played_once_by_one_of_the_sandboxes(played: list[str], tmp_path: Path) -> None:
    results = Results(tmp_path / "results", "abc")
    found = _suite(results)
    found.play(re.compile(""))
    assert len(played) == CASES
    assert {record["commit"] for record in results.played.values()} == {"abc"}
    assert set(played) == set(found.names) == set(results.played)


def test_a_later_run_plays_what_is_left(played: list[str], tmp_path: Path) -> None:
    _suite(Results(tmp_path / "results", "abc")).play(re.compile("^make"))
    assert len(played) == 8
    _suite(Results(tmp_path / "results", "abc")).play(re.compile(""))
    assert Counter(played) == dict.fromkeys(_suite(Results(tmp_path / "results", "abc")).names, 1)


def test_what_cannot_be_played_is_told_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: Any) -> Outcome:
        raise AssertionError("no environment")

    monkeypatch.setattr(suite, "reference", lambda estate: NORMAL)
    monkeypatch.setattr(suite, "play", fails)
    _suite(Results(tmp_path / "results", "abc")).play(re.compile("remove: one, one 500"))
    (line,) = (tmp_path / "results").read_text().splitlines()
    assert json.loads(line)["wrong"] == ["not played: no environment"]


def test_an_error_of_one_sandbox_ends_the_suite(
    played: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crashes(*_: Any) -> Outcome:
        raise ValueError("a mistake of the suite's own")

    monkeypatch.setattr(suite, "play", crashes)
    results = Results(tmp_path / "results", "abc")
    with pytest.raises(ValueError, match="own"):
        _suite(results).play(re.compile(""))
    assert results.played == {}


def test_turns_are_handed_out_once_over_all_threads() -> None:
    turns = Turns([str(n) for n in range(1000)])
    taken: list[tuple[int, str]] = []
    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(lambda: list(turns)) for _ in range(4)]:
            taken += found.result()
    assert sorted(taken) == [(n + 1, str(n)) for n in range(1000)]


def test_the_report_adds_up() -> None:
    cases = [Case(phase="make", operation=str(n), fault="one 500") for n in range(3)]
    outcomes = [
        _outcome(cases[0]),
        _outcome(cases[1], survived=False),
        _outcome(cases[2], survived=True, wrong=("lost: a VPC 1",)),
    ]
    records = {str(o.case): {"commit": "abc", **json.loads(json.dumps(asdict(o)))} for o in outcomes}
    records["kill 0"] = {"commit": "def", "victim": "engine", "survived": False, "wrong": []}
    text = written(records, todo=[*records, "kill 1"])
    assert "Played: 3 at abc, 1 at def." in text
    assert "| make | one 500 | 3 | 1 | 1 | 1 |" in text
    assert "| engine | 1 | 0 | 1 | 0 |" in text
    assert "make: 2, one 500: lost: a VPC 1" in text
    assert "1 of 5" in text
    assert "Not played" not in written(records, todo=list(records))
