"""The pure parts of the plugin over its table: checks, differences, values."""

from datetime import date, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.gitlab_plugin import checks, diffs, mapping
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.fields import Input, Kind, Resource
from sandbox.gitlab_plugin.table import RESOURCES
from sandbox.gitlab_plugin.values import UNKNOWN, is_unknown, plain, plain_map, secret_names, wrapped, wrapped_map

TODAY = date(2026, 3, 1)


# --- differences ------------------------------------------------------------------------------------------------------


def _values(field: Input) -> st.SearchStrategy[object]:
    names = tuple(field.levels) if field.levels else field.choices
    if field.name == "expiresAt":
        return st.dates(date(2027, 1, 1), date(2030, 1, 1)).map(str)
    if field.kind is Kind.BOOLEAN:
        return st.booleans()
    if field.kind is Kind.INTEGER:
        return st.integers(1, 1000)
    if field.kind is Kind.STRINGS:
        return st.lists(st.sampled_from(names) if names else st.text(min_size=1), unique=True, max_size=4)
    if field.kind is Kind.OBJECT:
        return st.fixed_dictionaries({f.name: _values(f) for f in field.fields})
    if field.kind in (Kind.OBJECTS, Kind.LEVELS):
        item = st.fixed_dictionaries({f.name: _values(f) for f in field.fields})
        return st.lists(item, max_size=3)
    return st.sampled_from(names) if names else st.text()


@st.composite
def _inputs(draw: Any) -> Any:
    resource = RESOURCES[draw(st.sampled_from(sorted(RESOURCES)))]
    chosen = [f for f in resource.inputs if f.required or draw(st.booleans())]
    return resource, {f.name: draw(_values(f)) for f in chosen if f.name != "rotationConfiguration"}


@hypothesis.given(_inputs(), st.randoms())
def test_nothing_changes_between_equal_inputs_in_any_order(pair: Any, random: Any) -> None:
    resource, inputs = pair
    state = mapping.with_defaults(resource, inputs)
    shuffled = {}
    for name, value in inputs.items():
        if isinstance(value, list):
            value = random.sample(value, len(value))
        shuffled[name] = value
    found = diffs.compare(resource, state, shuffled, TODAY)
    assert not found
    assert found.detailed == {}


@hypothesis.given(_inputs(), st.data())
def test_an_unknown_input_is_a_change(pair: Any, data: Any) -> None:
    resource, inputs = pair
    name = data.draw(st.sampled_from(sorted(inputs)))
    found = diffs.compare(resource, mapping.with_defaults(resource, inputs), {**inputs, name: UNKNOWN}, TODAY)
    assert name in found.changed
    field = resource.input(name)
    assert (name in found.replaces) == (field is not None and field.replaces)


@hypothesis.given(_inputs())
def test_values_survive_the_protocol(pair: Any) -> None:
    _, inputs = pair
    there = PropertyValue.unmarshal_map(PropertyValue.marshal_map(wrapped_map(inputs, {"value"})))
    assert plain_map(there) == inputs
    assert secret_names(there) == {"value"} & set(inputs)


def test_unknown_values_travel_as_the_protocol_wants() -> None:
    there = PropertyValue.unmarshal_map(PropertyValue.marshal_map(wrapped_map({"a": UNKNOWN, "b": [UNKNOWN], "c": 1})))
    back = plain_map(there)
    assert is_unknown(back["a"])
    assert is_unknown(back["b"])
    assert not is_unknown(back["c"])
    assert is_unknown(plain(PropertyValue.computed()))
    assert wrapped(UNKNOWN, secret=True).is_secret
    assert UNKNOWN != UNKNOWN


def _resource(label: str) -> Resource:
    return next(r for r in RESOURCES.values() if r.label == label)


def test_lists_differ_item_by_item() -> None:
    runner = _resource("UserRunner")
    found = diffs.compare(
        runner, {"runnerType": "x", "tagLists": ["a", "b"]}, {"runnerType": "x", "tagLists": ["b", "c", "d"]}, TODAY
    )
    assert found.detailed == {"tagLists[0]": "DELETE", "tagLists[1]": "ADD", "tagLists[2]": "ADD"}
    protection = _resource("BranchProtection")
    base = mapping.with_defaults(protection, {"project": "1", "branch": "b"})
    state = {**base, "allowedToPushes": [{"accessLevel": "maintainer", "userId": 2, "accessLevelDescription": "Alice"}]}
    assert not diffs.compare(protection, state, {**base, "allowedToPushes": [{"userId": 2}]}, TODAY)
    found = diffs.compare(protection, state, {**base, "allowedToPushes": [{"accessLevel": "maintainer"}]}, TODAY)
    assert found.detailed == {"allowedToPushes[0]": "UPDATE"}


