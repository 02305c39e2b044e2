"""The figures of growth, from what environments cost; and the settings of an environment of some size."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks import marginal, state_writing
from benchmarks.environments import Size, asked, sized
from benchmarks.growth import Measured, added_growth, by_product, request_growth, time_growth
from benchmarks.marginal import Point
from benchmarks.state_writing import Pair
from settings import Settings, parse
from tests.program.conftest import as_engine_gives_it

ROOT = Path(__file__).parents[2]
FIXED, EACH = 20.0, 0.5


def points(*costs: tuple[int, float]) -> list[Point]:
    return [Point(size=size, resources=100 + 20 * size, cost=cost) for size, cost in costs]


def linear(*sizes: int) -> list[Point]:
    return points(*((size, FIXED + EACH * (100 + 20 * size)) for size in sizes))


def test_a_fixed_part_does_not_flatter() -> None:
    found = linear(1, 10, 50, 200)
    assert marginal.steps(found) == pytest.approx([EACH, EACH, EACH])
    assert marginal.growth(found) == pytest.approx(1.0)
    assert marginal.each(found)[0] > marginal.each(found)[-1]


def test_what_grows_with_the_square_is_seen() -> None:
    found = points(*((size, FIXED + size**2) for size in (1, 10, 50, 200)))
    assert marginal.growth(found) == pytest.approx(250 / 11)


def test_two_sizes_say_nothing_of_growth() -> None:
    with pytest.raises(ValueError, match="at least three sizes"):
        marginal.growth(linear(1, 10))


def test_a_first_step_that_costs_nothing_is_no_measure() -> None:
    with pytest.raises(ValueError, match="from size 1 to 10 nothing was measured"):
        marginal.growth(points((1, 5.0), (10, 5.0), (50, 9.0)))


def environment(runners: int, projects: int = 1, *, up: float = EACH, preview: float = 0.01) -> Measured:
    resources = 100 + 20 * runners + 10 * projects
    return Measured(
        size=Size(runners=runners, projects=projects),
        resources=resources,
        up_seconds=FIXED + up * resources,
        up_cpu=1.0,
        up_mb=500.0,
        preview_seconds=[3.0 + preview * resources, 100.0, 0.0],
        preview_mb=400.0,
        policies_seconds=1.0,
        up_requests=Counter({"iam.CreateAPIKey": resources, "gitlab.Runners.create": 3 * resources}),
        preview_requests=Counter({"gitlab.Projects.get": projects}),
        api_server_up=10 * resources,
        api_server_preview=0,
    )


def test_the_figure_is_the_worse_of_up_and_preview() -> None:
    sweep = [environment(n) for n in (1, 10, 50)]
    sweep[-1] = environment(50, preview=0.08)
    figure = time_growth("runners", sweep)
    assert figure.name == "growth_runners"
    assert figure.values == pytest.approx([(3 + 0.08 * 1110) / 1110 / (4.3 / 130)])  # 1110 resources, and 130
    assert figure.details["growth"]["preview_seconds"] == pytest.approx(figure.median, abs=0.001)
    assert figure.details["growth"]["up_seconds"] < 1
    assert figure.kept is False
    assert "with 50 runners, over those with 1 runner;" in figure.meaning
    assert [each["resources"] for each in figure.details["sizes"]] == [130, 310, 1110]


def test_what_a_resource_adds_is_its_own_figure() -> None:
    sweep = [environment(n) for n in (1, 10, 50)]
    sweep[-1] = environment(50, preview=0.02)
    figure = added_growth("runners", sweep)
    assert figure.name == "growth_runners_added"
    assert figure.values == pytest.approx([19.1 / 800 / 0.01])  # (3 + 0.02 × 1110) - (3 + 0.01 × 310) for 800 resources
    assert figure.details["growth"]["up_seconds"] == pytest.approx(1.0)
    assert figure.kept is None
    assert "between 10 runners and 50 runners, over between 1 runner and 10 runners" in figure.meaning


def test_requests_are_those_that_a_resource_adds() -> None:
    sweeps = {"projects": [environment(1, n) for n in (1, 10, 50)]}
    figure = request_growth(sweeps)
    assert figure.name == "growth_requests"
    assert figure.details == {"projects, up": 1.0, "projects, preview": 1.0}
    assert figure.kept


def test_the_writing_of_the_state_is_told_for_the_most_runners() -> None:
    figure = state_writing.figure(
        [
            Pair(runners=50, resources=1000, written=150.0, unwritten=50.0),
            Pair(runners=1, resources=100, written=12.0, unwritten=10.0),
        ]
    )
    assert figure.values == [3.0]
    assert "with 50 runners" in figure.meaning
    assert [each["seconds of it per resource"] for each in figure.details["by size"]] == [0.1, 0.02]


def test_operations_are_told_by_product() -> None:
    found = by_product(Counter({"k8s.GetCluster": 2, "k8s.GetPool": 1, "gitlab.ProjectVariables.create": 4}))
    assert found == {"k8s": 3, "gitlab": 4}


def test_the_api_server_counts_what_is_asked_of_it() -> None:
    metrics = (
        "# HELP apiserver_request_total Counter of requests\n"
        'apiserver_request_total{code="200",resource="secrets",verb="GET"} 4\n'
        'apiserver_request_total{code="201",resource="secrets",verb="POST"} 1e+01\n'
        'apiserver_request_total{code="200",resource="leases",verb="PUT"} 100\n'
        'apiserver_request_total{code="0",resource="pods",verb="WATCH"} 1000\n'
        'apiserver_request_duration_seconds_count{verb="GET"} 10000\n'
    )
    assert asked(metrics) == 14


@pytest.mark.parametrize(
    "size", [Size(runners=1, projects=1), Size(runners=200, projects=1), Size(runners=1, projects=50)]
)
def test_settings_of_each_size_are_right(size: Size) -> None:
    shipped = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config = {k.partition(":")[2]: v for k, v in sized(shipped, size)["config"].items()}
    settings: Settings = parse(as_engine_gives_it(config), "dev")
    assert len(settings.runners) == size.runners
    assert len(settings.gitlab.projects) == size.projects
