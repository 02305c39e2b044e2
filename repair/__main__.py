"""`python -m repair --stack dev`: what an update that was cut off, or a lost state, has left behind, and what mends it.

Only tells, and changes nothing, unless --yes is given; then it does what it tells, step by step. Reads the services by the
same credentials as `pulumi up`: SCW_…, GITLAB_TOKEN. With --check it looks only for what exists twice, which takes a second.

Exit codes: 0 nothing to mend, or mended; 1 it cannot be mended, or not by this; 2 wrong usage; 4 something is to mend.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from ci import command_line
from ci.errors import CiError
from ci.known_secrets import known_secrets
from ci.redaction import Redactor
from ci.streams import tolerate_encodings
from repair.kinds import all_kinds
from repair.services import services
from repair.stack import Stack
from repair.steps import Repair

FOUND = 4


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    given = _parser().parse_args(arguments)
    tolerate_encodings()
    secrets, warnings = known_secrets(environment)
    redactor = Redactor(secrets)
    for warning in warnings:
        print(f"warning: {redactor.text(warning)}", file=sys.stderr)
    stack = Stack(name=given.stack, environment=environment, redactor=redactor)
    try:
        with services(environment) as found:
            repair = Repair(
                stack=stack, services=found, kinds=all_kinds(), say=_say, change=given.yes, unlock=given.unlock
            )
            return _done(repair, given)
    except CiError as error:
        print(f"error: {redactor.text(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _done(repair: Repair, given: argparse.Namespace) -> int:
    name = given.stack
    if given.check:
        if repair.check():
            return 0
        print(f"Fix: python -m repair --stack {name} --yes", file=sys.stderr)
        return FOUND
    if not given.yes:
        if repair.explain():
            print(f"{name}: what exists and what the state knows are the same")
            return 0
        print(f"Nothing was changed. To mend it: python -m repair --stack {name} --yes")
        return FOUND
    repair.run()
    print(f"{name} is repaired.")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    flags = command_line.parser("python -m repair", __doc__)
    flags.add_argument("--stack", metavar="STACK", type=command_line.stack, required=True, help="the environment")
    flags.add_argument("--yes", action="store_true", help="do it")
    flags.add_argument("--check", action="store_true", help="look only for what exists twice")
    flags.add_argument("--unlock", action="store_true", help="take a lock away though its holder may still run")
    return flags


if __name__ == "__main__":
    sys.exit(main())
