"""`python -m tests.reliability`: the long suite, each fault of each request, and kills; writes docs/reliability.md.

It takes hours, and can be ended: what was played is kept in a file, and the next run goes on there. Delete the file to begin
anew. Exit codes: 0 nothing was lost, 1 something was, 2 wrong usage.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ci import command_line
from tests.engine.estate import ROOT
from tests.reliability.life import small_estate
from tests.reliability.report import written
from tests.reliability.suite import Results, Suite

KILLS = 50
RESULTS = ROOT / "tests" / "reliability" / "results.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    flags = command_line.parser("python -m tests.reliability", __doc__)
    flags.add_argument("--only", metavar="PATTERN", default="", help="cases whose name holds it (a regular expression)")
    flags.add_argument("--results", metavar="FILE", type=Path, default=RESULTS)
    flags.add_argument("--kills", metavar="N", type=int, default=KILLS)
    flags.add_argument(
        *("--side-by-side", "-n"),
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="how many sandboxes play cases at the same time (default: one for each core)",
    )
    given = flags.parse_args(arguments)
    if given.side_by_side < 1:
        flags.error("--side-by-side must be at least 1, or nothing is played")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as an interrupt: the report is written
    results = Results(given.results, _commit())
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        estates = []
        for number in range(given.side_by_side):
            own = Path(folder) / str(number)
            own.mkdir()
            estates.append(running.enter_context(small_estate(own)))
        suite = Suite(estates, results, kills=given.kills)
        try:
            suite.play(re.compile(given.only))
        finally:
            (ROOT / "docs" / "reliability.md").write_text(written(results.played, todo=suite.names))
    return 1 if any(each["wrong"] for each in results.played.values()) else 0


def _commit() -> str:
    """What is checked out, so that a figure can be traced to it."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
