"""Pipeline schedules of the GitLab stand-in and their variables. They start nothing by themselves."""

import re

from sandbox.gitlab.common import (
    DEVELOPER,
    caller,
    created,
    flag,
    forbidden,
    invalid,
    not_found,
    now,
    one_of,
    paged,
    params,
    path_number,
    project_of,
    required,
    user_summary,
)
from sandbox.gitlab.history import branch_exists
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

SCHEDULES = "gitlab.pipeline_schedules"
_KINDS = ("env_var", "file")
_CRON_FIELD = r"(?:\*|[0-9A-Za-z,*/#L-]+)"
_CRON = re.compile(rf"{_CRON_FIELD}(?: +{_CRON_FIELD}){{4}}|@(?:hourly|daily|weekly|monthly|yearly)")

routes = Routes()
_ALL = "/api/v4/projects/<id>/pipeline_schedules"
_ONE = f"{_ALL}/<schedule_id>"


def _schedule(call: Call) -> Record:
    project = project_of(call, DEVELOPER)
    found = call.store.get(SCHEDULES, path_number(call, "schedule_id"))
    if found is None or found["project_id"] != project["id"]:
        not_found("Pipeline Schedule")
    return found


def _owned(call: Call) -> Record:
    """Only its owner edits a schedule; an administrator may, too."""
    found = _schedule(call)
    if found["owner"]["id"] != caller(call).id and not caller(call).is_admin:
        forbidden()
    return found


def _shown(schedule: Record, *, whole: bool = True) -> Record:
    hidden = ("project_id",) if whole else ("project_id", "variables")
    shown = {k: v for k, v in schedule.items() if k not in hidden}
    return shown | {"last_pipeline": None} if whole else shown


def _full_ref(call: Call, ref: str) -> str:
    """The API wants `refs/heads/…` and completes a short name that is a branch."""
    project = project_of(call)
    if ref.startswith(("refs/heads/", "refs/tags/")):
        return ref
    if not branch_exists(call.store, project, ref):
        invalid("ref", "is ambiguous")
    return f"refs/heads/{ref}"


@routes.get(_ALL, "gitlab.PipelineSchedules.list")
def list_schedules(call: Call) -> Reply:
    project = project_of(call, DEVELOPER)
    found = call.store.all(SCHEDULES, project_id=project["id"])
    return paged(call, [_shown(s, whole=False) for s in found])


@routes.post(_ALL, "gitlab.PipelineSchedules.create")
def create_schedule(call: Call) -> Reply:
    project, given = project_of(call, DEVELOPER), params(call)
    required(given, "description", "ref", "cron")
    number = call.store.next_id("gitlab.pipeline_schedule")
    blank = {
        "id": number,
        "project_id": project["id"],
        "description": "",
        "ref": "",
        "cron": "",
        "cron_timezone": "UTC",
        "next_run_at": None,
        "active": True,
        "created_at": now(),
        "updated_at": now(),
        "owner": user_summary(call, caller(call).user),
        "inputs": [],
        "variables": [],
    }
    return created(_shown(call.store.put(SCHEDULES, number, _merged(call, blank))))


def _merged(call: Call, schedule: Record) -> Record:
    given = params(call)
    names = ("description", "cron", "cron_timezone", "ref")
    schedule |= {k: given[k] for k in names if given.get(k) is not None}
    schedule["active"] = flag(given, "active", schedule["active"])
    schedule["ref"] = _full_ref(call, schedule["ref"])
    schedule["updated_at"] = now()
    if not _CRON.fullmatch(schedule["cron"]):
        invalid("cron", "syntax is invalid")
    inputs = {i["name"]: i for i in schedule["inputs"]}
    for item in given.get("inputs") or []:
        if item.get("destroy"):
            inputs.pop(item["name"], None)
        else:
            inputs[item["name"]] = {"name": item["name"], "value": item["value"]}
    schedule["inputs"] = list(inputs.values())
    return schedule


@routes.get(_ONE, "gitlab.PipelineSchedules.get")
def get_schedule(call: Call) -> Record:
    return _shown(_schedule(call))


@routes.put(_ONE, "gitlab.PipelineSchedules.update")
def update_schedule(call: Call) -> Record:
    found = _owned(call)
    return _shown(call.store.put(SCHEDULES, found["id"], _merged(call, found)))


@routes.post(f"{_ONE}/take_ownership", "gitlab.PipelineSchedules.takeOwnership")
def take_ownership(call: Call) -> Reply:
    found = _schedule(call)
    if found["owner"]["id"] == caller(call).id:
        return Reply(body=_shown(found))
    found["owner"] = user_summary(call, caller(call).user)
    return created(_shown(call.store.put(SCHEDULES, found["id"], found)))


@routes.delete(_ONE, "gitlab.PipelineSchedules.delete")
def delete_schedule(call: Call) -> None:
    call.store.delete(SCHEDULES, _owned(call)["id"])


# --- variables --------------------------------------------------------------------------------------------------------


def _variable(call: Call, schedule: Record) -> Record:
    found: Record | None = next((v for v in schedule["variables"] if v["key"] == call.args["key"]), None)
    if found is None:
        not_found("Pipeline Schedule Variable")
    return found


@routes.post(f"{_ONE}/variables", "gitlab.PipelineScheduleVariables.create")
def create_variable(call: Call) -> Reply:
    schedule, given = _owned(call), params(call)
    required(given, "key", "value")
    if any(v["key"] == given["key"] for v in schedule["variables"]):
        invalid("variables", f"have duplicate values ({given['key']})")
    kind = one_of(given, "variable_type", _KINDS, "env_var")
    variable = {"key": given["key"], "variable_type": kind, "value": given["value"], "raw": False}
    schedule["variables"].append(variable)
    call.store.put(SCHEDULES, schedule["id"], schedule)
    return created(variable)


@routes.put(f"{_ONE}/variables/<key>", "gitlab.PipelineScheduleVariables.update")
def update_variable(call: Call) -> Record:
    schedule, given = _owned(call), params(call)
    variable = _variable(call, schedule)
    required(given, "value")
    variable |= {"value": given["value"]}
    variable["variable_type"] = one_of(given, "variable_type", _KINDS, variable["variable_type"])
    call.store.put(SCHEDULES, schedule["id"], schedule)
    return variable


@routes.delete(f"{_ONE}/variables/<key>", "gitlab.PipelineScheduleVariables.delete")
def delete_variable(call: Call) -> Reply:
    schedule = _owned(call)
    variable = _variable(call, schedule)
    schedule["variables"].remove(variable)
    call.store.put(SCHEDULES, schedule["id"], schedule)
    return Reply(status=202, body=variable)
