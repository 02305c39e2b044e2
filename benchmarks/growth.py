"""One environment with more and more runners, and with more and more GitLab projects: what each resource takes, and adds.

Without what the engine takes to write its state at each step, which grows by itself: `state_writing` measures that.

`python -m benchmarks.growth --runners 1,10,50` measures chosen sizes by hand.
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import marginal, state_writing
from benchmarks.bench import Bench, by_hand, numbers
from benchmarks.environments import PLAIN, UP, Environment, Size, environment
from benchmarks.figures import RATIO, Figure
from benchmarks.marginal import Point
from benchmarks.state_writing import UNWRITTEN
from ci import command_line

AT_MOST: Final = 1.3
# Requests are counted, not timed; a twentieth is for those that ask again whether something is ready yet.
REQUESTS_AT_MOST: Final = 1.05
_TIMES: Final = ("up_seconds", "preview_seconds")
_PREVIEW: Final = ("preview", *PLAIN)
_POLICIES: Final = ("--policy-pack", "policies")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which sizes are measured: at least three of each that is measured at all. `previews` are measured at each size."""

    runners: Sequence[int] = (1, 10, 50, 200)
    projects: Sequence[int] = (1, 10, 50)
    previews: int = 3


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one environment cost: seconds, megabytes at the peak, requests by operation."""

    size: Size
    resources: int
    up_seconds: float
    up_cpu: float
    up_mb: float
    preview_seconds: Sequence[float]
    preview_mb: float
    policies_seconds: float
    up_requests: Counter[str]
    preview_requests: Counter[str]
    api_server_up: int
    api_server_preview: int

    @property
    def preview(self) -> float:
        return statistics.median(self.preview_seconds)

    def named(self, of: str) -> str:
        """`1 project`, `50 runners`."""
        number = getattr(self.size, of)
        return f"{number} {of if number != 1 else of.removesuffix('s')}"

    def record(self) -> dict[str, Any]:
        requests = {"up": self.up_requests, "preview": self.preview_requests}
        return {
            "runners": self.size.runners,
            "projects": self.size.projects,
            "resources": self.resources,
            "up_s": round(self.up_seconds, 1),
            "up_cpu_s": round(self.up_cpu, 1),
            "up_mb": round(self.up_mb),
            "preview_s": round(self.preview, 2),
            "preview_mb": round(self.preview_mb),
            "policies_in_preview_s": round(self.policies_seconds, 2),
            **{f"{name}_requests": each.total() for name, each in requests.items()},
            **{
                f"{name}_requests_by_product": dict(sorted(by_product(each).items())) for name, each in requests.items()
            },
            "api_server_requests_in_up": self.api_server_up,
            "api_server_requests_in_preview": self.api_server_preview,
        }


def by_product(operations: Counter[str]) -> Counter[str]:
    """`k8s.GetCluster` is of k8s, `gitlab.ProjectVariables.create` of gitlab. Pure."""
    found: Counter[str] = Counter()
    for operation, times in operations.items():
        found[operation.partition(".")[0]] += times
    return found


def measure(bench: Bench) -> Iterable[Figure]:
    yield from grown(bench, Plan(previews=max(3, bench.repetitions)))
    yield from state_writing.measure(bench)


def grown(bench: Bench, plan: Plan) -> Iterator[Figure]:
    """The figures of the sizes that are planned."""
    known: dict[Size, Measured] = {}

    def measured(size: Size) -> Measured:
        if size not in known:
            bench.say(f"growth: an environment with {size.runners} runners and {size.projects} projects")
            folder = bench.folder / f"{size.runners}-{size.projects}"
            with environment(folder, size) as place:
                known[size] = _measure(place, size, plan.previews)
        return known[size]

    sweeps = {
        "runners": [measured(Size(runners=number, projects=1)) for number in plan.runners],
        "projects": [measured(Size(runners=1, projects=number)) for number in plan.projects],
    }
    for name, sweep in sweeps.items():
        if sweep:
            yield time_growth(name, sweep)
            yield added_growth(name, sweep)
    yield request_growth({name: sweep for name, sweep in sweeps.items() if sweep})


def _measure(place: Environment, size: Size, previews: int) -> Measured:
    place.requests()
    up = place.run(*UP, more=UNWRITTEN)
    up_requests, api_server_up = place.requests(), place.api_server_requests()
    preview = place.run(*_PREVIEW, "--expect-no-changes")
    preview_requests, api_server_after = place.requests(), place.api_server_requests()
    seconds, with_policies = [], []
    for _ in range(previews):
        seconds.append(place.run(*_PREVIEW).seconds)
        with_policies.append(place.run(*_PREVIEW, *_POLICIES).seconds)
    return Measured(
        size=size,
        resources=place.resources(),
        up_seconds=up.seconds,
        up_cpu=sum(life.cpu for life in up.lives),
        up_mb=up.peak_mb,
        preview_seconds=seconds,
        preview_mb=preview.peak_mb,
        policies_seconds=statistics.median(with_policies) - statistics.median(seconds),
        up_requests=up_requests,
        preview_requests=preview_requests,
        api_server_up=api_server_up,
        api_server_preview=api_server_after - api_server_up,
    )


def _costs(sweep: Sequence[Measured], of: str) -> dict[str, list[Point]]:
    """What is compared, each as points of (size, resources, cost)."""
    values: dict[str, list[float]] = {
        "up_seconds": [each.up_seconds for each in sweep],
        "preview_seconds": [each.preview for each in sweep],
        "up_mb": [each.up_mb for each in sweep],
        "preview_mb": [each.preview_mb for each in sweep],
        "up_requests": [each.up_requests.total() for each in sweep],
        "preview_requests": [each.preview_requests.total() for each in sweep],
        "up_api_server_requests": [each.api_server_up for each in sweep],
        "preview_api_server_requests": [each.api_server_preview for each in sweep],
    }
    return {
        name: [
            Point(size=getattr(each.size, of), resources=each.resources, cost=cost)
            for each, cost in zip(sweep, costs, strict=True)
        ]
        for name, costs in values.items()
    }


def time_growth(of: str, sweep: Sequence[Measured]) -> Figure:
    """`growth_runners` or `growth_projects`. Pure."""
    costs = _costs(sweep, of)
    each = {name: marginal.each(points) for name, points in costs.items()}
    ratios = {name: each[name][-1] / each[name][0] for name in _TIMES}
    return Figure(
        name=f"growth_{of}",
        unit=RATIO,
        values=[max(ratios.values())],
        at_most=AT_MOST,
        meaning=f"Seconds per resource with {sweep[-1].named(of)}, over those with {sweep[0].named(of)}; the greater of "
        "`pulumi up` from nothing and of a preview without a change. The engine writes its state at the end only: "
        "state_writing has what it takes at each step.",
        details={
            "growth": {name: round(ratio, 3) for name, ratio in ratios.items()},
            "per_resource": {name: _rounded(values) for name, values in each.items()},
            "sizes": [measured.record() for measured in sweep],
        },
    )


def added_growth(of: str, sweep: Sequence[Measured]) -> Figure:
    """`growth_runners_added` or `growth_projects_added`. Pure."""
    costs = _costs(sweep, of)
    ratios = {name: marginal.growth(costs[name]) for name in _TIMES}
    sizes = [measured.named(of) for measured in sweep]
    return Figure(
        name=f"growth_{of}_added",
        unit=RATIO,
        values=[max(ratios.values())],
        meaning=f"The same of what one resource adds, so that no fixed part flatters it: between {sizes[-2]} and "
        f"{sizes[-1]}, over between {sizes[0]} and {sizes[1]}.",
        details={
            "growth": {name: round(ratio, 3) for name, ratio in ratios.items()},
            "added_by_one_resource": {name: _rounded(marginal.steps(points)) for name, points in costs.items()},
        },
    )


def request_growth(sweeps: Mapping[str, Sequence[Measured]]) -> Figure:
    """`growth_requests`. Pure."""
    ratios = {
        f"{of}, {command}": marginal.growth(_costs(sweep, of)[f"{command}_requests"])
        for of, sweep in sweeps.items()
        for command in ("up", "preview")
    }
    return Figure(
        name="growth_requests",
        unit=RATIO,
        values=[max(ratios.values())],
        at_most=REQUESTS_AT_MOST,
        meaning="Requests to Scaleway's and GitLab's stand-ins that one resource adds at the largest step of sizes over "
        "those at the smallest: the greatest of runners and projects, of `pulumi up` and of a preview.",
        details={name: round(ratio, 3) for name, ratio in ratios.items()},
    )


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in values]


def main(arguments: Sequence[str] | None = None) -> int:
    defaults = Plan()
    flags = command_line.parser("python -m benchmarks.growth", __doc__)
    flags.add_argument("--runners", type=numbers, default=defaults.runners, help="numbers of runners, as 1,10,50")
    flags.add_argument("--projects", type=numbers, default=defaults.projects, help="numbers of GitLab projects")
    flags.add_argument("--previews", type=int, default=defaults.previews, help="how often a preview is measured")
    given = flags.parse_args(arguments)
    with by_hand() as bench:
        plan = Plan(runners=given.runners, projects=given.projects, previews=given.previews)
        for figure in grown(bench, plan):
            print(json.dumps({figure.name: figure.record()}, indent=2), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
