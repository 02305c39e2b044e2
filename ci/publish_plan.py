"""`python -m ci.publish_plan PLAN OUT`: a plan of `pulumi preview --save-plan` as it may be an artifact, without secrets.

The engine writes secrets into a plan, encrypted with the stack's passphrase, and as they are where nothing marks them. In
OUT there are none, not even encrypted, and neither states nor configuration. What the job's environment and key files hold
is a secret wherever it stands, as in the report of the preview.

Exit codes: 0 written; 1 the plan cannot be read, or OUT cannot be written; 2 wrong usage.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci import command_line, private_files
from ci.errors import CiError
from ci.known_secrets import known_secrets
from ci.plans import read_plan
from ci.redaction import Redactor


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    flags = command_line.parser("python -m ci.publish_plan", __doc__)
    flags.add_argument("plan", metavar="PLAN", type=Path, help="what the engine has written")
    flags.add_argument("out", metavar="OUT", type=Path, help="what may be published")
    given = flags.parse_args(arguments)
    secrets, warnings = known_secrets(environ)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    try:
        text = read_plan(given.plan, "STACK").without(Redactor(secrets)).written()
        private_files.write(given.out, text)
    except CiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {given.out} cannot be written: {error.strerror or type(error).__name__}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
