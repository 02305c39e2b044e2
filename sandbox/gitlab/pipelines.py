"""Pipelines of the GitLab stand-in, their jobs and artifacts, as the API shows them.

Owns which pipeline is of which merge request, when a job waits for others, and whether a pipeline is protected: its branch
is, or, of a merge request, both of its branches are.

Nothing here reads a `.gitlab-ci.yml`: GitLab makes a pipeline out of it, and in the sandbox whoever plays GitLab's part says
which jobs there are (`POST /_sandbox/pipelines`). How jobs get to runners: `jobs`.
"""

import base64
import io
import zipfile
from typing import Any

from sandbox.gitlab.branches import is_protected
from sandbox.gitlab.common import PROJECTS, REPORTER, created, no_record, not_found, now, paged, path_number, project_of
from sandbox.gitlab.history import head
from sandbox.gitlab.merge_requests import MERGE_REQUESTS
from sandbox.gitlab.schedules import SCHEDULES
from sandbox.store import Record, Store
from sandbox.web import ApiError, Call, Reply, Routes

PIPELINES = "gitlab.pipelines"
JOBS = "gitlab.jobs"
ENDED = ("success", "failed", "canceled", "skipped")

routes = Routes()
_PROJECT = "/api/v4/projects/<id>"


@routes.add("POST", "/_sandbox/pipelines", "_sandbox.pipelines.create", public=True)
def create_pipeline(call: Call) -> Reply:
    """What GitLab does on a push, a schedule or a merge request: a pipeline with the jobs that the body names.

    `project` (path) and `jobs`, each with `name`, `stage` (a number), `tags`, and maybe `needs` (names), `environment`,
    `resource_group`, `variables`; then `merge_request` (iid), `schedule` (id), or `source` and `ref`.
    """
    given = call.body
    project = next((p for p in call.store.all(PROJECTS) if p["path_with_namespace"] == given["project"]), None)
    if project is None:
        not_found("Project")
    request: Record | None = None
    if given.get("merge_request"):
        request = call.store.get(MERGE_REQUESTS, f"{project['id']}:{given['merge_request']}")
        if request is None:
            not_found()
    schedule: Record | None = None
    if given.get("schedule"):
        schedule = call.store.get(SCHEDULES, given["schedule"])
        if schedule is None or schedule["project_id"] != project["id"]:
            not_found("Pipeline Schedule")
    if request:
        source, ref = "merge_request_event", f"refs/merge-requests/{request['iid']}/head"
    elif schedule:
        source, ref = "schedule", schedule["ref"].removeprefix("refs/heads/")
    else:
        source, ref = given["source"], given["ref"]
    sha = head(call.store, project["id"], request["source_branch"] if request else ref)
    if sha is None:
        raise ApiError(400, {"message": f"there is no {ref}"})
    branches = (request["source_branch"], request["target_branch"]) if request else (ref,)
    number = call.store.next_id("gitlab.pipeline")
    pipeline = {
        "id": number,
        "iid": number,
        "project_id": project["id"],
        "sha": sha,
        "ref": ref,
        "status": "running",
        "source": source,
        "created_at": now(),
        "updated_at": now(),
        "web_url": f"{call.base_url}{project['web_url']}/-/pipelines/{number}",
    }
    hidden = {
        "merge_request": request["iid"] if request else None,
        "protected": all(is_protected(call.store, project, branch) for branch in branches),
        "variables": {v["key"]: v["value"] for v in schedule["variables"]} if schedule else {},
    }
    call.store.put(PIPELINES, number, pipeline | hidden)
    for job in given["jobs"]:
        _add_job(call, project, pipeline, job)
    return created(pipeline)


def _add_job(call: Call, project: Record, pipeline: Record, given: dict[str, Any]) -> None:
    number = call.store.next_id("gitlab.job")
    job = {
        "id": number,
        "name": given["name"],
        "stage": str(given.get("stage", 0)),
        "status": "pending",
        "ref": pipeline["ref"],
        "tag_list": given.get("tags", []),
        "created_at": now(),
        "started_at": None,
        "finished_at": None,
        "failure_reason": None,
        "artifacts": [],
        "pipeline": {k: pipeline[k] for k in ("id", "project_id", "ref", "sha", "status")},
        "runner": None,
        "web_url": f"{call.base_url}{project['web_url']}/-/jobs/{number}",
    }
    asked = {k: given.get(k) for k in ("needs", "environment", "resource_group", "variables")}
    call.store.put(JOBS, number, job | {"project_id": project["id"], "asked": asked, "archive": None})


