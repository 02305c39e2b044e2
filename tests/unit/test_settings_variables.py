"""Which CI variables settings may hold: none of the program's own, and no credential; the exact words."""

from collections.abc import Callable
from typing import Any

import pytest

import setting_rules

Problems = Callable[..., list[str]]


OWN = [
    "AWS_SHARED_CREDENTIALS_FILE",
    "GITLAB_USER_MAILINGLIST_ID",
    "KAPSULE_DEVOPS_TASK",
    "KUBE_NAMESPACE",
    "PRIVATE_TOKEN",
    "PULUMI_BACKEND_URL",
    "PULUMI_STACK",
    "SCW_DEFAULT_REGION",
    "SCW_DEFAULT_ZONE",
]


@pytest.mark.parametrize("name", OWN)
def test_a_variable_of_the_program_is_not_set_twice(problems: Problems, name: str) -> None:
    assert problems({"gitlab.variables": {name: "x"}}) == [
        f"gitlab.variables.{name} (Pulumi.dev.yaml): must not be set here: the program sets it, or two values would "
        f"compete. Fix: pulumi config rm --path gitlab.variables.{name}"
    ]


def test_the_list_of_the_programs_variables_is_whole() -> None:
    assert list(setting_rules.OWN_VARIABLES) == OWN


CREDENTIAL = (
    "gitlab.variables.{name} (Pulumi.dev.yaml): must not be, or hold, a credential, or it leaks, never expires and is used "
    "outside the cloud's control. Fix: pulumi config rm --path gitlab.variables.{name}   # and revoke it, if it was one"
)


@pytest.mark.parametrize(
    "name",
    [
        "SCW_ACCESS_KEY",
        "SCW_SECRET_KEY",
        "TF_VAR_secret_key",
        "AWS_SECRET_ACCESS_KEY",
        "SCALEWAY_API_KEY",
        "APIKEY",
        "AWS_SESSION_TOKEN",
        "KUBECONFIG",
        "DEV_KUBECONFIG_B64",
        "GOOGLE_CREDENTIALS",
    ],
)
def test_a_variable_named_like_a_credential_is_refused(problems: Problems, name: str) -> None:
    assert problems({"gitlab.variables": {name: "hunter2"}}) == [CREDENTIAL.format(name=name)]


@pytest.mark.parametrize(
    "value",
    [
        "SCWABCDEFGHIJKLMNOPQ",
        "key is SCWABCDEFGHIJKLMNOPQ.",
        "AKIAIOSFODNN7EXAMPLE",
        "access: x\nsecret_key: 11111111-2222-3333-4444-555555555555",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_value_that_looks_like_a_credential_is_refused_and_not_shown(problems: Problems, value: str) -> None:
    told_once = problems({"gitlab.variables": {"INNOCENT": value}})
    assert told_once == [CREDENTIAL.format(name="INNOCENT")]
    assert value not in told_once[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("APP_NAME", "app"), ("SCW_DEFAULT_PROJECT_ID", "11111111-2222-3333-4444-555555555555"), ("KEY", "SCWSHORT")],
)
def test_other_variables_are_taken(parse: Any, name: str, value: str) -> None:
    assert parse({"gitlab.variables": {name: value}}).gitlab.variables == {name: value}
