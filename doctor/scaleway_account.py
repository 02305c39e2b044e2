"""Whether the Scaleway credentials in use are those of the account that the settings name. Pure.

The wording is that of `account_check`, which asks the same inside the engine; a test holds the two together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config_error import Problem, remove_command, set_command
from settings import Settings

_KEYS = "SCW_ACCESS_KEY, SCW_SECRET_KEY"


@dataclass(frozen=True, kw_only=True)
class Account:
    """The default project of the credentials, its organization as Scaleway answers it, and the one that is configured."""

    project_id: str
    organization_id: str
    configured_organization_id: str


def taken(settings: Settings) -> dict[str, str]:
    """The ids of the projects that exist before, by their names in the settings."""
    projects = {name: getattr(settings.projects, name) for name in type(settings.projects).model_fields}
    return {name: project.id for name, project in projects.items() if project is not None and project.id is not None}


def problems(settings: Settings, found: Account, organizations: Mapping[str, str | None]) -> Iterator[Problem]:
    """`organizations` has that of each project that is taken by id; None where the credentials may not see it."""
    wanted = settings.account.organization_id or found.organization_id
    if found.organization_id != wanted:
        yield Problem(
            key="account.organizationId",
            value=wanted,
            rule=f"must be the organization of the credentials, which is {found.organization_id}",
            consequence="another account is changed",
            fix=f"use credentials of that organization ({_KEYS}); where the setting is wrong: "
            + set_command("account.organizationId", found.organization_id),
        )
    elif found.configured_organization_id != wanted:
        told = found.configured_organization_id or "none"
        yield Problem(
            key="account.organizationId",
            value=wanted,
            rule=f"must be the default organization of the credentials, which is {told}",
            consequence="applications and policies cannot be made",
            fix=f"export SCW_DEFAULT_ORGANIZATION_ID={wanted}",
        )
    project_id = settings.account.project_id
    if project_id is not None and found.project_id != project_id:
        yield Problem(
            key="account.projectId",
            value=project_id,
            rule=f"must be the default project of the credentials, which is {found.project_id}",
            consequence="another account is changed",
            fix=f"export SCW_DEFAULT_PROJECT_ID={project_id} with its credentials; where the setting is wrong: "
            + set_command("account.projectId", found.project_id),
        )
    for name, taken_id in taken(settings).items():
        if organizations[taken_id] != wanted:
            key = f"projects.{name}"
            yield Problem(
                key=f"{key}.id",
                value=taken_id,
                rule=f"must be a project of the organization {wanted} that the credentials may see",
                consequence="nothing can be made in it",
                fix=f"{remove_command(f'{key}.id')} && "
                + set_command(f"{key}.name", f"{name}-{settings.environment}")
                + ", or set the id of one of its projects",
            )