def jobs_of(store: Store, pipeline_id: int) -> list[Record]:
    return [j for j in store.all(JOBS) if j["pipeline"]["id"] == pipeline_id]


def waits(store: Store, job: Record) -> bool:
    """Whether a job waits: for those that it needs (else all of earlier stages), or for another of its resource group."""
    before = _before(jobs_of(store, job["pipeline"]["id"]), job)
    group = job["asked"]["resource_group"]
    busy = group and any(
        j["status"] == "running" and j["asked"]["resource_group"] == group
        for j in store.all(JOBS, project_id=job["project_id"])
    )
    return bool(busy) or any(j["status"] != "success" for j in before)


def end_pipeline(store: Store, pipeline_id: int) -> None:
    """The pipeline's state once a job has ended: what comes after a failed one is skipped."""
    jobs = jobs_of(store, pipeline_id)
    while lost := [j for j in jobs if j["status"] == "pending" and _never_starts(jobs, j)]:
        for job in lost:
            job["status"] = "skipped"
            store.put(JOBS, job["id"], job)
    if all(j["status"] in ENDED for j in jobs):
        state = "success" if all(j["status"] == "success" for j in jobs) else "failed"
        found = store.get(PIPELINES, pipeline_id)
        assert found is not None
        store.put(PIPELINES, pipeline_id, found | {"status": state, "updated_at": now()})


def _never_starts(jobs: list[Record], job: Record) -> bool:
    return any(j["status"] in ("failed", "canceled", "skipped") for j in _before(jobs, job))


def _before(jobs: list[Record], job: Record) -> list[Record]:
    """What must succeed before a job: the jobs that it needs, else all of earlier stages."""
    needs = job["asked"]["needs"]
    return [j for j in jobs if (j["name"] in needs if needs is not None else int(j["stage"]) < int(job["stage"]))]


def _shown_job(job: Record) -> Record:
    hidden = ["asked", "archive", "project_id", "digest", *(["failure_reason"] if job["status"] != "failed" else [])]
    return {k: v for k, v in job.items() if k not in hidden}


def _shown_pipeline(pipeline: Record) -> Record:
    return {k: v for k, v in pipeline.items() if k not in ("merge_request", "protected", "variables")}


@routes.get(f"{_PROJECT}/merge_requests/<iid>/pipelines", "gitlab.MergeRequestPipelines.list")
def pipelines_of_merge_request(call: Call) -> Reply:
    project, iid = project_of(call, REPORTER), path_number(call, "iid")
    if call.store.get(MERGE_REQUESTS, f"{project['id']}:{iid}") is None:
        no_record()
    found = call.store.all(PIPELINES, project_id=project["id"], merge_request=iid)
    return paged(call, [_shown_pipeline(p) for p in reversed(found)])


@routes.get(f"{_PROJECT}/pipelines/<pipeline_id>", "gitlab.Pipelines.get")
def get_pipeline(call: Call) -> Record:
    return _shown_pipeline(_pipeline(call))


@routes.get(f"{_PROJECT}/pipelines/<pipeline_id>/jobs", "gitlab.PipelineJobs.list")
def jobs_of_pipeline(call: Call) -> Reply:
    pipeline = _pipeline(call)
    return paged(call, [_shown_job(j) for j in reversed(jobs_of(call.store, pipeline["id"]))])


def _pipeline(call: Call) -> Record:
    project = project_of(call, REPORTER)
    found = call.store.get(PIPELINES, path_number(call, "pipeline_id"))
    if found is None or found["project_id"] != project["id"]:
        no_record()
    return found


@routes.get(f"{_PROJECT}/jobs/<job_id>/artifacts/<path:file>", "gitlab.JobArtifacts.file")
def artifact(call: Call) -> Reply:
    """One file of a job's archive."""
    project = project_of(call, REPORTER)
    job = call.store.get(JOBS, path_number(call, "job_id"))
    if job is None or job["project_id"] != project["id"] or not job["archive"]:
        not_found()
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(job["archive"]))) as archive:
        try:
            content = archive.read(call.args["file"])
        except KeyError:
            not_found()
    return Reply(body=content, content_type="application/octet-stream")
