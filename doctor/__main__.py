"""`python -m doctor --stack dev`: checks the set-up that `pulumi up` needs, and says what is wrong and what mends it.

Asks and changes nothing: the tools, the settings, the state backend, Scaleway, GitLab, the chart repository and the clock,
by the same credentials as `pulumi up`. Run it in the folder of the program, before the first preview and after a failure.

Exit codes: 0 nothing is wrong (there may be warnings, and what could not be told), 1 something is, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ci import command_line
from ci.streams import tolerate_encodings
from doctor import tools
from doctor.engine import Engine
from doctor.report import closing, lines
from doctor.verdicts import Check, Verdict, skipped

_OTHERS = "settings, state backend, Scaleway, GitLab, chart repository, clock"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    stack = _parser().parse_args(arguments).stack
    tolerate_encodings()
    try:
        return _examined(stack, environment)
    except KeyboardInterrupt:
        return 130


def _examined(stack: str, environment: Mapping[str, str]) -> int:
    engine = Engine(environment, Path.cwd())
    found = tools.ask(engine)
    all_checks = list(found.checks)
    if not found.usable:
        _tell("tools", found.checks)
        left_out = [skipped("Python and its packages must be right first")]
        _tell(_OTHERS, left_out)
        all_checks += left_out
    else:
        from doctor.areas import asked, hiding

        hide, unread = hiding(environment)
        _tell("tools", [*found.checks, *unread], hide)
        all_checks += unread
        for area, checks in asked(engine, stack):
            _tell(area, checks, hide)
            all_checks += checks
    print(closing(stack, all_checks))
    return int(any(check.verdict is Verdict.WRONG for check in all_checks))


def _tell(area: str, checks: Iterable[Check], hide: Callable[[str], str] = str) -> None:
    shown = [check._replace(text=hide(check.text), fix=hide(check.fix)) for check in checks]
    print("\n".join(lines(area, shown)), flush=True)


def _parser() -> argparse.ArgumentParser:
    flags = command_line.parser("python -m doctor", __doc__)
    flags.add_argument("--stack", metavar="STACK", type=command_line.stack, required=True, help="the environment")
    return flags


if __name__ == "__main__":
    sys.exit(main())
