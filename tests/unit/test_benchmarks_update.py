"""Running an update: its events with their times, and what is said when it fails. The engine is played by a script."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.operations import Stamped
from benchmarks.update import UpdateError, init, resources, update

DIAGNOSTIC = {"diagnosticEvent": {"severity": "error", "message": "no such project"}}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a `pulumi` that writes down its arguments, prints $PRINTS line by line and ends with $CODE."""
    script = tmp_path / "pulumi"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "pathlib.Path('arguments').write_text(' '.join(sys.argv[1:]))\n"
        "print(os.environ['PRINTS'])\n"
        "sys.exit(int(os.environ['CODE']))\n"
    )
    script.chmod(0o700)
    return {"PATH": str(tmp_path), "CODE": "0", "PRINTS": ""}


def lines(*documents: object) -> str:
    return "\n".join(text if isinstance(text, str) else json.dumps(text) for text in documents)


@pytest.fixture(autouse=True)
def played(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])


def test_each_event_comes_with_its_time_and_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    events: list[dict[str, Any]] = [{"preludeEvent": {}}, {"summaryEvent": {}}]
    environment["PRINTS"] = lines(events[0], "a warning between", events[1])
    heard: list[Stamped] = []
    made = update(tmp_path, "dev", environment, "--parallel", "2", heard=heard.append)
    assert [stamped.event for stamped in made.events] == events
    assert heard == list(made.events)
    assert made.began <= made.events[0].at <= made.events[1].at <= made.ended
    assert made.seconds == made.ended - made.began
    assert (tmp_path / "arguments").read_text() == "up --yes --json --non-interactive --stack dev --parallel 2"


def test_what_an_update_that_fails_has_said_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    environment |= {"PRINTS": lines("error: refused", DIAGNOSTIC), "CODE": "255"}
    with pytest.raises(UpdateError, match=r"^pulumi up of dev ended with 255: error: refused\nno such project$"):
        update(tmp_path, "dev", environment)


def test_a_stack_is_made_and_its_state_is_read(tmp_path: Path, environment: dict[str, str]) -> None:
    init(tmp_path, "dev", environment)
    assert (tmp_path / "arguments").read_text() == "stack init dev --no-select --non-interactive"
    environment["PRINTS"] = lines({"deployment": {"resources": [{"urn": "a"}]}})
    assert resources(tmp_path, "dev", environment) == [{"urn": "a"}]
    environment["CODE"] = "1"
    with pytest.raises(UpdateError, match="pulumi stack export ended with 1"):
        resources(tmp_path, "dev", environment)
