"""The report: the checks by area, each in lines of 80 columns, and the line that closes it. Pure.

A fix stays in one line, whatever its length: a command that is broken in two cannot be copied.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from doctor.verdicts import Check, Verdict

COLUMNS = 80
_INDENT = " " * 13  # below the text, which follows the longest word and two spaces
_COUNTED = {
    Verdict.WRONG: ("wrong", "wrong"),
    Verdict.WARNING: ("warning", "warnings"),
    Verdict.UNKNOWN: ("unknown", "unknown"),
    Verdict.SKIPPED: ("skipped", "skipped"),
}


def lines(area: str, checks: Iterable[Check]) -> Iterator[str]:
    """The lines of one area."""
    yield f"  {area}"
    for check in checks:
        first = f"    {check.verdict.value:<9}"
        yield from textwrap.wrap(
            check.text,
            COLUMNS,
            initial_indent=first,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if check.fix:
            yield f"{_INDENT}Fix: {check.fix}"


def closing(stack: str, checks: Sequence[Check]) -> str:
    """How many checks there were, and of each kind that is not right, how many."""
    found = Counter(check.verdict for check in checks)
    parts = [f"{stack}: {len(checks)} checks"]
    if not found[Verdict.WRONG]:
        parts.append("nothing wrong")
    parts += [f"{found[each]} {words[found[each] != 1]}" for each, words in _COUNTED.items() if found[each]]
    return ", ".join(parts)
