"""Pipelines played in the GitLab stand-in, as a test needs them: made by an event, their jobs taken and ended by runners."""

import io
import zipfile
from typing import Any

from requests import Response

from sandbox.gitlab.pipelines import JOBS
from sandbox.store import Record
from tests.sandbox.gitlab.conftest import Instance

Job = dict[str, Any]  # as a runner gets it
APP = "acme/app"


class Played:
    """What GitLab and a runner's manager do in a project, by its path."""

    def __init__(self, instance: Instance, project: str = APP) -> None:
        self.instance, self.project = instance, project
        self.id: int = self.api("GET", "")["id"]

    def api(self, method: str, path: str, *, token: str = "", **body: Any) -> Any:
        """A request that must succeed, below the project."""
        whole = f"projects/{self.project.replace('/', '%2F')}{f'/{path}' if path else ''}"
        answer = self.instance.call(method, whole, token=token, json=body or None)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def commit(self, branch: str, title: str = "Work") -> str:
        made = self.api("POST", "repository/commits", branch=branch, commit_message=title, actions=[])
        return str(made["id"])

    def change(self, branch: str, *, into: str = "main", **settings: Any) -> int:
        """A branch with a commit, and its open merge request; the number of that."""
        self.api("POST", "repository/branches", branch=branch, ref=into)
        self.commit(branch)
        opened = {"source_branch": branch, "target_branch": into, "title": branch} | settings
        return int(self.api("POST", "merge_requests", **opened)["iid"])

    def merge(self, request: int) -> Record:
        merged: Record = self.api("PUT", f"merge_requests/{request}/merge")
        return merged

    # --- GitLab's part

    def start(self, *jobs: str | dict[str, Any], status: int = 201, **event: Any) -> Any:
        """A pipeline of these jobs (by name, or with what else they say); by default of a push to main."""
        whole = [{"tags": ["t"]} | (job if isinstance(job, dict) else {"name": job}) for job in jobs]
        event = event or {"source": "push", "ref": "main"}
        body = {"project": self.project, "jobs": whole} | event
        url = f"{self.instance.listener.url}/_sandbox/pipelines"
        answer = self.instance.session.post(url, json=body, timeout=10)
        assert answer.status_code == status, answer.text
        return answer.json()

    def stored(self, name: str) -> Record:
        """What the stand-in knows of the last job of that name."""
        return next(job for job in reversed(self.instance.store.all(JOBS)) if job["name"] == name)

    # --- the runner's part

    def runner(self, *tags: str, **settings: Any) -> str:
        """The token of a new runner of the project; it takes jobs with the tag `t` unless others are given."""
        body = {"runner_type": "project_type", "project_id": self.id, "tag_list": list(tags or ("t",))}
        body |= {"run_untagged": False} | settings
        answer = self.instance.call("POST", "user/runners", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def ask(self, runner: str) -> Response:
        return self.instance.call("POST", "jobs/request", token=None, json={"token": runner})

    def take(self, runner: str) -> Job | None:
        """The job that the runner gets; None where there is none for it."""
        answer = self.ask(runner)
        assert answer.status_code in (201, 204), answer.text
        found: Job | None = answer.json() if answer.status_code == 201 else None
        return found

    def took(self, runner: str, name: str = "") -> Job:
        job = self.take(runner)
        assert job is not None
        assert name in ("", job["job_info"]["name"])
        return job

    def names(self, runner: str) -> list[str]:
        """The jobs that the runner gets one after another, each of which succeeds."""
        found = []
        while job := self.take(runner):
            found.append(job["job_info"]["name"])
            self.end(job)
        return found

    def upload(self, job: Job, content: bytes, *, token: str | None = None, part: str = "file") -> Response:
        return self.instance.call(
            "POST",
            f"jobs/{job['id']}/artifacts",
            token=None,
            headers={"JOB-TOKEN": job["token"] if token is None else token},
            files={part: ("artifacts.zip", content)},
        )

    def update(self, job: Job, state: str, **more: Any) -> Response:
        body = {"token": job["token"], "state": state} | more
        return self.instance.call("PUT", f"jobs/{job['id']}", token=None, json=body)

    def end(self, job: Job, state: str = "success", **files: str) -> None:
        """Ends a job, with artifacts if there are any (`plan_json="{}"` is the file plan.json)."""
        if files:
            content = packed({name.replace("_", "."): text for name, text in files.items()})
            assert self.upload(job, content).status_code == 201
        assert self.update(job, state).status_code == 200


def packed(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as into:
        for name, text in files.items():
            into.writestr(name, text)
    return archive.getvalue()


def variables(job: Job) -> dict[str, str]:
    return {each["key"]: each["value"] for each in job["variables"]}
