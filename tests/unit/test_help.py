"""The help of each command: complete, and no line wider than a terminal of 80 columns."""

import importlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "benchmarks", "benchmarks.growth", "benchmarks.state_writing", "benchmarks.up", "ci.deploy", "ci.preview_report",
    "ci.promote", "ci.publish_plan", "costs", "doctor", "graph", "pins", "repair", "sandbox", "tests.fidelity",
    "tests.reliability",
)  # fmt: skip
SANDBOX = ("up", "preview", "repair", "down", "start", "stop", "status", "env", "reset", "serve", "fault", "pace")


def module_of(command: str) -> str:
    return command if (ROOT / f"{command.replace('.', '/')}.py").exists() else f"{command}.__main__"


def show_help(command: str, *words: str) -> None:
    """`python -m COMMAND … --help`, in this process."""
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module_of(command)).main([*words, "--help"])
    assert ended.value.code == 0


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def too_wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > 80]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_help(command)
    told = capsys.readouterr().out
    assert told.startswith("usage: ")
    assert too_wide(told) == []


@pytest.mark.parametrize("command", ["ci.deploy", "costs", "doctor", "graph", "repair"])
@pytest.mark.parametrize("stack", ["", "a b", "dev;x"])
def test_a_stack_that_is_no_name_is_wrong_usage(command: str, stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an empty one, as where a variable is not set, the engine would take the stack that is selected."""
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module_of(command)).main(["--stack", stack])
    assert ended.value.code == 2
    assert "argument --stack: must be the name of a stack, such as dev" in capsys.readouterr().err


@pytest.mark.parametrize("name", SANDBOX)
def test_the_help_of_the_sandbox(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_help("sandbox", name)
    told = capsys.readouterr().out
    assert told.startswith(f"usage: python -m sandbox {name}")
    assert too_wide(told) == []


def test_the_help_of_make() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert too_wide(told) == []
    targets = {line.split()[0] for line in told.splitlines()[1:]}
    assert targets == phony((ROOT / "Makefile").read_text()) - {"lint"}


def phony(makefile: str) -> set[str]:
    (line,) = [line for line in makefile.splitlines() if line.startswith(".PHONY:")]
    return set(line.split()[1:])


def test_each_command_is_known_here() -> None:
    found = {"sandbox"}
    for folder in {path.parent for path in ROOT.glob("[a-z]*/*.py")}:
        for path in folder.rglob("*.py"):
            if path != Path(__file__) and "command_line.parser(" in path.read_text():
                found.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"))
    assert found == set(COMMANDS)
