"""Notes down which test asks which route of the stand-ins, when `make coverage` wants to know."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.requests import RequestLog
from tests.sandbox.routes import Met, note


@pytest.fixture(scope="session", autouse=True)
def routes_that_are_asked() -> Iterator[None]:
    """Every answer of a stand-in goes to its request log: there the operation and its status are seen."""
    folder = os.environ.get("RECORD_ROUTES")
    if not folder:
        yield
        return
    met: Met = {}
    add = RequestLog.add

    def noting(self: RequestLog, **entry: Any) -> None:
        note(met, entry["operation"], entry["status"])
        add(self, **entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestLog, "add", noting)
        yield
    Path(folder, f"met-{os.getpid()}.json").write_text(json.dumps(met))
