"""Runners of the GitLab stand-in, created by users (`POST /user/runners`).

Owns their settings (tags, protection, lock) and their authentication token, which only the answer to the creation shows.

Does not own jobs (`jobs`). `POST /runners/verify` says whether a token is good, as a manager asks.
"""

from typing import Any

from sandbox.gitlab.auth import digest, new_secret
from sandbox.gitlab.common import (
    DEVELOPER,
    GROUPS,
    MAINTAINER,
    OWNER,
    PROJECTS,
    access_level,
    caller,
    created,
    flag,
    forbidden,
    group_level,
    invalid,
    not_found,
    now,
    number,
    one_of,
    paged,
    params,
    path_number,
    project_of,
    required,
    user_summary,
    with_web_url,
)
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

RUNNERS = "gitlab.runners"
_TYPES = ("instance_type", "group_type", "project_type")

routes = Routes()


def _settings(given: dict[str, Any], old: Record) -> Record:
    """The runner's settings after a request; what was not given stays."""
    tags = given.get("tag_list")
    if tags is None:
        tags = old["tag_list"]
    elif isinstance(tags, str):
        tags = tags.split(",")
    paused = flag(given, "paused", old["paused"])
    if "active" in given and "paused" not in given:
        paused = not flag(given, "active")
    settings = {
        "description": given["description"] if given.get("description") is not None else old["description"],
        "paused": paused,
        "locked": flag(given, "locked", old["locked"]),
        "run_untagged": flag(given, "run_untagged", old["run_untagged"]),
        "tag_list": sorted({t.strip() for t in tags if t.strip()}),
        "access_level": one_of(given, "access_level", ("not_protected", "ref_protected"), old["access_level"]),
        "maximum_timeout": number(given, "maximum_timeout", old["maximum_timeout"]),
        "maintenance_note": given.get("maintenance_note", old["maintenance_note"]) or "",
    }
    if not settings["tag_list"] and not settings["run_untagged"]:
        invalid("tags_list", "can not be empty when runner is not allowed to pick untagged jobs")
    if settings["maximum_timeout"] is not None and settings["maximum_timeout"] < 600:
        invalid("maximum_timeout", "needs to be at least 10 minutes")
    if len(settings["maintenance_note"]) > 1024:
        invalid("maintenance_note", "is too long (maximum is 1024 characters)")
    return settings


def shown(runner: Record) -> Record:
    """A runner in a list."""
    seen = runner["contacted_at"] is not None
    return {
        "id": runner["id"],
        "description": runner["description"],
        "ip_address": None,
        "active": not runner["paused"],
        "paused": runner["paused"],
        "is_shared": runner["runner_type"] == "instance_type",
        "runner_type": runner["runner_type"],
        "name": None,
        "online": seen,
        "status": "online" if seen else "never_contacted",
        "job_execution_status": "idle",
        "created_at": runner["created_at"],
        "created_by": runner["created_by"],
    }


def _full(call: Call, runner: Record) -> Record:
    project = runner["project_id"] and call.store.get(PROJECTS, runner["project_id"])
    group = runner["group_id"] and call.store.get(GROUPS, runner["group_id"])
    project_keys = ("id", "name", "name_with_namespace", "path", "path_with_namespace")
    kept = ("tag_list", "run_untagged", "locked", "maximum_timeout", "access_level", "maintenance_note", "contacted_at")
    return (
        shown(runner)
        | {k: runner[k] for k in kept}
        | {
            "version": None,
            "revision": None,
            "platform": None,
            "architecture": None,
            "projects": [{k: project[k] for k in project_keys}] if project else [],
            "groups": [with_web_url(call, {k: group[k] for k in ("id", "web_url", "name")})] if group else [],
        }
    )


def _may_manage(call: Call, runner: Record) -> bool:
    who = caller(call)
    if runner["runner_type"] == "project_type":
        project = call.store.get(PROJECTS, runner["project_id"])
        return project is not None and access_level(call.store, who, project) >= MAINTAINER
    if runner["runner_type"] == "group_type":
        group = call.store.get(GROUPS, runner["group_id"])
        return group is not None and group_level(call.store, who, group) >= OWNER
    return who.is_admin


