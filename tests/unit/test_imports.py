"""Imports go one way: `__main__` → `components` → `settings`. What import-linter cannot see, because it is no package."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"account_check", "components", "sandbox", "settings", "setting_rules", "sections", "config_error", "outputs"}


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
        ("__main__.py", {"account_check", "components", "settings", "outputs"}),
        ("account_check.py", {"settings", "config_error"}),
        ("outputs.py", set()),
        ("settings.py", {"sections", "setting_rules", "config_error"}),
        ("setting_rules.py", {"sections", "config_error"}),
        ("config_error.py", set()),
    ],
)
def test_imports_go_one_way(file: str, allowed: set[str]) -> None:
    assert _imports(ROOT / file) <= allowed
