"""`python -m sandbox fault …`: makes requests to the running stand-ins fail, lists what is to fail, and ends it."""

import argparse
import json
import urllib.error
from fnmatch import fnmatchcase

from sandbox.faults import DROPS
from sandbox.folder import Folder
from sandbox.lifecycle import SandboxError, ask, find

EXAMPLES = """\
examples:
  the next one fails
    python -m sandbox fault k8s.CreateCluster --status 500
    python -m sandbox fault 'gitlab.*' --status 429 --retry-after 1 --times 3
  made, but nobody hears of it
    python -m sandbox fault iam.CreateAPIKey --drop after
  stays so until --clear
    python -m sandbox fault k8s.GetCluster --field status=creating --times 0
  a slow network
    python -m sandbox fault '*' --delay 0.2 --times 0
  what is to fail still; the names that there are
    python -m sandbox fault --list
    python -m sandbox fault --operations
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("operation", nargs="?", help="name or pattern of operations, such as gitlab.*.create")
    parser.add_argument("--status", type=int, help="answer with this status, having done nothing")
    parser.add_argument("--retry-after", type=int, metavar="SECONDS", help="the header of that answer")
    parser.add_argument("--drop", choices=DROPS, help="end the connection before or after doing what was asked")
    parser.add_argument("--malformed", action="store_true", help="do it, and answer with half a body")
    parser.add_argument(
        "--field", action="append", default=[], metavar="NAME=VALUE", help="do it, and answer otherwise"
    )
    parser.add_argument("--delay", type=float, metavar="SECONDS", help="wait before anything else")
    parser.add_argument("--skip", type=int, metavar="N", help="let the first N pass")
    parser.add_argument(
        "--times", type=int, default=1, metavar="N", help="how many fail (0: all until --clear; default 1)"
    )
    parser.add_argument("--list", action="store_true", help="list what is to fail")
    parser.add_argument("--clear", action="store_true", help="end all faults")
    parser.add_argument("--operations", action="store_true", help="list the names of operations")


def run(folder: Folder, given: argparse.Namespace) -> int:
    """Exit code 0. Raises SandboxError: no sandbox runs, or the fault cannot be."""
    running = find(folder)
    services = {"scaleway": running.scaleway, "gitlab": running.gitlab}
    if given.clear:
        for address in services.values():
            ask(f"{address}/_sandbox/fault", "DELETE")
        print("no request fails on purpose any more")
        return 0
    if given.operations:
        print("\n".join(name for address in services.values() for name in ask(f"{address}/_sandbox/operations")))
        return 0
    if given.list:
        return _list(services)
    _add(services, given)
    return _list(services)


def _add(services: dict[str, str], given: argparse.Namespace) -> None:
    if not given.operation:
        raise SandboxError("no operation is named. Fix: python -m sandbox fault --operations   # lists them")
    fields = dict(each.partition("=")[::2] for each in given.field)
    asked = {"status": given.status, "retry_after": given.retry_after, "drop": given.drop, "delay": given.delay}
    fault = {k: v for k, v in asked.items() if v is not None}
    fault |= {"operation": given.operation, "times": given.times or None, "skip": given.skip or 0}
    fault |= {"malformed": True} if given.malformed else {}
    fault |= {"fields": fields} if fields else {}
    addresses = list(services.values())
    knowing = [a for a in addresses if any(fnmatchcase(n, given.operation) for n in ask(f"{a}/_sandbox/operations"))]
    for address in knowing or addresses[:1]:  # where none knows it, one says so, and what else is wrong
        try:
            ask(f"{address}/_sandbox/fault", "POST", fault)
        except urllib.error.HTTPError as error:
            raise SandboxError(f"{json.loads(error.read())['message']}. Fix: python -m sandbox fault --help") from None


def _list(services: dict[str, str]) -> int:
    lines = []
    for name, address in services.items():
        for fault in ask(f"{address}/_sandbox/fault"):
            what = {k: v for k, v in fault.items() if v and k not in ("operation", "times", "met")}
            times = "always" if fault["times"] is None else f"{fault['times'] - fault['met']} times"
            lines.append(f"{name}: {fault['operation']}, {times}: {', '.join(f'{k} {v}' for k, v in what.items())}")
    print("\n".join(lines) or "no request fails on purpose")
    return 0
