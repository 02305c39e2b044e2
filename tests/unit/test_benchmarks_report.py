"""Benchmarks: what a figure says, how results are kept, and that the report tells every figure with its limit and parts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.bench import Bench
from benchmarks.figures import RATIO, SECONDS, Figure
from benchmarks.memory import settled
from benchmarks.report import number, written

KEPT = Figure(name="up_over_limit", unit=RATIO, values=[1.2, 1.0, 1.04], meaning="Up over its limit.", at_most=1.1)
BROKEN = Figure(
    name="start_seconds",
    unit=SECONDS,
    values=[5.0],
    meaning="Start.",
    at_most=4.0,
    details={
        "share": 0.25,
        "by part": {"etcd": 30.0},
        "tried": {"a|b": {"MB": 1234.5, "s": 2}},
        "steps": ["one", "two"],
    },
)
FREE = Figure(name="memory", unit="MB", values=[1000.0, 3000.0], meaning="Memory.")


def _records(*figures: Figure) -> dict[str, Any]:
    return {f.name: {"benchmark": "start", "measured": "2026-01-01", **f.record()} for f in figures}


def test_the_median_is_held_against_the_limit() -> None:
    assert KEPT.record() | {"details": {}} == {
        "unit": "ratio",
        "repetitions": 3,
        "minimum": 1.0,
        "median": 1.04,
        "maximum": 1.2,
        "at_most": 1.1,
        "kept": True,
        "meaning": "Up over its limit.",
        "details": {},
    }
    assert BROKEN.kept is False
    assert FREE.kept is None
    with pytest.raises(ValueError, match="memory has no values"):
        Figure(name="memory", unit="MB", values=[], meaning="Memory.")


def test_the_report_tells_each_figure_its_limit_and_its_parts() -> None:
    text = written(_records(KEPT, BROKEN, FREE), {"Start": ["start_seconds", "memory"]}, "2 cores")
    assert "(2 cores)" in text
    assert "| up_over_limit | 1.1 | yes | 1.04 | 1 | 1.2 | 3 |" in text
    assert "| start_seconds | 4 s | **no** | 5 s | 5 s | 5 s | 1 |" in text
    assert "| memory |  |  | 2,000 MB | 1,000 MB | 3,000 MB | 2 |" in text
    assert "* share: 0.25" in text
    assert "| etcd | 30 |" in text
    assert "|  | MB | s |\n|---|---|---|\n| a\\|b | 1,234 | 2 |" in text
    assert "* one\n* two" in text
    assert text.index("## Start") < text.index("## Others") < text.index("**up_over_limit**")


def test_the_chart_shows_how_much_of_its_limit_each_takes() -> None:
    text = written(_records(KEPT, BROKEN, FREE), {}, "")
    assert "x-axis [up_over_limit, start_seconds]" in text
    assert "0 --> 130" in text
    assert "bar [95, 125]" in text
    assert "xychart" not in written(_records(FREE), {}, "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        (1.23456, "1.23"),
        (1234.5, "1,234"),
        (0.001234, "0.00123"),
        (True, "true"),
        ("a|b\nc", "a\\|b c"),
        ([1], "[1]"),
    ],
)
def test_a_number_is_short(value: Any, shown: str) -> None:
    assert number(value) == shown


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results and report go instead, and two benchmarks that take no time."""

    def first(bench: Bench) -> Iterator[Figure]:
        assert list(bench.folder.iterdir()) == []
        yield Figure(name="one", unit=RATIO, values=[0.5] * bench.repetitions, meaning="One.", at_most=1.0)

    def second(bench: Bench) -> Iterator[Figure]:
        yield Figure(name="two", unit=RATIO, values=[0.7], meaning="Two.")

    monkeypatch.setattr(command, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(command, "REPORT", tmp_path / "performance.md")
    monkeypatch.setattr(command, "MEASURES", {"first": first, "second": second})
    monkeypatch.setattr(command, "TITLES", {"first": "First", "second": "Second"})
    return tmp_path


def test_results_hold_the_medians_by_name_and_all_of_each(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--repetitions", "2"]) == 0
    found = json.loads((files / "results.json").read_text())
    assert (found["one"], found["two"]) == (0.5, 0.7)
    assert found["figures"]["one"]["repetitions"] == 2
    assert found["figures"]["one"]["benchmark"] == "first"
    assert "## First" in (files / "performance.md").read_text()
    assert "first: one 0.5 ratio, at most 1.0: kept" in capsys.readouterr().out


def test_what_is_not_measured_now_stays(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command.main([])

    def slower(bench: Bench) -> Iterator[Figure]:
        yield Figure(name="renamed", unit=RATIO, values=[2.0], meaning="One.", at_most=1.0)

    monkeypatch.setattr(command, "MEASURES", {"first": slower, "second": slower})
    assert command.main(["first"]) == 1
    found = json.loads((files / "results.json").read_text())
    assert list(found["figures"]) == ["renamed", "two"], "in the order of the page's sections"


@pytest.mark.parametrize(
    ("given", "why"), [(["nothing"], "nothing is no benchmark"), (["--repetitions", "0"], "at least 1")]
)
def test_wrong_usage_measures_nothing(
    files: Path, capsys: pytest.CaptureFixture[str], given: list[str], why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(given)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err
    assert list(files.iterdir()) == []


def test_memory_is_looked_at_until_it_hardly_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.memory._LOOK_SECONDS", 0)
    looks = iter([10.0, 100.0, 150.0, 150.5, 0.0])
    assert settled(lambda: {"etcd": next(looks)}) == {"etcd": 150.5}
    grows = iter(float(2**n) for n in range(200))
    with pytest.raises(RuntimeError, match="still changes"):
        settled(lambda: {"etcd": next(grows)})
