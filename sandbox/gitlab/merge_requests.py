"""Merge requests of the GitLab stand-in and their notes, for the tools that pipelines call.

Owns numbers, states, the one open merge request per pair of branches and the notes with their authors.

Does not own diffs, approvals or merging of code: merging here only sets the state.
"""

from typing import Any

from sandbox.gitlab.branches import branch_exists
from sandbox.gitlab.common import (
    DEVELOPER,
    MAINTAINER,
    REPORTER,
    USERS,
    access_level,
    caller,
    conflict,
    created,
    flag,
    forbidden,
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
)
from sandbox.store import Record
from sandbox.web import ApiError, Call, Reply, Routes

MERGE_REQUESTS = "gitlab.merge_requests"
NOTES = "gitlab.notes"
MAX_NOTE = 1_000_000

routes = Routes()
_ALL = "/api/v4/projects/<id>/merge_requests"
_ONE = f"{_ALL}/<iid>"
_NOTE_ROUTE = f"{_ONE}/notes/<note_id>"


def _merge_request(call: Call, level: int = REPORTER) -> Record:
    project = project_of(call, level)
    found = call.store.get(MERGE_REQUESTS, f"{project['id']}:{path_number(call, 'iid')}")
    if found is None:
        not_found()
    return found


def _people(call: Call, given: dict[str, Any], one: str, several: str) -> list[Record] | None:
    """The users that a request names by number: a list or, as older clients do, one; 0 or none clears."""
    numbers = given.get(several)
    if numbers is None and one in given:
        numbers = [given[one]]
    if numbers is None:
        return None
    users = [call.store.get(USERS, n) for n in numbers if n not in (None, "", 0, "0")]
    return [s for s in (user_summary(call, u) for u in users) if s]


def _labels(value: Any) -> list[str]:
    return value.split(",") if isinstance(value, str) and value else list(value or [])


@routes.get(_ALL, "gitlab.MergeRequests.list")
def list_merge_requests(call: Call) -> Reply:
    project, given = project_of(call, REPORTER), params(call)
    state = one_of(given, "state", ("opened", "closed", "locked", "merged", "all"), "all")
    found = call.store.all(MERGE_REQUESTS, project_id=project["id"])
    if state != "all":
        found = [m for m in found if m["state"] == state]
    for name in ("source_branch", "target_branch"):
        if given.get(name):
            found = [m for m in found if m[name] == given[name]]
    if given.get("author_id"):
        found = [m for m in found if m["author"]["id"] == number(given, "author_id")]
    newest_first = one_of(given, "sort", ("asc", "desc"), "desc") == "desc"
    return paged(call, found[::-1] if newest_first else found)


@routes.post(_ALL, "gitlab.MergeRequests.create")
def create_merge_request(call: Call) -> Reply:
    project, given = project_of(call, DEVELOPER), params(call)
    required(given, "title", "source_branch", "target_branch")
    source, target = given["source_branch"], given["target_branch"]
    if source == target:
        raise ApiError(422, {"message": ["You can't use same project/branch for source and target"]})
    for name in ("source_branch", "target_branch"):
        if not branch_exists(call.store, project, given[name]):
            invalid(name, "does not exist")
    pair = {"project_id": project["id"], "source_branch": source, "target_branch": target, "state": "opened"}
    for other in call.store.all(MERGE_REQUESTS, **pair):
        conflict([f"Another open merge request already exists for this source branch: !{other['iid']}"])
    iid = call.store.next_id(f"gitlab.merge_request.{project['id']}")
    assignees = _people(call, given, "assignee_id", "assignee_ids") or []
    merge_request = pair | {
        "id": call.store.next_id("gitlab.merge_request"),
        "iid": iid,
        "source_project_id": project["id"],
        "target_project_id": project["id"],
        "title": given["title"],
        "description": given.get("description") or "",
        "created_at": now(),
        "updated_at": now(),
        "merged_at": None,
        "closed_at": None,
        "author": user_summary(call, caller(call).user),
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "reviewers": _people(call, given, "reviewer_id", "reviewer_ids") or [],
        "labels": _labels(given.get("labels")),
        "draft": str(given["title"]).lower().startswith("draft:"),
        "merge_status": "can_be_merged",
        "detailed_merge_status": "mergeable",
        "force_remove_source_branch": flag(given, "remove_source_branch"),
        "squash": flag(given, "squash"),
        "user_notes_count": 0,
        "web_url": f"{call.base_url}{project['web_url']}/-/merge_requests/{iid}",
        "references": {"short": f"!{iid}", "full": f"{project['path_with_namespace']}!{iid}"},
    }
    return created(call.store.put(MERGE_REQUESTS, f"{project['id']}:{iid}", merge_request))


