"""What a checker is told to leave alone has the rule's name, and a reason beside it."""

import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LEFT_OUT = (".venv", ".sandbox")
_IGNORED = re.compile(r"type: ignore|noqa")
_WITH_REASON = re.compile(r"# (type: ignore\[[a-z, -]+\] +#|noqa: [A-Z0-9, ]+-) \S")


def bare(path: Path) -> list[str]:
    """The comments of a file that tell a checker to leave something alone, and not why."""
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    return [each for each in comments if _IGNORED.search(each) and not _WITH_REASON.search(each)]


def test_whatever_is_ignored_has_a_reason() -> None:
    files = [path for path in ROOT.rglob("*.py") if not set(_LEFT_OUT) & set(path.relative_to(ROOT).parts)]
    assert len(files) > 300
    assert {str(path.relative_to(ROOT)): found for path in files if (found := bare(path))} == {}


@pytest.mark.parametrize(
    ("comment", "is_bare"),
    [
        ("# type: ignore[arg-type] # it says nothing of its types", False),
        ("# noqa: S310 - loopback", False),
        ("# type: ignore[arg-type]", True),
        ("# type: ignore # why not", True),
        ("# noqa: S310", True),
        ("# noqa", True),
        ("# ordinary", False),
    ],
)
def test_a_reason_follows_the_rules_name(tmp_path: Path, comment: str, is_bare: bool) -> None:
    file = tmp_path / "file.py"
    file.write_text(f"x = 1  {comment}\n")
    assert bool(bare(file)) is is_bare
