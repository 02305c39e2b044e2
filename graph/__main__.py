"""`python -m graph --stack dev`: draws what a stack holds, and what of it needs what, into an SVG.

Made from the state, which the engine reads (`pulumi stack export`); nothing is asked of any service. The picture holds
names and types, and no values, so it holds no secret.

Exit codes: 0 drawn, 1 the state cannot be read or the file cannot be written, 2 wrong usage.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci import command_line
from ci.errors import CiError
from ci.streams import tolerate_encodings
from graph.model import graph_of
from graph.svg import drawn
from repair.stack import Stack


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    flags = command_line.parser("python -m graph", __doc__)
    flags.add_argument("--stack", metavar="STACK", type=command_line.stack, required=True, help="the environment")
    flags.add_argument("--output", metavar="FILE", type=Path, help="default: STACK.svg in this folder")
    given = flags.parse_args(arguments)
    tolerate_encodings()
    file = given.output or Path(f"{given.stack.rpartition('/')[2]}.svg")
    try:
        graph = graph_of(Stack(name=given.stack, environment=environment).export())
        if not graph.frames:
            raise CiError(
                f"the stack {given.stack} holds nothing: nothing was drawn. Fix: pulumi up --stack {given.stack}"
            )
        _write(file, drawn(graph, given.stack))
    except CiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{file}: {graph.resources} resources in {len(graph.frames)} components")
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CiError(
            f"{file} cannot be written ({error.strerror}): nothing was drawn. Fix: another --output FILE"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
