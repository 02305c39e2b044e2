"""How checks are put on paper, and the line that counts them."""

from ci.errors import CiError
from config_error import Problem
from doctor.report import COLUMNS, closing, lines
from doctor.verdicts import Check, Verdict, of_error, of_problem, ok, skipped, unknown, warning, wrong

CHECKS = [
    ok("Python 3.11.7"),
    wrong("pulumi 3.100.0: must be 3.259.0 or newer, or it does not know what the SDK asks for", "install it"),
    warning("the key never expires: should have an end", "make another"),
    unknown("what the key may do"),
    skipped("account: the settings must be right first"),
]


def test_a_check_has_a_line_and_what_mends_it_one_below() -> None:
    assert list(lines("tools", CHECKS)) == [
        "  tools",
        "    ok       Python 3.11.7",
        "    WRONG    pulumi 3.100.0: must be 3.259.0 or newer, or it does not know what",
        "             the SDK asks for",
        "             Fix: install it",
        "    warning  the key never expires: should have an end",
        "             Fix: make another",
        "    unknown  what the key may do",
        "    skipped  account: the settings must be right first",
    ]


def test_lines_have_80_columns_and_a_fix_is_never_broken() -> None:
    command = "pulumi config set --path " + "x" * 200
    *text, fix = lines("a", [wrong("word " * 100, command)])
    assert max(map(len, text)) <= COLUMNS
    assert fix.endswith(f"Fix: {command}")


def test_the_closing_line_counts() -> None:
    assert closing("dev", CHECKS) == "dev: 5 checks, 1 wrong, 1 warning, 1 unknown, 1 skipped"
    assert closing("dev", [ok("a"), ok("b")]) == "dev: 2 checks, nothing wrong"
    assert closing("dev", [warning("a", "b")] * 2) == "dev: 2 checks, nothing wrong, 2 warnings"


def test_what_clients_and_settings_say_is_taken_apart() -> None:
    assert of_error(CiError("it is wrong: must be right, or else. Fix: mend it")) == Check(
        Verdict.WRONG, "it is wrong: must be right, or else", "mend it"
    )
    problem = Problem(key="a.b", value=1, rule="must be 2", consequence="it fails", fix="pulumi config set a.b 2")
    assert of_problem(problem, "Pulumi.dev.yaml") == Check(
        Verdict.WRONG, "a.b = 1 (Pulumi.dev.yaml): must be 2, or it fails", "pulumi config set a.b 2"
    )
