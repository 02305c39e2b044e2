"""`python -m ci.publish_plan PLAN OUT`: a plan of `pulumi preview --save-plan` as it may be an artifact, without secrets.

The engine writes secrets into a plan, encrypted with the stack's passphrase. In OUT there are none, not even encrypted, and
neither states nor configuration; `python -m ci.deploy` keeps to it all the same.

Exit codes: 0 written; 1 the plan cannot be read, or OUT cannot be written; 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ci.errors import CiError
from ci.plans import read_plan


def main(arguments: Sequence[str] | None = None) -> int:
    flags = argparse.ArgumentParser(
        prog="python -m ci.publish_plan",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument("plan", metavar="PLAN", type=Path, help="what the engine has written")
    flags.add_argument("out", metavar="OUT", type=Path, help="what may be published")
    given = flags.parse_args(arguments)
    try:
        text = read_plan(given.plan, "STACK").written()
        given.out.write_text(text, encoding="utf-8")
    except CiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {given.out} cannot be written: {error.strerror or type(error).__name__}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
