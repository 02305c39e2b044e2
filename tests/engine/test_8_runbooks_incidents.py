"""Runbooks of what is leaked, broken or cut off: each is brought about for real, and the runbook's own commands mend it."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from lightkube import Client
from lightkube.core.exceptions import ApiError
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Node, ResourceQuota, Secret

from sandbox.gitlab.variables import VARIABLES
from sandbox.scaleway.common import API_KEYS
from tests.engine import runbook
from tests.engine.estate import Estate, all_processes, descendants, eventually
from tests.engine.managers import NAMESPACE as MANAGERS
from tests.engine.managers import held_token
from tests.reliability.life import STACK, settle

pytestmark = pytest.mark.usefixtures("converged")

RELEASE = "app-dev-runner"
UP = ["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK]


@pytest.fixture
def cluster(small: Estate) -> Iterator[Client]:
    with small.kubernetes(STACK) as client:
        yield client


def runner_id(estate: Estate) -> str:
    return str(estate.outputs(STACK)["runners"][0]["runnerId"])


def runners(estate: Estate) -> list[str]:
    """As GitLab has them."""
    return [str(r["id"]) for r in estate.gitlab("GET", "projects/acme%2Fapp/runners?type=project_type")]


def ready(client: Client) -> bool:
    """Whether the manager runs."""
    try:
        found = client.get(Deployment, RELEASE, namespace=MANAGERS)
    except ApiError as error:
        if error.status.code == 404:
            return False
        raise
    return found.status is not None and found.status.readyReplicas == 1


def revisions(client: Client) -> dict[str, str]:
    """Helm's revisions of the release, with the status of each."""
    found = client.list(Secret, namespace=MANAGERS, labels={"owner": "helm", "name": RELEASE})
    return {str(s.metadata.name): (s.metadata.labels or {})["status"] for s in found if s.metadata}


def test_a_leaked_key_is_dead_and_jobs_hold_another(small: Estate) -> None:
    def mounted() -> dict[str, str]:
        found: dict[str, str] = yaml.safe_load(small.mounted(STACK, small.outputs(STACK)["runners"][0])["config.yaml"])
        return found

    leaked = mounted()
    runbook.follow(small, "leaked-key", "The key of the jobs", LEAKED_SECRET_KEY=leaked["secret_key"])
    assert mounted()["access_key"] != leaked["access_key"]
    assert leaked["access_key"] not in {key["access_key"] for key in small.records(API_KEYS)}
    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")


def test_a_leaked_runner_token_is_replaced(small: Estate, cluster: Client) -> None:
    leaked, token = runner_id(small), held_token(cluster)
    runbook.follow(small, "leaked-key", "A runner's token")
    assert runners(small) == [runner_id(small)] != [leaked]
    assert held_token(cluster) != token
    assert ready(cluster)


def test_a_leaked_promotion_token_is_revoked(small: Estate) -> None:
    def value() -> str:
        (found,) = [
            v for v in small.records(VARIABLES) if v["key"] == "PRIVATE_TOKEN"
        ]  # GitLab itself shows it to nobody
        return str(found["value"])

    leaked = value()
    runbook.follow(small, "leaked-key", "The promotion token")
    assert value() != leaked
    active = [t for t in small.gitlab("GET", "projects/acme%2Fapp/access_tokens?state=active") if t["active"]]
    assert len(active) == 1


def test_a_leaked_key_of_an_owner_is_deleted(small: Estate) -> None:
    (owner,) = [k for k in small.records(API_KEYS) if k["access_key"] == small.variables()["SCW_ACCESS_KEY"]]
    body = {"user_id": owner["user_id"], "description": "leaked"}
    leaked = small.cloud("POST", "/iam/v1alpha1/api-keys", **body)["access_key"]
    runbook.follow(small, "leaked-key", "The key of an owner", LEAKED_ACCESS_KEY=leaked)
    assert leaked not in {key["access_key"] for key in small.records(API_KEYS)}
    runbook.follow(small, "leaked-key", "Afterwards")


def test_a_manager_that_was_deleted_is_installed_anew(small: Estate, cluster: Client) -> None:
    before = runner_id(small)
    cluster.delete(Deployment, RELEASE, namespace=MANAGERS)
    eventually(lambda: ready(cluster), lambda found: not found)
    small.pulumi(f"preview --refresh --expect-no-changes --stack {STACK}")  # as the runbook says
    runbook.follow(small, "broken-runner", "The manager is gone or does not come up")
    assert ready(cluster)
    assert runner_id(small) == before


def test_a_release_that_was_uninstalled_comes_back(small: Estate, cluster: Client) -> None:
    for revision in revisions(cluster):
        cluster.delete(Secret, revision, namespace=MANAGERS)
    cluster.delete(Deployment, RELEASE, namespace=MANAGERS)
    assert small.changes(STACK) == {}
    runbook.follow(small, "broken-runner", "The release is gone")
    assert ready(cluster)


