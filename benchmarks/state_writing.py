"""What the engine takes to write its state: `pulumi up` from nothing, as it is and without the writing.

With a state in files or in Object Storage, the engine writes the whole of it anew when a step begins and when it ends, so
that a kill loses nothing. What that takes grows with the square of the resources, in any program: growth is measured
without it, and it by itself here.

`python -m benchmarks.state_writing --runners 1,200` measures chosen sizes by hand; 200 take most of an hour.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.bench import Bench, by_hand, numbers
from benchmarks.environments import UP, Size, environment
from benchmarks.figures import RATIO, Figure
from ci import command_line

UNWRITTEN: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""The engine writes the state once, at the end."""
_RUNNERS: Final = (1, 10, 50)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Seconds of `pulumi up` with that many runners, with the writing of each step and without."""

    runners: int
    resources: int
    written: float
    unwritten: float


def measure(bench: Bench, runners: Sequence[int] = _RUNNERS) -> Iterable[Figure]:
    pairs = []
    for number in runners:
        bench.say(f"writing of the state: an environment with {number} runners, with and without")
        size = Size(runners=number, projects=1)
        with environment(bench.folder / f"written-{number}", size) as place:
            written, resources = place.run(*UP).seconds, place.resources()
        with environment(bench.folder / f"unwritten-{number}", size) as place:
            unwritten = place.run(*UP, more=UNWRITTEN).seconds
        pairs.append(Pair(runners=number, resources=resources, written=written, unwritten=unwritten))
    yield figure(pairs)


def figure(pairs: Sequence[Pair]) -> Figure:
    """`state_writing`. Pure."""
    most = max(pairs, key=lambda pair: pair.runners)
    return Figure(
        name="state_writing",
        unit=RATIO,
        values=[most.written / most.unwritten],
        meaning=f"`pulumi up` from nothing with {most.runners} runners, over the same where the engine writes its state "
        "once, at the end. Else it writes all of it at each step, as a state in files or in Object Storage needs it.",
        details={
            "by size": [
                {
                    "runners": pair.runners,
                    "resources": pair.resources,
                    "seconds": round(pair.written, 1),
                    "seconds without": round(pair.unwritten, 1),
                    "seconds of it per resource": round((pair.written - pair.unwritten) / pair.resources, 4),
                }
                for pair in pairs
            ]
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    flags = command_line.parser("python -m benchmarks.state_writing", __doc__)
    flags.add_argument("--runners", type=numbers, default=_RUNNERS, help="numbers of runners, as 1,10,50")
    given = flags.parse_args(arguments)
    with by_hand() as bench:
        for found in measure(bench, given.runners):
            print(json.dumps({found.name: found.record()}, indent=2), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
