"""Whose credentials these are: what is asked, what is refused, and the exact words."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumiverse_scaleway
import pytest

from account_check import AccountError, check
from account_rules import Credentials, problems
from config_error import ConfigError

ACCOUNT = "00000000-0000-4000-8000-000000000001"  # the stack files'
OTHER = "11111111-2222-3333-4444-555555555555"
PROJECT = "22222222-3333-4444-8555-666666666666"
TAKEN = {"projects.target": {"id": PROJECT}}
OWN = Credentials(project_id=ACCOUNT, organization_id=ACCOUNT, configured_organization_id=ACCOUNT)


def texts(settings: Any, credentials: Credentials, organizations: dict[str, str | None] | None = None) -> list[str]:
    found = problems(settings, credentials, organizations or {})
    return [problem.text("Pulumi.dev.yaml").strip().replace(".\n    Fix: ", ". Fix: ") for problem in found]


def changed(**fields: str) -> Credentials:
    return Credentials(**{**vars(OWN), **fields})


def test_the_right_account_is_taken(parse: Any) -> None:
    assert texts(parse(), OWN) == []
    assert texts(parse(TAKEN), OWN, {PROJECT: ACCOUNT}) == []


def test_another_organization_is_refused(parse: Any) -> None:
    assert texts(parse(), changed(organization_id=OTHER)) == [
        f"account.organizationId = '{ACCOUNT}' (Pulumi.dev.yaml): must be the organization of the credentials, which is "
        f"{OTHER}, or another account is changed. Fix: use credentials of that organization (SCW_ACCESS_KEY, "
        f"SCW_SECRET_KEY); where the setting is wrong: pulumi config set --path account.organizationId {OTHER}"
    ]


@pytest.mark.parametrize("told", [OTHER, ""])
def test_another_default_organization_is_refused(parse: Any, told: str) -> None:
    assert texts(parse(), changed(configured_organization_id=told)) == [
        f"account.organizationId = '{ACCOUNT}' (Pulumi.dev.yaml): must be the default organization of the credentials, "
        f"which is {told or 'none'}, or applications and policies cannot be made. "
        f"Fix: export SCW_DEFAULT_ORGANIZATION_ID={ACCOUNT}"
    ]


def test_another_default_project_is_refused(parse: Any) -> None:
    assert texts(parse(), changed(project_id=PROJECT)) == [
        f"account.projectId = '{ACCOUNT}' (Pulumi.dev.yaml): must be the default project of the credentials, which is "
        f"{PROJECT}, or another account is changed. Fix: export SCW_DEFAULT_PROJECT_ID={ACCOUNT} with its credentials; "
        f"where the setting is wrong: pulumi config set --path account.projectId {PROJECT}"
    ]


@pytest.mark.parametrize("organization", [OTHER, None])
def test_a_project_of_another_organization_is_refused(parse: Any, organization: str | None) -> None:
    assert texts(parse(TAKEN), OWN, {PROJECT: organization}) == [
        f"projects.target.id = '{PROJECT}' (Pulumi.dev.yaml): must be a project of the organization {ACCOUNT} that the "
        "credentials may see, or nothing can be made in it. Fix: pulumi config rm --path projects.target.id && "
        "pulumi config set --path projects.target.name target-dev, or set the id of one of its projects"
    ]


def test_where_one_of_the_two_is_set_the_other_may_be_any(parse: Any) -> None:
    assert texts(parse({"account": {"organizationId": ACCOUNT}}), changed(project_id=PROJECT)) == []
    elsewhere = changed(organization_id=OTHER, configured_organization_id=OTHER)
    by_project = parse({"account": {"projectId": ACCOUNT}} | TAKEN)
    assert texts(by_project, elsewhere, {PROJECT: OTHER}) == []
    assert len(texts(by_project, elsewhere, {PROJECT: ACCOUNT})) == 1, "all projects are of one organization"


def test_all_is_told_at_once(parse: Any) -> None:
    wrong = changed(organization_id=OTHER, project_id=PROJECT)
    keys = [text.partition(" ")[0] for text in texts(parse(TAKEN), wrong, {PROJECT: OTHER})]
    assert keys == ["account.organizationId", "account.projectId", "projects.target.id"]


# What the provider answers, and how that is told.


@pytest.fixture
def scaleway(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`scaleway(config={…}, projects={id: organization or text of an error})`; returns the list of what is asked."""

    def play(config: dict[str, str] | str | None = None, projects: dict[str, Any] | None = None) -> list[str]:
        asked: list[str] = []
        full = {"access_key": "SCW", "secret_key": "s", "project_id": ACCOUNT, "organization_id": ACCOUNT}

        def get_config() -> Any:
            asked.append("config")
            if isinstance(config, str):
                raise Exception(config)
            return SimpleNamespace(**full | (config or {}))

        def get_project(project_id: str) -> Any:
            asked.append(project_id)
            answer = ({ACCOUNT: ACCOUNT} | (projects or {})).get(project_id)
            if answer is not None and " " in answer:
                raise Exception(answer)
            return SimpleNamespace(organization_id=answer)

        monkeypatch.setattr(pulumiverse_scaleway, "get_config", get_config)
        monkeypatch.setattr(pulumiverse_scaleway.account, "get_project", get_project)
        monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
        return asked

    return play


