"""What a repair reads of the engine: which resources there are, which are gone, and whether a state is an older one."""

import json
from pathlib import Path
from typing import Any

import pytest

from repair.managers import _of_another
from repair.resources import Resource, gone, is_older, last_change, of_export, of_preview
from repair.stack import _refreshed

URN = "urn:pulumi:dev::kapsule-devops::a:b:C::"
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


def step(operation: str, name: str, id_: str = "1") -> dict[str, Any]:
    state = {"urn": URN + name, "type": "a:b:C", "custom": True, "id": id_, "inputs": {}}
    return {
        "op": operation,
        "urn": URN + name,
        "oldState": None if operation == "create" else state,
        "newState": state,
    }


def entry(start: str, **counts: int) -> dict[str, Any]:
    return {"kind": "update", "startTime": start, "resourceChanges": counts}


def test_of_what_is_only_asked_for_nothing_changes() -> None:
    (found,) = of_preview({"steps": [step("refresh", "kept")]})
    assert (found.id, found.operation) == ("1", "same")


def test_what_follows_the_question_counts() -> None:
    found = of_preview(
        {"steps": [step("refresh", "a"), step("refresh", "b"), step("update", "a"), step("create", "b")]}
    )
    assert [(r.name, r.id, r.operation) for r in found] == [("a", "1", "update"), ("b", "", "create")]


def test_what_is_looked_for_in_vain_and_made_anew_is_gone() -> None:
    steps = [step("refresh", "kept"), step("refresh", "lost"), step("create", "lost"), step("create", "new")]
    assert gone({"steps": steps}) == [URN + "lost"]


def test_a_refresh_tells_what_became_of_each() -> None:
    events: list[dict[str, Any]] = [
        {"resourcePreEvent": {"metadata": {"op": "refresh", "urn": "a"}}},
        *({"resOutputsEvent": {"metadata": {"op": op, "urn": urn}}} for op, urn in (("same", "a"), ("delete", "b"))),
        {"resOutputsEvent": {"metadata": {"op": "update", "urn": "c"}}},
        {"summaryEvent": {}},
    ]
    found = _refreshed(events)
    assert (found.gone, found.changed) == (("b",), ("c",))


def test_the_last_change_is_of_the_newest_update_that_changed_something() -> None:
    history = [
        entry("2026-03-03T00:00:00Z", same=5),
        entry("2026-03-02T00:00:00Z", update=1),
        entry("2026-03-01T00:00:00Z"),
    ]
    assert last_change(history) == "2026-03-02T00:00:00Z"
    assert last_change([]) == ""


@pytest.mark.parametrize(
    ("written", "changed", "older"),
    [
        ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.000Z", False),
        ("2026-03-01T09:59:59.999999999Z", "2026-03-01T10:00:00.000Z", True),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:01Z", True),
        ("", "2026-03-01T10:00:00Z", False),
        ("2026-03-01T10:00:00Z", "", False),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:01Z", False),
    ],
)
def test_a_state_is_older_only_where_that_is_known(written: str, changed: str, older: bool) -> None:
    assert is_older(written, changed) is older


def test_an_export_says_when_it_was_written() -> None:
    document = json.loads('{"deployment": {"manifest": {"time": "2026-03-01T10:00:00Z"}, "resources": []}}')
    assert of_export(document).written == "2026-03-01T10:00:00Z"
    assert of_export({"deployment": None}).written == ""


@pytest.mark.parametrize(
    ("manager", "another"),
    [
        ("pulumi-kubernetes-0123abcd", True),
        ("pulumi-kubernetes-89ef4567", False),
        ("pulumi-kubernetes", False),
        ("kubectl-client-side-apply", False),
    ],
)
def test_only_another_states_name_is_handed_over(manager: str, another: bool) -> None:
    resource = Resource(
        urn=URN, type="kubernetes:core/v1:Secret", custom=True, inputs={}, field_manager="pulumi-kubernetes-89ef4567"
    )
    assert _of_another(manager, resource) is another


def test_the_index_names_every_runbook() -> None:
    index = (RUNBOOKS / "README.md").read_text()
    files = {file.name for file in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert {name for name in files if f"]({name})" not in index} == set()
