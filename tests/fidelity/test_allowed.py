"""The allow-list: what an entry covers, and that each has its reason."""

from pathlib import Path

import pytest

from tests.fidelity import allowed
from tests.fidelity.allowed import Allowed, AllowListError
from tests.fidelity.compare import Difference
from tests.fidelity.made_up import VPC, VPCS, interaction, recording

ENTRY = {"operation": "GET /vpc/*", "field": "vpcs[].a", "what": "extra", "reason": "because"}
FOUND = Difference(field="vpcs[3].a", what="extra", recorded="no such key", answered="number")


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"operation": "* /vpc/v2/regions/*/vpcs"}, True),
        ({"operation": "GET /k8s/*"}, False),
        ({"operation": "POST /vpc/*"}, False),
        ({"field": "*.a"}, True),
        ({"field": "vpcs[].b"}, False),
        ({"what": "missing"}, False),
        ({"stand_in": "null"}, False),
        ({"recorded_before": "2026-06-25"}, True),
        ({"recorded_before": "2026-06-24"}, False),
    ],
)
def test_what_an_entry_covers(tmp_path: Path, change: dict[str, str], covered: bool) -> None:
    path = tmp_path / "allowed.yaml"
    path.write_text(
        "- " + "\n  ".join(f"{k}: {v!r}" if k[0] != "r" else f"{k}: {v}" for k, v in (ENTRY | change).items())
    )
    (asked,) = recording(tmp_path, interaction("GET", VPCS))
    reason = allowed.reason_for(allowed.read(path), asked, FOUND)
    assert (reason is not None) is covered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "must be a list"),
        ("- a", "entry 1 must have fields"),
        ("- {operation: x, field: x, what: x}", "entry 1 lacks reason"),
        ("- {operation: x, field: x, what: x, reason: ' '}", "entry 1 lacks reason"),
        ("- {operation: x, field: x, what: x, reason: x, why: x}", "entry 1 has unknown fields: why"),
        ("- {operation: x, field: x, what: x, reason: x, recorded_before: soon}", "must be a day"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "allowed.yaml"
    path.write_text(text)
    with pytest.raises(AllowListError, match=said):
        allowed.read(path)


def test_the_list_is_short_and_says_where_and_what() -> None:
    entries = allowed.read()
    assert len(entries) < 10
    assert [e for e in entries if e.operation == "*" or set(e.field) <= set("*.[]")] == []


def test_an_entry_without_a_day_is_for_recordings_of_any_day(tmp_path: Path) -> None:
    made = interaction("GET", f"{VPCS}/{VPC}")
    made["response"]["headers"] = {}
    (asked,) = recording(tmp_path, made)
    entry = Allowed(operation="GET *", field="vpcs[].a", what="extra", reason="because")
    assert entry.covers(asked, FOUND)
