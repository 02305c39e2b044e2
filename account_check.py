"""Whose credentials are these? Asked of Scaleway before any resource is declared, so that a wrong account is not changed.

Owns the questions, and what is refused. Does not own how a problem is worded (`config_error.py`), nor what the credentials
may do: Scaleway says so when they do it.

The organization is what the API answers of the credentials' default project: a key sees only its own organization. What the
environment says of it (SCW_DEFAULT_ORGANIZATION_ID) decides where applications and policies are made, so it must agree, and
proves nothing. Nothing is asked where `account` is empty. Commands that do not run the program, such as `pulumi refresh`,
ask nothing either.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway

from config_error import ConfigError, Problem, remove_command, set_command
from settings import Settings

_KEYS = "SCW_ACCESS_KEY, SCW_SECRET_KEY"


class AccountError(pulumi.RunError):
    """Scaleway does not say whose the credentials are. The engine prints one line without a traceback."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}; nothing was created or changed. Fix: {fix}\n")


class _RefusedError(Exception):
    """What the provider said instead of an answer, on one line."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The default project and its organization as the API answers them; `configured` is what the environment says."""

    project_id: str
    organization_id: str
    configured_organization_id: str


def check(settings: Settings) -> None:
    """Raises ConfigError where the account is another than the settings name, AccountError where it cannot be told."""
    account = settings.account
    if account.organization_id is None and account.project_id is None:
        return
    credentials = _credentials()
    organizations = {project_id: _organization_of(project_id) for project_id in _taken(settings).values()}
    if found := list(problems(settings, credentials, organizations)):
        raise ConfigError(found, pulumi.get_stack(), verdict="not met by the credentials in use")


def problems(
    settings: Settings, credentials: Credentials, organizations: Mapping[str, str | None]
) -> Iterator[Problem]:
    """What the settings ask for and the account is not. Pure.

    `organizations` has that of each project that is taken by id; None where the credentials may not see it.
    """
    account = settings.account
    wanted = account.organization_id or credentials.organization_id
    if credentials.organization_id != wanted:
        yield Problem(
            key="account.organizationId",
            value=wanted,
            rule=f"must be the organization of the credentials, which is {credentials.organization_id}",
            consequence="another account is changed",
            fix=f"use credentials of that organization ({_KEYS}); where the setting is wrong: "
            + set_command("account.organizationId", credentials.organization_id),
        )
    elif credentials.configured_organization_id != wanted:
        told = credentials.configured_organization_id or "none"
        yield Problem(
            key="account.organizationId",
            value=wanted,
            rule=f"must be the default organization of the credentials, which is {told}",
            consequence="applications and policies cannot be made",
            fix=f"export SCW_DEFAULT_ORGANIZATION_ID={wanted}",
        )
    if account.project_id is not None and credentials.project_id != account.project_id:
        yield Problem(
            key="account.projectId",
            value=account.project_id,
            rule=f"must be the default project of the credentials, which is {credentials.project_id}",
            consequence="another account is changed",
            fix=f"export SCW_DEFAULT_PROJECT_ID={account.project_id} with its credentials; where the setting is wrong: "
            + set_command("account.projectId", credentials.project_id),
        )
    for name, project_id in _taken(settings).items():
        if organizations[project_id] != wanted:
            key = f"projects.{name}"
            yield Problem(
                key=f"{key}.id",
                value=project_id,
                rule=f"must be a project of the organization {wanted} that the credentials may see",
                consequence="nothing can be made in it",
                fix=f"{remove_command(f'{key}.id')} && "
                + set_command(f"{key}.name", f"{name}-{settings.environment}")
                + ", or set the id of one of its projects",
            )


def _taken(settings: Settings) -> dict[str, str]:
    """The ids of the projects that exist before, by their names in the settings."""
    projects = {name: getattr(settings.projects, name) for name in type(settings.projects).model_fields}
    return {name: project.id for name, project in projects.items() if project is not None and project.id is not None}


def _credentials() -> Credentials:
    try:
        config = scaleway.get_config()
    except Exception as error:  # the SDK raises nothing narrower
        raise AccountError(f"the Scaleway credentials in use are not well-formed: {_said(error)}", _use()) from None
    if not config.access_key or not config.secret_key:
        raise AccountError("there are no Scaleway credentials", _use())
    if not config.project_id:
        raise AccountError("the Scaleway credentials in use have no default project", "export SCW_DEFAULT_PROJECT_ID=…")
    try:
        organization_id = _ask(config.project_id)
    except _RefusedError as error:
        raise AccountError(f"Scaleway does not say whose the credentials in use are: {error}", _use()) from None
    if organization_id is None:
        raise AccountError(
            f"the default project of the Scaleway credentials in use, {config.project_id}, is not one that they may see",
            f"export SCW_DEFAULT_PROJECT_ID=… of the same organization as {_KEYS}",
        )
    return Credentials(
        project_id=config.project_id,
        organization_id=organization_id,
        configured_organization_id=config.organization_id,
    )


def _organization_of(project_id: str) -> str | None:
    """None where the credentials may not see the project, which is all that Scaleway tells of another's."""
    try:
        return _ask(project_id)
    except _RefusedError as error:
        if "insufficient permissions" in str(error):
            return None
        raise AccountError(f"Scaleway does not say whose the project {project_id} is: {error}", "try again") from None


def _ask(project_id: str) -> str | None:
    """The organization of a project; None where there is no such project."""
    try:
        return scaleway.account.get_project(project_id=project_id).organization_id or None
    except Exception as error:  # the SDK raises nothing narrower
        raise _RefusedError(_said(error)) from None


def _said(error: Exception) -> str:
    """What the provider said, without the names of those who passed it on."""
    text = re.split(r"error occurred:\s*\*", str(error))[-1]
    return " ".join(text.split()).removeprefix("scaleway-sdk-go: ")


def _use() -> str:
    return (
        "export SCW_ACCESS_KEY=… SCW_SECRET_KEY=… SCW_DEFAULT_ORGANIZATION_ID=… SCW_DEFAULT_PROJECT_ID=…, or scw init"
    )
