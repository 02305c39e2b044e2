"""How what a stack makes in GitLab is found by name, through python-gitlab.

Source: GitLab's REST API. Variables, protections and environments are unique by name; tokens, runners and schedules are not.
"""

from collections.abc import Iterator
from typing import Any

import gitlab

from repair.kinds import Found, Kind
from repair.resources import Inputs
from repair.services import Services


def _project(services: Services, inputs: Inputs) -> Any:
    return services.gitlab.projects.get(inputs["project"], lazy=True)


def _all(services: Services, inputs: Inputs, what: str, **filters: str) -> list[Any]:
    """All of a project's `what`, as python-gitlab calls it."""
    project = inputs.get("project") or int(inputs["projectId"])
    manager = getattr(services.gitlab.projects.get(project, lazy=True), what)
    return services.listed((what, project), lambda: manager.list(iterator=True, **filters))


def _variables(services: Services, inputs: Inputs) -> Iterator[Found]:
    project, key, scope = inputs["project"], inputs["key"], inputs.get("environmentScope", "*")
    for each in _all(services, inputs, "variables"):
        if (each.key, each.environment_scope) == (key, scope):
            yield Found(id=f"{project}:{key}:{scope}")


def _protected_branches(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "protectedbranches"):
        if each.name == inputs["branch"]:
            yield Found(id=f"{inputs['project']}:{each.name}")


def _protected_tags(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "protectedtags"):
        if each.name == inputs["tag"]:
            yield Found(id=f"{inputs['project']}:{each.name}")


def _environments(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "environments"):
        if each.name == inputs["name"]:
            yield Found(id=f"{inputs['project']}:{each.id}", made=getattr(each, "created_at", None) or "")


def _protected_environments(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "protected_environments"):
        if each.name == inputs["environment"]:
            yield Found(id=f"{inputs['project']}:{each.name}")


def _access_tokens(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "access_tokens", state="active"):
        if each.name == inputs["name"] and each.active:
            yield Found(id=f"{inputs['project']}:{each.id}", made=each.created_at or "")


def _remove_access_token(services: Services, inputs: Inputs, id_: str) -> None:
    _project(services, inputs).access_tokens.delete(int(id_.rpartition(":")[2]))


def _runners(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "runners", type="project_type"):
        if each.description == inputs["description"]:
            # Of one whose creation was not answered, nobody has the token: one that was ever in contact is somebody's.
            # The list does not tell that of an old one, which is `stale` either way.
            in_contact = services.gitlab.runners.get(each.id).contacted_at is not None
            yield Found(id=str(each.id), made=getattr(each, "created_at", None) or "", in_use=in_contact)


def _remove_runner(services: Services, inputs: Inputs, id_: str) -> None:
    services.gitlab.runners.delete(int(id_))


def _schedules(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in _all(services, inputs, "pipelineschedules"):
        if each.description == inputs["description"] and _branch(each.ref) == _branch(inputs["ref"]):
            yield Found(id=f"{inputs['project']}:{each.id}", made=getattr(each, "created_at", None) or "")


def _remove_schedule(services: Services, inputs: Inputs, id_: str) -> None:
    _project(services, inputs).pipelineschedules.delete(int(id_.rpartition(":")[2]))


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _schedule_variables(services: Services, inputs: Inputs) -> Iterator[Found]:
    schedule_id = int(inputs["pipelineScheduleId"])
    try:
        schedule = _project(services, inputs).pipelineschedules.get(schedule_id)
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
        return  # deleted, with its variables
    for each in schedule.attributes.get("variables") or []:
        if each["key"] == inputs["key"]:
            yield Found(id=f"{inputs['project']}:{schedule_id}:{each['key']}")


KINDS = {
    "gitlab:index/projectVariable:ProjectVariable": Kind(noun="CI variable", needs=("project", "key"), find=_variables),
    "gitlab:index/branchProtection:BranchProtection": Kind(
        noun="branch protection", needs=("project", "branch"), find=_protected_branches
    ),
    "gitlab:index/tagProtection:TagProtection": Kind(
        noun="tag protection", needs=("project", "tag"), find=_protected_tags
    ),
    "gitlab:index/projectEnvironment:ProjectEnvironment": Kind(
        noun="environment", needs=("project", "name"), find=_environments
    ),
    "gitlab:index/projectProtectedEnvironment:ProjectProtectedEnvironment": Kind(
        noun="protected environment", needs=("project", "environment"), find=_protected_environments
    ),
    "gitlab:index/projectAccessToken:ProjectAccessToken": Kind(
        noun="project access token",
        needs=("project", "name"),
        find=_access_tokens,
        remove=_remove_access_token,
        adoptable=False,
    ),
    "gitlab:index/userRunner:UserRunner": Kind(
        noun="runner", needs=("projectId", "description"), find=_runners, remove=_remove_runner, adoptable=False
    ),
    "gitlab:index/pipelineSchedule:PipelineSchedule": Kind(
        noun="pipeline schedule", needs=("project", "description", "ref"), find=_schedules, remove=_remove_schedule
    ),
    "gitlab:index/pipelineScheduleVariable:PipelineScheduleVariable": Kind(
        noun="pipeline schedule's variable",
        needs=("project", "pipelineScheduleId", "key"),
        find=_schedule_variables,
    ),
}
