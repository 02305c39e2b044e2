"""A deployment as text: how it is laid out in 80 columns, where a plan does not fit, and what is told of each resource."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci import terminal
from ci.plans import Departure, departures
from ci.previews import read_events
from ci.redaction import Redactor
from ci.report import Report
from ci.steps import OPERATIONS, Property, Resource
from ci.values import Mark
from tests.ci.conftest import PREFIX, RUN
from tests.ci.fake_pulumi import UNCHANGED, error, lines
from tests.ci.plan_samples import plan_of, planned, urn

KIND = "(kubernetes:core/v1:ConfigMap)"


def report(text: str = UNCHANGED, *secrets: str) -> Report:
    return Report(read_events("dev", text.splitlines()), Redactor(secrets), RUN)


def departure(reviewed: str, now: str, *properties: tuple[str, Any, Any], name: str = "a") -> Departure:
    told = tuple(Property(path=(n,), name=n, kind="update", old=old, new=new) for n, old, new in properties)
    return Departure(now=Resource(urn=urn(name), operation=now, properties=told), reviewed=reviewed)


def shown(*found: Departure) -> str:
    return terminal.departures(report(), found, colour=False)


# --- where a plan does not fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reviewed", "now", "said"),
    [
        ("", "create", "reviewed: not there; now: created"),
        ("create", "", "reviewed: created; now: not there"),
        ("same", "delete", "reviewed: left as it is; now: deleted"),
        ("update", "replace", "reviewed: updated; now: replaced"),
        ("import", "read", "reviewed: imported; now: read"),
        ("delete", "same", "reviewed: deleted; now: left as it is"),
        ("discard", "newer-engines", "reviewed: discarded; now: newer-engines"),
    ],
)
def test_what_was_reviewed_and_what_is_now_are_told(reviewed: str, now: str, said: str) -> None:
    assert shown(departure(reviewed, now)) == f"  a {KIND}: {said}\n"


@pytest.mark.parametrize(
    ("reviewed", "now", "told"),
    [
        ("create", "create", True),
        ("update", "replace", True),
        ("replace", "replace", True),
        ("same", "same", True),
        ("same", "update", False),  # the preview above it tells everything
        ("", "create", False),
    ],
)
def test_the_difference_is_told_where_nothing_above_tells_it(reviewed: str, now: str, told: bool) -> None:
    text = shown(departure(reviewed, now, ("x", "1", "2"), ("y", Mark.ABSENT, True), ("z", 5, Mark.ABSENT)))
    diff = '    - x: "1"\n    + x: "2"\n    + y: true\n    - z: 5\n'
    assert text.partition("\n")[2] == (diff if told else "")


def test_departures_of_plans_are_told_in_their_order() -> None:
    found = departures(plan_of(b=planned("same"), a=planned("create")), plan_of(b=planned("update")))
    assert shown(*found) == (
        f"  a {KIND}: reviewed: created; now: not there\n  b {KIND}: reviewed: left as it is; now: updated\n"
    )


def test_colours_of_a_departure() -> None:
    text = terminal.departures(report(), [departure("create", "create", ("x", 1, 2))], colour=True)
    title = f"\x1b[1m  a {KIND}: reviewed: created; now: created\x1b[0m"
    assert text == f"{title}\n\x1b[31m    - x: 1\x1b[0m\n\x1b[32m    + x: 2\x1b[0m\n"


def test_more_departures_than_a_log_holds_are_cut() -> None:
    found = [departure("", "create", name=f"n{n}") for n in range(9)]
    text = terminal.departures(report(), found, colour=False, limit=200)
    assert text.splitlines() == [
        f"  n0 {KIND}: reviewed: not there; now: created",
        f"  n1 {KIND}: reviewed: not there; now: created",
        "… cut here.",
    ]


# --- while it is done, and afterwards ---------------------------------------------------------------------------------


def test_one_line_for_each_resource() -> None:
    def line(operation: str, colour: bool = False) -> str:
        return terminal.progress(report(), urn("a"), operation, colour=colour)

    assert line("create") == f"  created a {KIND}"
    assert line("failed") == f"  failed a {KIND}"
    assert line("create", colour=True) == f"  created a {KIND}"
    assert line("failed", colour=True) == f"\x1b[1;31m  failed a {KIND}\x1b[0m"
    assert line("discard-replaced") == f"  discard-replaced a {KIND}"


def test_an_outcome_is_counts_and_what_went_wrong_without_diffs() -> None:
    metadata = {"op": "update", "urn": urn("a"), "old": {"inputs": {"x": 1}}, "new": {"inputs": {"x": 2}}}
    text = lines(
        {"resourcePreEvent": {"metadata": metadata}},
        error("no room\nat all\n", urn("a")),
        {"diagnosticEvent": {"severity": "warning", "message": "careful"}},
        {
            "policyEvent": {
                "policyName": "rule",
                "policyPackName": "pack",
                "message": "m",
                "enforcementLevel": "advisory",
            }
        },
        {"summaryEvent": {"result": "failed", "resourceChanges": {"update": 1, "same": 2}}},
    )
    assert terminal.outcome(report(text), colour=False) == (
        "Deployment of dev (kapsule-devops): failed, 1 change\n"
        "  update 1, same 2\n"
        "  advisory pack/rule\n    m\n"
        f"  error a {KIND}\n    no room\n    at all\n"
        "  warning\n    careful\n"
    )
    assert terminal.outcome(report(), colour=True).startswith("\x1b[1mDeployment of dev: no changes\x1b[0m\n")
    assert terminal.outcome(report(text), colour=False, limit=80).endswith("\n… cut here.\n")


long_texts = st.text(min_size=1, max_size=150).filter(lambda t: "::" not in t)


@given(long_texts, st.sampled_from(("", *OPERATIONS, "same", "failed")), long_texts)
def test_nothing_is_wider_than_80_columns(name: str, operation: str, value: str) -> None:
    told = error(value, f"{PREFIX}a:b:C::{name}")
    found = departure("create", operation, (name, value, json.dumps(value)), name=name)
    texts = (
        terminal.departures(report(), [found], colour=False),
        terminal.progress(report(), f"{PREFIX}a:b:C::{name}", operation, colour=False),
        terminal.outcome(report(lines(told)), colour=False),
    )
    assert max(len(line) for text in texts for line in text.split("\n")) <= terminal.WIDTH


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=8, max_size=30), st.booleans())
def test_no_known_secret_is_in_it(secret: str, colour: bool) -> None:
    marked = f"<{secret}>"
    its = report(lines(error(marked, urn(marked))), marked)
    found = departure("create", "create", (marked, marked, {marked: [marked]}), name=marked)
    text = terminal.departures(its, [found], colour=colour) + terminal.outcome(its, colour=colour)
    assert marked not in text + terminal.progress(its, urn(marked), "create", colour=colour)
