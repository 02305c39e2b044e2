"""Whose credentials are these? Asked of Scaleway before any resource is declared, so that a wrong account is not changed.

Owns the questions. Does not own what is refused (`account_rules.py`), nor what the credentials may do: Scaleway says so when
they do it.

The organization is what the API answers of the credentials' default project: a key sees only its own organization. What the
environment says of it (SCW_DEFAULT_ORGANIZATION_ID) decides where applications and policies are made, so it must agree, and
proves nothing. Nothing is asked where `account` is empty. Commands that do not run the program, such as `pulumi refresh`,
ask nothing either.
"""

import re

import pulumi
import pulumiverse_scaleway as scaleway

from account_rules import KEYS, Credentials, problems, taken
from config_error import ConfigError
from settings import Settings


class AccountError(pulumi.RunError):
    """Scaleway does not say whose the credentials are. The engine prints one line without a traceback."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}; nothing was created or changed. Fix: {fix}\n")


class _RefusedError(Exception):
    """What the provider said instead of an answer, on one line."""


def check(settings: Settings) -> None:
    """Raises ConfigError where the account is another than the settings name, AccountError where it cannot be told."""
    account = settings.account
    if account.organization_id is None and account.project_id is None:
        return
    credentials = _credentials()
    organizations = {project_id: _organization_of(project_id) for project_id in taken(settings).values()}
    if found := list(problems(settings, credentials, organizations)):
        raise ConfigError(found, pulumi.get_stack(), verdict="not met by the credentials in use")


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
            f"export SCW_DEFAULT_PROJECT_ID=… of the same organization as {KEYS}",
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
