"""What the benchmark of `pulumi up` takes for recorded is what the recordings say."""

from collections import defaultdict
from statistics import median

import pytest
import yaml
from werkzeug.routing import Map, Rule

from benchmarks import latencies
from tests.fidelity import cassette
from tests.fidelity.recordings import NAMED, named
from tests.sandbox.routes import all_routes

FILE = latencies.File.model_validate(yaml.safe_load(latencies.FILE.read_text()))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The median of each operation, in milliseconds."""
    routes = all_routes(tmp_path_factory.mktemp("routes"))
    rules = Map([Rule(r.rule, methods=[r.method], endpoint=r.operation) for r in routes], strict_slashes=False).bind("")
    found = defaultdict[str, list[float]](list)
    for path in named(NAMED):
        for one in cassette.read(path):
            assert one.seconds is not None
            operation, _ = rules.match(path_info=one.path, method=one.method)
            found[operation].append(one.seconds * 1000)
    return {operation: median(times) for operation, times in found.items()}


def test_each_recorded_latency_is_the_median_of_the_recordings(recorded: dict[str, float]) -> None:
    said = {name: request.recorded for name, request in FILE.requests.items() if request.recorded is not None}
    assert said == {name: pytest.approx(value, abs=0.06) for name, value in recorded.items()}
