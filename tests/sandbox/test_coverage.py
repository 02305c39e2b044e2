"""The list of routes with their tests is complete: every route is in it, and each test that it names is there."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from sandbox.web import Route
from tests.sandbox.routes import FILE, all_routes, name_of, written

ROOT = FILE.parents[1]


@cache
def listed() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(FILE.read_text())
    return found


def test_every_route_is_listed_with_its_operation(tmp_path: Path) -> None:
    there = {name_of(route): route.operation for route in all_routes(tmp_path)}
    assert {name: entry["operation"] for name, entry in listed().items()} == there, "make coverage writes it anew"


@pytest.mark.parametrize("name", listed())
def test_each_route_has_a_test_that_is_there(name: str) -> None:
    test = listed()[name]["test"]
    assert test, f"no test asks {name}"
    file, _, function = test.partition("::")
    assert f"def {function}(" in (ROOT / file).read_text(), "make coverage writes it anew"


def test_a_test_with_an_answer_that_is_no_error_goes_before_one_without() -> None:
    route = Route("GET", "/a", "A.get", lambda call: None)
    met = {"A.get": {"a.py::test_refused": False, "b.py::test_answered": True, "c.py::test_too": True}}
    assert "test: b.py::test_answered\n" in written([route], met)
    assert "test: a.py::test_refused\n" in written([route], {"A.get": {"a.py::test_refused": False}})
    assert "test: null\n" in written([route], {})
