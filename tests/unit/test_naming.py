"""Names: the article's for the runner `deploy`, one for each thing, none too long."""

import re
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from components.naming import MAIN_RUNNER, EnvironmentNames, RegistrationNames, RunnerNames
from config_error import ConfigError
from sections.base import slug
from sections.gitlab import ProjectPath
from sections.jobs import RunnerSettings

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_RELEASE = 53  # Helm's limit

KINDS = ("jobs_namespace", "tag", "policy", "api_key_secret", "app_kubeconfig_secret", "app_account", "application")
KINDS_PER_PROJECT = ("release", "tokens_secret")
SCHEMA = RunnerSettings.model_json_schema()["properties"]["name"]


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern.replace("^", r"\A").replace("$", r"\Z"))


labels = matching(SCHEMA["pattern"]).filter(lambda text: len(text) <= SCHEMA["maxLength"])
environments = matching("^[a-z][a-z0-9]*$").filter(lambda text: len(text) <= 20)
paths = matching(get_args(ProjectPath)[1].metadata[0].pattern).filter(lambda text: text.isascii())
projects = st.one_of(st.none(), paths)
longest = "a" * 20


def runner_names(environment: str, purpose: str, project: str | None = None) -> dict[str, str]:
    names, own = RunnerNames(environment, purpose), RegistrationNames(environment, purpose, project)
    return {k: getattr(names, k) for k in KINDS} | {k: getattr(own, k) for k in KINDS_PER_PROJECT}


def test_the_runner_deploy_has_the_names_of_the_article() -> None:
    assert runner_names("dev", "deploy") == {
        "jobs_namespace": "dev",
        "tag": "k8s-dev-runner",
        "policy": "app-dev-runner-jobs",
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
        "policy": "app-prod-preview-runner-jobs",
        "release": "app-prod-preview-runner",
        "api_key_secret": "prod-preview-api-key",
        "tokens_secret": "prod-preview-runner-tokens",
        "app_kubeconfig_secret": "prod-preview-kapsule-config",
        "app_account": "gitlab-runner-prod-preview",
        "application": "gitlab-runner-prod-preview",
    }


def test_a_further_project_is_in_the_names_of_what_it_has_of_its_own() -> None:
    main, further = runner_names("dev", "preview"), runner_names("dev", "preview", "Acme/sub.group/My_App")
    assert {kind: name for kind, name in further.items() if name != main[kind]} == {
        "release": "app-dev-preview-runner--acme-sub-group-my-app",
        "tokens_secret": "dev-preview-runner-tokens--acme-sub-group-my-app",
    }


def test_a_name_that_is_too_long_ends_in_a_hash_of_the_whole() -> None:
    names = RegistrationNames("dev", "deploy", "acme/a-long-group/a-longer-project-of-it")
    assert names.release == "app-dev-runner--acme-a-long-group-a-longer-p-93f59acc"
    assert names.tokens_secret == "dev-runner-tokens--acme-a-long-group-a-longer-project-of-it"


def test_an_environment_has_the_names_of_the_article() -> None:
    names = EnvironmentNames("dev")
    assert names.manager_namespace == "dev-runners"
    assert names.taint.key == "gitlab-runner-jobs-dev-reserved"
    assert names.taint.text == "gitlab-runner-jobs-dev-reserved=true:NoSchedule"
    assert names.pool_label == ("gitlab-runner-jobs", "dev")


def test_every_kind_of_name_is_tested() -> None:
    made = {name for name in vars(RunnerNames) if isinstance(vars(RunnerNames)[name], property)}
    assert made - {"_stem"} == set(KINDS)
    assert {each.name for each in fields(RunnerNames)} == {"environment", "purpose", "chosen_tag"}
    made = {name for name in vars(RegistrationNames) if isinstance(vars(RegistrationNames)[name], property)}
    assert made - {"_stem"} == set(KINDS_PER_PROJECT)


@given(one=st.tuples(environments, labels, projects), other=st.tuples(environments, labels, projects))
@example(one=("dev", "deploy", None), other=("dev", "x", None))
@example(one=("dev", "a-b", None), other=("dev", "a", None))
@example(one=("dev", "api-key", None), other=("dev", "runner", None))
@example(one=("dev", "runner-tokens", None), other=("dev", "deploy", None))
@example(one=("dev", "deploy", "acme/app"), other=("dev", "acme-app", None))
@example(one=("dev", "deploy", "acme/runner"), other=("dev", "runner-acme", None))
@example(one=("dev", "deploy", "a/" + "b" * 60), other=("dev", "deploy", "a/" + "b" * 61))
@example(one=("dev", longest, "a/b"), other=("dev", longest, "a/c"))
def test_two_runners_share_no_name(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> None:
    """Of any environments, and of one runner those of two projects, which settings take when their slugs differ."""
    assume([*one[:2], one[2] and slug(one[2])] != [*other[:2], other[2] and slug(other[2])])
    first, second = runner_names(*one), runner_names(*other)
    for kind in KINDS_PER_PROJECT:
        assert first[kind] != second[kind]
    if one[:2] != other[:2]:
        for kind in KINDS:
            assert first[kind] != second[kind]
        # A key and a token are secrets of two namespaces, but a mistake in one must not meet the other.
        assert first["api_key_secret"] != second["tokens_secret"]


@given(path=paths)
@example(path="_/_")
@example(path="./.")
def test_a_project_is_a_label_in_names(path: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(path))


@given(environment=environments, other=environments)
def test_two_environments_share_no_namespace_of_jobs_taint_or_label(environment: str, other: str) -> None:
    assume(environment != other)
    assert RunnerNames(environment, MAIN_RUNNER).jobs_namespace != RunnerNames(other, MAIN_RUNNER).jobs_namespace
    first, second = EnvironmentNames(environment), EnvironmentNames(other)
    assert first.manager_namespace != second.manager_namespace
    assert first.taint.key != second.taint.key
    assert first.pool_label != second.pool_label


def taken(parse: Any, environment: str, purpose: str) -> bool:
    """Whether settings allow this environment and this runner's name."""
    try:
        parse({"environment": environment, "runners": [{"name": purpose}]})
    except ConfigError:
        return False
    return True


@given(environment=environments, purpose=labels)
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
        ("default", "deploy", "default"),
    ],
)
def test_names_that_would_share_a_namespace_are_not_taken(
    parse: Any, environment: str, purpose: str, namespace: str
) -> None:
    assert RunnerNames(environment, purpose).jobs_namespace == namespace
    assert not taken(parse, environment, purpose)


@given(environment=environments, purpose=labels, project=projects)
@example(environment=longest, purpose=longest, project=None)
@example(environment=longest, purpose=longest, project="a/" + "b" * 100)
@example(environment="dev", purpose="deploy", project="_/_")
def test_every_name_of_a_runner_is_a_dns_label(environment: str, purpose: str, project: str | None) -> None:
    names = runner_names(environment, purpose, project)
    for kind, name in names.items():
        assert LABEL.fullmatch(name), kind
    assert len(names["release"]) <= LONGEST_RELEASE


@given(environment=environments)
@example(environment=longest)
def test_every_name_of_an_environment_is_a_dns_label(environment: str) -> None:
    names = EnvironmentNames(environment)
    for name in (names.manager_namespace, names.taint.key, *names.pool_label):
        assert LABEL.fullmatch(name)


@pytest.mark.parametrize("label", ["", "-a", "a-", "A", "a" * 64])
def test_the_pattern_of_a_label_is_not_idle(label: str) -> None:
    assert not LABEL.fullmatch(label)
