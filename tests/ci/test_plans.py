"""Plans: what is read of a file, that no secret is in what is published, and which operation a plan means."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci import plans
from ci.errors import CiError
from ci.plans import departures, enforceable, parse_plan, read_plan
from ci.redaction import Redactor
from ci.values import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE, UNKNOWN
from tests.ci.conftest import PREFIX, SAMPLES
from tests.ci.plan_samples import DELETED, MANIFEST, plan_of, planned, text_of_plan, urn

FIX = "Make it with: pulumi preview -s dev --save-plan {}"
NO_JSON = "plan.json is no plan: it is not JSON, or is cut off. Fix it."
NO_PLANS = "plan.json is no plan: it holds no resourcePlans as the engine writes them. Fix it."


def said(text: str) -> str:
    with pytest.raises(CiError) as caught:
        parse_plan(text, "plan.json", "Fix it.")
    return str(caught.value)


def goal(**more: Any) -> str:
    return json.dumps({"resourcePlans": {"u": {"goal": more}}})


# --- what is no plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "resourcePlans", text_of_plan(a=planned("same"))[:-1], "[" * 100_000])
def test_what_is_no_json_is_no_plan(text: str) -> None:
    assert said(text) == NO_JSON


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        '"resourcePlans"',
        "{}",
        '{"resourcePlans": []}',
        '{"resourcePlans": {"u": null}}',
        '{"resourcePlans": {"u": {"steps": "same"}}}',
        '{"resourcePlans": {"u": {"steps": [["same"]]}}}',
        '{"resourcePlans": {"u": {"steps": null}}}',
        '{"resourcePlans": {"u": {"goal": []}}}',
        goal(inputDiff=[1]),
        goal(outputDiff="x"),
        goal(inputDiff={"adds": []}),
        goal(inputDiff={"updates": "x"}),
        goal(outputDiff={"adds": 1}),
        goal(inputDiff={"deletes": {}}),
        goal(inputDiff={"deletes": ["a", 1]}),
        goal(inputDiff={"deletes": [["a"]]}),
        goal(propertyDependencies=["a"]),
        goal(propertyDependencies={"a": 1}),
        goal(propertyDependencies={"a": [{}]}),
    ],
)
def test_what_the_engine_does_not_write_is_no_plan(text: str) -> None:
    assert said(text) == NO_PLANS


def test_one_wrong_resource_makes_a_plan_none() -> None:
    assert said(text_of_plan(a=planned("same"), b=planned("create") | {"goal": 1})) == NO_PLANS


def nested(depth: int) -> str:
    deep: Any = "x"
    for n in range(depth):
        deep = [deep] if n % 2 else {"a": deep}
    return text_of_plan(a=planned("create", adds={"x": deep}))


@pytest.mark.parametrize("depth", [96, 400, 900])
def test_what_is_nested_too_deeply_is_no_plan(depth: int) -> None:
    assert said(nested(depth)) == "plan.json is no plan: it is nested too deeply. Fix it."


def test_what_is_nested_less_deeply_is_a_plan() -> None:
    plan = parse_plan(nested(95), "", "").without(Redactor(["unrelated"]))
    assert parse_plan(plan.written(), "", "") == plan
    assert departures(plan, plan) == []
    (departure,) = departures(plan_of(a=planned("create")), plan)
    assert departure.now.properties[0].name == "x"


def test_a_file_that_cannot_be_used_is_named_with_what_makes_another(tmp_path: Path, monkeypatch: Any) -> None:
    def refused(file: Path) -> str:
        with pytest.raises(CiError) as caught:
            read_plan(file, "dev")
        return str(caught.value)

    gone, folder, binary, wrong = (tmp_path / name for name in ("gone", "folder", "binary", "wrong"))
    folder.mkdir()
    binary.write_bytes(b'{"a": "\xff"}')
    wrong.write_text("{}")
    assert refused(gone) == f"{gone} cannot be read: No such file or directory. {FIX.format(gone)}"
    assert refused(folder) == f"{folder} cannot be read: Is a directory. {FIX.format(folder)}"
    assert refused(binary) == f"{binary} is not UTF-8 text. {FIX.format(binary)}"
    assert refused(wrong) == (
        f"{wrong} is no plan: it holds no resourcePlans as the engine writes them. {FIX.format(wrong)}"
    )
    monkeypatch.setattr(plans, "MAX_BYTES", 1_999)
    wrong.write_text(" " * 2_000)
    assert refused(wrong) == (
        f"{wrong} is larger than 1,999 bytes (2,000): to read it could take all memory of the job. {FIX.format(wrong)}"
    )


KEYS = (
    "resourcePlans", "goal", "inputDiff", "outputDiff", "adds", "updates", "deletes", "steps", "propertyDependencies",
    "provider", "dependencies", "manifest", "protect", "custom", "customTimeouts", "secret", "value", "name", SIGNATURE,
)  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from((UNKNOWN, SECRET_SIGNATURE, OUTPUT_SIGNATURE, "create", "delete", "same"))
)
names = st.sampled_from(KEYS) | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
changes = st.dictionaries(st.sampled_from(("a", "b", "password")), values, max_size=3)
diffs = st.fixed_dictionaries(
    {}, optional={"adds": changes, "updates": changes, "deletes": st.lists(st.sampled_from(("a", "b", "c")))}
)
steps = st.lists(st.sampled_from(("same", "create", "update", "delete", "replace", "create-replacement")), max_size=3)
goals = st.fixed_dictionaries(
    {"inputDiff": diffs, "outputDiff": diffs},
    optional={"protect": values, "dependencies": values, "provider": values, "parent": values},
)
whole_plans = st.dictionaries(
    st.text(max_size=5), st.fixed_dictionaries({"steps": steps}, optional={"goal": goals, "state": values})
).map(lambda found: {"manifest": MANIFEST, "resourcePlans": found})


@given(st.one_of(values, st.builds(lambda v: {"resourcePlans": {"u": {"goal": v}}}, values), whole_plans))
@example({"resourcePlans": {"u": {"steps": [{}], "goal": {"inputDiff": {"deletes": [[]]}}}}})
@example({"resourcePlans": {"u": {"goal": {"propertyDependencies": {"a": 5}}}}})
def test_any_json_is_a_plan_or_a_told_error(found: Any) -> None:
    try:
        plan = parse_plan(json.dumps(found), "plan.json", "Fix it.")
    except CiError:
        return
    assert departures(plan, plan) == []
    assert parse_plan(plan.written(), "", "") == plan
    held = enforceable(plan)
    assert held is None or json.loads(held.written())["resourcePlans"].keys() == plan.resources.keys()
    assert {plan.operation(each) for each in plan.resources} <= {
        *("same", "create", "update", "replace", "delete"),
        *(str(s) for p in plan.resources.values() for s in p.get("steps", [])),
    }


@given(whole_plans)
def test_a_whole_plan_is_read_and_fits_itself(found: Any) -> None:
    plan = parse_plan(json.dumps(found), "plan.json", "Fix it.")
    assert departures(plan, plan) == []
    assert plan.resources.keys() == found["resourcePlans"].keys()


@given(st.text())
def test_any_text_is_a_plan_or_a_told_error(text: str) -> None:
    assert said(text) in (NO_JSON, NO_PLANS)


# --- what may be published --------------------------------------------------------------------------------------------

CIPHERTEXT, PLAINTEXT = "v1:tHe-CiPhErTeXt", "tHe-PlAiNtExT"
FORMS: tuple[Any, ...] = (
    {SIGNATURE: SECRET_SIGNATURE, "ciphertext": CIPHERTEXT},
    {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps(PLAINTEXT)},
    {SIGNATURE: SECRET_SIGNATURE, "value": {"inner": [PLAINTEXT]}},
    {SIGNATURE: OUTPUT_SIGNATURE, "secret": True, "value": PLAINTEXT},
    json.dumps({"document": {SIGNATURE: SECRET_SIGNATURE, "ciphertext": CIPHERTEXT}}),
)
marked = st.sampled_from(FORMS)
hiding = st.recursive(
    marked,
    lambda inner: st.lists(inner | scalars, max_size=3) | st.dictionaries(st.text(max_size=3), inner | scalars, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(hiding, st.sampled_from(("adds", "updates")), st.sampled_from(("inputDiff", "outputDiff")))
def test_no_marked_secret_is_in_a_published_plan(value: Any, part: str, diff: str) -> None:
    whole = planned("update", **{diff: {part: {"a": value}}})
    written = plan_of(a=whole | {"state": {"a": value}}, b=planned("same", id=value)).written()
    assert CIPHERTEXT not in written
    assert PLAINTEXT not in written
    assert SECRET_SIGNATURE not in written


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_secret_becomes_what_fits_any_value(form: Any) -> None:
    found = plan_of(a=planned("create", adds={"x": {"y": [form]}})).resources[urn("a")]["goal"]
    assert found["inputDiff"]["adds"] == {"x": {"y": [UNKNOWN]}}


def test_what_fits_any_value_stands_for_a_secret_at_its_place() -> None:
    secret = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": CIPHERTEXT}
    adds = {"whole": secret, "deep": {"list": [1, {"x": secret}], "said": "plain"}, "password": PLAINTEXT}
    found = json.loads(plan_of(a=planned("create", adds=adds)).written())["resourcePlans"][urn("a")]
    assert found["goal"]["inputDiff"]["adds"] == {
        "whole": UNKNOWN,
        "deep": {"list": [1, {"x": UNKNOWN}], "said": "plain"},
        "password": UNKNOWN,
    }


def test_state_and_configuration_are_not_published_and_all_else_is() -> None:
    resource = planned("create", adds={"a": 1})
    found = json.loads(plan_of(a=resource).written())
    assert found == {
        "manifest": MANIFEST,
        "resourcePlans": {urn("a"): {k: v for k, v in resource.items() if k != "state"}},
    }


def test_a_manifest_that_is_none_is_left_out() -> None:
    assert parse_plan('{"resourcePlans": {}, "manifest": 5}', "", "").manifest == {}


def test_a_known_secret_that_nothing_marks_is_hidden_where_it_stands() -> None:
    """In values only: a cache key that is called like the project must not hide every resource's name."""
    adds = {"a": {"b": ["x", f"user:{PLAINTEXT}@host"]}, "c": "glpat-AAAAAAAAAAAAAAAAAAAA", "d": "said"}
    plan = plan_of(a=planned("create", adds=adds), gone=DELETED).without(Redactor([PLAINTEXT, "kapsule-devops"]))
    assert list(plan.resources) == [urn("a"), urn("gone")]
    found = plan.resources[urn("a")]["goal"]
    assert found["inputDiff"]["adds"] == {"a": {"b": ["x", UNKNOWN]}, "c": UNKNOWN, "d": "said"}
    assert found["provider"].startswith(PREFIX)


