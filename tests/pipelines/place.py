"""An environment whose pipelines are played: dev in a sandbox, with the runners of the README.

`operate` and `review` serve the operations project with a key that a person made, `deploy` and `preview` the application's.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Secret

from tests.engine.estate import ROOT, Estate
from tests.pipelines.gitlab_runner import Gitlab

PLATFORM, APP = "acme/platform", "acme/app"


def runners_of_readme() -> list[dict[str, Any]]:
    """The runners that README, "From its own pipeline", tells a user to write: it must be right word by word."""
    (block,) = re.findall(r"```yaml\n(kapsule-devops:runners:\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    found: list[dict[str, Any]] = yaml.safe_load(block)["kapsule-devops:runners"]
    return found


@dataclass(frozen=True)
class Place:
    """dev is up; `gitlab` plays the pipelines of the operations project without the jobs that test the code."""

    estate: Estate
    gitlab: Gitlab

    def api(self, method: str, path: str, project: str = PLATFORM, **body: Any) -> Any:
        return self.estate.gitlab(method, f"projects/{project.replace('/', '%2F')}/{path}", **body)

    def push(self, branch: str, title: str) -> None:
        self.api("POST", "repository/commits", branch=branch, commit_message=title, actions=[])

    def change(self, title: str, key: str, value: str) -> int:
        """A branch with a changed setting, and its merge request; the number of that."""
        branch = re.sub(r"\W+", "-", title)
        self.api("POST", "repository/branches", branch=f"feature/{branch}", ref="main")
        self.push(f"feature/{branch}", title)
        self.estate.set("dev", key, value)
        opened = {"source_branch": f"feature/{branch}", "target_branch": "main", "title": title}
        return int(self.api("POST", "merge_requests", **opened)["iid"])

    def notes(self, request: int) -> list[str]:
        return [note["body"] for note in self.api("GET", f"merge_requests/{request}/notes")]

    def config_toml(self) -> str:
        with self.estate.kubernetes("dev") as client:
            rendered = client.get(ConfigMap, "app-dev-runner", namespace="dev-runners")
        return str((rendered.data or {})["config.toml"])

    def settings(self) -> str:
        return (self.estate.checkout / "Pulumi.dev.yaml").read_text()


@contextmanager
def made(folder: Path, *, logs: bool = False, **environment: str) -> Iterator[Place]:
    """A place of its own; `environment` is what the user's shell has beside, `logs` those of `Estate`."""
    estate = Estate(folder, logs=logs)
    estate.environment = environment
    file = estate.checkout / "Pulumi.dev.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["config"]["kapsule-devops:runners"] = runners_of_readme()
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    estate.start()
    try:
        up = estate.up("dev")
        assert up.code == 0, up.printed
        _put_keys(estate)
        yield Place(estate, Gitlab(estate, "dev", estate.checkout, left_out=("check", "test")))
    finally:
        estate.stop()


def _put_keys(estate: Estate) -> None:
    """What README, "From its own pipeline", tells a person to do with kubectl."""
    variables = estate.variables()
    key = {
        "access_key": variables["SCW_ACCESS_KEY"],
        "secret_key": variables["SCW_SECRET_KEY"],
        "default_organization_id": variables["SCW_DEFAULT_ORGANIZATION_ID"],
        "default_project_id": variables["SCW_DEFAULT_PROJECT_ID"],
        "default_region": "fr-par",
    }
    files = {
        "config.yaml": yaml.safe_dump(key),
        "gitlab-token": variables["GITLAB_TOKEN"],
        "passphrase": (estate.folder / "passphrase").read_text(),
    }
    with estate.kubernetes("dev") as client:
        for runner in estate.outputs("dev")["runners"]:
            if runner["applicationId"] is None:
                named = ObjectMeta(name=runner["apiKeySecret"], namespace=runner["namespace"])
                client.create(Secret(metadata=named, stringData=files))
