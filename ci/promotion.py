"""One promotion: the open merge request from one branch to the next, as it should be.

Owns what a promotion holds, who is asked to look at it, and that there is one, however many jobs run at once. On one that is
open already it keeps what people decided: title, assignee, other reviewers, text outside our part of the description.

Which merge requests it lists: those that GitLab merged by a commit that the source has and the target has not
(`target..source`), whichever branch they were merged to. That is what merging will bring, also at the first promotion, after
a push past a promotion, for squashed and fast-forward merges (`squash_commit_sha`, `sha`), and in the second step of main →
preprod → prod, where a list by time and branch would show promotions only. Where the last promotion was itself squashed, its
commits never reach the target: then what was merged before it is left out as well.

Requests are bounded: GitLab filters by branches, state and time, and of the rest no more than READ items are read.
Source: GitLab, "Merge requests API" (state, source_branch, target_branch, updated_after, merge_commit_sha) and "Commits API"
(ref_name is a branch, tag or revision range; unlike a comparison, it is paged and brings no diffs).
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import gitlab
from gitlab.v4.objects import Project

from ci.errors import CiError
from ci.gitlab_answers import BRANCH, COMMIT, MERGE_REQUEST, PROJECT, USER, asked, checked, each
from ci.promotion_text import Content, Merged, block, count, one_line, same, with_block

Record = Mapping[str, Any]

READ = 1000  # commits, and merged merge requests, that are looked at: ten pages each
_PAGE = 100
_CLOCKS = timedelta(days=1)  # how far the clock of a commit's author may be ahead
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is asked: a user's number or @name as it was given, and the flag or variable that gave it."""

    text: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What is wanted. `project` is a number or a path with its groups."""

    project: str
    source: str
    target: str
    title: str
    assignee: Person | None = None
    reviewers: Sequence[Person] = ()


@dataclass(frozen=True, kw_only=True)
class User:
    id: int
    name: str


def promote(client: gitlab.Gitlab, wanted: Promotion) -> list[str]:
    """Does it, and says what was done in lines for the job's log. Raises CiError, GitlabError, RequestException."""
    project = _project(client, wanted.project)
    source, target = _head(project, wanted.source, wanted), _head(project, wanted.target, wanted)
    last = _last(project, wanted)
    content = _content(project, wanted, last, base=target, tip=source)
    if content is None:
        return [f"nothing to promote: {one_line(wanted.target)} has all of {one_line(wanted.source)}"]
    assignee = _user(client, wanted.assignee) if wanted.assignee else None
    reviewers = list({u.id: u for u in (_user(client, p) for p in wanted.reviewers)}.values())
    done: list[str] = []
    for _ in range(_TRIES):
        found = _the_open_one(project, wanted, done)
        if found is not None:
            return done + _updated(project, found, block(content), assignee, reviewers)
        opened = _opened(project, wanted, block(content), assignee, reviewers)
        if opened is None:
            continue  # another job was faster; or the one that was in the way is closed by now
        first = _the_open_one(project, wanted, done)  # another job may have done so at the same moment
        if first is None or first["iid"] == opened["iid"]:
            said = f"opened !{opened['iid']}: {one_line(wanted.source)} → {one_line(wanted.target)}"
            listed = count(len(content.merged), "merge request")
            left = _left_out(opened, assignee, reviewers)
            return [*done, f"{said}, {listed}", f"  {opened['web_url']}", *left]
    raise CiError(
        f"the merge request {wanted.source} → {wanted.target} was opened and closed by others "
        f"{_TRIES} times meanwhile: one must stay open, or nothing is promoted. Fix: run the job again"
    )


# --- what there is ----------------------------------------------------------------------------------------------------


def _project(client: gitlab.Gitlab, name: str) -> Project:
    try:
        return asked(lambda: client.projects.get(name), PROJECT)
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
        raise CiError(
            f"GitLab shows no project {name} (404): it must exist and PRIVATE_TOKEN must be of a member, or there "
            "is nothing to promote in. Fix: --project GROUP/PROJECT, or a token of that project"
        ) from None


