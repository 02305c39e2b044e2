"""What the services take: the file is whole, and each operation of the stand-ins finds its latency in it."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from benchmarks import latencies
from tests.sandbox.routes import all_routes

SHIPPED = latencies.FILE.read_text()
SMALL: dict[str, Any] = {
    "paces": {"cluster": {"seconds": 180, "assumed": "so"}, "pool": {"seconds": 90, "recorded": "k8s/pool-basic"}},
    "bounds": {"least": 50, "most": 400},
    "requests": {
        "k8s.Get*": {"recorded": 30},
        "k8s.*": {"recorded": 740},
        "gitlab.*": {"milliseconds": 140, "documented": "there"},
    },
}


def read(**changes: Any) -> latencies.Latencies:
    return latencies.read(yaml.safe_dump(SMALL | changes, sort_keys=False))


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [route.operation for route in all_routes(tmp_path_factory.mktemp("routes"))]


def test_the_first_pattern_that_fits_counts_and_recorded_times_are_brought_within_bounds() -> None:
    assert [read().of(name) for name in ("k8s.GetPool", "k8s.CreatePool", "gitlab.X.get")] == [0.05, 0.4, 0.14]
    with pytest.raises(KeyError):
        read().of("iam.GetUser")


def test_a_factor_scales_what_takes_long_and_nothing_else() -> None:
    scaled = read().scaled(0.1)
    assert (scaled.cluster, scaled.pool, scaled.requests) == (18, 9, read().requests)


def test_a_stand_in_is_asked_for_what_it_has_in_the_same_order() -> None:
    assert read().faults(["k8s.GetPool", "k8s.CreatePool"]) == [
        {"operation": "k8s.Get*", "delay": 0.05, "times": None},
        {"operation": "k8s.*", "delay": 0.4, "times": None},
    ]
    assert read().faults([]) == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"paces": {"cluster": {"seconds": 180}}}, "exactly one of recorded, documented, assumed"),
        ({"paces": {"cluster": {"seconds": 0, "assumed": "so"}}}, "greater than 0"),
        ({"requests": {"a": {"recorded": 30, "assumed": "so"}}}, "exactly one of recorded, documented, assumed"),
        ({"requests": {"a": {"milliseconds": 30}}}, "exactly one of recorded, documented, assumed"),
        ({"requests": {"a": {"assumed": "so"}}}, "milliseconds, unless it is recorded"),
        ({"requests": {"a": {"recorded": 30, "milliseconds": 30}}}, "milliseconds, unless it is recorded"),
        ({"requests": {"a": {"recorded": 30, "because": "so"}}}, "Extra inputs are not permitted"),
        ({"limits": {}}, "Extra inputs are not permitted"),
    ],
)
def test_a_file_that_cannot_be_is_refused(changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        read(**changes)


def test_each_operation_takes_50_to_400_ms_and_each_line_is_of_use(operations: list[str]) -> None:
    shipped = latencies.read(SHIPPED)
    assert {name for name in operations if not 0.05 <= shipped.of(name) <= 0.4} == set()
    first = {next(p for p in shipped.requests if fnmatchcase(name, p)) for name in operations}
    assert set(shipped.requests) - first == set()


def test_the_defaults_are_those_of_the_file() -> None:
    shipped = latencies.defaults()
    assert shipped == latencies.read(Path(latencies.FILE).read_text())
    assert (shipped.cluster, shipped.pool) == (180, 90)
