"""Which routes the stand-ins have, and which test asks each: `sandbox/coverage.yaml`, written by `make coverage`.

Owns the file's form, and noting down which test has met which operation. A route's test is the first one, by name, that gets
an answer from it which is no error; where none does, the first that asks it at all.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from sandbox import gitlab, scaleway
from sandbox.charts import repository
from sandbox.requests import RequestLog
from sandbox.store import Store
from sandbox.web import Route
from tests.sandbox.scaleway.conftest import FakePlanes

FILE = Path(__file__).parents[2] / "sandbox" / "coverage.yaml"
HEAD = """\
# Which test asks each route of the stand-ins. Written by `make coverage`; a test holds it complete.
"""
Met = dict[str, dict[str, bool]]  # of each operation the tests, and whether one has had an answer that is no error


def all_routes(folder: Path) -> list[Route]:
    """Every route of both stand-ins; without the sandbox's own, which are no part of an API."""
    store, log = Store(folder / "records.db"), RequestLog(folder / "requests.jsonl")
    try:
        services = (
            scaleway.make_service(store, FakePlanes(), log),
            gitlab.make_service(store, log, repository.routes()),
        )
        return [r for service in services for r in service.routes if not r.operation.startswith("_sandbox")]
    finally:
        log.close()
        store.close()


def name_of(route: Route) -> str:
    return f"{route.method} {route.rule}"


def note(met: Met, operation: str, status: int) -> None:
    """Remembers that the test that runs now has met the operation."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].partition("[")[0]
    if not test:  # a last request, after the tests
        return
    tests = met.setdefault(operation, {})
    tests[test] = tests.get(test, False) or status < 400


def written(routes: list[Route], met: Mapping[str, Mapping[str, bool]]) -> str:
    """The file's text."""
    lines = {}
    for route in sorted(routes, key=lambda r: (r.operation, name_of(r))):
        tests = met.get(route.operation, {})
        best = min(tests, key=lambda test: (not tests[test], test), default=None)
        lines[name_of(route)] = {"operation": route.operation, "test": best}
    return HEAD + yaml.safe_dump(lines, sort_keys=False, width=200)


def main() -> None:
    """Puts together what the runs of the tests have left in $RECORD_ROUTES."""
    folder = Path(os.environ["RECORD_ROUTES"])
    met: Met = {}
    for part in folder.glob("met-*.json"):
        for operation, tests in json.loads(part.read_text()).items():
            for test, good in tests.items():
                met.setdefault(operation, {})[test] = met.get(operation, {}).get(test, False) or good
    FILE.write_text(written(all_routes(folder), met))


if __name__ == "__main__":
    main()