def said(reason: str) -> str:
    return f"invoke of x:y/z:z failed: invocation of x:y/z:z returned an error: 1 error occurred:\n\t* {reason}\n\n"


def test_nothing_is_asked_where_any_account_is_right(parse: Any, scaleway: Any) -> None:
    asked = scaleway()
    check(parse({"account": {}}))
    assert asked == []


def test_each_project_is_asked_for(parse: Any, scaleway: Any) -> None:
    asked = scaleway(projects={PROJECT: ACCOUNT})
    check(parse(TAKEN))
    assert asked == ["config", ACCOUNT, PROJECT]


def test_what_is_not_met_is_an_error_of_the_settings(parse: Any, scaleway: Any) -> None:
    scaleway(projects={ACCOUNT: OTHER, PROJECT: said("scaleway-sdk-go: insufficient permissions: read project")})
    with pytest.raises(ConfigError) as caught:
        check(parse(TAKEN))
    assert str(caught.value).startswith(
        "2 settings are not met by the credentials in use; nothing was created or changed.\n\n  account.organizationId = "
    )
    assert [problem.key for problem in caught.value.problems] == ["account.organizationId", "projects.target.id"]


USE = "export SCW_ACCESS_KEY=… SCW_SECRET_KEY=… SCW_DEFAULT_ORGANIZATION_ID=… SCW_DEFAULT_PROJECT_ID=…, or scw init"


@pytest.mark.parametrize(
    ("config", "projects", "reason", "fix"),
    [
        (
            said("scaleway-sdk-go: invalid secret key format 'x', expected a UUID"),
            {},
            "the Scaleway credentials in use are not well-formed: invalid secret key format 'x', expected a UUID",
            USE,
        ),
        ({"access_key": ""}, {}, "there are no Scaleway credentials", USE),
        ({"secret_key": ""}, {}, "there are no Scaleway credentials", USE),
        (
            {"project_id": ""},
            {},
            "the Scaleway credentials in use have no default project",
            "export SCW_DEFAULT_PROJECT_ID=…",
        ),
        (
            {},
            {ACCOUNT: said("scaleway-sdk-go: denied authentication: API key does not exist")},
            "Scaleway does not say whose the credentials in use are: denied authentication: API key does not exist",
            USE,
        ),
        (
            {"project_id": OTHER},
            {},
            f"the default project of the Scaleway credentials in use, {OTHER}, is not one that they may see",
            "export SCW_DEFAULT_PROJECT_ID=… of the same organization as SCW_ACCESS_KEY, SCW_SECRET_KEY",
        ),
        (
            {},
            {PROJECT: said("scaleway-sdk-go: connection refused")},
            f"Scaleway does not say whose the project {PROJECT} is: connection refused",
            "try again",
        ),
    ],
)
def test_credentials_that_cannot_be_told_are_one_line(
    parse: Any, scaleway: Any, config: Any, projects: dict[str, str], reason: str, fix: str
) -> None:
    scaleway(config, projects)
    with pytest.raises(AccountError) as caught:
        check(parse(TAKEN))
    assert isinstance(caught.value, pulumi.RunError), "the engine shows no traceback of one"
    assert str(caught.value) == f"{reason}; nothing was created or changed. Fix: {fix}\n"
