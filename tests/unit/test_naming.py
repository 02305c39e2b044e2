"""Names: the article's for the runner `deploy`, one for each thing, none too long."""

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from components.naming import MAIN_RUNNER, EnvironmentNames, RunnerNames
from config_error import ConfigError
from sections.base import DNS_LABEL

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_RELEASE = 53  # Helm's limit

KINDS = (
    "jobs_namespace",
    "tag",
    "release",
    "api_key_secret",
    "tokens_secret",
    "app_kubeconfig_secret",
    "app_account",
    "application",
)
labels = st.from_regex(DNS_LABEL.replace("^", r"\A").replace("$", r"\Z")).filter(lambda text: len(text) <= 20)
longest = "a" * 20


def runner_names(environment: str, purpose: str) -> dict[str, str]:
    names = RunnerNames(environment, purpose)
    return {kind: getattr(names, kind) for kind in KINDS}


def test_the_runner_deploy_has_the_names_of_the_article() -> None:
    assert runner_names("dev", "deploy") == {
        "jobs_namespace": "dev",
        "tag": "k8s-dev-runner",
        "release": "app-dev-runner",
        "api_key_secret": "dev-api-key",
        "tokens_secret": "dev-runner-tokens",
        "app_kubeconfig_secret": "dev-kapsule-config",
        "app_account": "gitlab-runner-dev",
        "application": "gitlab-runner-dev",
    }


def test_another_runner_has_its_purpose_in_its_names() -> None:
    assert runner_names("prod", "preview") == {
        "jobs_namespace": "prod-preview",
        "tag": "k8s-prod-preview-runner",
        "release": "app-prod-preview-runner",
        "api_key_secret": "prod-preview-api-key",
        "tokens_secret": "prod-preview-runner-tokens",
        "app_kubeconfig_secret": "prod-preview-kapsule-config",
        "app_account": "gitlab-runner-prod-preview",
        "application": "gitlab-runner-prod-preview",
    }


def test_an_environment_has_the_names_of_the_article() -> None:
    names = EnvironmentNames("dev")
    assert names.manager_namespace == "dev-runners"
    assert names.taint_key == "gitlab-runner-jobs-dev-reserved"
    assert names.pool_label == ("gitlab-runner-jobs", "dev")


def test_every_kind_of_name_is_tested() -> None:
    made = {name for name in vars(RunnerNames) if isinstance(vars(RunnerNames)[name], property)}
    assert made - {"_stem"} == set(KINDS)
    assert {each.name for each in fields(RunnerNames)} == {"environment", "purpose"}


@given(environment=labels, one=labels, other=labels)
@example(environment="dev", one="deploy", other="x")
@example(environment="dev", one="a-b", other="a")
@example(environment="a-b", one="c", other="b-c")
@example(environment="dev", one="api-key", other="runner")
@example(environment="dev", one="runner-tokens", other="deploy")
def test_two_runners_of_an_environment_share_no_name(environment: str, one: str, other: str) -> None:
    assume(one != other)
    first, second = runner_names(environment, one), runner_names(environment, other)
    for kind in KINDS:
        assert first[kind] != second[kind]
    # A key and a token are secrets of two namespaces, but a mistake in one must not meet the other.
    assert first["api_key_secret"] != second["tokens_secret"]


@given(environment=labels, other=labels)
@example(environment="dev", other="dev-runners")
def test_two_environments_share_no_namespace_of_jobs_taint_or_label(environment: str, other: str) -> None:
    assume(environment != other)
    assert RunnerNames(environment, MAIN_RUNNER).jobs_namespace != RunnerNames(other, MAIN_RUNNER).jobs_namespace
    first, second = EnvironmentNames(environment), EnvironmentNames(other)
    assert first.manager_namespace != second.manager_namespace
    assert first.taint_key != second.taint_key
    assert first.pool_label != second.pool_label


def taken(parse: Any, environment: str, purpose: str) -> bool:
    """Whether settings allow this environment and this runner's name."""
    try:
        parse({"environment": environment, "runners": [{"name": purpose}]})
    except ConfigError:
        return False
    return True


@given(environment=labels, purpose=labels)
@example(environment="runners", purpose="deploy")
@example(environment="dev", purpose="runner")
@example(environment="dev", purpose="runners-runners")
@example(environment="kubernetes", purpose="system")
@example(environment=longest, purpose=longest)
def test_no_jobs_are_where_managers_or_kubernetes_are(parse: Any, environment: str, purpose: str) -> None:
    assume(taken(parse, environment, purpose))
    jobs = RunnerNames(environment, purpose).jobs_namespace
    assert jobs != EnvironmentNames(environment).manager_namespace
    assert jobs != "default"
    assert not jobs.startswith("kube-")


@pytest.mark.parametrize(
    ("environment", "purpose", "namespace"),
    [
        ("dev", "runners", "dev-runners"),
        ("kube", "system", "kube-system"),
        ("kube-system", "deploy", "kube-system"),
        ("default", "deploy", "default"),
    ],
)
def test_names_that_would_share_a_namespace_are_not_taken(
    parse: Any, environment: str, purpose: str, namespace: str
) -> None:
    assert RunnerNames(environment, purpose).jobs_namespace == namespace
    assert not taken(parse, environment, purpose)


@given(environment=labels, purpose=labels)
@example(environment=longest, purpose=longest)
def test_every_name_of_a_runner_is_a_dns_label(environment: str, purpose: str) -> None:
    names = runner_names(environment, purpose)
    for kind, name in names.items():
        assert LABEL.fullmatch(name), kind
    assert len(names["release"]) <= LONGEST_RELEASE


@given(environment=labels)
@example(environment=longest)
def test_every_name_of_an_environment_is_a_dns_label(environment: str) -> None:
    names = EnvironmentNames(environment)
    for name in (names.manager_namespace, names.taint_key, *names.pool_label):
        assert LABEL.fullmatch(name)


@pytest.mark.parametrize("label", ["", "-a", "a-", "A", "a" * 64])
def test_the_pattern_of_a_label_is_not_idle(label: str) -> None:
    assert not LABEL.fullmatch(label)
