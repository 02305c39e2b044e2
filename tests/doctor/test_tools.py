"""Python, its packages, the engine and the plugins, in right and in wrong versions."""

import ast
import json
from pathlib import Path

import pytest

from doctor import tools
from doctor.engine import Engine
from doctor.verdicts import Verdict, wrong
from tests.ci.fake_pulumi import FakePulumi
from tests.doctor.conftest import ROOT, not_right

PINS = tools.pins_of((ROOT / "requirements.txt").read_text())
PLUGINS = {plugin: PINS[package] for plugin, package in tools.PLUGINS.items()}


@pytest.fixture
def engine(tmp_path: Path) -> tuple[FakePulumi, Engine]:
    fake = FakePulumi(tmp_path / "bin")
    fake.does("version", f"v{PINS['pulumi']}\n")
    fake.does("plugin", json.dumps([{"name": name, "kind": "resource", "version": v} for name, v in PLUGINS.items()]))
    return fake, Engine({"PATH": fake.path}, ROOT)


def test_all_is_right_here(engine: tuple[FakePulumi, Engine]) -> None:
    found = tools.ask(engine[1])
    assert found.usable
    assert not_right(found.checks) == []
    assert [check.text for check in found.checks][1:] == [
        f"{len(PINS)} Python packages as requirements.txt pins them",
        f"pulumi {PINS['pulumi']}",
        *(f"plugin {name} {version}" for name, version in PLUGINS.items()),
    ]


def test_the_pins_are_those_of_the_file() -> None:
    assert PINS["pulumi-gitlab"] == "10.1.1"
    assert tools.pins_of("# a==1\n-c constraints.txt\nb==2  # why\nc>=3\n") == {"b": "2"}


def test_an_old_python_is_told_and_nothing_else_can_be_imported(engine: tuple[FakePulumi, Engine]) -> None:
    found = tools.ask(engine[1], (3, 10, 4))
    assert not found.usable
    assert found.checks[0] == wrong(
        "Python 3.10.4: must be 3.11 or newer, or the program does not start",
        "python3.11 -m venv .venv && .venv/bin/python -m pip install -r requirements.txt",
    )


def test_each_package_that_is_not_as_pinned_is_told() -> None:
    pins = {"a": "1.0", "b": "2.0", "c": "3.0"}
    checks = list(tools.package_checks(pins, {"a": "1.0", "b": "1.9", "c": None}))
    assert [check.text for check in checks] == [
        "b 1.9: must be 2.0, or the program is not the one that was tested",
        "c is not installed: must be 3.0, or the program is not the one that was tested",
    ]
    assert {check.fix for check in checks} == {".venv/bin/python -m pip install -r requirements.txt"}


def test_a_package_that_is_not_installed_makes_the_rest_useless(
    engine: tuple[FakePulumi, Engine], tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("pulumi==3.259.0\nno-such-package==1.0\n")
    found = tools.ask(engine[1]._replace(folder=tmp_path))
    assert not found.usable
    assert "no-such-package is not installed" in not_right(found.checks)[0][1]


def test_another_folder_is_told(engine: tuple[FakePulumi, Engine], tmp_path: Path) -> None:
    found = tools.ask(engine[1]._replace(folder=tmp_path))
    assert not_right(found.checks)[0][1].startswith("requirements.txt cannot be read")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("v3.259.0", Verdict.OK),
        ("v3.259.1-dev.0", Verdict.OK),
        ("3.300.0\n", Verdict.OK),
        ("v4.0.0", Verdict.OK),
        ("v3.100.0", Verdict.WRONG),
        ("v3.258.99", Verdict.WRONG),
        ("", Verdict.WRONG),
        ("what", Verdict.WRONG),
    ],
)
def test_the_engine_is_not_older_than_its_sdk(said: str, verdict: Verdict) -> None:
    check = tools.engine_check(said, "3.259.0")
    assert check.verdict is verdict
    assert ("must be" in check.text) == (verdict is Verdict.WRONG)


def test_a_plugin_that_is_not_there_is_no_fault() -> None:
    checks = list(tools.plugin_checks([{"name": "gitlab", "version": "10.0.0"}, "odd"], {"gitlab": "10.1.1"}))
    assert not_right(checks) == []
    assert checks[0].text == "plugin gitlab 10.1.1 is not there: will be downloaded by the first preview"
    assert not_right(tools.plugin_checks({"a": 1}, {})) == [
        ("unknown", "which plugins are there: the engine's list of them is none")
    ]


def test_no_engine_and_one_that_talks_otherwise_are_told(engine: tuple[FakePulumi, Engine], tmp_path: Path) -> None:
    fake, here = engine
    nobody = tools.ask(here._replace(environment={"PATH": str(tmp_path / "none")}))
    assert nobody.usable
    assert not_right(nobody.checks) == [
        (
            "WRONG",
            "pulumi cannot be started (No such file or directory): it must be on the PATH, or nothing can be previewed or "
            "deployed",
        )
    ]
    fake.does("plugin", "no JSON")
    assert not_right(tools.ask(here).checks)[0][1].startswith("pulumi does not answer in JSON")


def test_an_engine_that_does_not_end_is_told(
    engine: tuple[FakePulumi, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, here = engine
    (fake.folder / "pulumi").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr("doctor.engine.MAX_SECONDS", 0.2)
    assert "pulumi version does not end within 0.2 s" in not_right(tools.ask(here).checks)[0][1]


def test_what_tells_that_python_is_too_old_runs_in_one() -> None:
    found = loaded_first("doctor.__main__")
    assert {"doctor.tools", "ci.command_line", "ci.errors", "ci"} <= found.keys()
    for name, path in found.items():
        ast.parse(path.read_text(), feature_version=(3, 9))
        # `str | None` in a signature is looked at when it is defined, and is an error in Python 3.9.
        assert is_bare(path) or "\nfrom __future__ import annotations\n" in path.read_text(), name


def loaded_first(module: str) -> dict[str, Path]:
    """The modules of this project that importing one loads, by their names: its own imports', and theirs, to the end."""
    found: dict[str, Path] = {}
    left = [module]
    while left:
        name = left.pop()
        path = next((p for p in (ROOT.joinpath(*name.split("."), "__init__.py"), file_of(name)) if p.is_file()), None)
        if path is None or name in found:
            continue
        found[name] = path
        left += [name.rpartition(".")[0]] if "." in name else []
        for node in ast.parse(path.read_text()).body:  # and not what a function imports, or is for types only
            if isinstance(node, ast.Import):
                left += [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                left += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    return found


def file_of(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def is_bare(path: Path) -> bool:
    """Nothing but a docstring."""
    return len(ast.parse(path.read_text()).body) <= 1