def test_replacement_deletes_first_only_where_two_cannot_be() -> None:
    variable = _resource("ProjectVariable")
    given = {"project": "1", "key": "K", "value": "v", "environmentScope": "dev"}
    state = mapping.with_defaults(variable, given)
    hidden = diffs.compare(variable, state, {**state, "hidden": True}, TODAY)
    assert (hidden.replaces, hidden.delete_first) == (["hidden"], True)
    moved = diffs.compare(variable, state, {**state, "environmentScope": "prod"}, TODAY)
    assert (moved.replaces, moved.delete_first) == (["environmentScope"], False)


@pytest.mark.parametrize(
    ("days_left", "before", "rotates"), [(30, 7, False), (7, 7, False), (6, 7, True), (0, 1, True), (-3, 1, True)]
)
def test_a_token_rotates_when_its_end_is_near(days_left: int, before: int, rotates: bool) -> None:
    token = _resource("ProjectAccessToken")
    rotation = {"expirationDays": 30, "rotateBeforeDays": before}
    inputs = {"project": "1", "scopes": ["api"], "rotationConfiguration": rotation}
    state = {**mapping.with_defaults(token, inputs), "expiresAt": str(TODAY + timedelta(days=days_left))}
    found = diffs.compare(token, state, inputs, TODAY)
    assert (found.rotates, found.changed) == (rotates, ["expiresAt"] if rotates else [])


def test_a_changed_end_rotates_and_a_changed_scope_replaces() -> None:
    token = _resource("ProjectAccessToken")
    inputs = {"project": "1", "scopes": ["api"], "expiresAt": "2026-05-01"}
    state = mapping.with_defaults(token, inputs)
    assert diffs.compare(token, state, {**inputs, "expiresAt": "2026-06-01"}, TODAY).rotates
    replaced = diffs.compare(token, state, {**inputs, "scopes": ["read_api"]}, TODAY)
    assert (replaced.replaces, replaced.rotates, replaced.delete_first) == (["scopes"], False, False)
    longer = {"project": "1", "scopes": ["api"], "rotationConfiguration": {"expirationDays": 60, "rotateBeforeDays": 5}}
    shorter = {
        **state,
        "expiresAt": "2026-08-01",
        "rotationConfiguration": {"expirationDays": 30, "rotateBeforeDays": 5},
    }
    assert diffs.compare(token, shorter, longer, TODAY).rotates


# --- checks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "change", "expected"),
    [
        ("ProjectVariable", {"kye": "K"}, ("kye", "is not a property of this resource")),
        ("ProjectVariable", {"value": None}, ("value", "is required")),
        ("ProjectVariable", {"masked": "yes"}, ("masked", "must be a boolean")),
        ("ProjectVariable", {"variableType": "x"}, ("variableType", "'x' is not valid: must be one of env_var, file")),
        ("ProjectVariable", {"value": UNKNOWN, "masked": UNKNOWN}, None),
        ("ProjectVariable", {}, None),
        ("UserRunner", {"runnerType": "project_type"}, ("projectId", "is required when runnerType is project_type")),
        ("UserRunner", {"runnerType": "project_type", "projectId": UNKNOWN}, None),
        (
            "UserRunner",
            {"runnerType": "instance_type", "maximumTimeout": True},
            ("maximumTimeout", "must be an integer"),
        ),
        (
            "TagProtection",
            {"allowedToCreates": [{"user": 1}]},
            ("allowedToCreates[0].user", "is not a property of this object"),
        ),
        ("TagProtection", {"allowedToCreates": [1]}, ("allowedToCreates[0]", "must be an object")),
        ("ProjectAccessToken", {"expiresAt": "2020-01-01"}, ("expiresAt", "must be in the future")),
        ("ProjectAccessToken", {"expiresAt": "2020-01-01", "validatePastExpirationDate": False}, None),
        ("ProjectAccessToken", {"expiresAt": "soon"}, ("expiresAt", "'soon' is not a date in the form YYYY-MM-DD")),
        (
            "ProjectAccessToken",
            {"rotationConfiguration": {"expirationDays": 1}},
            ("rotationConfiguration.rotateBeforeDays", "is required"),
        ),
        (
            "ProjectAccessToken",
            {"rotationConfiguration": {"expirationDays": 1, "rotateBeforeDays": 2}},
            ("rotationConfiguration.rotateBeforeDays", "must not be more than expirationDays"),
        ),
    ],
)
def test_checks(label: str, change: Any, expected: Any) -> None:
    base = {
        "ProjectVariable": {"project": "1", "key": "K", "value": "v"},
        "UserRunner": {},
        "TagProtection": {"project": "1", "tag": "v*"},
        "ProjectAccessToken": {"project": "1", "scopes": ["api"]},
    }[label]
    assert checks.failures(_resource(label), base | change, TODAY) == ([expected] if expected else [])


def test_an_id_of_another_form_is_refused() -> None:
    with pytest.raises(PluginError, match="project:key:environmentScope"):
        mapping.from_id(_resource("ProjectVariable"), "1:K")
    assert mapping.from_id(_resource("PipelineScheduleVariable"), "1:2:K")["pipelineScheduleId"] == 2
