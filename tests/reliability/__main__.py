"""`python -m tests.reliability`: the long suite, each fault of each request, and kills; writes docs/reliability.md.

It takes hours. What was played is kept in a file, so that a run which was ended goes on where it was: delete the file to
begin anew. Exit codes: 0 nothing was lost, 1 something was, 2 wrong usage.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tests.engine.estate import ROOT, Estate
from tests.reliability.kills import play_kill
from tests.reliability.life import small_estate
from tests.reliability.matrix import Case, Outcome, Reference, play, reference
from tests.reliability.report import written

KILLS = 50
RESULTS = ROOT / ".reliability.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    flags = argparse.ArgumentParser(
        prog="python -m tests.reliability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument("--only", metavar="PATTERN", default="", help="cases whose name holds it (a regular expression)")
    flags.add_argument("--results", metavar="FILE", type=Path, default=RESULTS)
    flags.add_argument("--kills", metavar="N", type=int, default=KILLS)
    given = flags.parse_args(arguments)
    played = read(given.results)
    with tempfile.TemporaryDirectory() as folder, small_estate(Path(folder)) as estate:
        normal = reference(estate)
        todo: list[tuple[str, Callable[[], dict[str, Any]]]] = []
        todo += [(str(case), partial(_case, estate, case, normal)) for case in normal.cases()]
        todo += [(f"kill {seed}", partial(_kill, estate, seed, normal)) for seed in range(given.kills)]
        for name, run in todo:
            if name in played or not re.search(given.only, name):
                continue
            played[name] = run()
            with given.results.open("a") as file:
                file.write(json.dumps({"name": name, **played[name]}) + "\n")
            print(f"{name}: {'; '.join(played[name]['wrong']) or 'ok'}", flush=True)
    (ROOT / "docs" / "reliability.md").write_text(written(played, todo=[name for name, _ in todo]))
    return 1 if any(each["wrong"] for each in played.values()) else 0


def read(results: Path) -> dict[str, dict[str, Any]]:
    """What was played before, by name."""
    if not results.exists():
        return {}
    records = [json.loads(line) for line in results.read_text().splitlines()]
    return {record.pop("name"): record for record in records}


def _case(estate: Estate, case: Case, normal: Reference) -> dict[str, Any]:
    try:
        return asdict(play(estate, case, normal))
    except AssertionError as error:  # the environment could not be had as it is before the phase
        return asdict(Outcome(case=case, survived=False, named=(), wrong=(f"not played: {error}"[:2000],)))


def _kill(estate: Estate, seed: int, normal: Reference) -> dict[str, Any]:
    return asdict(play_kill(estate, seed, normal))


if __name__ == "__main__":
    sys.exit(main())
