"""The GitLab stand-in over HTTP, a promotion as a job runs it, and previews of the real engine, trimmed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci.previews import read_preview
from ci.promote import main
from ci.redaction import Redactor
from ci.report import Report
from ci.report import Run as PipelineRun
from tests.ci.fake_pulumi import Deployment
from tests.sandbox.gitlab.conftest import Instance, instance, start

__all__ = ["instance", "start"]

Run = tuple[int, str, str]


class Job:
    """A job of a pipeline on `main` that promotes to `preprod`, with a project token of its own."""

    def __init__(self, instance: Instance, capsys: pytest.CaptureFixture[str]) -> None:
        self.instance, self._capsys = instance, capsys
        self.token = instance.project_token(level=30)["token"]
        self.changes = 0

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PRIVATE_TOKEN": self.token,
            "CI_API_V4_URL": f"{self.instance.listener.url}/api/v4",
            "CI_PROJECT_ID": str(self.instance.account.project_id),
            "CI_COMMIT_REF_NAME": "main",
            "TARGET_BRANCH": "preprod",
        }

    def run(self, *arguments: str, **variables: str | None) -> Run:
        """Exit code, standard output, standard error. A variable that is None is not set."""
        changed = self.environment | variables
        code = main(arguments, {k: v for k, v in changed.items() if v is not None})
        return code, *self._capsys.readouterr()

    def call(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.instance.call(method, self.instance.project(path), json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    def commit(self, branch: str, title: str = "Work") -> Any:
        return self.call("POST", "repository/commits", 201, branch=branch, commit_message=title, actions=[])

    def change(self, title: str, *, into: str = "main", squash: bool = False) -> int:
        """A merge request from a branch of its own, merged; its number."""
        self.changes += 1
        branch = f"feature/{self.changes}"
        self.call("POST", "repository/branches", 201, branch=branch, ref=into)
        self.commit(branch, f"{title}: work")
        opened = {"source_branch": branch, "target_branch": into, "title": title, "squash": squash}
        iid = int(self.call("POST", "merge_requests", 201, **opened)["iid"])
        self.call("PUT", f"merge_requests/{iid}/merge")
        return iid

    def open(self, target: str = "preprod") -> list[Any]:
        query = f"merge_requests?state=opened&source_branch=main&target_branch={target}&per_page=100"
        found: list[Any] = self.call("GET", query)
        return found

    def requests(self, action: Callable[[], object]) -> list[str]:
        """The operations that an action asks of GitLab."""
        before = len(self.instance.log.entries())
        action()
        return [e["operation"].removeprefix("gitlab.") for e in self.instance.log.entries(before)]


@pytest.fixture
def job(instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Job(instance, capsys)


SAMPLES = Path(__file__).parent / "samples"
EXPECTED = Path(__file__).parent / "expected"
RUN = PipelineRun(
    commit="4f2a9c1b",
    pipeline_url="https://gitlab.example.com/acme/app/-/pipelines/7",
    job_url="https://gitlab.example.com/acme/app/-/jobs/70",
)
PREFIX = "urn:pulumi:dev::kapsule-devops::"


def report_of(file: Path, *secrets: str, stack: str = "dev", run: PipelineRun = RUN) -> Report:
    return Report(read_preview(stack, file), Redactor(secrets), run)


def sample(name: str, *secrets: str) -> Report:
    return report_of(SAMPLES / name, *secrets)


def step(operation: str, name: str = "it", *, old: Any = None, new: Any = None, **more: Any) -> dict[str, Any]:
    """A step of `pulumi preview --json`; `old` and `new` are inputs, `more` such as detailedDiff goes in as it is."""
    found: dict[str, Any] = {"op": operation, "urn": f"{PREFIX}kubernetes:core/v1:ConfigMap::{name}"} | more
    for key, inputs in (("oldState", old), ("newState", new)):
        if inputs is not None:
            found[key] = {"type": "kubernetes:core/v1:ConfigMap", "inputs": inputs}
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a preview of these steps as `--json` would."""

    def to_file(*steps: dict[str, Any], **more: Any) -> Path:
        file = tmp_path / "preview.json"
        file.write_text(json.dumps({"steps": list(steps)} | more))
        return file

    return to_file


@pytest.fixture
def deployment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Deployment:
    return Deployment(tmp_path, capsys)
