"""What another team's stack makes of the outputs (examples/consumer): typed values, or every problem at once."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import kapsule_devops_outputs as reader
import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

import outputs

STACK = "organization/kapsule-devops/dev"
PROJECT = {"project": "acme/app", "projectId": 7.0, "runnerId": "11", "release": "app-dev-runner"}
RUNNER = {
    "name": "deploy",
    "tag": "k8s-dev-runner",
    "protected": True,
    "namespace": "dev",
    "serviceAccount": "app-deployer",
    "runnerId": "11",
    "applicationId": "a",
    "apiKeySecret": "dev-api-key",
    "secretManagerId": None,
    "projects": [PROJECT],
}
SAMPLES = {str: "x", int: 7.0, Mapping: {"a": "b"}, tuple: [RUNNER]}  # on the wire every number is a float
HINTS = get_type_hints(reader.Environment)
TOLD: dict[str, Any] = {"contractVersion": 1.0} | {
    to_camel(name): SAMPLES[get_origin(kind) or kind] for name, kind in HINTS.items()
}


def refused(told: Mapping[str, Any]) -> str:
    with pytest.raises(reader.ContractError) as error:
        reader.environment_of(STACK, told)
    assert isinstance(error.value, pulumi.RunError), "or the user gets a traceback"
    return str(error.value)


def test_every_output_has_the_type_that_it_is_declared_with() -> None:
    found = reader.environment_of(STACK, TOLD | {"addedLater": {"a": 1}})
    assert found.gitlab_project_id == 7
    assert type(found.gitlab_project_id) is int
    assert found.runner_pool_selector == {"a": "b"}
    deploy = found.runner("deploy")
    assert (deploy.tag, deploy.protected, deploy.secret_manager_id) == ("k8s-dev-runner", True, None)
    assert deploy.projects == (
        reader.RunnerProject(project="acme/app", project_id=7, runner_id="11", release="app-dev-runner"),
    )


def test_a_runner_that_the_environment_lacks_is_told_with_those_that_it_has() -> None:
    with pytest.raises(
        pulumi.RunError, match="has no runner review: it must be one of deploy, or no job finds its tag"
    ):
        reader.environment_of(STACK, TOLD).runner("review")


def test_another_version_is_told_before_anything_else() -> None:
    newer = refused({**TOLD, "contractVersion": 2.0, "region": None})
    assert newer.startswith(
        f"stack {STACK} has contractVersion 2: it must be 1, which kapsule_devops_outputs.py reads, or"
    )
    assert "Fix: cp KAPSULE_DEVOPS/examples/consumer/kapsule_devops_outputs.py ." in newer
    assert "region" not in newer
    older = refused({**TOLD, "contractVersion": 0.0})
    assert f"Fix: pulumi up --stack {STACK}, in a kapsule-devops where it is 1" in older


@pytest.mark.parametrize(
    ("version", "kind"), [(None, "nothing"), (True, "true or false"), ("1", "text"), ([1], "a list"), (1.5, "a number")]
)
def test_what_is_no_version_is_none(version: Any, kind: str) -> None:
    told = refused({**TOLD, "contractVersion": version})
    assert told.startswith(f"stack {STACK} has contractVersion that is {kind}: it must be 1, which")


def test_no_value_is_in_a_message() -> None:
    """Another stack's output of the same name may be secret."""
    told = {**TOLD, "region": ["s3cret"], "gitlabProjectId": "s3cret", "runners": [{"name": {"s3cret": 1}}]}
    assert "s3cret" not in refused(told) + refused({**TOLD, "contractVersion": "s3cret"})


def test_a_stack_that_is_not_up_tells_nothing() -> None:
    assert refused(dict.fromkeys(TOLD)) == (
        f"stack {STACK} tells nothing: it must be an environment of kapsule-devops that is up, or there is nothing to build "
        f"on. Fix: pulumi up --stack {STACK}, in kapsule-devops, or name another stack"
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    runner = {**RUNNER, "tag": None, "protected": "yes", "projects": [PROJECT, {**PROJECT, "projectId": 1.5}]}
    told = {**TOLD, "region": None, "zone": 3, "runnerPoolSelector": {"a": 1}, "runners": [RUNNER, runner, "x"]}
    assert refused(told) == (
        f"7 values of stack {STACK} cannot be read, so nothing is built on it.\n\n"
        "  region is missing.\n"
        "  zone is a whole number: it must be text.\n"
        "  runnerPoolSelector.a is a whole number: it must be text.\n"
        "  runners[1].tag is missing.\n"
        "  runners[1].protected is text: it must be true or false.\n"
        "  runners[1].projects[1].projectId is a number: it must be a whole number.\n"
        "  runners[2] is text: it must be an object.\n"
        f"  Fix: pulumi up --stack {STACK}, in the kapsule-devops that this file is of\n"
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RUNNER, "x"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(TOLD)), ANYTHING, max_size=4))
def test_whatever_a_stack_tells_is_read_or_refused(replaced: dict[str, Any]) -> None:
    try:
        found = reader.environment_of(STACK, TOLD | replaced)
    except reader.ContractError:
        return
    assert isinstance(found.region, str)
    assert all(isinstance(each, reader.Runner) for each in found.runners)


# --- that it does not rot: outputs.py says what there is


def type_of(output: Any) -> Any:
    """The reader's type of what is exported as `Annotated[Input[X], meaning]`."""
    told = get_args(output)[0]
    if get_origin(told) is Sequence:
        return tuple[reader.Runner, ...]
    return get_args(told)[0]  # an Input[X] is X, or what becomes one


def test_each_field_is_an_output_with_the_same_type() -> None:
    assert outputs.CONTRACT_VERSION == reader.CONTRACT_VERSION
    exported = {each.name: each.type for each in dataclasses.fields(outputs.EnvironmentOutputs)}
    assert {name: type_of(kind) for name, kind in exported.items()} == HINTS


def test_each_field_of_a_runner_is_told() -> None:
    hint = {each.name: each.type for each in dataclasses.fields(outputs.EnvironmentOutputs)}["runners"]
    runner, _, projects = get_args(hint)[1].partition("projects (")
    told = re.findall(r"[A-Za-z]+", re.sub(r"\(.*?\)", "", runner.partition(": ")[2]))
    fields = {to_camel(each.name): each.type for each in dataclasses.fields(reader.Runner)}
    assert list(fields) == [*told, "projects"]
    assert {n for n, kind in fields.items() if NoneType in get_args(kind)} == {"applicationId", "secretManagerId"}
    assert [to_camel(each.name) for each in dataclasses.fields(reader.RunnerProject)] == re.findall(
        r"\w+Id|release|\bproject\b", projects.partition(": ")[2]
    )
