"""Whether what would be done now is what was reviewed, and what of it the engine can be held to."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.plans import Plan, departures, enforceable, read_plan
from ci.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN, Mark
from tests.ci.conftest import PREFIX, SAMPLES
from tests.ci.plan_samples import DELETED, PROVIDER, plan_of, planned, urn

ABSENT = Mark.ABSENT
Told = list[tuple[str, str, str, list[tuple[str, str, Any, Any]]]]


def told(reviewed: Plan, now: Plan) -> Told:
    """Of each departure: the name, what was reviewed, what is now, and the properties."""
    return [
        (
            each.now.urn.rpartition("::")[2],
            each.reviewed,
            each.now.operation,
            [(p.name, p.kind, p.old, p.new) for p in each.now.properties],
        )
        for each in departures(reviewed, now)
    ]


def of_one(reviewed: Any, now: Any) -> Told:
    return told(plan_of(**{"a": reviewed} if reviewed else {}), plan_of(**{"a": now} if now else {}))


# --- what fits --------------------------------------------------------------------------------------------------------


def test_the_same_again_fits() -> None:
    plan = read_plan(SAMPLES / "plan.json", "dev")
    assert departures(plan, plan) == []


@pytest.mark.parametrize(
    ("reviewed", "now"),
    [
        (planned("create", adds={"x": 1}), planned("same")),
        (planned("update", updates={"x": 1}), planned("same")),
        (planned("create-replacement", "replace", "delete-replaced", updates={"x": 1}), planned("same")),
        (
            planned("create-replacement", "replace", "delete-replaced", updates={"x": 1, "y": 2}),
            planned("update", updates={"y": 2}),
        ),
        (planned("create-replacement", "replace", "delete-replaced"), planned("same", "delete-replaced")),
        (DELETED, None),
        (planned("import", id="7"), planned("same", id="7")),
        (planned("discard"), None),
    ],
)
def test_what_is_done_already_in_whole_or_in_part_fits(reviewed: Any, now: Any) -> None:
    assert of_one(reviewed, now) == []


@pytest.mark.parametrize(
    ("reviewed", "now"),
    [(planned("same"), None), (None, planned("same")), (planned("read"), planned("read")), ({}, planned("same"))],
)
def test_where_nothing_was_and_is_done_it_fits(reviewed: Any, now: Any) -> None:
    assert of_one(reviewed, now) == []


def test_part_of_what_was_reviewed_fits() -> None:
    reviewed = planned("update", updates={"x": 1, "y": {"deep": [1, 2]}}, deletes=["z", "v"])
    assert of_one(reviewed, planned("update", updates={"y": {"deep": [1, 2]}}, deletes=["v"])) == []


def test_an_addition_fits_a_change_to_the_same_value() -> None:
    assert of_one(planned("update", adds={"x": 1}), planned("update", updates={"x": 1})) == []


@pytest.mark.parametrize("reviewed", [UNKNOWN, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", 5, {"deep": [5]}])
@pytest.mark.parametrize("now", [UNKNOWN, "other", {"deep": [UNKNOWN]}])
def test_what_is_unknown_on_either_side_fits(reviewed: Any, now: Any) -> None:
    fits = of_one(planned("create", adds={"x": reviewed}), planned("create", adds={"x": now})) == []
    assert fits is (isinstance(reviewed, str) or now == UNKNOWN or (isinstance(reviewed, dict) and now != "other"))


def test_a_secret_fits_any_other_and_is_compared_with_nothing() -> None:
    secrets: list[Any] = [{SIGNATURE: SECRET_SIGNATURE, "ciphertext": text} for text in ("first", "second")]
    for one, other in (secrets, [secrets[0], "plain"], ["plain", secrets[0]]):
        assert of_one(planned("create", adds={"x": one}), planned("create", adds={"x": other})) == []
    assert of_one(planned("create", adds={"token": "one"}), planned("create", adds={"token": "other"})) == []


def test_the_order_of_dependencies_and_what_the_engine_left_out_mean_nothing() -> None:
    one = planned("create", dependencies=[urn("b"), urn("c")], ignoreChanges=None, parent="", protect=False)
    other = planned("create", dependencies=[urn("c"), urn("b")], ignoreChanges=[], customTimeouts=None)
    other["goal"].pop("protect")
    assert of_one(one, other) == []


def test_a_provider_that_was_replaced_meanwhile_is_the_same_one() -> None:
    assert of_one(planned("update"), planned("update", provider=f"{PROVIDER}::{UNKNOWN}")) == []


# --- what does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reviewed", "now", "before", "after"),
    [
        (None, planned("create"), "", "create"),
        (None, planned("update"), "", "update"),
        (None, DELETED, "", "delete"),
        (planned("same"), planned("update"), "same", "update"),
        (planned("same"), planned("create"), "same", "create"),
        (planned("same"), DELETED, "same", "delete"),
        (planned("create"), None, "create", ""),
        (planned("create"), planned("update"), "create", "update"),
        (planned("update"), None, "update", ""),
        (planned("update"), planned("create"), "update", "create"),
        (planned("update"), planned("replace"), "update", "replace"),
        (planned("update"), planned("delete-replaced", "create-replacement"), "update", "replace"),
        (planned("replace"), planned("create"), "replace", "create"),
        (DELETED, planned("same"), "delete", "same"),
        (DELETED, planned("update"), "delete", "update"),
        (planned("read"), planned("update"), "read", "update"),
        (planned("import"), planned("create"), "import", "create"),
    ],
)
def test_another_operation_does_not_fit(reviewed: Any, now: Any, before: str, after: str) -> None:
    assert [found[:3] for found in of_one(reviewed, now)] == [("a", before, after)]


def test_another_value_does_not_fit_and_both_are_told() -> None:
    reviewed = planned("update", adds={"b": 1}, updates={"x": {"y": [1, 2], "z": 3}, "gone": 1}, deletes=["d"])
    now = planned("update", adds={"b": 2, "e": 5}, updates={"x": {"y": [1, 4, 6], "z": 3}, "d": 7}, deletes=["gone"])
    assert of_one(reviewed, now) == [
        (
            "a",
            "update",
            "update",
            [
                ("b", "update", 1, 2),
                ("d", "add", ABSENT, 7),
                ("e", "add", ABSENT, 5),
                ("x.y[1]", "update", 2, 4),
                ("x.y[2]", "add", ABSENT, 6),
                ("gone", "delete", 1, ABSENT),
            ],
        )
    ]


def test_a_property_that_goes_and_should_stay_does_not_fit() -> None:
    assert of_one(planned("update"), planned("update", deletes=["x"])) == [
        ("a", "update", "update", [("x", "delete", "(as it is)", ABSENT)])
    ]


def test_outputs_of_a_component_are_compared_as_inputs_are() -> None:
    reviewed, now = (planned("same", outputs={"adds": {"url": url}}) for url in ("one", "other"))
    assert of_one(reviewed, now) == [("a", "same", "same", [("url", "update", "one", "other")])]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("protect", True, False),
        ("parent", urn("b"), urn("c")),
        ("dependencies", [urn("b")], [urn("b"), urn("c")]),
        ("deleteBeforeReplace", None, True),
        ("ignoreChanges", ["x"], ["x", "y"]),
        ("customTimeouts", {"create": 60}, {"create": 61}),
        ("type", "a:b:C", "a:b:D"),
        ("custom", True, False),
        ("id", "7", "8"),
    ],
)
@pytest.mark.parametrize("step", ["create", "same"])
def test_another_option_does_not_fit(name: str, before: Any, after: Any, step: str) -> None:
    assert of_one(planned(step, **{name: before}), planned(step, **{name: after})) == [
        ("a", step, step, [(name, "update", before, after)])
    ]


def test_another_provider_does_not_fit() -> None:
    other = f"{PREFIX}pulumi:providers:kubernetes::other"
    assert of_one(planned("same"), planned("same", provider=f"{other}::0e1c")) == [
        ("a", "same", "same", [("provider", "update", PROVIDER, other)])
    ]


def test_what_is_deleted_is_told_without_properties() -> None:
    assert of_one(planned("same", adds={"x": 1}), DELETED) == [("a", "same", "delete", [])]


def test_each_resource_is_told_in_the_order_of_names() -> None:
    reviewed = plan_of(a=planned("create"), b=planned("same"), c=DELETED)
    now = plan_of(c=planned("same"), d=planned("create"), b=planned("same"))
    assert [found[:3] for found in told(reviewed, now)] == [
        ("a", "create", ""),
        ("c", "delete", "same"),
        ("d", "", "create"),
    ]


@given(st.text(min_size=12), st.sampled_from(("adds", "updates")))
def test_no_secret_is_in_a_departure(secret: str, part: str) -> None:
    marked = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": f"<{secret}>"}
    reviewed = planned("update", updates={"n": 1})
    now = planned("update", **{part: {"n": 2, "x": marked, "list": [marked], "token": f"<{secret}>"}})
    ((_, _, _, properties),) = of_one(reviewed, now)
    assert [name for name, *_ in properties] == ["list", "n"]
    assert f"<{secret}>" not in str(properties)


# --- what the engine can be held to -----------------------------------------------------------------------------------


def goal_of(plan: Plan | None, name: str = "a") -> Any:
    assert plan is not None
    return plan.resources[urn(name)]["goal"]


def test_the_engine_is_held_to_what_does_not_depend_on_what_it_makes() -> None:
    sources = {"x": [urn("made")], "y": [urn("kept")], "z": None, "w": []}
    adds = {"x": 1, "y": 2, "z": 3, "w": 4, "v": 5}
    now = plan_of(
        a=planned("update", adds=adds, updates={"x": 6}, deletes=["x"], propertyDependencies=sources),
        made=planned("create"),
        kept=planned("same"),
    )
    held = goal_of(enforceable(now))
    assert held["inputDiff"] == {"adds": adds | {"x": UNKNOWN}, "updates": {"x": UNKNOWN}, "deletes": ["x"]}
    assert {k: v for k, v in held.items() if k != "inputDiff"} == {
        k: v for k, v in goal_of(now).items() if k != "inputDiff"
    }


def test_the_engine_is_held_to_steps_that_are_left_to_do() -> None:
    """It misses a step that a deployment before has done already, and refuses what the reviewed plan did not know."""
    now = plan_of(a=planned("same"), new=planned("same", ignoreChanges=["x"]))
    held = enforceable(now)
    assert held == now
    assert json.loads(held.written())["resourcePlans"].keys() == {urn("a"), urn("new")}


def test_a_deleted_resource_is_held_to() -> None:
    held = enforceable(plan_of(a=DELETED))
    assert held is not None
    assert held.resources == {urn("a"): {"steps": ["delete"]}}


def test_the_engine_is_not_held_where_a_provider_is_made() -> None:
    assert enforceable(plan_of(a=planned("create", provider=f"{PROVIDER}::{UNKNOWN}"), b=planned("same"))) is None
    assert enforceable(plan_of(a=planned("create", provider=""), b=planned("same"))) is not None


def test_a_plan_of_the_engine_is_held_to_as_it_is() -> None:
    """What depends on the token that it makes was unknown to begin with."""
    now = read_plan(SAMPLES / "plan.json", "dev")
    assert enforceable(now) == now
