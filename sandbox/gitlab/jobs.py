"""How a job gets to a runner in the GitLab stand-in, and what the runner may learn with it: the runner's own API.

Owns GitLab's rules for that: a runner takes jobs of its project that its tags cover; one for protected branches takes those
of protected pipelines only; a job gets the variables whose environment scope fits, protected ones in a protected pipeline
only. A runner shows its token, a job that runs shows its own.

Does not own what a job does: nothing is run here. Source: GitLab, "Runners API" and "Jobs" (`/jobs/request`), "CI/CD
variables" (precedence, scopes, protection), "Merge request pipelines" (access to protected variables).
"""

import base64
import io
import re
import zipfile
from typing import IO, Any

from werkzeug.formparser import parse_form_data

from sandbox.gitlab import runners
from sandbox.gitlab.auth import JOB_TOKENS, digest, issue_job_token
from sandbox.gitlab.common import PROJECTS, created, forbidden, now, one_of, params, path_number, required
from sandbox.gitlab.merge_requests import MERGE_REQUESTS
from sandbox.gitlab.pipelines import ENDED, JOBS, PIPELINES, end_pipeline, waits
from sandbox.gitlab.variables import VARIABLES
from sandbox.store import Record, Store
from sandbox.web import ApiError, Call, Reply, Routes

routes = Routes()


@routes.add("POST", "/api/v4/jobs/request", "gitlab.Jobs.request", public=True)
def request_job(call: Call) -> Reply:
    """The oldest job that the runner may take, with its variables; 204 where there is none."""
    runner = runners.calling_runner(call)
    for job in call.store.all(JOBS, status="pending"):
        if _may_take(call.store, runner, job) and not waits(call.store, job):
            return created(_handed_over(call, runner, job))
    return Reply(status=204)


def _may_take(store: Store, runner: Record, job: Record) -> bool:
    if runner["paused"] or runner["project_id"] != job["project_id"]:
        return False
    if runner["access_level"] == "ref_protected" and not _pipeline(store, job)["protected"]:
        return False
    return set(job["tag_list"]) <= set(runner["tag_list"]) and bool(job["tag_list"] or runner["run_untagged"])


def _handed_over(call: Call, runner: Record, job: Record) -> Record:
    token = issue_job_token(call.store, runner["created_by"]["id"])
    running = {"status": "running", "started_at": now(), "runner": runners.shown(runner), "digest": digest(token)}
    job = call.store.put(JOBS, job["id"], job | running)
    predefined = {**_predefined(call, job), "CI_JOB_TOKEN": token}
    return {
        "id": job["id"],
        "token": token,
        "allow_git_fetch": True,
        "job_info": {"id": job["id"], "name": job["name"], "stage": job["stage"], "project_id": job["project_id"]},
        "variables": _variables(call.store, job, predefined),
    }


def _pipeline(store: Store, job: Record) -> Record:
    found = store.get(PIPELINES, job["pipeline"]["id"])
    assert found is not None
    return found


def _predefined(call: Call, job: Record) -> dict[str, str]:
    pipeline, project = _pipeline(call.store, job), call.store.get(PROJECTS, job["project_id"])
    assert project is not None
    environment = (job["asked"]["environment"] or {}).get("name")
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER_URL": call.base_url,
        "CI_API_V4_URL": f"{call.base_url}/api/v4",
        "CI_PROJECT_ID": str(project["id"]),
        "CI_PROJECT_PATH": project["path_with_namespace"],
        "CI_PROJECT_NAME": project["path"],
        "CI_DEFAULT_BRANCH": project["default_branch"],
        "CI_COMMIT_SHA": pipeline["sha"],
        "CI_COMMIT_SHORT_SHA": pipeline["sha"][:8],
        "CI_COMMIT_REF_NAME": pipeline["ref"],
        "CI_COMMIT_REF_PROTECTED": str(pipeline["protected"]).lower(),
        "CI_PIPELINE_ID": str(pipeline["id"]),
        "CI_PIPELINE_SOURCE": pipeline["source"],
        "CI_PIPELINE_URL": pipeline["web_url"],
        "CI_JOB_ID": str(job["id"]),
        "CI_JOB_NAME": job["name"],
        "CI_JOB_STAGE": job["stage"],
        "CI_JOB_URL": job["web_url"],
    }
    if environment:
        found["CI_ENVIRONMENT_NAME"] = environment
    if pipeline["merge_request"] is None:
        return found | {"CI_COMMIT_BRANCH": pipeline["ref"]}
    request = call.store.get(MERGE_REQUESTS, f"{project['id']}:{pipeline['merge_request']}")
    assert request is not None
    return found | {
        "CI_COMMIT_REF_NAME": request["source_branch"],
        "CI_MERGE_REQUEST_ID": str(request["id"]),
        "CI_MERGE_REQUEST_IID": str(request["iid"]),
        "CI_MERGE_REQUEST_PROJECT_ID": str(project["id"]),
        "CI_MERGE_REQUEST_PROJECT_PATH": project["path_with_namespace"],
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(request["source_project_id"]),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": request["source_branch"],
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": request["target_branch"],
    }


