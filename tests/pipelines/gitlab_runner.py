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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightkube.resources.core_v1 import Secret

from components.naming import RegistrationNames
from sandbox import files
from tests.engine.estate import Estate
from tests.pipelines.events import Ask, branch, jobs, merge_request, schedule

Expanded = Callable[[Path], dict[str, dict[str, Any]]]
Definition = Mapping[str, Any]
Runner = dict[str, Any]  # as the stack's output `runners` tells it

MAIN = "acme/app"  # the environment's own project; of a further one, names have its path
MOUNT = "/root/.config/scw"
# What the sandbox gives a shell and a job does not have.
_OWNERS = (
    "SCW_ACCESS_KEY SCW_SECRET_KEY SCW_DEFAULT_ORGANIZATION_ID SCW_DEFAULT_PROJECT_ID SCW_CONFIG_PATH GITLAB_TOKEN "
    "GITLAB_BASE_URL PULUMI_CONFIG_PASSPHRASE_FILE"
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


def succeeded(ran: Ran) -> str:
    """What a job that must not have failed has printed."""
    assert ran.code == 0, ran.log
    return ran.log


@dataclass(frozen=True)
class Gitlab:
    """Pipelines of one environment's projects.

    `folder` is the repository that jobs find themselves in, `commands` a folder with what a job's image has and this machine
    has not, `left_out` jobs that other tests run.
    """

    estate: Estate
    environment: str
    folder: Path
    left_out: Collection[str] = ()
    commands: Path | None = None
    job_tokens: list[str] = field(default_factory=list)  # as they were issued

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
        while taken := self._take(self._managers(project)):  # which a job may change
            job, runner = taken
            done.append(self._do(job, definitions[job["job_info"]["name"]], runner, extra))
        for definition in definitions.values():  # the next pipeline starts in a fresh checkout
            for file in self._artifacts(definition):
                file.unlink()
        return done

    # --- the runners' part

    def _managers(self, project: str) -> list[tuple[str, Runner]]:
        """Each manager of the project: the token that it finds mounted, and its runner."""
        found = []
        with self.estate.kubernetes(self.environment) as client:
            for runner in self.estate.outputs(self.environment)["runners"]:
                if project in (served["project"] for served in runner["projects"]):
                    further = None if project == MAIN else project
                    name = RegistrationNames(self.environment, runner["name"], further).tokens_secret
                    secret = client.get(Secret, name, namespace=f"{self.environment}-runners")
                    found.append((base64.b64decode((secret.data or {})["runner-token"]).decode(), runner))
        return found

    def _take(self, managers: list[tuple[str, Runner]]) -> tuple[dict[str, Any], Runner] | None:
        """A job that some manager gets, and that manager's runner."""
        for token, runner in managers:
            job = self._ask("POST", "/api/v4/jobs/request", {"token": token})
            if job:
                return job, runner
        return None

    def _do(self, job: Mapping[str, Any], definition: Definition, runner: Runner, extra: Mapping[str, str]) -> Ran:
        token = job["token"]
        self.job_tokens.append(token)
        variables = {v["key"]: v["value"] for v in job["variables"]}
        with tempfile.TemporaryDirectory() as mounted:
            for name, text in self.estate.mounted(self.environment, runner).items():
                files.write(Path(mounted) / name, text)
            at = {k: str(v).replace(MOUNT, mounted) for k, v in {**variables, **extra}.items()}
            at.setdefault("SCW_CONFIG_PATH", f"{mounted}/config.yaml")
            exports = [f"export {k}={shlex.quote(v)}" for k, v in at.items()]
            told = Path(mounted) / "variables of the job"  # on no command line, as the runner has them on none
            files.write(told, "\n".join(exports))
            script = [*definition.get("before_script", []), *definition["script"]]
            here = [f"unset {_OWNERS}", f"cd {shlex.quote(str(self.folder))}", f". {shlex.quote(str(told))}"]
            if self.commands:
                here.append(f'export PATH={shlex.quote(str(self.commands))}:"$PATH"')
            result = self.estate.shell("\n".join([*here, *script]))
        self._upload(job, token, definition)
        state = "failed" if result.returncode else "success"
        self._ask("PUT", f"/api/v4/jobs/{job['id']}", {"token": token, "state": state})
        log = result.stdout + result.stderr
        return Ran(name=job["job_info"]["name"], code=result.returncode, log=log, runner=runner["name"])

    def _artifacts(self, definition: Definition) -> list[Path]:
        names = (definition.get("artifacts") or {}).get("paths", [])
        found = [file for name in names for file in (self.folder / name, *(self.folder / name).rglob("*"))]
        return [file for file in found if file.is_file()]

    def _upload(self, job: Mapping[str, Any], token: str, definition: Definition) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for file in self._artifacts(definition):
                packed.write(file, file.relative_to(self.folder))
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
