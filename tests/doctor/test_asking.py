"""Areas that fail, do not end, or have nothing to say do not hide each other."""

import threading
from collections.abc import Iterator

from ci.errors import CiError
from doctor.asking import answers
from doctor.verdicts import Check, Verdict, ok
from tests.doctor.conftest import told


def refuses() -> Iterator[Check]:
    yield ok("before")
    raise CiError("it refuses: must answer, or nothing is known. Fix: ask again")


def is_broken() -> Iterator[Check]:
    yield from ()
    raise KeyError("SECRET-VALUE")


def test_each_area_is_told_whatever_happens_in_another() -> None:
    found = dict(answers({"a": refuses, "b": is_broken, "c": lambda: [ok("c")], "d": lambda: []}))
    assert list(found) == ["a", "b", "c", "d"]
    assert [check.text for check in found["a"]] == ["before", "it refuses: must answer, or nothing is known"]
    assert found["a"][1].fix == "ask again"
    assert told(found["b"], Verdict.UNKNOWN) == ["the rest of this area: its check failed (KeyError)"]
    assert found["c"] == [ok("c")]
    assert found["d"] == []


def test_an_area_that_does_not_end_is_told_with_what_it_came_to() -> None:
    end = threading.Event()

    def hangs() -> Iterator[Check]:
        yield ok("before")
        end.wait()

    found = dict(answers({"a": hangs, "b": lambda: [ok("b")]}, seconds=0.3))
    end.set()
    assert [check.text.partition(":")[0] for check in found["a"]] == ["before", "no answer within 0.3 s"]
    assert found["a"][1].verdict is Verdict.WRONG
    assert found["b"] == [ok("b")]
