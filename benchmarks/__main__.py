"""`python -m benchmarks` (`make bench`): measures, and writes benchmarks/results.json and docs/performance.md.

What was measured before and is not now stays in both. Exit codes: 0 each limit is kept, 1 one is not, 2 wrong usage.
"""

import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path
from typing import Any, Final

from benchmarks import growth, preview, start, tools, up
from benchmarks.bench import Bench, Measure
from benchmarks.report import written
from ci import command_line

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results.json"
REPORT: Final = ROOT / "docs" / "performance.md"
MEASURES: Final[Mapping[str, Measure]] = {
    "start": start.measure,
    "up": up.measure,
    "preview": preview.measure,
    "growth": growth.measure,
    "tools": tools.measure,
}
TITLES: Final = {
    "up": "Up against the limit",
    "preview": "Preview",
    "growth": "Growth",
    "start": "Start and memory",
    "tools": "Tools",
}


def main(arguments: Sequence[str] | None = None) -> int:
    flags = command_line.parser("python -m benchmarks", __doc__)
    flags.add_argument("only", nargs="*", metavar="BENCHMARK", help=", ".join(MEASURES))
    flags.add_argument("--repetitions", metavar="N", type=int, default=5, help="of each figure, at least (default: 5)")
    given = flags.parse_args(arguments)
    if unknown := [name for name in given.only if name not in MEASURES]:
        flags.error(f"{unknown[0]} is no benchmark: there are {', '.join(MEASURES)}")
    if given.repetitions < 1:
        flags.error("--repetitions must be at least 1, or nothing is measured")
    kept = read(RESULTS)
    for name in given.only or MEASURES:
        found = measured(name, given.repetitions)
        kept = in_order({key: record for key, record in kept.items() if record["benchmark"] != name} | found)
        RESULTS.write_text(document(kept))
        REPORT.write_text(report(kept))
    return 1 if any(record["kept"] is False for record in kept.values()) else 0


def measured(name: str, repetitions: int) -> dict[str, dict[str, Any]]:
    """The figures of one benchmark as records, each told as soon as it is there."""
    records = {}
    today = datetime.now(UTC).date().isoformat()
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        bench = Bench(
            folder=Path(folder), repetitions=repetitions, say=lambda line: print(f"{name}: {line}", flush=True)
        )
        for figure in MEASURES[name](bench):
            records[figure.name] = {"benchmark": name, "measured": today, **figure.record()}
            limit = (
                "" if figure.at_most is None else f", at most {figure.at_most}: {'kept' if figure.kept else 'NOT KEPT'}"
            )
            bench.say(f"{figure.name} {figure.median:.4g} {figure.unit}{limit}")
    return records


def in_order(records: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """As the page has its sections, whichever benchmarks were the last ones. Pure."""
    turn = list(TITLES)
    return dict(sorted(records.items(), key=lambda item: turn.index(item[1]["benchmark"])))


def document(records: Mapping[str, Mapping[str, Any]]) -> str:
    """results.json: the median of each figure under its name, and all that there is to say of it under `figures`."""
    medians = {name: record["median"] for name, record in sorted(records.items())}
    return json.dumps({**medians, "machine": machine(), "figures": records}, indent=1, ensure_ascii=False) + "\n"


def read(results: Path) -> dict[str, dict[str, Any]]:
    """The records of a results.json; none where there is no file."""
    if not results.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(results.read_text())["figures"]
    return found


def report(records: Mapping[str, Mapping[str, Any]]) -> str:
    sections = {
        title: [name for name, record in records.items() if record["benchmark"] == benchmark]
        for benchmark, title in TITLES.items()
    }
    return written(records, sections, machine())


def machine() -> str:
    return f"{cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
