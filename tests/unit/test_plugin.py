"""The plugin without the engine: its schema, the YAML example against it, and how wrong arguments are told."""

import asyncio
import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest
import yaml
from pulumi.errors import InputPropertiesError, InputPropertyError
from pydantic import BaseModel

import settings
from components import arguments, runner_environment
from components.runner_environment import RunnerEnvironmentArgs, settings_of
from config_error import as_argument
from docs import generate
from plugin import host
from sections.jobs import RunnerSettings

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "plugin.schema.json").read_text())
TOKEN = "kapsule-devops:index:RunnerEnvironment"
COMPONENT = SCHEMA["resources"][TOKEN]
INPUTS = COMPONENT["inputProperties"]
EXAMPLE = yaml.safe_load((ROOT / "examples" / "yaml-environment" / "Pulumi.yaml").read_text())
GIVEN: Mapping[str, Any] = EXAMPLE["resources"]["team"]["properties"]
KINDS: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from (("" + name, each) for name, each in INPUTS.items())
    yield from ((name, each) for name, each in COMPONENT["properties"].items())
    for token, kind in SCHEMA["types"].items():
        yield from ((f"{token.rpartition(':')[2]}.{name}", each) for name, each in kind["properties"].items())


@pytest.mark.parametrize(("name", "schema"), list(properties()), ids=[name for name, _ in properties()])
def test_everything_has_a_type_and_a_description_in_one_line(name: str, schema: dict[str, Any]) -> None:
    assert ("type" in schema) != ("$ref" in schema)
    assert re.fullmatch(r"[A-Z`].*\.", schema["description"]), schema["description"]


def test_only_what_may_be_known_later_is_no_plain_value() -> None:
    later = {name for name, each in INPUTS.items() if not each.get("plain")}
    assert later == set(runner_environment._INPUTS)
    for token, kind in SCHEMA["types"].items():
        assert all(each.get("plain") for each in kind["properties"].values()), token


def test_required_is_what_has_no_default() -> None:
    assert COMPONENT["requiredInputs"] == sorted(
        ("environment", "gitlab", "clusterId", "kubeconfig", "targetProjectId", "credentialsProjectId")
    )
    required = {token.rpartition(":")[2]: set(kind.get("required", ())) for token, kind in SCHEMA["types"].items()}
    assert required["Gitlab"] == {"project"}  # its branch is asked for where there are protections
    assert required["RoleRule"] == {"resources", "verbs"}
    assert required["Runner"] == set()


def test_a_runner_has_the_keys_of_the_settings() -> None:
    names = {str(field.alias) for field in RunnerSettings.model_fields.values()}
    assert (
        set(SCHEMA["types"]["kapsule-devops:index:Runner"]["properties"])
        == names
        == set(arguments.Runner.__annotations__)
    )


def test_each_argument_is_of_the_section_with_its_name() -> None:
    sections = {str(field.alias): field.annotation for field in settings.Settings.model_fields.values()}
    assert set(generate.ARGUMENTS) <= set(INPUTS)
    for name in generate.ARGUMENTS:
        schema = INPUTS[name].get("items", INPUTS[name])
        (model,) = (each for each in (sections[name], *get_args(sections[name])) if _is_model(each))
        assert schema["$ref"] == f"#/types/kapsule-devops:index:{model.__name__.removesuffix('Settings')}"
    assert set(RunnerEnvironmentArgs.__annotations__) == set(INPUTS)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def test_no_output_is_named_after_a_secret_value() -> None:
    assert not {name for name in COMPONENT["properties"] if re.search(r"token|kubeconfig|(?<!Secret)Key$", name)}


# --- the example


