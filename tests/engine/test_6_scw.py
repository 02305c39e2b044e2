"""What a pipeline's job makes with Scaleway's command line: `examples/app-cluster/deploy.sh` with the mounted key.

The command line itself is a stand-in (scw.py); the key, who may do what with it, and the control plane are as everywhere.
"""

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.scaleway.catalog import VERSIONS
from sandbox.scaleway.common import CLUSTERS, PRIVATE_NETWORKS
from sandbox.scaleway.k8s_state import POOLS
from tests.engine.estate import Estate, eventually
from tests.engine.scw import command_in

ENVIRONMENT = "scw"  # not dev: kapsule-dev is what the Pulumi project of the same example makes
NAME = f"kapsule-{ENVIRONMENT}"
REGION = "/regions/fr-par"
VERSION = next(name for name in VERSIONS if name.startswith("1.35."))


@dataclass(frozen=True)
class Job:
    """`deploy.sh` as a job of dev's runners has it: `scw` on PATH, the mounted file; and the owner's key in variables, which
    must not win.
    """

    estate: Estate
    folder: Path

    def run(self, runner: str, arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (told,) = (r for r in self.estate.outputs("dev")["runners"] if r["name"] == runner)
        key = self.folder / f"{runner}.yaml"
        key.touch(mode=0o600)
        key.write_text(self.estate.mounted("dev", told)["config.yaml"])
        lines = [
            f"export PATH={shlex.quote(str(self.folder))}:$PATH SCW_CONFIG_PATH={shlex.quote(str(key))}",
            *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
            f"sh examples/app-cluster/deploy.sh {arguments}",
        ]
        return self.estate.shell("\n".join(lines))

    def made(self) -> dict[str, list[dict[str, Any]]]:
        tables = {"networks": PRIVATE_NETWORKS, "clusters": CLUSTERS}
        found = {kind: [r for r in self.estate.records(t) if r["name"] == NAME] for kind, t in tables.items()}
        ids = {cluster["id"] for cluster in found["clusters"]}
        return found | {"pools": [p for p in self.estate.records(POOLS) if p["cluster_id"] in ids]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with a command `scw`."""
    folder = tmp_path_factory.mktemp("scw")
    command_in(folder)
    return folder


@pytest.fixture(scope="module")
def job(estate: Estate, dev: None, folder: Path) -> Iterator[Job]:
    job = Job(estate, folder)
    yield job
    for cluster in job.made()["clusters"]:
        estate.cloud("DELETE", f"/k8s/v1{REGION}/clusters/{cluster['id']}?with_additional_resources=true")
    eventually(
        lambda: estate.cloud("GET", f"/k8s/v1{REGION}/clusters?name={NAME}")["total_count"], lambda count: count == 0
    )
    for network in job.made()["networks"]:
        estate.cloud("DELETE", f"/vpc/v2{REGION}/private-networks/{network['id']}")
    assert job.made() == {"networks": [], "clusters": [], "pools": []}


def test_a_key_that_only_reads_previews_and_is_refused_clearly(job: Job) -> None:
    previewed = job.run("preview", f"--preview {ENVIRONMENT}")
    assert previewed.returncode == 0, previewed.stderr
    assert previewed.stdout.splitlines() == [
        f"would make private network {NAME}",
        f"would make cluster {NAME} of Kubernetes {VERSION} with pool apps of 2 DEV1-M",
    ]
    refused = job.run("preview", ENVIRONMENT)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "scaleway-sdk-go: insufficient permissions: create private_network",
        f"error: scw could not make private network {NAME}: the key in {job.folder}/preview.yaml must be allowed to, or "
        f"{NAME} is not deployed. Fix: run it in a job with tags: [k8s-{ENVIRONMENT}-runner]",
    ]
    assert job.made() == {"networks": [], "clusters": [], "pools": []}


def test_the_mounted_key_makes_the_cluster_in_the_target_project(job: Job) -> None:
    result = job.run("deploy", ENVIRONMENT)
    assert result.returncode == 0, result.stdout + result.stderr
    made = job.made()
    (network,), (cluster,), (pool,) = made["networks"], made["clusters"], made["pools"]
    target = job.estate.outputs("dev")["targetProjectId"]
    assert (network["project_id"], cluster["project_id"]) == (target, target)
    assert cluster["private_network_id"] == network["id"]
    assert cluster["auto_upgrade"] == {"enabled": True, "maintenance_window": {"start_hour": 3, "day": "any"}}
    assert (pool["name"], pool["size"], pool["autohealing"]) == ("apps", 2, True)
    assert pool["node_type"].lower().replace("_", "-") == "dev1-m"
    assert result.stdout.splitlines()[-2:] == [
        f"ready: fr-par/{cluster['id']}",
        f"for a kubeconfig in jobs: pulumi config set --stack {ENVIRONMENT} --path appCluster.clusterId "
        f"fr-par/{cluster['id']}",
    ]


def test_a_second_run_makes_nothing_more(job: Job) -> None:
    before = job.made()
    result = job.run("deploy", ENVIRONMENT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[:3] == [
        f"there is private network {NAME}",
        f"there is cluster {NAME}",
        "there is pool apps",
    ]
    assert job.made() == before


def test_a_pool_that_went_is_made_again(job: Job) -> None:
    (cluster,), (pool,) = job.made()["clusters"], job.made()["pools"]
    job.estate.cloud("DELETE", f"/k8s/v1{REGION}/pools/{pool['id']}")
    pools = f"/k8s/v1{REGION}/clusters/{cluster['id']}/pools"
    eventually(lambda: job.estate.cloud("GET", pools)["total_count"], lambda count: count == 0)
    result = job.run("deploy", ENVIRONMENT, SIZE="1")
    assert result.returncode == 0, result.stderr
    assert "made pool apps of 1 DEV1-M" in result.stdout
    assert [p["size"] for p in job.made()["pools"]] == [1]


def test_the_administrators_kubeconfig_is_never_asked_for(job: Job) -> None:
    (cluster,) = job.made()["clusters"]
    asked = [r["path"] for r in job.estate.ask("scaleway", "/_sandbox/requests") if cluster["id"] in r["path"]]
    assert asked
    assert not [path for path in asked if "kubeconfig" in path]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("k8s cluster create name=x version=1.35.3 pools.0.nodetype=DEV1-M", "Unknown argument 'pools.0.nodetype'"),
        ("k8s cluster create name=x version=1.35.3 auto-upgrade=true", "Unknown argument 'auto-upgrade'"),
        ("k8s cluster create name=x", "Missing required argument 'version'"),
        ("k8s kubeconfig get 1", "unknown command: scw k8s kubeconfig get"),
    ],
)
def test_the_stand_in_refuses_what_the_command_line_has_not(folder: Path, command: str, said: str) -> None:
    """Or a name that is wrong in deploy.sh would be right here."""
    result = subprocess.run([folder / "scw", *command.split()], capture_output=True, text=True, env={})
    assert result.returncode == 1
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ("'De v'", {}, "error: the environment is 'De v': it must be a name in small letters"),
        (ENVIRONMENT, {"SCW_CONFIG_PATH": "/nowhere"}, "error: there is no file /nowhere: a runner must mount it"),
        ("other", {"KUBERNETES_VERSION": "1.1"}, "error: Kapsule has no Kubernetes 1.1: KUBERNETES_VERSION must be"),
        (ENVIRONMENT, {"PATH": "/usr/bin:/bin"}, "error: scw is not on PATH"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(job: Job, arguments: str, variables: dict[str, str], said: str) -> None:
    result = job.run("preview", f"--preview {arguments}", **variables)
    assert result.returncode == 1
    assert said in result.stderr
    assert "Fix:" in result.stderr or "one of 1." in result.stderr


def test_wrong_usage_has_a_code_of_its_own(job: Job) -> None:
    assert job.run("preview", "").returncode == 2
