"""Finds the plan that was reviewed: an artifact of the last pipeline of the merge request that brought a commit.

Owns which merge request, pipeline and job that is, and that a plan which was not made, failed, is of an older push or is
gone stops a deployment. Nothing is deployed on a guess: each of these is a CiError that says how to go on.

Does not own what a plan says (`plans`) nor how GitLab is reached (`gitlab_client`). What a branch of the merge request wrote
into the artifact can only hold a deployment back: what is done is what the program of the deployed commit declares.
Source: GitLab, "Merge requests API" (list, pipelines), "Jobs API", "Job artifacts API".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import gitlab
from gitlab.v4.objects import Project

from ci.errors import CiError
from ci.gitlab_answers import JOB, MERGE_REQUEST, PIPELINE, AnswerError, Record, each
from ci.plans import MAX_BYTES, Plan, parse_plan

READ: Final = 500  # merge requests that are looked at: five pages
_PAGE: Final = 100
_BY_HAND: Final = (
    "Fix: look at what it would do now, and when that is wanted start a pipeline on {branch} (Build > Pipelines > New "
    "pipeline): a deployment that a person starts needs no plan"
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which plan: `commit` is what `branch` was pushed to; `job` made the plan as its artifact `file`."""

    project: str
    commit: str
    branch: str
    job: str
    file: str

    @classmethod
    def of(cls, environment: Mapping[str, str], job: str, file: str) -> "Wanted":
        """What GitLab's variables say of this job. CiError: which are not set."""
        names = ("CI_PROJECT_ID", "CI_COMMIT_SHA", "CI_COMMIT_BRANCH")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise CiError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: they must say which commit is "
                "deployed, or its reviewed plan cannot be found. Fix: by hand, --plan FILE"
            )
        project, commit, branch = (environment[name] for name in names)
        return cls(project=project, commit=commit, branch=branch, job=job, file=file)

    @property
    def short(self) -> str:
        return self.commit[:8]

    @property
    def by_hand(self) -> str:
        return _BY_HAND.format(branch=self.branch)


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """A reviewed plan, and where it is from: a merge request's number and its job's address."""

    plan: Plan
    merge_request: int
    job_url: str


def find_reviewed_plan(client: gitlab.Gitlab, wanted: Wanted) -> Reviewed:
    """The plan of the commit's merge request. CiError: there is none to keep to; what GitLab refuses goes to `connect`."""
    project = client.projects.get(wanted.project, lazy=True)
    request = _merge_request(project, wanted)
    name = f"!{request['iid']}"
    pipeline = _pipeline(project, request, wanted)
    jobs = project.pipelines.get(pipeline["id"], lazy=True).jobs.list(iterator=True, per_page=_PAGE)
    job = next((j for j in each(jobs, JOB) if j["name"] == wanted.job), None)
    if job is None:
        raise CiError(
            f"the pipeline of {name} has no job {wanted.job}: it must have made the plan that was reviewed, or the "
            f"deployment has none to keep to. {wanted.by_hand}"
        )
    if job["status"] != "success":
        raise CiError(
            f"{wanted.job} of {name} did not succeed ({job['status']}): only what a preview has shown may be deployed. "
            f"{wanted.by_hand}"
        )
    try:
        content = project.jobs.get(job["id"], lazy=True).artifact(wanted.file)
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
        raise CiError(
            f"{wanted.job} of {name} has no {wanted.file} any more: artifacts end after a while, and the deployment has no "
            f"plan to keep to. {wanted.by_hand}"
        ) from None
    if not isinstance(content, bytes):
        raise AnswerError("an artifact is no file")
    origin = f"{wanted.file} of {wanted.job} in {name}"
    if len(content) > MAX_BYTES:
        raise CiError(
            f"{origin} is larger than {MAX_BYTES:,} bytes ({len(content):,}): it is no plan of one stack. {wanted.by_hand}"
        )
    plan = parse_plan(content.decode("utf-8", "replace"), origin, wanted.by_hand)
    return Reviewed(plan=plan, merge_request=int(request["iid"]), job_url=str(job["web_url"]))


def _merge_request(project: Project, wanted: Wanted) -> Record:
    """The one whose merge made this commit the branch's last.

    Not by the commit's own list of merge requests: that is of those which hold a commit, and a merge is not said to be one.
    """
    try:
        listed = project.mergerequests.list(
            state="merged",
            target_branch=wanted.branch,
            order_by="updated_at",
            sort="desc",
            iterator=True,
            per_page=_PAGE,
        )
        for request in islice(each(listed, MERGE_REQUEST), READ):
            if wanted.commit in (request.get(k) for k in ("merge_commit_sha", "squash_commit_sha", "sha")):
                return request
    except gitlab.GitlabError as error:
        if error.response_code != 404:
            raise
        raise CiError(
            f"GitLab knows no project {wanted.project}, or the token may not read it: its merge requests say what was "
            "reviewed. Fix: run the job in the project of the commit, with a token of role Developer"
        ) from None
    raise CiError(
        f"no merge request has brought {wanted.short} to {wanted.branch} (of the {READ} that changed last): nobody has seen "
        f"a preview of what it would change. {wanted.by_hand}"
    )


def _pipeline(project: Project, request: Record, wanted: Wanted) -> Record:
    """The last one of the merge request, which must be of its last push."""
    listed = project.mergerequests.get(request["iid"], lazy=True).pipelines.list(iterator=True, per_page=_PAGE)
    own = [
        p
        for p in each(listed, PIPELINE)
        # A fork's pipeline runs in the fork, on its own runners.
        if p["ref"].startswith("refs/merge-requests/") and p["project_id"] == request["target_project_id"]
    ]
    last = max(own, key=lambda pipeline: int(pipeline["id"]), default=None)
    if last is None:
        raise CiError(
            f"!{request['iid']} has no merge request pipeline: nobody has seen a preview of what it would change. "
            f"{wanted.by_hand}"
        )
    # One of the merged result has a commit of its own, which nothing in its answer ties to the push.
    if str(last["ref"]).endswith("/head") and last["sha"] != request["sha"]:
        raise CiError(
            f"the last pipeline of !{request['iid']} is of {str(last['sha'])[:8]}, and {str(request['sha'])[:8]} was "
            f"merged: what was reviewed is not what is deployed. {wanted.by_hand}"
        )
    return last
