"""The plugin's table against the SDK that programs are written with, and against the official provider's schema.

The schema is no part of this repository: its tests are skipped where it is not there.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pulumi_gitlab
import pytest

from sandbox.gitlab_plugin import VERSION
from sandbox.gitlab_plugin.fields import Input, Kind
from sandbox.gitlab_plugin.functions import FUNCTIONS
from sandbox.gitlab_plugin.table import RESOURCES
from sandbox.gitlab_plugin.values import plain_map
from tests.sandbox.gitlab import sdk
from tests.sandbox.gitlab.conftest import Engine, Instance
from tests.sandbox.gitlab.lives import CASES, P, dated
from tests.sandbox.gitlab.sdk import Type, Types, snake

KINDS = {
    Kind.STRING: "str",
    Kind.BOOLEAN: "bool",
    Kind.INTEGER: "int",
    Kind.STRINGS: "[str]",
    Kind.OBJECT: "object",
    Kind.OBJECTS: "[object]",
    Kind.LEVELS: "[object]",
}


def _table(fields: tuple[Input, ...]) -> Types:
    return {f.name: Type(KINDS[f.kind], f.required, _table(f.fields)) for f in fields}


def _in_python(types: Types) -> Types:
    return {snake(name): Type(t.name, t.needed, _in_python(dict(t.fields))) for name, t in types.items()}


# --- the SDK ----------------------------------------------------------------------------------------------------------


def test_the_version_is_the_sdks() -> None:
    assert version("pulumi_gitlab") == VERSION


@pytest.mark.parametrize("token", RESOURCES)
def test_inputs_are_the_sdks(token: str) -> None:
    """Their names, their types, which are required, and the same of the objects in them."""
    args = getattr(pulumi_gitlab, f"{RESOURCES[token].label}Args")
    assert _in_python(_table(RESOURCES[token].inputs)) == sdk.arguments(args)


@pytest.mark.parametrize("token", RESOURCES)
def test_outputs_are_the_sdks(token: str) -> None:
    resource = RESOURCES[token]
    names = [i.name for i in resource.inputs] + [o.name for o in resource.outputs]
    assert {snake(n) for n in names} == set(sdk.outputs(getattr(pulumi_gitlab, resource.label)))
    for part in (*resource.id_parts, *resource.unique):
        assert part == "id" or resource.input(part) is not None


@pytest.mark.parametrize("token", RESOURCES)
def test_secret_outputs_are_the_sdks(token: str) -> None:
    secret = {o.name for o in RESOURCES[token].outputs if o.secret}
    assert secret == sdk.secret_outputs(getattr(pulumi_gitlab, RESOURCES[token].label))


@pytest.mark.parametrize(("enterprise", "label", "inputs", "change", "replacement"), CASES)
def test_a_state_has_the_sdks_types(
    start: Callable[..., Instance],
    engine_of: Callable[..., Engine],
    enterprise: bool,
    label: str,
    inputs: dict[str, Any],
    change: Any,
    replacement: Any,
) -> None:
    """What is there has its type, and what the SDK says is always there is, after a creation and after a refresh."""
    engine, inputs = engine_of(start(enterprise=enterprise)), dated(inputs)
    wanted = sdk.outputs(getattr(pulumi_gitlab, label))
    made = engine.create(label, inputs)
    _conforms(plain_map(made.properties), wanted, label)
    seen = engine.read(label, made.resource_id, made.properties, inputs)
    _conforms(plain_map(seen.properties), wanted, label)


def test_a_state_of_a_schedules_variable_has_the_sdks_types(engine: Engine) -> None:
    schedule = {"project": P, "description": "n", "ref": "refs/heads/main", "cron": "0 1 * * *"}
    number = plain_map(engine.create("PipelineSchedule", schedule).properties)["pipelineScheduleId"]
    inputs = {"project": P, "pipelineScheduleId": number, "key": "A", "value": "1"}
    made = engine.create("PipelineScheduleVariable", inputs)
    wanted = sdk.outputs(pulumi_gitlab.PipelineScheduleVariable)
    _conforms(plain_map(made.properties), wanted, "PipelineScheduleVariable")


# Outputs that the SDK declares to be there always, and that GitLab answers with null.
EMPTY = {
    ("ProjectEnvironment", "autoStopAt"): "only a review app stops by itself",
    ("UserRunner", "maximumTimeout"): "without one a runner lets jobs run as long as their project does",
}


def _conforms(state: dict[str, Any], wanted: Types, label: str) -> None:
    own = {snake(name): value for name, value in state.items() if name != "id"}
    assert [name for name, value in own.items() if not sdk.conforms(wanted[name], value)] == []
    empty = {snake(name) for of, name in EMPTY if of == label}
    assert {name for name, each in wanted.items() if each.needed} - set(own) - empty == set()


def _results() -> list[tuple[str, dict[str, Any]]]:
    return [("getProject", {"pathWithNamespace": P}), ("getUser", {"username": "alice"})]


@pytest.mark.parametrize(("name", "args"), _results())
def test_a_lookup_answers_in_the_sdks_types(engine: Engine, name: str, args: dict[str, Any]) -> None:
    """What it answers; a project and a user have more than is stood in for."""
    wanted = sdk.outputs(getattr(pulumi_gitlab, f"{name[0].upper()}{name[1:]}Result"))
    found = {snake(key): value for key, value in engine.invoke(name, args).items()}
    assert [key for key in found if key not in wanted] == []
    assert [key for key, value in found.items() if not sdk.conforms(wanted[key], value)] == []


def test_lookups_are_in_the_sdk() -> None:
    for token in FUNCTIONS:
        assert callable(getattr(pulumi_gitlab, snake(token.rpartition(":")[2])))


# --- the official provider's schema -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found = sdk.schema()
    if found is None:
        pytest.skip(f"no provider schema: ${sdk.SCHEMA} names one")
    return found


def test_the_schema_is_of_this_version_and_has_every_resource(schema: dict[str, Any]) -> None:
    assert schema["version"] == VERSION
    assert set(RESOURCES) <= set(schema["resources"])
    assert set(FUNCTIONS) <= set(schema["functions"])


def _shortened(types: Types) -> Types:
    """Without `description`: a schema without its texts has lost the properties of that name, too."""
    return {n: Type(t.name, t.needed, _shortened(dict(t.fields))) for n, t in types.items() if n != "description"}


@pytest.mark.parametrize("token", RESOURCES)
def test_inputs_are_the_schemas(schema: dict[str, Any], token: str) -> None:
    found = schema["resources"][token]
    assert _shortened(_table(RESOURCES[token].inputs)) == _shortened(
        sdk.properties(found["inputProperties"], found["requiredInputs"])
    )


@pytest.mark.parametrize("token", RESOURCES)
def test_outputs_are_the_schemas(schema: dict[str, Any], token: str) -> None:
    resource, found = RESOURCES[token], schema["resources"][token]
    names = {i.name for i in resource.inputs} | {o.name for o in resource.outputs}
    assert names - {"description"} == set(found["properties"]) - {"description"}
    assert set(found["required"]) <= names
    secret = {name for name, each in found["properties"].items() if each.get("secret")}
    assert {o.name for o in resource.outputs if o.secret} == secret


@pytest.mark.parametrize("token", RESOURCES)
def test_what_the_schema_says_replaces_does(schema: dict[str, Any], token: str) -> None:
    """It says so of some only: of resources that are older than its flag, the provider's code alone knows."""
    found = schema["resources"][token]["inputProperties"]
    replaces = {name for name, each in found.items() if each.get("willReplaceOnChanges")}
    assert replaces <= {i.name for i in RESOURCES[token].inputs if i.replaces}


@pytest.mark.parametrize("token", FUNCTIONS)
def test_lookups_take_what_the_schema_says(engine: Engine, schema: dict[str, Any], token: str) -> None:
    name = token.rpartition(":")[2]
    whole = schema["functions"][token]
    args = dict(_results())[name]
    assert set(args) <= set(whole["inputs"]["properties"])
    wanted = sdk.properties(whole["outputs"]["properties"], [])
    found = engine.invoke(name, args)
    assert set(found) - {"description"} <= set(wanted)
    for key, value in found.items():
        if key in wanted and not wanted[key].fields:
            assert sdk.conforms(wanted[key], value), key
