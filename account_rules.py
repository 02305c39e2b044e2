"""Whether the Scaleway credentials in use are those of the account that the settings name. Pure.

Owns what is refused, for the program (`account_check.py`) and for who asks beforehand (`doctor`). Does not own how a
problem is worded (`config_error.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config_error import Problem, remove_command, set_command
from settings import Settings

KEYS = "SCW_ACCESS_KEY, SCW_SECRET_KEY"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The default project and its organization as the API answers them; `configured` is what the environment says."""

    project_id: str
    organization_id: str
    configured_organization_id: str


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
            fix=f"use credentials of that organization ({KEYS}); where the setting is wrong: "
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
    for name, project_id in taken(settings).items():
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


def taken(settings: Settings) -> dict[str, str]:
    """The ids of the projects that exist before, by their names in the settings."""
    projects = {name: getattr(settings.projects, name) for name in type(settings.projects).model_fields}
    return {name: project.id for name, project in projects.items() if project is not None and project.id is not None}
