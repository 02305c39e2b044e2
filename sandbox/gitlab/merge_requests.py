"""Merge requests of the GitLab stand-in and their notes, for the tools that pipelines call.

Owns numbers, states, the one open merge request per pair of branches, the commits that merging makes and the notes with
their authors.

Does not own diffs, conflicts or approvals: whatever is open can be merged.
"""

from datetime import datetime
from typing import Any

from sandbox.gitlab.common import (
    DEVELOPER,
    MAINTAINER,
    PROJECTS,
    REPORTER,
    USERS,
    Caller,
    access_level,
    caller,
    conflict,
    created,
    flag,
    forbidden,
    invalid,
    moment,
    no_record,
    now,
    number,
    one_of,
    paged,
    params,
    path_number,
    premium,
    project_of,
    required,
    user_summary,
)
from sandbox.gitlab.history import add_commit, branch_exists, head, move_branch
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
        no_record()
    return found


def _shown(call: Call, merge_request: Record) -> Record:
    """An open one always shows the commit that its source branch ends at now."""
    if merge_request["state"] != "opened":
        return merge_request
    return merge_request | {"sha": head(call.store, merge_request["project_id"], merge_request["source_branch"])}


def _people(call: Call, project: Record, given: dict[str, Any], one: str, several: str) -> list[Record] | None:
    """The users that a request names by number: a list or, as older clients do, one; 0 or none clears.

    Without a word, those who cannot read the project's code are left out, and all but the first where there is no licence
    for several.
    """
    numbers = given.get(several)
    if numbers is None and one in given:
        numbers = [given[one]]
    if numbers is None:
        return None
    users = [call.store.get(USERS, n) for n in numbers if n not in (None, "", 0, "0")]
    known = [Caller(user=u, scopes=frozenset(), token_id=0) for u in users if u]
    readers = [who.user for who in known if access_level(call.store, who, project) >= REPORTER]
    taken = readers if premium(call.store) else readers[:1]
    return [s for s in (user_summary(call, u) for u in taken) if s]


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
    for name, field in (("updated_after", "updated_at"), ("created_after", "created_at")):
        since = moment(given, name)
        if since is not None:
            found = [m for m in found if datetime.fromisoformat(m[field]) >= since]
    order = one_of(given, "order_by", ("created_at", "updated_at", "merged_at", "title"), "created_at")
    if order != "created_at":  # the order in which the store has them
        found.sort(key=lambda m: m[order] or "")
    newest_first = one_of(given, "sort", ("asc", "desc"), "desc") == "desc"
    return paged(call, [_shown(call, m) for m in (found[::-1] if newest_first else found)])


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
    pair = {
        "project_id": project["id"],
        "source_project_id": project["id"],
        "source_branch": source,
        "target_branch": target,
        "state": "opened",
    }
    for other in call.store.all(MERGE_REQUESTS, **pair):
        conflict([f"Another open merge request already exists for this source branch: !{other['iid']}"])
    iid = call.store.next_id(f"gitlab.merge_request.{project['id']}")
    assignees = _people(call, project, given, "assignee_id", "assignee_ids") or []
    merge_request = pair | {
        "id": call.store.next_id("gitlab.merge_request"),
        "iid": iid,
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
        "reviewers": _people(call, project, given, "reviewer_id", "reviewer_ids") or [],
        "labels": _labels(given.get("labels")),
        "draft": str(given["title"]).lower().startswith("draft:"),
        "merge_status": "can_be_merged",
        "detailed_merge_status": "mergeable",
        "force_remove_source_branch": flag(given, "remove_source_branch"),
        "squash": flag(given, "squash"),
        "sha": head(call.store, project["id"], source),
        "merge_commit_sha": None,
        "squash_commit_sha": None,
        "user_notes_count": 0,
        "web_url": f"{call.base_url}{project['web_url']}/-/merge_requests/{iid}",
        "references": {"short": f"!{iid}", "relative": f"!{iid}", "full": f"{project['path_with_namespace']}!{iid}"},
    }
    return created(call.store.put(MERGE_REQUESTS, f"{project['id']}:{iid}", merge_request))


@routes.get(_ONE, "gitlab.MergeRequests.get")
def get_merge_request(call: Call) -> Record:
    return _shown(call, _merge_request(call))


@routes.put(_ONE, "gitlab.MergeRequests.update")
def update_merge_request(call: Call) -> Record:
    found, given = _merge_request(call, DEVELOPER), params(call)
    found |= {k: given[k] for k in ("title", "description", "target_branch") if given.get(k) is not None}
    found["draft"] = str(found["title"]).lower().startswith("draft:")
    if "labels" in given:
        found["labels"] = _labels(given["labels"])
    if "remove_source_branch" in given:
        found["force_remove_source_branch"] = flag(given, "remove_source_branch")
    if "squash" in given:
        found["squash"] = flag(given, "squash")
    project = call.store.get(PROJECTS, found["project_id"]) or {}
    assignees = _people(call, project, given, "assignee_id", "assignee_ids")
    if assignees is not None:
        found |= {"assignees": assignees, "assignee": assignees[0] if assignees else None}
    reviewers = _people(call, project, given, "reviewer_id", "reviewer_ids")
    if reviewers is not None:
        found["reviewers"] = reviewers
    event = one_of(given, "state_event", ("close", "reopen"))
    if event and found["state"] == ("opened" if event == "close" else "closed"):
        closes = event == "close"
        found |= {"state": "closed" if closes else "opened", "closed_at": now() if closes else None}
    found["updated_at"] = now()
    return _shown(call, call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found))


@routes.put(f"{_ONE}/merge", "gitlab.MergeRequests.merge")
def merge(call: Call) -> Record:
    found = _merge_request(call, DEVELOPER)
    if found["state"] != "opened" or head(call.store, found["project_id"], found["source_branch"]) is None:
        raise ApiError(405, {"message": "405 Method Not Allowed"})
    found |= _merged_commits(call, found, squash=flag(params(call), "squash", found["squash"]))
    found |= {"state": "merged", "merged_at": now(), "updated_at": now()}
    return call.store.put(MERGE_REQUESTS, f"{found['project_id']}:{found['iid']}", found)


def _merged_commits(call: Call, merge_request: Record, *, squash: bool) -> Record:
    """Moves the target branch as the project's merge method says, and what the merge request then shows of it."""
    project_id, target = merge_request["project_id"], merge_request["target_branch"]
    old = head(call.store, project_id, target)
    tip = source = head(call.store, project_id, merge_request["source_branch"])
    assert old is not None
    assert tip is not None
    made: Record = {"sha": source}
    if squash:
        tip = made["squash_commit_sha"] = add_commit(call.store, project_id, merge_request["title"], [old])["id"]
    if (call.store.get(PROJECTS, project_id) or {}).get("merge_method") != "ff":
        title = f"Merge branch '{merge_request['source_branch']}' into '{target}'"
        tip = made["merge_commit_sha"] = add_commit(call.store, project_id, title, [old, tip])["id"]
    move_branch(call.store, project_id, target, tip)
    return made


# --- notes ------------------------------------------------------------------------------------------------------------


def _note(call: Call, merge_request: Record) -> Record:
    note = call.store.get(NOTES, path_number(call, "note_id"))
    if note is None or note["noteable_id"] != merge_request["id"]:
        no_record()
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
        "imported": False,
        "imported_from": "none",
        "commands_changes": {},
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