def _head(project: Project, branch: str, wanted: Promotion) -> str:
    """The commit that a branch ends at."""
    try:
        return str(asked(lambda: project.branches.get(branch), BRANCH).commit["id"])
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
    where = project.path_with_namespace
    if branch == wanted.target:
        query = urlencode({"branch_name": branch, "ref": wanted.source})
        fix = (
            f"git push origin {shlex.quote(f'origin/{wanted.source}:refs/heads/{branch}')}, "
            f"or {project.web_url}/-/branches/new?{query}"
        )
        raise CiError(
            f"{where} has no branch {branch}: the target must exist, or nothing can be merged to it. Fix: {fix}"
        )
    fix = f"--source BRANCH, one of {project.web_url}/-/branches"
    raise CiError(f"{where} has no branch {branch}: the source must exist, or there is nothing to promote. Fix: {fix}")


def _user(client: gitlab.Gitlab, person: Person) -> User:
    number = person.text if person.text.isascii() and person.text.isdecimal() else None
    found: Record | None = None
    try:
        if number is not None:
            found = asked(lambda: client.users.get(int(number)), USER).attributes
        else:
            listed = client.users.list(username=person.text.removeprefix("@"), iterator=True)
            found = next(each(listed, USER), None)
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
    if found is None:
        raise CiError(
            f"GitLab has no user {person.text} ({person.origin}): who is asked must exist, or nobody looks at the "
            f"promotion. Fix: give an id, or a name as {client.url.removesuffix('/api/v4')}/NAME shows it"
        )
    return User(id=found["id"], name=found["username"])


def _of_pair(project: Project, wanted: Promotion, state: str, sort: str) -> list[Record]:
    """Merge requests between the two branches of this project. GitLab counts those of forks' branches as well."""
    listed = project.mergerequests.list(
        state=state,
        source_branch=wanted.source,
        target_branch=wanted.target,
        sort=sort,
        iterator=True,
        per_page=_PAGE,
    )
    own = (m for m in each(listed, MERGE_REQUEST) if m["source_project_id"] == project.id)
    # Of the merged ones the newest will do; of the open ones there is one, but for a race (`_the_open_one`).
    return list(islice(own, 1 if state == "merged" else None))


def _last(project: Project, wanted: Promotion) -> Record | None:
    """The last promotion. Only one is open at a time, so the last one that was made is the last one that was merged."""
    return next(iter(_of_pair(project, wanted, "merged", "desc")), None)


def _the_open_one(project: Project, wanted: Promotion, done: list[str]) -> Record | None:
    """The open merge request between the two branches, the oldest if there are several.

    GitLab looks for another one before it makes one, but holds no lock meanwhile, so two jobs can make two at the same
    moment. Each job looks again after it made one, and whoever sees two closes the later: one stays.
    """
    found = sorted(_of_pair(project, wanted, "opened", "asc"), key=lambda m: int(m["iid"]))
    for later in found[1:]:
        project.mergerequests.update(later["iid"], {"state_event": "close"})
        done.append(f"closed !{later['iid']}: !{found[0]['iid']} is the same promotion")
    return found[0] if found else None


def _content(project: Project, wanted: Promotion, last: Record | None, *, base: str, tip: str) -> Content | None:
    """What the promotion brings, or None when that is nothing."""
    squashed = last is not None and last.get("squash_commit_sha")
    if base == tip or (last is not None and squashed and last.get("sha") == tip):
        return None
    listed = project.commits.list(ref_name=f"{base}..{tip}", iterator=True, per_page=_PAGE)
    commits = list(islice(each(listed, COMMIT), READ + 1))
    if not commits:
        return None
    missing = {str(c["id"]) for c in commits[:READ]}
    # Nothing is merged before its commit is made, and merging is an update.
    since = min(datetime.fromisoformat(c["committed_date"]) for c in commits[:READ]) - _CLOCKS
    candidates = project.mergerequests.list(
        state="merged",
        updated_after=since.isoformat(),
        order_by="updated_at",
        sort="desc",
        iterator=True,
        per_page=_PAGE,
    )
    read = list(islice(each(candidates, MERGE_REQUEST), READ + 1))
    merged = brought(read[:READ], missing, last["merged_at"] if last is not None and squashed else None)
    return Content(
        source=wanted.source,
        target=wanted.target,
        merged=merged,
        commits=len(missing),
        since=last["iid"] if last is not None else None,
        complete=len(commits) <= READ and len(read) <= READ,
    )


