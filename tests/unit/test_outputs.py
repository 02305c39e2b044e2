"""The contract that other teams read: which names, what they mean, and that no key is among them."""

import re
from dataclasses import FrozenInstanceError, fields
from typing import Annotated, Any, get_args, get_origin

import pulumi
import pytest

import outputs
from outputs import EnvironmentOutputs

NAMES = {
    "environment": "environment",
    "region": "region",
    "zone": "zone",
    "devops_project_id": "devopsProjectId",
    "target_project_id": "targetProjectId",
    "credentials_project_id": "credentialsProjectId",
    "private_network_id": "privateNetworkId",
    "cluster_mode": "clusterMode",
    "cluster_id": "clusterId",
    "cluster_name": "clusterName",
    "cluster_version": "clusterVersion",
    "api_server_url": "apiServerUrl",
    "runner_pool_id": "runnerPoolId",
    "runner_pool_taint": "runnerPoolTaint",
    "runner_pool_selector": "runnerPoolSelector",
    "namespace": "namespace",
    "service_account": "serviceAccount",
    "gitlab_project_id": "gitlabProjectId",
    "branch": "branch",
    "runners": "runners",
}


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", lambda name, value: found.update({name: value}))
    values: Any = {name: f"<{name}>" for name in NAMES}
    outputs.export(EnvironmentOutputs(**values))
    return found


def test_every_field_is_exported_in_camel_case_with_the_contracts_version(exported: dict[str, Any]) -> None:
    """One that goes, or gets another name, breaks the stacks that read it: then CONTRACT_VERSION counts up."""
    assert exported == {"contractVersion": 1} | {camel: f"<{name}>" for name, camel in NAMES.items()}


def meanings() -> dict[str, Any]:
    hints: dict[str, Any] = {each.name: each.type for each in fields(EnvironmentOutputs)}
    return {name: get_args(hint)[1] if get_origin(hint) is Annotated else None for name, hint in hints.items()}


def test_each_output_has_a_meaning() -> None:
    assert set(meanings()) == set(NAMES)
    for name, meaning in meanings().items():
        assert isinstance(meaning, str), name
        assert meaning.endswith("."), name


def test_each_output_says_how_long_it_stays_the_same() -> None:
    """What is named after the environment alone cannot change; an id can, with what it is the id of."""
    stays = {each.name: get_args(each.type)[2] for each in fields(EnvironmentOutputs)}
    assert set(stays.values()) == {outputs.FIXED, outputs.SETTING, outputs.RESOURCE}
    ids = {name for name in stays if name.endswith("_id") and name != "gitlab_project_id"}
    assert ids <= {name for name, until in stays.items() if until == outputs.RESOURCE}
    assert {stays[name] for name in ("environment", "runner_pool_taint", "runner_pool_selector")} == {outputs.FIXED}


def test_no_output_is_a_key_or_a_token(exported: dict[str, Any]) -> None:
    secret = re.compile(r"key|token|password|credential|secret|kubeconfig", re.I)
    assert [name for name in exported if secret.search(name)] == ["credentialsProjectId"]  # the id of a project


def test_what_a_runner_tells_names_secrets_and_holds_none() -> None:
    listed, _, projects = meanings()["runners"].partition(": ")[2].partition("projects (")
    names = re.findall(r"[A-Za-z]+", re.sub(r"\(.*?\)", "", listed))
    assert re.findall(r"\w+Id|release|\bproject\b", projects.partition(": ")[2]) == [
        "project",
        "projectId",
        "runnerId",
        "release",
    ]
    assert names == [
        "name",
        "tag",
        "protected",
        "namespace",
        "serviceAccount",
        "runnerId",
        "applicationId",
        "apiKeySecret",
        "secretManagerId",
    ]


def test_every_output_must_be_given_and_stays() -> None:
    with pytest.raises(TypeError, match="missing 20 required keyword-only arguments"):
        EnvironmentOutputs()  # type: ignore[call-arg] # that it is refused is the test
    values: Any = {each.name: "x" for each in fields(EnvironmentOutputs)}
    with pytest.raises(FrozenInstanceError):
        EnvironmentOutputs(**values).branch = "y"  # type: ignore[misc] # that it is refused is the test
