"""Plays two parts that the sandbox has not: GitLab reading a pipeline file, and the runners' managers doing its jobs.

Which jobs a pipeline has, and what they are, says gitlab-ci-local. Which runner gets a job, and with which variables, says
the GitLab stand-in, asked with the runners' own tokens out of the cluster. A job's script runs in the sandbox's shell with
these variables and the files of the secret that its pod would mount, and with no credential of the sandbox.

What is not as in a pod: the script runs on this machine, in the estate's checkout, and finds its files elsewhere than in
/root/.config/scw.
"""

import base64
import io
import json
import shlex
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightkube.resources.core_v1 import Secret

from tests.engine.estate import Estate
from tests.pipelines.events import Ask, branch, jobs, merge_request, schedule

Expanded = Callable[[Path], dict[str, dict[str, Any]]]
Definition = Mapping[str, Any]

MOUNT = "/root/.config/scw"
# What the sandbox gives a shell and a job does not have.
_OWNERS = (
    "SCW_ACCESS_KEY SCW_SECRET_KEY SCW_DEFAULT_ORGANIZATION_ID SCW_DEFAULT_PROJECT_ID SCW_CONFIG_PATH GITLAB_TOKEN "
    "PULUMI_CONFIG_PASSPHRASE_FILE"
)
# Where a job's image keeps what it has fetched; here the sandbox has it.
_OF_THE_IMAGE = ("PULUMI_HOME", "PIP_CACHE_DIR", "PULUMI_SKIP_UPDATE_CHECK", "GIT_DEPTH", "TOOLCHAIN_CACHE")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A job that has run: what it ended with, what it printed, and the runner that took it (its release)."""

    name: str
    code: int
    log: str
    runner: str


@dataclass(frozen=True)
class Gitlab:
    """Pipelines of one environment's projects. `left_out` are jobs that other tests run."""

    estate: Estate
    environment: str
    left_out: Collection[str] = ()

    # --- GitLab's part

    def pipeline_of(self, file: Path, ask: Ask, expanded: Expanded, project: str, **event: Any) -> list[Ran]:
        """Makes the pipeline that GitLab would make of an event (`branch`, `merge_request` or `schedule`) and does its jobs.

        `event` may hold `extra`: variables that only this machine gives, such as another date.
        """
        extra = event.pop("extra", {})
        names = jobs(ask, file, self._variables_of(project, event)) - set(self.left_out)
        definitions = expanded(file)
        stages: list[str] = list(dict.fromkeys(d["stage"] for d in definitions.values()))
        return self.run(project, {n: definitions[n] for n in sorted(names)}, stages, event, extra)

    def _variables_of(self, project: str, event: Mapping[str, Any]) -> dict[str, str | None]:
        if "branch" in event:
            return branch(event["branch"]) | {"CI_PIPELINE_SOURCE": event.get("source", "push")}
        path = f"projects/{project.replace('/', '%2F')}"
        if "merge_request" in event:
            found = self.estate.gitlab("GET", f"{path}/merge_requests/{event['merge_request']}")
            return merge_request(found["source_branch"], found["target_branch"])
        found = self.estate.gitlab("GET", f"{path}/pipeline_schedules/{event['schedule']}")
        (task,) = (v["value"] for v in found["variables"])
        return schedule(found["ref"].removeprefix("refs/heads/"), task)

    def run(
        self,
        project: str,
        definitions: Mapping[str, Definition],
        stages: list[str],
        event: Mapping[str, Any],
        extra: Mapping[str, str],
    ) -> list[Ran]:
        """Makes a pipeline of these jobs and does them until none is left that a runner of the environment may take."""
        asked = [
            {
                "name": name,
                "stage": stages.index(job["stage"]),
                "tags": job["tags"],
                "needs": _names(job["needs"]) if "needs" in job else None,
                "environment": job.get("environment"),
                "resource_group": job.get("resource_group"),
                "variables": {k: v for k, v in (job.get("variables") or {}).items() if k not in _OF_THE_IMAGE},
            }
            for name, job in definitions.items()
        ]
        start = {"ref": event["branch"], "source": event.get("source", "push")} if "branch" in event else dict(event)
        self._ask("POST", "/_sandbox/pipelines", {"project": project, "jobs": asked, **start})
        done = []
        while taken := self._take():
            token, job, runner = taken
            name = job["job_info"]["name"]
            done.append(self._do(token, job, definitions[name], runner, extra))
        return done

    # --- the runners' part

    def _take(self) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        """A job that some manager gets, with the job's token and the runner, as the stack's output tells it."""
        for runner in self.estate.outputs(self.environment)["runners"]:
            for served in runner["projects"]:
                answer = self._ask("POST", "/api/v4/jobs/request", {"token": self._token(served["release"])})
                if answer:
                    return answer["token"], answer, runner
        return None

    def _token(self, release: str) -> str:
        """What the manager of a release finds mounted."""
        with self.estate.kubernetes(self.environment) as client:
            found = client.get(Secret, f"{release}-tokens", namespace=f"{self.environment}-runners")
        return base64.b64decode((found.data or {})["runner-token"]).decode()

    def _do(
        self,
        token: str,
        job: Mapping[str, Any],
        definition: Definition,
        runner: dict[str, Any],
        extra: Mapping[str, str],
    ) -> Ran:
        variables = {v["key"]: v["value"] for v in job["variables"]}
        with tempfile.TemporaryDirectory() as mounted:
            for name, text in self.estate.mounted(self.environment, runner).items():
                file = Path(mounted) / name
                file.touch(mode=0o600)
                file.write_text(text)
            at = {k: str(v).replace(MOUNT, mounted) for k, v in {**variables, **extra}.items()}
            at.setdefault("SCW_CONFIG_PATH", f"{mounted}/config.yaml")
            exports = [f"export {k}={shlex.quote(v)}" for k, v in at.items()]
            script = [*definition.get("before_script", []), *definition["script"]]
            result = self.estate.shell("\n".join([f"unset {_OWNERS}", *exports, *script]))
        self._upload(job, token, definition)
        state = "failed" if result.returncode else "success"
        self._ask("PUT", f"/api/v4/jobs/{job['id']}", {"token": token, "state": state})
        log = result.stdout + result.stderr
        return Ran(name=job["job_info"]["name"], code=result.returncode, log=log, runner=runner["name"])

    def _upload(self, job: Mapping[str, Any], token: str, definition: Definition) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for name in (definition.get("artifacts") or {}).get("paths", []):
                file = self.estate.checkout / name
                if file.is_file():
                    packed.write(file, name)
                    file.unlink()  # the next job starts in a fresh checkout
        edge = "edge-of-a-part"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="artifacts.zip"\r\n\r\n'
        body = head.encode() + archive.getvalue() + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}", "JOB-TOKEN": token}
        self._send("POST", f"/api/v4/jobs/{job['id']}/artifacts", body, kind)

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return self._send(method, path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        address = json.loads((self.estate.folder / "running.json").read_text())["gitlab"]
        request = urllib.request.Request(f"{address}{path}", method=method, headers=dict(headers), data=body)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _names(needs: list[Any]) -> list[str]:
    return [each["job"] if isinstance(each, dict) else each for each in needs]