# --- operations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "operation"),
    [
        ([], "same"),
        (["same"], "same"),
        (["create"], "create"),
        (["update"], "update"),
        (["delete"], "delete"),
        (["create-replacement", "replace", "delete-replaced"], "replace"),
        (["delete-replaced", "replace", "create-replacement"], "replace"),
        (["import-replacement", "replace", "delete-replaced"], "replace"),
        (["same", "delete-replaced"], "replace"),
        (["update", "delete-replaced"], "replace"),
        (["delete", "create"], "replace"),
        (["create", "delete"], "replace"),
        (["same", "remove-pending-replace"], "same"),
        (["remove-pending-replace"], "same"),
        (["same", "update"], "update"),
        (["import"], "import"),
        (["read"], "read"),
        (["discard"], "discard"),
    ],
)
def test_steps_are_one_operation(steps: list[str], operation: str) -> None:
    assert plan_of(a=planned(*steps)).operation(urn("a")) == operation


def test_a_resource_that_a_plan_does_not_know_has_no_operation() -> None:
    assert plan_of(a=planned("create")).operation(urn("b")) == ""
    assert plan_of(a={}).operation(urn("a")) == "same"


def test_a_plan_of_the_engine() -> None:
    plan = read_plan(SAMPLES / "plan.json", "dev")
    found = {each.rpartition("::")[2]: plan.operation(each) for each in plan.resources}
    assert found == {
        "token": "create",
        "changed": "update",
        "gone": "delete",
        "kept": "same",
        "key": "create",
        "made": "create",
        "moved": "replace",
        "default_10_1_1": "same",
        "kapsule-devops-dev": "same",
    }
    assert "ciphertext" in (SAMPLES / "plan.json").read_text()
    assert "ciphertext" not in plan.written()
    assert departures(plan, plan) == []