def _runner(call: Call) -> Record:
    runner = call.store.get(RUNNERS, path_number(call, "runner_id"))
    if runner is None:
        not_found("Runner")
    if not _may_manage(call, runner):
        forbidden()
    return runner


@routes.post("/api/v4/user/runners", "gitlab.Runners.create")
def create_runner(call: Call) -> Reply:
    given = params(call)
    required(given, "runner_type")
    kind = one_of(given, "runner_type", _TYPES)
    place = {"project_type": "project_id", "group_type": "group_id"}.get(kind)
    if place:
        required(given, place)
        if call.store.get(PROJECTS if kind == "project_type" else GROUPS, number(given, place) or 0) is None:
            not_found("Project" if kind == "project_type" else "Group")
    blank: Record = {
        "description": None,
        "paused": False,
        "locked": False,
        "run_untagged": True,
        "tag_list": [],
        "access_level": "not_protected",
        "maximum_timeout": None,
        "maintenance_note": "",
    }
    runner = {
        "id": call.store.next_id("gitlab.runner"),
        "runner_type": kind,
        "project_id": number(given, "project_id") if kind == "project_type" else None,
        "group_id": number(given, "group_id") if kind == "group_type" else None,
        "created_at": now(),
        "created_by": user_summary(call, caller(call).user),
        "contacted_at": None,
    }
    if not _may_manage(call, runner):
        forbidden()
    runner |= _settings(given, blank)
    token = new_secret("glrt-")
    call.store.put(RUNNERS, runner["id"], runner | {"digest": digest(token)})
    return created({"id": runner["id"], "token": token, "token_expires_at": None})


@routes.add("POST", "/api/v4/runners/verify", "gitlab.Runners.verify", public=True)
def verify(call: Call) -> Record:
    """What a runner manager asks when it starts: the token itself is the credential."""
    return {"id": calling_runner(call)["id"], "token": params(call)["token"], "token_expires_at": None}


def calling_runner(call: Call) -> Record:
    """The runner whose own token a request shows; it has been in contact now."""
    given = params(call)
    required(given, "token")
    runner = next(iter(call.store.all(RUNNERS, digest=digest(str(given["token"])))), None)
    if runner is None:
        forbidden()
    return call.store.put(RUNNERS, runner["id"], runner | {"contacted_at": now()})


@routes.get("/api/v4/runners", "gitlab.Runners.list")
def list_own(call: Call) -> Reply:
    return paged(call, [shown(r) for r in _filtered(call) if _may_manage(call, r)])


@routes.get("/api/v4/projects/<id>/runners", "gitlab.ProjectRunners.list")
def list_of_project(call: Call) -> Reply:
    project = project_of(call, DEVELOPER)
    places = (project["id"], None)
    groups = (project["namespace"]["id"], None)
    seen = [r for r in _filtered(call) if r["project_id"] in places and r["group_id"] in groups]
    return paged(call, [shown(r) for r in seen])


def _filtered(call: Call) -> list[Record]:
    given = params(call)
    runners = call.store.all(RUNNERS)
    if given.get("type"):
        runners = [r for r in runners if r["runner_type"] == one_of(given, "type", _TYPES)]
    if "paused" in given:
        runners = [r for r in runners if r["paused"] == flag(given, "paused")]
    if given.get("tag_list"):
        wanted = set(str(given["tag_list"]).split(","))
        runners = [r for r in runners if wanted <= set(r["tag_list"])]
    return runners


@routes.get("/api/v4/runners/<runner_id>", "gitlab.Runners.get")
def get_runner(call: Call) -> Record:
    return _full(call, _runner(call))


@routes.put("/api/v4/runners/<runner_id>", "gitlab.Runners.update")
def update_runner(call: Call) -> Record:
    runner = _runner(call)
    return _full(call, call.store.put(RUNNERS, runner["id"], runner | _settings(params(call), runner)))


@routes.delete("/api/v4/runners/<runner_id>", "gitlab.Runners.delete")
def delete_runner(call: Call) -> None:
    call.store.delete(RUNNERS, _runner(call)["id"])
