"""Every test has its chain, and no chain names a module that is not there."""

import ast
from pathlib import Path

import pytest

from tests import shares
from tests.shares import chain_of, kind_of, turn_of

TESTS = Path(__file__).parents[1]


def test_what_shares_a_sandbox_is_one_chain() -> None:
    one, other = "tests/engine/test_1_environments.py::test_a[dev]", "tests/engine/test_9_destroy.py::test_b"
    assert chain_of(one) == chain_of(other) == "environments"
    assert chain_of("tests/engine/test_8_faults.py::test_c[x/y.py::z]") == "test_8_faults"


def test_a_module_without_one_is_one_by_itself() -> None:
    assert chain_of("tests/unit/test_naming.py::test_a") == "tests/unit/test_naming.py"


def test_the_longest_begin_first_and_the_others_last() -> None:
    names = ["tests/unit/test_naming.py::a", "tests/engine/test_sandbox.py::b", "tests/engine/test_4_changes.py::c"]
    assert sorted(names, key=turn_of) == names[::-1]


@pytest.mark.parametrize("module", sorted({*shares._OF_MODULE, *shares._FIRST} - {*shares._CHAINS}))
def test_each_module_that_is_named_is_there(module: str) -> None:
    assert len(list(TESTS.rglob(f"{module}.py"))) == 1


def _asks_for(file: Path) -> set[str]:
    """The fixtures that a module's tests and fixtures name."""
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    asking = [
        f for f in functions if f.name.startswith("test_") or "fixture" in "".join(map(ast.unparse, f.decorator_list))
    ]
    return {argument.arg for function in asking for argument in function.args.args}


@pytest.mark.parametrize(
    ("folders", "shared"),
    [
        (("engine", "pipelines"), {"estate", "environments", "place"}),
        (("program",), {"run_program", "refused_program"}),
    ],
    ids=["a sandbox", "runs of the program"],
)
def test_each_module_that_shares_something_is_named(folders: tuple[str, ...], shared: set[str]) -> None:
    """Else it would make one for itself alone."""
    files = {file.stem: file for name in folders for file in (TESTS / name).glob("test_*.py")}
    sharing = {module for module, file in files.items() if _asks_for(file) & shared}
    assert sharing
    assert sharing == files.keys() & shares._OF_MODULE.keys()


def test_the_kind_is_the_folder() -> None:
    assert kind_of("tests/engine/test_1.py::test_a") == "engine"
