"""`python -m sandbox pace …`: how long a cluster and a pool's nodes take to come in the running sandbox."""

import argparse
import json
import urllib.error

from sandbox.folder import Folder
from sandbox.lifecycle import SandboxError, ask, find

EXAMPLES = """\
examples:
  what is made from now on takes so many seconds
    python -m sandbox pace cluster=180 pool=90
  a cluster comes as fast as this machine can start one again
    python -m sandbox pace cluster=0
  the paces that there are
    python -m sandbox pace
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("paces", nargs="*", metavar="KIND=SECONDS", help="cluster or pool, and how long it takes")


def run(folder: Folder, given: argparse.Namespace) -> int:
    """Exit code 0. Raises SandboxError: no sandbox runs, or a pace cannot be."""
    route = f"{find(folder).scaleway}/_sandbox/pace"
    try:
        paces = ask(route, "PUT", dict(map(_parsed, given.paces))) if given.paces else ask(route)
    except urllib.error.HTTPError as error:
        raise SandboxError(f"{json.loads(error.read())['message']}. Fix: python -m sandbox pace --help") from None
    lines = [f"{kind}: {seconds:g} s" for kind, seconds in paces.items()]
    print("\n".join(lines) or "clusters and pools come as fast as this machine can make them")
    return 0


def _parsed(text: str) -> tuple[str, float]:
    kind, _, seconds = text.partition("=")
    try:
        return kind, float(seconds)
    except ValueError:
        raise SandboxError(f"{text} is no pace. Fix: python -m sandbox pace cluster=180") from None
