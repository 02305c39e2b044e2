"""Whether a key may do what the program does, by the permission sets of its bearer's policies. Pure.

Owns which sets are needed where, and which others cover one. What cannot be told is unknown, not wrong: a condition, or a
project that is still to be made.
Source: Scaleway, "Permission sets": IAMManager includes all ProjectManager permissions; OrganizationManager is all of
Projects and IAM, without resources. AllProductsFullAccess is all resources of a project.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from doctor.verdicts import Check, ok, unknown, wrong

ORGANIZATION_SETS: Final = ("ProjectManager", "IAMManager")
# By the project's name in the settings.
PROJECT_SETS: Final = {
    "devops": ("KubernetesFullAccess", "VPCFullAccess", "PrivateNetworksFullAccess"),
    "credentials": ("SecretManagerFullAccess",),
}
_COVERED_BY: Final = {
    "ProjectManager": frozenset({"IAMManager", "OrganizationManager"}),
    "IAMManager": frozenset({"OrganizationManager"}),
}
_ALL_PRODUCTS: Final = frozenset({"AllProductsFullAccess"})


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A rule of a policy. `projects` None is the whole organization, with projects to come."""

    sets: frozenset[str]
    projects: frozenset[str] | None = None
    condition: str = ""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project of the settings: `key` there, what it is called, and its id; None where it is still to be made."""

    key: str
    label: str
    id: str | None


def permission_checks(grants: Iterable[Grant], projects: Iterable[Project]) -> Iterator[Check]:
    grants = tuple(grants)
    for name in ORGANIZATION_SETS:
        yield _organization_check(name, [grant for grant in grants if _covers(grant, name)])
    for project in projects:
        for name in PROJECT_SETS[project.key]:
            yield _project_check(name, project, [grant for grant in grants if _covers(grant, name)])


def _covers(grant: Grant, name: str) -> bool:
    return bool(grant.sets & ({name} | _COVERED_BY.get(name, _ALL_PRODUCTS)))


def _organization_check(name: str, grants: list[Grant]) -> Check:
    wide = [grant for grant in grants if grant.projects is None]
    if any(not grant.condition for grant in wide):
        return ok(f"may do {name} in the organization")
    return _conditional(name, "the organization") if wide else _missing(name, "the organization")


def _project_check(name: str, project: Project, grants: list[Grant]) -> Check:
    here = [grant for grant in grants if grant.projects is None or project.id in grant.projects]
    if any(not grant.condition for grant in here):
        return ok(f"may do {name} in {project.label}")
    if here:
        return _conditional(name, project.label)
    if grants and project.id is None:
        return unknown(
            f"may do {name} in some projects; {project.label} is still to be made, and cannot be one of them",
            f"give the key's bearer {name} in the whole organization, or make {project.label} first and set "
            f"projects.{project.key}.id",
        )
    return _missing(name, project.label)


def _conditional(name: str, place: str) -> Check:
    return unknown(f"may do {name} in {place} on a condition, of which it cannot be told whether it holds")


def _missing(name: str, place: str) -> Check:
    return wrong(
        f"may not do {name} in {place}: the key's bearer must have it, or `pulumi up` stops half-way",
        f"add a rule with {name} to a policy of the key's bearer: https://console.scaleway.com/iam/policies",
    )
