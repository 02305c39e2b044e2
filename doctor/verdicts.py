"""What a check comes to, and the words for it.

Owns the kinds of verdict and their form. Does not own any check, nor how they are put on paper (`report`). Needs nothing
that is installed, and runs in Python 3.9: it is what tells that a package is missing, or that Python is too old.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ci.errors import CiError

if TYPE_CHECKING:
    from config_error import Problem


class Verdict(Enum):
    """The value is the word that is shown."""

    OK = "ok"
    WRONG = "WRONG"
    WARNING = "warning"  # right today
    UNKNOWN = "unknown"  # it cannot be told from here
    SKIPPED = "skipped"  # something else must be right first


class Check(NamedTuple):
    """One line of the report. Where it is wrong, `text` has the rule and what comes of it, and `fix` is what mends it."""

    verdict: Verdict
    text: str
    fix: str = ""


def ok(text: str) -> Check:
    return Check(Verdict.OK, text)


def wrong(text: str, fix: str) -> Check:
    return Check(Verdict.WRONG, text, fix)


def warning(text: str, fix: str) -> Check:
    return Check(Verdict.WARNING, text, fix)


def unknown(text: str, fix: str = "") -> Check:
    return Check(Verdict.UNKNOWN, text, fix)


def skipped(text: str) -> Check:
    return Check(Verdict.SKIPPED, text)


def of_error(error: CiError) -> Check:
    """What a client says, which ends with `Fix: …`."""
    text, _, fix = str(error).partition(" Fix: ")
    return wrong(text.rstrip("."), fix)


def of_problem(problem: Problem, file: str) -> Check:
    """What is wrong with a setting, in the settings' own words."""
    text, _, fix = problem.text(file).strip().partition("\n    Fix: ")
    return wrong(text.rstrip("."), fix)
