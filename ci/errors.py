"""The one kind of error that a pipeline tool shows to its user."""

from __future__ import annotations

from collections.abc import Sequence


class CiError(Exception):
    """What is wrong, the rule, the consequence and the fix, in one line. Tools print it without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(_one_line(message))


class SeveralError(CiError):
    """Several problems at once, each on a line of its own."""

    def __init__(self, problems: Sequence[str]) -> None:
        lines = [f"{len(problems)} problems:", *(f"  {_one_line(problem)}" for problem in problems)]
        Exception.__init__(self, "\n".join(lines))


def all_problems(problems: Sequence[str]) -> CiError:
    """One error that tells every problem."""
    return CiError(problems[0]) if len(problems) == 1 else SeveralError(problems)


def _one_line(text: str) -> str:
    seen = "".join(c if c.isprintable() else "\n" for c in text)  # a name from outside could move the cursor
    return " ".join(part for line in seen.split("\n") if (part := line.strip()))
