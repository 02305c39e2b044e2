"""docs/limits.md: each limit in it is the one in the code, and none is left out."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from ci import previews

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "limits.md").read_text()
ROWS = [
    (cells[1].strip(), cells[2].strip().strip("`"))
    for line in TEXT.splitlines()
    if line.startswith("| ") and "`" in line and len(cells := line.strip("| ").split(" | ")) == 4
]


def value_of(constant: str) -> Any:
    module, _, name = constant.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("limit", "constant"), ROWS, ids=[constant for _, constant in ROWS])
def test_a_limit_is_the_one_in_the_code(limit: str, constant: str) -> None:
    assert re.fullmatch(rf"{value_of(constant):,}( bytes| characters| s)?", limit)


def test_every_row_is_read() -> None:
    assert len(ROWS) == len([line for line in TEXT.splitlines() if line.startswith("| ")]) - 2  # the heads
    assert len({constant for _, constant in ROWS}) == len(ROWS) > 20


def test_no_limit_is_left_out() -> None:
    """Every constant of a module that is named like one."""
    found = set()
    for file in [
        ROOT / "settings.py",
        ROOT / "config_error.py",
        *ROOT.glob("ci/*.py"),
        *ROOT.glob("costs/*.py"),
        *ROOT.glob("doctor/*.py"),
        ROOT / "sandbox/stack_files.py",
    ]:
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        names = re.findall(r"^(MAX_\w+|READ|RETRIES|TIMEOUT|LISTED|DEFAULT_LIMIT)\b.*=", file.read_text(), re.M)
        found |= {f"{module}.{name}" for name in names}
    assert found == {constant for _, constant in ROWS}


def test_what_must_have_room_is_said_and_has_it() -> None:
    assert "a diff of 20 MB and for 5,000 resources of 50 kB each" in TEXT
    assert previews.MAX_BYTES >= 5_000 * 50_000 > 20_000_000