@routes.get(_ONE, "gitlab.MergeRequests.get")
def get_merge_request(call: Call) -> Record:
    return _merge_request(call)


@routes.put(_ONE, "gitlab.MergeRequests.update")
def update_merge_request(call: Call) -> Record:
    found, given = _merge_request(call, DEVELOPER), params(call)
    found |= {k: given[k] for k in ("title", "description", "target_branch") if given.get(k) is not None}
    found["draft"] = str(found["title"]).lower().startswith("draft:")
    if "labels" in given:
        found["labels"] = _labels(given["labels"])
    if "remove_source_branch" in given:
        found["force_remove_source_branch"] = flag(given, "remove_source_branch")
    assignees = _people(call, given, "assignee_id", "assignee_ids")
    if assignees is not None:
        found |= {"assignees": assignees, "assignee": assignees[0] if assignees else None}
    event = one_of(given, "state_event", ("close", "reopen"))
    if event and found["state"] == ("opened" if event == "close" else "closed"):
        closes = event == "close"
        found |= {"state": "closed" if closes else "opened", "closed_at": now() if closes else None}
    found["updated_at"] = now()
    return call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found)


@routes.put(f"{_ONE}/merge", "gitlab.MergeRequests.merge")
def merge(call: Call) -> Record:
    found = _merge_request(call, DEVELOPER)
    if found["state"] != "opened":
        raise ApiError(405, {"message": "405 Method Not Allowed"})
    found |= {"state": "merged", "merged_at": now(), "updated_at": now()}
    return call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found)


# --- notes ------------------------------------------------------------------------------------------------------------


def _note(call: Call, merge_request: Record) -> Record:
    note = call.store.get(NOTES, path_number(call, "note_id"))
    if note is None or note["noteable_id"] != merge_request["id"]:
        not_found()
    return note


def _own_note(call: Call) -> Record:
    """A note is changed by its author or by a maintainer."""
    note = _note(call, _merge_request(call))
    if caller(call).id != note["author"]["id"]:
        project = project_of(call)
        if access_level(call.store, caller(call), project) < MAINTAINER:
            forbidden()
    return note


def _body(given: dict[str, Any]) -> str:
    required(given, "body")
    if len(given["body"]) > MAX_NOTE:
        invalid("note", f"is too long (maximum is {MAX_NOTE} characters)")
    return str(given["body"])


@routes.get(f"{_ONE}/notes", "gitlab.MergeRequestNotes.list")
def list_notes(call: Call) -> Reply:
    notes = call.store.all(NOTES, noteable_id=_merge_request(call)["id"])
    newest_first = one_of(params(call), "sort", ("asc", "desc"), "desc") == "desc"
    return paged(call, notes[::-1] if newest_first else notes)


@routes.post(f"{_ONE}/notes", "gitlab.MergeRequestNotes.create")
def create_note(call: Call) -> Reply:
    found = _merge_request(call)
    note_id = call.store.next_id("gitlab.note")
    note = {
        "id": note_id,
        "type": None,
        "body": _body(params(call)),
        "author": user_summary(call, caller(call).user),
        "created_at": now(),
        "updated_at": now(),
        "system": False,
        "noteable_id": found["id"],
        "noteable_type": "MergeRequest",
        "noteable_iid": found["iid"],
        "project_id": found["project_id"],
        "resolvable": False,
        "confidential": False,
        "internal": flag(params(call), "internal"),
    }
    found["user_notes_count"] += 1
    call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found)
    return created(call.store.put(NOTES, note_id, note))


@routes.get(_NOTE_ROUTE, "gitlab.MergeRequestNotes.get")
def get_note(call: Call) -> Record:
    return _note(call, _merge_request(call))


@routes.put(_NOTE_ROUTE, "gitlab.MergeRequestNotes.update")
def update_note(call: Call) -> Record:
    note = _own_note(call)
    return call.store.put(NOTES, note["id"], note | {"body": _body(params(call)), "updated_at": now()})


@routes.delete(_NOTE_ROUTE, "gitlab.MergeRequestNotes.delete")
def delete_note(call: Call) -> None:
    call.store.delete(NOTES, _own_note(call)["id"])
    found = _merge_request(call)
    found["user_notes_count"] -= 1
    call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found)
