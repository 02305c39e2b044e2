"""The plugin's methods against the live stand-in: what the engine does with each resource in its life."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from sandbox.gitlab_plugin.values import UNKNOWN, is_unknown, plain_map, secret_names, wrapped_map
from tests.sandbox.gitlab.conftest import Engine, Instance
from tests.sandbox.gitlab.lives import CASES, P, dated


@pytest.mark.parametrize(("enterprise", "label", "inputs", "change", "replacement"), CASES)
def test_a_life(
    start: Callable[..., Instance],
    engine_of: Callable[..., Engine],
    enterprise: bool,
    label: str,
    inputs: dict[str, Any],
    change: Any,
    replacement: Any,
) -> None:
    instance = start(enterprise=enterprise)
    engine, inputs = engine_of(instance), dated(inputs)
    planned = engine.create(label, inputs, preview=True)
    assert planned.resource_id == ""
    assert not instance.store.all("gitlab.variables") + instance.store.all("gitlab.runners")

    made = engine.create(label, inputs)
    assert plain_map(made.properties)["id"] == made.resource_id
    same = engine.diff(label, made.properties, inputs)
    assert (same.changes, engine.kinds(same)) == (False, {})

    seen = engine.read(label, made.resource_id, made.properties, inputs)
    assert plain_map(seen.properties) == plain_map(made.properties)
    assert (seen.resource_id, plain_map(seen.inputs or {})) == (made.resource_id, inputs)

    imported = engine.read(label, made.resource_id)
    fresh = plain_map(imported.inputs or {})
    if inputs.get("hidden"):
        fresh["value"] = inputs["value"]  # GitLab never shows it again
    adopted = engine.diff(label, imported.properties, fresh)
    assert not [p for p in engine.kinds(adopted) if p not in ("value", "stopBeforeDestroy")]
    kept = {"stopBeforeDestroy", "takeOwnership", "value"}
    assert {k: v for k, v in fresh.items() if k in inputs and k not in kept}.keys() >= set(inputs) - kept

    state = made.properties
    if change is not None:
        wanted = {k: v for k, v in {**inputs, **dated(change)}.items() if v is not None}
        diff = engine.diff(label, state, wanted)
        assert (diff.changes, diff.replaces, set(diff.diffs)) == (True, [], set(change))
        engine.update(label, made.resource_id, state, wanted, preview=True)
        state = engine.update(label, made.resource_id, state, wanted)
        assert engine.kinds(engine.diff(label, state, wanted)) == {}
        again = engine.read(label, made.resource_id, state, wanted)
        assert plain_map(again.properties) == plain_map(state)
        inputs = wanted

    if replacement is not None:
        diff = engine.diff(label, state, inputs | replacement)
        assert diff.replaces == list(replacement)
        assert all(k.endswith("_REPLACE") for k in engine.kinds(diff).values())

    engine.delete(label, made.resource_id, state)
    assert engine.read(label, made.resource_id, state, inputs).resource_id == ""
    engine.delete(label, made.resource_id, state)


def test_a_schedules_variable(engine: Engine, instance: Instance) -> None:
    schedule = engine.create(
        "PipelineSchedule", {"project": P, "description": "n", "ref": "refs/heads/main", "cron": "0 1 * * *"}
    )
    number = plain_map(schedule.properties)["pipelineScheduleId"]
    inputs = {"project": P, "pipelineScheduleId": number, "key": "A", "value": "1"}
    made = engine.create("PipelineScheduleVariable", inputs)
    assert made.resource_id == f"{P}:{number}:A"
    imported = engine.read("PipelineScheduleVariable", made.resource_id)
    assert plain_map(imported.inputs or {}) == inputs
    changed = engine.update("PipelineScheduleVariable", made.resource_id, made.properties, inputs | {"value": "2"})
    assert plain_map(changed)["value"] == "2"
    assert engine.diff("PipelineScheduleVariable", changed, inputs | {"value": "2", "key": "B"}).replaces == ["key"]
    engine.delete("PipelineScheduleVariable", made.resource_id, changed)
    assert engine.read("PipelineScheduleVariable", made.resource_id, changed, inputs).resource_id == ""


@pytest.mark.parametrize(
    ("label", "inputs", "form"),
    [
        ("ProjectVariable", {"project": "1", "key": "K", "value": "v", "environmentScope": "dev"}, "1:K:dev"),
        ("GroupVariable", {"group": "1", "key": "K", "value": "v"}, "1:K:*"),
        ("BranchProtection", {"project": "1", "branch": "release/*"}, "1:release/*"),
        ("ProjectAccessToken", {"project": "1", "scopes": ["api"]}, "1:2"),
        ("TagProtection", {"project": "1", "tag": "v*"}, "1:v*"),
        ("UserRunner", {"runnerType": "instance_type"}, "1"),
    ],
)
def test_ids_have_the_official_form(engine: Engine, label: str, inputs: dict[str, Any], form: str) -> None:
    assert engine.create(label, inputs).resource_id == form


def test_a_preview_knows_what_the_inputs_say_and_nothing_else(engine: Engine) -> None:
    planned = plain_map(
        engine.create("UserRunner", {"runnerType": "instance_type", "description": "d"}, preview=True).properties
    )
    assert planned["description"] == "d"
    assert is_unknown(planned["token"])
    assert is_unknown(planned["locked"])
    unknown = engine.create("ProjectVariable", {"project": UNKNOWN, "key": "K", "value": UNKNOWN}, preview=True)
    assert is_unknown(plain_map(unknown.properties)["project"])


def test_tokens_and_secret_inputs_are_marked_secret_and_stay_known(engine: Engine) -> None:
    runner = engine.create("UserRunner", {"runnerType": "instance_type"})
    assert secret_names(runner.properties) == {"token"}
    assert plain_map(runner.properties)["token"].startswith("glrt-")
    seen = engine.read("UserRunner", runner.resource_id, runner.properties, {"runnerType": "instance_type"})
    assert plain_map(seen.properties)["token"] == plain_map(runner.properties)["token"]
    assert secret_names(seen.properties) == {"token"}
    inputs = {"project": P, "key": "K", "value": "abcdefgh", "hidden": True, "masked": True}
    variable = engine.create("ProjectVariable", inputs, secrets={"value"})
    assert secret_names(variable.properties) == {"value"}
    seen = engine.read("ProjectVariable", variable.resource_id, variable.properties, inputs)
    assert plain_map(seen.properties)["value"] == "abcdefgh"
    assert secret_names(seen.properties) == {"value"}


def test_drift_shows(engine: Engine, instance: Instance) -> None:
    inputs = {"project": P, "key": "K", "value": "v"}
    made = engine.create("ProjectVariable", inputs)
    instance.call("PUT", instance.project("variables/K"), json={"value": "other", "protected": True})
    seen = engine.read("ProjectVariable", made.resource_id, made.properties, inputs)
    assert plain_map(seen.inputs or {})["value"] == "other"
    diff = engine.diff("ProjectVariable", seen.properties, inputs)
    assert engine.kinds(diff) == {"value": "UPDATE", "protected": "UPDATE"}
    mended = engine.update("ProjectVariable", made.resource_id, seen.properties, inputs)
    assert (plain_map(mended)["value"], plain_map(mended)["protected"]) == ("v", False)


def test_a_name_is_made_up_once(engine: Engine) -> None:
    first = plain_map(engine.check("ProjectAccessToken", {"project": P, "scopes": ["api"]}).inputs or {})
    assert first["name"] == "name-3132333"
    assert (
        plain_map(engine.check("ProjectAccessToken", {"project": P, "scopes": ["api"]}, {"name": "kept"}).inputs or {})[
            "name"
        ]
        == "kept"
    )


def test_a_token_with_a_rotation_configuration_rotates_in_place(engine: Engine, instance: Instance) -> None:
    rotation = {"expirationDays": 30, "rotateBeforeDays": 7}
    inputs = {"project": P, "name": "t", "scopes": ["api"], "rotationConfiguration": rotation}
    made = engine.create("ProjectAccessToken", inputs)
    state = plain_map(made.properties)
    assert state["expiresAt"] == str(date.today() + timedelta(days=30))
    assert engine.diff("ProjectAccessToken", made.properties, inputs).changes is False
    near = wrapped_map(state | {"expiresAt": str(date.today() + timedelta(days=3))}, {"token"})
    due = engine.diff("ProjectAccessToken", near, inputs)
    assert (due.changes, due.replaces, engine.kinds(due)) == (True, [], {"expiresAt": "UPDATE"})
    planned = engine.update("ProjectAccessToken", made.resource_id, near, inputs, preview=True)
    assert {n for n, v in plain_map(planned).items() if is_unknown(v)} == {"token", "expiresAt", "createdAt"}
    rotated = engine.update("ProjectAccessToken", made.resource_id, near, inputs)
    new = plain_map(rotated)
    assert new["token"] != state["token"]
    assert new["expiresAt"] == str(date.today() + timedelta(days=30))
    assert secret_names(rotated) == {"token"}
    assert instance.call("GET", "user", token=state["token"]).status_code == 401
    assert instance.call("GET", "user", token=new["token"]).status_code == 200
    # The engine keeps the id of the creation until a refresh: the state's own id is the one that counts.
    seen = engine.read("ProjectAccessToken", made.resource_id, rotated, inputs)
    assert seen.resource_id == new["id"] != made.resource_id
    engine.delete("ProjectAccessToken", made.resource_id, rotated)
    assert instance.call("GET", "user", token=new["token"]).status_code == 401


def test_only_the_rotation_window_changing_sends_nothing(engine: Engine, instance: Instance) -> None:
    inputs = {
        "project": P,
        "name": "t",
        "scopes": ["api"],
        "rotationConfiguration": {"expirationDays": 30, "rotateBeforeDays": 7},
    }
    made = engine.create("ProjectAccessToken", inputs)
    sent = len(instance.operations())
    wider = inputs | {"rotationConfiguration": {"expirationDays": 30, "rotateBeforeDays": 8}}
    assert engine.kinds(engine.diff("ProjectAccessToken", made.properties, wider)) == {
        "rotationConfiguration.rotateBeforeDays": "UPDATE"
    }
    changed = plain_map(engine.update("ProjectAccessToken", made.resource_id, made.properties, wider))
    assert changed["rotationConfiguration"] == wider["rotationConfiguration"]
    assert len(instance.operations()) == sent


def test_a_rotation_configuration_can_be_taken_away(engine: Engine) -> None:
    rotation = {"expirationDays": 30, "rotateBeforeDays": 7}
    inputs = {"project": P, "name": "t", "scopes": ["api"]}
    made = engine.create("ProjectAccessToken", inputs | {"rotationConfiguration": rotation})
    assert engine.kinds(engine.diff("ProjectAccessToken", made.properties, inputs)) == {
        "rotationConfiguration": "DELETE"
    }
    changed = engine.update("ProjectAccessToken", made.resource_id, made.properties, inputs)
    assert engine.kinds(engine.diff("ProjectAccessToken", changed, inputs)) == {}
    assert plain_map(changed)["token"] == plain_map(made.properties)["token"]
