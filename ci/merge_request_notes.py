"""Writes reports as notes of the merge request that a pipeline runs for: one for each project and stack, edited in place.

Owns which merge request it is, whether a note may be written (not for a fork's), and which note is ours: it begins with the
marker and was written by whom the token is for. A note of somebody else is never edited, even with a role that could: its
author could change afterwards what reviewers take for the preview.

Does not own what a note says (`note`) nor how GitLab is reached (`gitlab_client`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gitlab

from ci.errors import all_problems
from ci.gitlab_answers import NOTE, USER, checked, each

NOT_EDITED = (
    "This is a new note: an earlier one of this preview, by another user or with another token, could not be edited."
)


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    project_id: str
    iid: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a note shall say. `body` gets a sentence to put below the status, or none."""

    marker: str
    about: str
    body: Callable[[str], str]

    def text(self, notice: str = "") -> str:
        return f"{self.marker}\n{self.body(notice)}"


def merge_request_of(environ: Mapping[str, str]) -> MergeRequest | str:
    """The merge request of this pipeline, or why no note shall be written. CiError: GitLab's variables are incomplete."""
    if not environ.get("CI_MERGE_REQUEST_IID"):
        return "No note: this is no merge request pipeline (CI_MERGE_REQUEST_IID is not set)."
    names = ("CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    missing = [f"{name} is not set, though CI_MERGE_REQUEST_IID is." for name in names if not environ.get(name)]
    if missing:
        raise all_problems(missing)
    project, source = (environ[name] for name in names)
    if source != project:
        return (
            "No note: the merge request comes from a fork, whose pipelines get no token. The artifacts hold the report."
        )
    return MergeRequest(project_id=project, iid=environ["CI_MERGE_REQUEST_IID"])


def write_notes(client: gitlab.Gitlab, where: MergeRequest, notes: Sequence[Note]) -> list[str]:
    """Writes or edits each note; a line for each says which. What GitLab refuses goes to `connect`."""
    request = f"merge request !{where.iid}"
    me = checked(client.http_get("/user"), USER)["id"]
    manager = client.projects.get(where.project_id, lazy=True).mergerequests.get(where.iid, lazy=True).notes
    own: dict[str, int] = {}
    others: set[str] = set()
    # Oldest first: notes that are written meanwhile do not move the pages that are still to be read.
    for found in each(manager.list(iterator=True, per_page=100, sort="asc", order_by="created_at"), NOTE):
        first = found["body"].partition("\n")[0].strip()
        if found["system"] or first not in {note.marker for note in notes}:
            continue
        if found["author"] is not None and found["author"]["id"] == me:
            own[first] = found["id"]  # the newest, where a refusal has left several
        else:
            others.add(first)
    done = []
    for note in notes:
        refused = note.marker in others
        if note.marker in own:
            refused = not _edited(manager, own[note.marker], note.text())
            if not refused:
                done.append(f"Edited the note on {note.about} in {request}.")
                continue
        manager.create({"body": note.text(NOT_EDITED if refused else "")})
        why = ", for the earlier one could not be edited" if refused else ""
        done.append(f"Wrote a new note on {note.about} to {request}{why}.")
    return done


def _edited(manager: object, number: int, body: str) -> bool:
    """False: the note may not be edited, or was deleted meanwhile."""
    try:
        manager.update(number, {"body": body})  # type: ignore[attr-defined] # python-gitlab mixes it in
    except gitlab.GitlabUpdateError as error:
        if error.response_code in (403, 404):
            return False
        raise
    return True