# --- pure: what is listed and what is to be changed -------------------------------------------------------------------


def brought(candidates: Sequence[Record], missing: set[str], after: str | None) -> list[Merged]:
    """Those merged by one of the commits that the target misses, the last one first; `after` leaves out earlier ones."""
    names = ("merge_commit_sha", "squash_commit_sha", "sha")
    found = [m for m in candidates if any(m.get(n) in missing for n in names)]
    if after:
        start = datetime.fromisoformat(after)
        found = [m for m in found if m.get("merged_at") and datetime.fromisoformat(m["merged_at"]) > start]
    found.sort(key=lambda m: (m.get("merged_at") or "", m["iid"]), reverse=True)
    return [
        Merged(iid=m["iid"], title=str(m["title"]), author=(m.get("author") or {}).get("username", "")) for m in found
    ]


def changes(found: Record, text: str, assignee: User | None, reviewers: Sequence[User]) -> dict[str, dict[str, Any]]:
    """What an open merge request lacks: what to call it, and the fields to send.

    An assignee is set where there is none; reviewers are added. Nobody whom a person chose is removed.
    """
    lacking: dict[str, dict[str, Any]] = {}
    old = found.get("description") or ""
    new = with_block(old, text)
    if not same(old, new):
        lacking["description"] = {"description": new}
    if assignee is not None and not found.get("assignees"):
        lacking["assignee"] = {"assignee_id": assignee.id}
    have = [r["id"] for r in found.get("reviewers") or []]
    added = [r.id for r in reviewers if r.id not in have]
    if added:
        lacking["reviewers"] = {"reviewer_ids": have + added}
    if found.get("force_remove_source_branch"):
        lacking["source branch is kept"] = {"remove_source_branch": False}
    if found.get("squash"):
        lacking["no squash"] = {"squash": False}
    return lacking


def _left_out(answer: Record, assignee: User | None, reviewers: Sequence[User]) -> list[str]:
    """Who was asked for and is not there: GitLab says nothing of it."""
    have = {r["id"] for r in answer.get("reviewers") or []}
    out = [f"@{r.name} as reviewer" for r in reviewers if r.id not in have]
    if assignee is not None and not answer.get("assignees"):
        out.insert(0, f"@{assignee.name} as assignee")
    why = "they need to be members; several reviewers need GitLab Premium"
    return [f"  GitLab did not take {', '.join(out)}:", f"  {why}"] if out else []


# --- what is done -----------------------------------------------------------------------------------------------------


def _opened(
    project: Project, wanted: Promotion, text: str, assignee: User | None, reviewers: Sequence[User]
) -> Record | None:
    """The new merge request, or None when there is one already."""
    fields: dict[str, Any] = {
        "source_branch": wanted.source,
        "target_branch": wanted.target,
        "title": wanted.title,
        "description": text,
        "remove_source_branch": False,
        "squash": False,  # the target must get the very commits, or the next promotion lists them again
    }
    if assignee is not None:
        fields["assignee_id"] = assignee.id
    if reviewers:
        fields["reviewer_ids"] = [r.id for r in reviewers]
    try:
        return asked(lambda: project.mergerequests.create(fields), MERGE_REQUEST).attributes
    except gitlab.GitlabCreateError as error:
        if error.response_code == 409:
            return None
        raise


def _updated(project: Project, found: Record, text: str, assignee: User | None, reviewers: Sequence[User]) -> list[str]:
    lacking = changes(found, text, assignee, reviewers)
    answer = found
    if lacking:
        fields = {name: value for each in lacking.values() for name, value in each.items()}
        answer = checked(project.mergerequests.update(found["iid"], fields), MERGE_REQUEST)
    done = [name for name in lacking if name not in ("assignee", "reviewers") or _people(answer) != _people(found)]
    said = f"updated !{found['iid']}: {', '.join(done)}" if done else f"nothing to do: !{found['iid']} is up to date"
    return [said, f"  {found['web_url']}", *_left_out(answer, assignee, reviewers)]


def _people(merge_request: Record) -> list[Any]:
    return [[p["id"] for p in merge_request.get(name) or []] for name in ("assignees", "reviewers")]
