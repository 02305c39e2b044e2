"""Events that are at hand, as those of an update: what is read of them, and that no value of a left plan is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.errors import CiError
from ci.previews import read_events, read_preview
from tests.ci.conftest import PREFIX, SAMPLES
from tests.ci.fake_pulumi import error, lines

HIDDEN = "(their values are not shown: secrets may be among them)"


def test_they_are_read_as_those_of_a_file() -> None:
    for name in ("changes.events", "failed.events", "policy.events", "drift.events", "plan.events"):
        file = SAMPLES / name
        assert read_events("dev", file.read_text().splitlines()) == read_preview("dev", file)


def test_events_of_an_update_of_the_engine() -> None:
    found = read_events("dev", (SAMPLES / "deployed.events").read_text().splitlines())
    assert dict(found.counts) == {"create": 3, "update": 1, "replace": 1, "delete": 1, "same": 2}
    assert (found.failed, found.project, len(found.resources)) == (False, "kapsule-devops", 6)


@pytest.mark.parametrize(
    ("given_lines", "wrong"),
    [
        ([], "is cut off: it holds no summaryEvent, or pulumi was stopped"),
        (['{"sequence": 1}', ""], "is cut off: it holds no summaryEvent, or pulumi was stopped"),
        (['{"sequence": 1}', '{"sequ'], "is cut off or is not JSON in line 2"),
        (['{"resourcePreEvent": {}}'], "is no event log: line 1 has no op and urn"),
        (['{"a": ' + "1" * 5_000 + "}"], "is no event log"),
        (['{"a": ' + "[" * 100_000], "is no event log"),
    ],
)
def test_what_are_no_events_is_told(given_lines: list[str], wrong: str) -> None:
    with pytest.raises(CiError) as caught:
        read_events("dev", given_lines)
    assert str(caught.value) == f"what pulumi wrote {wrong}."


def test_events_of_another_stack_are_refused() -> None:
    other = lines(
        {"resourcePreEvent": {"metadata": {"op": "same", "urn": f"{PREFIX.replace(':dev:', ':prod:')}a:b:C::n"}}}
    )
    with pytest.raises(CiError, match=r"^what pulumi wrote is a preview of another stack than dev\.$"):
        read_events("dev", other.splitlines())


def told(message: str) -> list[str]:
    return [d.message for d in read_events("dev", lines(error(message)).splitlines()).diagnostics]


@given(st.text())
def test_of_an_update_that_leaves_its_plan_no_value_is_read(values: str) -> None:
    before = "resource urn:x violates plan: properties changed:"
    assert told(f"{before} ++value[{{&{{{{{values}}}}}}}]\n") == [f"{before} {HIDDEN}"]


@pytest.mark.parametrize(
    "message",
    [
        "resource urn:x violates plan: provider changed (expected y)",
        "delete is not allowed by the plan: no steps were expected for this resource",
        "properties changed: x",
    ],
)
def test_what_holds_no_value_is_read_as_it_is(message: str) -> None:
    found: list[Any] = told(message)
    assert found == [message]