def wrong(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """The places of `value` that the schema has no place for; `${…}` is anything."""
    if isinstance(value, str) and value.startswith("${"):
        if schema.get("plain"):
            yield path
    elif "$ref" in schema:
        kind = SCHEMA["types"][schema["$ref"].removeprefix("#/types/")]
        yield from (f"{path}.{name}" for name in kind.get("required", ()) if name not in value)
        for name, each in value.items():
            if name in kind["properties"]:
                yield from wrong(kind["properties"][name], each, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif not isinstance(value, KINDS[schema["type"]]):
        yield path
    elif isinstance(value, list):
        for each in value:
            yield from wrong(schema["items"], each, f"{path}[]")


def test_the_example_fits_the_schema() -> None:
    assert EXAMPLE["resources"]["team"]["type"] == "kapsule-devops:RunnerEnvironment"
    assert [place for name, each in GIVEN.items() for place in wrong(INPUTS[name], each, name)] == []
    assert set(COMPONENT["requiredInputs"]) <= set(GIVEN)
    read = re.findall(r"\$\{team\.(\w+)\}", " ".join(EXAMPLE["outputs"].values()))
    assert len(read) == len(EXAMPLE["outputs"])
    assert set(read) <= set(COMPONENT["properties"])
    assert (ROOT / "examples" / "yaml-environment" / EXAMPLE["packages"]["kapsule-devops"]).resolve() == ROOT / "plugin"


def test_the_example_has_values_that_are_right() -> None:
    found = settings_of("team", GIVEN, "dev")
    assert [(each.name, each.concurrent) for each in found.runners] == [("deploy", 4), ("preview", 10)]
    assert (found.rotation.days, found.rotation.overlap_days) == (14, 2)


# --- wrong arguments


def told(**changed: Any) -> list[str]:
    """What is told of the example with these arguments changed, one line for each problem."""
    given = {**copy.deepcopy(dict(GIVEN)), **changed}
    with pytest.raises(InputPropertiesError) as caught:
        host.provider().construct("team", TOKEN, {k: v for k, v in given.items() if v is not ...})
    assert caught.value.errors == []  # with them the engine would show values
    first, _, rest = caught.value.message.partition("\n\n")
    lines = rest.rstrip("\n").replace("\n    Fix: ", " Fix: ").splitlines()
    count = "1 argument is" if len(lines) == 1 else f"{len(lines)} arguments are"
    assert first == f"{count} wrong; nothing of RunnerEnvironment team was created or changed."
    return [line.strip().replace(" (RunnerEnvironment team)", "") for line in lines]


def test_rules_of_a_key_and_between_keys_are_those_of_the_settings() -> None:
    assert told(environment="a-b", runners=[{"concurrent": 0.0}, {"concurrent": 1.5}], rotation={"days": 2}) == [
        "runners[0].concurrent = 0: must be at least 1, or the runner does not start. Fix: set runners[0].concurrent to 1",
        "runners[1].concurrent = 1.5: must be a whole number, or the runner does not start. "
        "Fix: set runners[1].concurrent to 10",
        "environment = 'a-b': must not hold a hyphen, or its tags and names would be those of a runner b in an environment "
        "a. Fix: set environment to ab",
        "rotation.overlapDays = 2: must be less than days 2, or keys would pile up. Fix: set rotation.overlapDays to 1",
    ]


def test_a_key_that_is_unknown_or_of_others_is_not_ignored() -> None:
    ignored = "it would be silently ignored"
    gitlab = {**GIVEN["gitlab"], "operationsProject": "acme/app", "urll": "x"}
    assert told(runnerPool={}, kubernets={}, gitlab=gitlab) == [
        f"gitlab.operationsProject: must not be given: it belongs to what this component does not own, or {ignored}. "
        "Fix: leave gitlab.operationsProject out",
        f"runnerPool: must not be given: it belongs to what this component does not own, or {ignored}. "
        "Fix: leave runnerPool out",
        f"gitlab.urll: is not a setting; did you mean url?, or {ignored}. Fix: leave gitlab.urll out",
        f"kubernets: is not a setting; did you mean kubernetes?, or {ignored}. Fix: leave kubernets out",
    ]


def test_a_credential_is_refused_and_not_shown() -> None:
    (line,) = told(gitlab={**GIVEN["gitlab"], "variables": {"SCW_SECRET_KEY": "1234"}})
    assert line.endswith("Fix: leave gitlab.variables.SCW_SECRET_KEY out, and revoke it, if it was one")
    assert "1234" not in line


def test_what_protections_need_is_asked_for_with_them_only() -> None:
    gitlab = {"project": "acme/app"}
    assert [line.partition(":")[0] for line in told(gitlab=gitlab)] == ["gitlab.branch", "gitlab.mailingListUserId"]
    assert settings_of("team", {**GIVEN, "gitlab": gitlab, "protections": False}, "dev").gitlab.projects == (
        "acme/app",
    )


def test_what_is_known_later_or_secret_is_no_setting() -> None:
    async def lines() -> list[str]:
        later = pulumi.Output.secret("deploy")
        return told(kubernetes=pulumi.Output.secret({}), runners=[{"name": later}], protections=later)

    assert [line.partition(",")[0] for line in asyncio.run(lines())] == [
        "runners[0].name: must be known before anything is made",
        "kubernetes: must be known before anything is made",
        "protections: must be known before anything is made",
    ]


def test_an_input_that_is_missing_is_named() -> None:
    with pytest.raises(InputPropertyError) as caught:
        host.provider().construct("team", TOKEN, {k: v for k, v in GIVEN.items() if k != "kubeconfig"})
    assert caught.value.reason == "Missing required input 'kubeconfig' on 'RunnerEnvironment'"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("pulumi config set --path a.b 5", "set a.b to 5"),
        ("pulumi config set --path 'a[0].b' 'x y'", "set a[0].b to x y"),
        ("pulumi config set-all --path --plaintext a.b=1 --plaintext 'a.c=x=y'", "set a.b to 1, a.c to x=y"),
        ("pulumi config rm --path a && pulumi config set --path a.b 5", "leave a out, then set a.b to 5"),
        ("pulumi config rm --path a   # and revoke it, if it was one", "leave a out, and revoke it, if it was one"),
        ("""pulumi config rm --path '["a && b"]'""", 'leave ["a && b"] out'),
        ("""pulumi config rm --path '["a   # b"]'   # and more""", 'leave ["a   # b"] out, and more'),
        ("write the value", "write the value"),
    ],
)
def test_a_command_for_stack_files_becomes_one_for_arguments(command: str, told: str) -> None:
    assert as_argument(command) == told
