"""Environments for benchmarks: a sandbox of their own, settings of a chosen size, and the plain commands that are measured.

Owns what is set, and that a measured command runs in the sandbox's shell and nothing else in it. Does not own the figures.
"""

import json
import ssl
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.processes import Watched, watched
from sandbox.gitlab import history, projects
from sandbox.gitlab.common import GROUPS
from sandbox.store import Store
from tests.engine.estate import Estate

STACK: Final = "dev"
PLAIN: Final = ("--stack", STACK)
UP: Final = ("up", "--yes", "--skip-preview", *PLAIN)
# Room for the managers of 200 runners, each of 50m CPU and 64 Mi; the same at each size, so that it costs the same.
_SYSTEM_POOL: Final = {"nodeType": "GP1-M", "size": 3}
_METRIC: Final = "apiserver_request_total{"
# Verbs and resources of what goes on by itself, as long as a cluster lives.
_UNASKED: Final = ('verb="WATCH"', 'resource="leases"')


@dataclass(frozen=True, kw_only=True)
class Size:
    runners: int
    projects: int


def sized(settings: Mapping[str, Any], size: Size) -> dict[str, Any]:
    """A stack file's content with that many runners, which are alike, and that many GitLab projects. Pure."""
    section = "kapsule-devops:"
    config = dict(settings["config"])
    config[f"{section}systemPool"] = _SYSTEM_POOL
    config[f"{section}runners"] = [{"name": f"r{number}"} for number in range(size.runners)]
    own = {k: v for k, v in config[f"{section}gitlab"].items() if k != "operationsProject"}
    config[f"{section}gitlab"] = own | {"furtherProjects": _further_projects(size)}
    return {**settings, "config": config}


def _further_projects(size: Size) -> list[str]:
    return [f"acme/p{number}" for number in range(1, size.projects)]


class Environment:
    """A sandbox in which one environment is brought up; `variables` are those of its shell."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.variables = estate.variables() | {"HOME": str(estate.home)} | estate.cache
        self._counted = 0

    def command(self, *arguments: str) -> list[str]:
        return [str(self.estate.folder / "bin" / "pulumi"), *arguments]

    def run(self, *arguments: str, folder: Path | None = None, more: Mapping[str, str] | None = None) -> Watched:
        """`pulumi …` as a user has it in the sandbox's shell, in the checkout or in another project's folder; `more` are
        variables beside the shell's.
        """
        return watched(self.command(*arguments), folder or self.estate.checkout, {**self.variables, **(more or {})})

    def resources(self) -> int:
        """How many the stack's state holds."""
        export = self.estate.shell(f"pulumi stack export --stack {STACK}")
        return len(json.loads(export.stdout)["deployment"]["resources"])

    def requests(self) -> Counter[str]:
        """What the stand-ins were asked for since the last call, by operation."""
        entries = self.estate.ask("scaleway", f"/_sandbox/requests?after={self._counted}")
        if entries:
            self._counted = entries[-1]["n"]
        return Counter(entry["operation"] for entry in entries)

    def api_server_requests(self) -> int:
        """What the cluster's API server was asked for until now by anybody, but what goes on as long as it lives."""
        (folder,) = (self.estate.folder / "clusters").iterdir()
        kubeconfig = yaml.safe_load((folder / "admin.kubeconfig").read_text())
        server = kubeconfig["clusters"][0]["cluster"]["server"]
        token = kubeconfig["users"][0]["user"]["token"]
        context = ssl.create_default_context(cafile=str(folder / "certificates" / "apiserver.crt"))
        header = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{server}/metrics", headers=header)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, context=context) as answer:  # noqa: S310 - loopback
            return asked(answer.read().decode())


def asked(metrics: str) -> int:
    """The sum of an API server's counters of requests. Pure."""
    lines = [line for line in metrics.splitlines() if line.startswith(_METRIC)]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if not any(part in line for part in _UNASKED))


@contextmanager
def environment(folder: Path, size: Size | None = None) -> Iterator[Environment]:
    """A sandbox with GitLab projects and settings of that size, or as shipped; the stack is there, and nothing is up."""
    folder.mkdir()
    estate = Estate(folder)
    file = estate.checkout / f"Pulumi.{STACK}.yaml"
    if size is not None:
        file.write_text(yaml.safe_dump(sized(yaml.safe_load(file.read_text()), size), sort_keys=False))
    estate.start()
    try:
        if size is not None:
            _add_projects(estate, size)
        estate.pulumi(f"stack init {STACK} --no-select")
        yield Environment(estate)
    finally:
        estate.stop()


def _add_projects(estate: Estate, size: Size) -> None:
    """GitLab's projects exist before the program runs."""
    with closing(Store(estate.folder / "records.db")) as store, store.transaction():
        group = store.all(GROUPS, full_path="acme")[0]
        for path in _further_projects(size):
            project = projects.add_project(store, group, path.partition("/")[2], "main")
            history.add_branch(store, project, "main")