def test_a_runner_that_was_deleted_in_gitlab_is_registered_anew(small: Estate, cluster: Client) -> None:
    token = held_token(cluster)
    small.gitlab("DELETE", f"runners/{runner_id(small)}")
    assert runners(small) == []
    assert small.changes(STACK) == {}
    runbook.follow(small, "broken-runner", "The runner is gone in GitLab")
    assert runners(small) == [runner_id(small)]
    assert held_token(cluster) != token
    runbook.follow(small, "broken-runner", "It worked")


def test_what_was_changed_by_hand_is_put_back(small: Estate, cluster: Client) -> None:
    cluster.delete(ResourceQuota, "jobs", namespace="dev")
    runbook.follow(small, "drift", "It was wrong")
    assert cluster.get(ResourceQuota, "jobs", namespace="dev").spec is not None
    runbook.follow(small, "drift", "It worked")


def test_a_chart_that_is_not_to_be_had_is_given_up(small: Estate) -> None:
    small.set(STACK, "runnerChart.version", "0.99.0")
    failed = small.pulumi(f"preview --stack {STACK}", code=None)
    runbook.assert_symptom("failed-upgrade", "The chart is not to be had", failed)
    runbook.follow(small, "failed-upgrade", "The chart is not to be had")
    settle(small, changed=False)


def test_a_version_of_kubernetes_that_is_refused_is_given_up(small: Estate) -> None:
    said = []
    for version in ("1.99", "1.34"):
        small.set(STACK, "cluster.version", version)
        said.append(small.pulumi(f"up --yes --skip-preview --stack {STACK}", code=None))
    runbook.assert_symptom("failed-upgrade", "The version of Kubernetes is refused", *said)
    runbook.follow(small, "failed-upgrade", "The version of Kubernetes is refused")
    settle(small, changed=False)


def end(running: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    """Signals the engine until it ends, and then ends its plugins, which would go on until Scaleway answers."""
    plugins = descendants(running.pid)

    def ended() -> bool:
        running.send_signal(how)
        return running.poll() is not None

    eventually(ended, bool)
    for pid in plugins.keys() & all_processes().keys():
        os.kill(pid, signal.SIGKILL)


@contextmanager
def updating(estate: Estate) -> Iterator["subprocess.Popen[bytes]"]:
    """A `pulumi up` at work."""
    with subprocess.Popen(
        UP,
        cwd=estate.checkout,
        env=estate.variables() | {"HOME": str(estate.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        yield running


def test_a_pool_that_hangs_is_left_to_itself(small: Estate) -> None:
    small.set(STACK, "runnerPool.size", "3")
    small.ask("scaleway", "/_sandbox/fault", "POST", operation="k8s.GetPool", fields={"status": "scaling"}, times=None)
    with updating(small) as running:
        eventually(lambda: sum(f["met"] for f in small.ask("scaleway", "/_sandbox/fault")), lambda met: met >= 3)
        end(running, signal.SIGINT)  # as with Ctrl-C, again and again
    small.sandbox("fault", "--clear")
    runbook.follow(small, "failed-upgrade", "A pool hangs")
    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")


def test_an_upgrade_that_was_cut_off_is_freed(small: Estate, cluster: Client) -> None:
    """Killed while Helm waits for a manager that no node takes."""
    nodes = [str(n.metadata.name) for n in cluster.list(Node) if n.metadata]
    for node in nodes:
        cluster.patch(Node, node, {"spec": {"unschedulable": True}})
    small.set(STACK, "runners[0].concurrent", "7")
    with updating(small) as running:
        eventually(lambda: list(revisions(cluster).values()), lambda found: "pending-upgrade" in found)
        end(running, signal.SIGKILL)
    for node in nodes:
        cluster.patch(Node, node, {"spec": {"unschedulable": None}})
    assert "pending-upgrade" in revisions(cluster).values()
    locked = small.pulumi(shlex.join(UP[1:]), code=None)
    file = small.folder / "state" / ".pulumi" / "locks"
    (lock,) = file.rglob("*.json")
    kept = lock.read_text()
    lock.unlink()
    refused = small.pulumi(shlex.join(UP[1:]), code=None)
    lock.write_text(kept)
    assert json.loads(kept)["pid"] == running.pid
    runbook.assert_symptom("failed-upgrade", "The upgrade was cut off", locked, refused)
    runbook.follow(small, "failed-upgrade", "The upgrade was cut off")
    assert "pending-upgrade" not in revisions(cluster).values()
    assert ready(cluster)
    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")
    runbook.follow(small, "failed-upgrade", "It worked")
