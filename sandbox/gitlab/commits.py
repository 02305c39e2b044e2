"""Commits of the GitLab stand-in: added to a branch, and listed by branch or by revision range (`base..tip`)."""

from sandbox.gitlab.common import (
    DEVELOPER,
    REPORTER,
    bad_request,
    created,
    not_found,
    paged,
    params,
    project_of,
    required,
)
from sandbox.gitlab.history import add_commit, between, head, move_branch
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

routes = Routes()
_ALL = "/api/v4/projects/<id>/repository/commits"


def shown(call: Call, project: Record, commit: Record) -> Record:
    public = {k: v for k, v in commit.items() if k not in ("project_id", "n")}
    name, email, at = "Somebody", "somebody@noreply.example.com", commit["committed_date"]
    return public | {
        "author_name": name,
        "author_email": email,
        "authored_date": at,
        "committer_name": name,
        "committer_email": email,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{call.base_url}{project['web_url']}/-/commit/{commit['id']}",
    }


@routes.get(_ALL, "gitlab.Commits.list")
def list_commits(call: Call) -> Reply:
    project = project_of(call, REPORTER)
    base, dots, tip = str(params(call).get("ref_name") or project["default_branch"]).rpartition("..")
    ends = [head(call.store, project["id"], ref) for ref in ([base, tip] if dots else [tip])]
    if None in ends:
        not_found("Commit")
    found = between(call.store, project["id"], ends[0] if dots else None, str(ends[-1]))
    return paged(call, [shown(call, project, c) for c in found])


@routes.post(_ALL, "gitlab.Commits.create")
def create_commit(call: Call) -> Reply:
    """Takes the actions and forgets them: a commit has no files here."""
    project, given = project_of(call, DEVELOPER), params(call)
    required(given, "branch", "commit_message", "actions")
    parent = head(call.store, project["id"], given["branch"])
    if parent is None or parent == given["branch"]:
        bad_request("You can only create or edit files when you are on a branch")
    commit = add_commit(call.store, project["id"], given["commit_message"], [parent])
    move_branch(call.store, project["id"], given["branch"], commit["id"])
    details = {"project_id": project["id"], "status": None, "last_pipeline": None}
    return created(shown(call, project, commit) | details)