def _variables(store: Store, job: Record, predefined: dict[str, str]) -> list[Record]:
    """In GitLab's precedence, the strongest last and alone: predefined, the job's, the group's, the project's, the run's."""
    pipeline = _pipeline(store, job)
    found = {key: _plain(key, value) for key, value in predefined.items()}
    found |= {key: _plain(key, str(value)) for key, value in (job["asked"]["variables"] or {}).items()}
    project = store.get(PROJECTS, job["project_id"])
    assert project is not None
    environment = str((job["asked"]["environment"] or {}).get("name") or "")
    for owner in (f"group:{project['namespace']['id']}", f"project:{project['id']}"):
        scoped = [v for v in store.all(VARIABLES, owner=owner) if fits(v["environment_scope"], environment)]
        for variable in sorted(scoped, key=lambda v: len(v["environment_scope"])):  # the longest scope says it best
            if variable["protected"] and not pipeline["protected"]:
                continue
            found[variable["key"]] = {
                "key": variable["key"],
                "value": variable["value"],
                "public": False,
                "masked": variable["masked"],
                "raw": variable["raw"],
                "file": variable["variable_type"] == "file",
            }
    found |= {key: _plain(key, str(value)) for key, value in pipeline["variables"].items()}
    return list(found.values())


def _plain(key: str, value: str) -> Record:
    return {"key": key, "value": value, "public": True, "masked": False, "raw": False, "file": False}


def fits(scope: str, environment: str) -> bool:
    """Whether an environment's name is in a scope, in which `*` stands for any text; none is in `*` alone."""
    return re.fullmatch(".*".join(map(re.escape, scope.split("*"))), environment) is not None


# --- while it runs ----------------------------------------------------------------------------------------------------


def _running(call: Call, token: Any) -> Record:
    """The job that the route names, asked for with its own token, while it runs."""
    job = call.store.get(JOBS, path_number(call, "job_id"))
    if job is None or not token or job.get("digest") != digest(str(token)) or job["status"] != "running":
        forbidden()
    return job


@routes.add("PUT", "/api/v4/jobs/<job_id>", "gitlab.Jobs.update", public=True)
def update_job(call: Call) -> Reply:
    given = params(call)
    required(given, "token", "state")
    job = _running(call, given["token"])
    state = one_of(given, "state", ("running", "success", "failed"))
    if state in ENDED:
        reason = given.get("failure_reason") or "script_failure" if state == "failed" else None
        call.store.put(JOBS, job["id"], job | {"status": state, "finished_at": now(), "failure_reason": reason})
        call.store.delete(JOB_TOKENS, job["digest"])
        end_pipeline(call.store, job["pipeline"]["id"])
    return Reply(body="200", content_type="text/plain")


def _in_memory(
    total_content_length: int | None, content_type: str | None, filename: str | None, content_length: int | None = None
) -> IO[bytes]:
    """Where a part of a form is kept: a file would have to be closed."""
    return io.BytesIO()


@routes.add("POST", "/api/v4/jobs/<job_id>/artifacts", "gitlab.Jobs.artifacts", public=True)
def upload_artifacts(call: Call) -> Reply:
    """The job's archive: a zip in the part `file` of a form."""
    job = _running(call, call.headers.get("JOB-TOKEN"))
    environ = {
        "wsgi.input": io.BytesIO(call.raw_body),
        "CONTENT_TYPE": call.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(call.raw_body)),
        "REQUEST_METHOD": "POST",
    }
    _, _, files = parse_form_data(environ, stream_factory=_in_memory)
    content = files["file"].read() if "file" in files else b""
    try:
        with zipfile.ZipFile(io.BytesIO(content)):
            pass
    except zipfile.BadZipFile:
        raise ApiError(400, {"message": "400 Bad request - the file is no zip archive"}) from None
    shown = [{"file_type": "archive", "size": len(content), "filename": "artifacts.zip", "file_format": "zip"}]
    call.store.put(JOBS, job["id"], job | {"archive": base64.b64encode(content).decode(), "artifacts": shown})
    return created({"message": "201 Created"})
