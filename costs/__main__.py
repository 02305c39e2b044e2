"""`python -m costs --stack dev`: what the nodes of an environment cost a month, before and after it is up.

The settings say which nodes, Scaleway's public catalogue what each costs today. Needs no key and no engine, and changes
nothing. Run it in the folder of the program.

Exit codes: 0 told, 1 the settings or the catalogue do not say it, 2 wrong usage.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ci import command_line
from ci.errors import CiError, all_problems
from ci.streams import tolerate_encodings
from config_error import Problem
from costs.catalogue import Price, asked, price_of
from costs.pools import not_in_it, pools_of
from costs.table import Cost, lines
from doctor.stack_file import StackFile, read
from doctor.verdicts import Verdict
from settings import Settings


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    flags = command_line.parser("python -m costs", __doc__)
    flags.add_argument("--stack", metavar="STACK", type=command_line.stack, required=True, help="the environment")
    stack = flags.parse_args(arguments).stack.rpartition("/")[2]
    tolerate_encodings()
    try:
        told = list(_told(stack, environment))
    except CiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n".join(told))
    return 0


def _told(stack: str, environment: Mapping[str, str]) -> Iterator[str]:
    file = read(Path.cwd(), stack)
    settings = _settings(file)
    pools, zone = pools_of(settings), settings.scaleway.zone
    types = dict.fromkeys(pool.node_type for pool in pools)  # each is asked for once
    answers = {node_type: asked(environment, node_type, zone) for node_type in types}
    prices = [(pool, price_of(answers[pool.node_type], pool, zone)) for pool in pools]
    if wrong := [price.text(file.name) for _, price in prices if isinstance(price, Problem)]:
        raise all_problems(wrong)
    costs = [Cost(pool=pool, price=price) for pool, price in prices if isinstance(price, Price)]
    yield from lines(f"{stack}: nodes in {zone}, as Scaleway's catalogue prices them today", costs, not_in_it(settings))


def _settings(file: StackFile) -> Settings:
    """CiError: they are wrong, or encrypted."""
    if file.settings is not None:
        return file.settings
    raise all_problems(
        [
            f"{check.text}: the settings must be readable, or it is not known which nodes there are. Fix: pulumi config set "
            "--path KEY VALUE --plaintext, where it is no secret"
            if check.verdict is Verdict.UNKNOWN
            else f"{check.text}. Fix: {check.fix}"
            for check in file.checks
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
