"""Imports go one way: `__main__` → `components` → `settings`. What import-linter cannot see, because it is no package."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "account_check",
    "account_rules",
    "ci",
    "cluster_rules",
    "components",
    "config_error",
    "costs",
    "doctor",
    "outputs",
    "plugin",
    "sandbox",
    "sdks",
    "sections",
    "setting_rules",
    "settings",
}


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found & OURS


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        ("__main__.py", {"account_check", "components", "sdks", "settings", "outputs"}),
        ("plugin/__main__.py", {"plugin", "sdks"}),
        ("plugin/host.py", {"components"}),
        ("account_check.py", {"account_rules", "settings", "config_error"}),
        ("account_rules.py", {"settings", "config_error"}),
        ("outputs.py", set()),
        ("sdks.py", set()),
        ("settings.py", {"sections", "setting_rules", "config_error"}),
        ("setting_rules.py", {"sections", "cluster_rules", "config_error"}),
        ("cluster_rules.py", {"sections", "config_error"}),
        ("config_error.py", set()),
    ],
)
def test_imports_go_one_way(file: str, allowed: set[str]) -> None:
    assert _imports(ROOT / file) <= allowed


def test_what_pipelines_call_imports_nothing_else_of_ours() -> None:
    files = sorted((ROOT / "ci").rglob("*.py"))
    assert files
    assert {name for file in files for name in _imports(file)} == {"ci"}


def test_rules_import_nothing_of_pipelines() -> None:
    assert not {file for file in (ROOT / "policies").rglob("*.py") if "ci" in _imports(file)}
