"""What GitLab holds after a change of settings: several projects, schedules, protections of a paid licence; and what the
cluster and the cloud hold with settings that no shipped stack file has.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from lightkube import Client
from lightkube.resources.core_v1 import Pod, ResourceQuota, Secret

from sandbox.gitlab.environments import PROTECTED_ENVIRONMENTS
from sandbox.gitlab.schedules import SCHEDULES
from sandbox.gitlab.tags import PROTECTED_TAGS
from sandbox.gitlab.variables import VARIABLES
from sandbox.scaleway.common import API_KEYS
from sandbox.scaleway.k8s_state import ACLS
from tests.engine.estate import Estate, eventually
from tests.engine.gitlab_project import APP, PLATFORM, of_project
from tests.engine.job_pod import as_account, executor_config, job_pod

pytestmark = pytest.mark.usefixtures("dev")
edits_dev = pytest.mark.usefixtures("dev_as_declared")

RELEASES = ("app-dev-runner", "app-dev-runner--acme-platform")
OTHERS = ("app-dev-preview-runner", "app-dev-preview-runner--acme-platform")


@pytest.fixture
def admin(estate: Estate, dev: None) -> Iterator[Client]:
    with estate.kubernetes("dev") as client:
        yield client


def _updated(estate: Estate) -> dict[str, str]:
    """Brings dev to what its stack file says, and tells what was done; a preview then finds no difference to what exists."""
    changes = estate.update("dev")
    estate.pulumi("preview --refresh --expect-no-changes --stack dev")
    return changes


def _managers(admin: Client) -> list[str]:
    """The releases whose managers run."""

    def pods() -> list[Pod]:
        return [p for p in admin.list(Pod, namespace="dev-runners") if p.metadata and not p.metadata.deletionTimestamp]

    running = eventually(pods, lambda found: all(p.status and p.status.phase == "Running" for p in found))
    return sorted(str(((p.metadata and p.metadata.labels) or {})["release"]) for p in running)


def test_a_manager_of_each_project_runs_and_makes_job_pods_at_the_same_place(admin: Client) -> None:
    assert _managers(admin) == sorted([*RELEASES, *OTHERS])
    quota = admin.get(ResourceQuota, "jobs", namespace="dev")
    assert quota.spec is not None
    assert (quota.spec.hard or {})["pods"] == "40"
    assert executor_config(admin, "dev", RELEASES[0]) == executor_config(admin, "dev", RELEASES[1])
    try:
        for number, release in enumerate(RELEASES):
            with as_account(admin, release, "dev-runners") as manager:
                manager.create(job_pod(executor_config(admin, "dev", release), f"of-project-{number}"))
        for number in range(len(RELEASES)):
            name = f"of-project-{number}"
            eventually(
                lambda name=name: admin.get(Pod, name, namespace="dev"),  # type: ignore[misc] # a lambda with a default
                lambda pod: bool(pod.status and pod.status.phase == "Running"),
            )
    finally:
        for number in range(len(RELEASES)):
            admin.delete(Pod, f"of-project-{number}", namespace="dev", grace_period=0)


@pytest.fixture
def of_preprod(estate: Estate) -> Iterator[dict[str, Any]]:
    """What another environment has in the further project."""
    project, variable = "projects/acme%2Fplatform", {"key": "ITS_OWN", "value": "x", "environment_scope": "preprod"}
    estate.gitlab("POST", f"{project}/variables", **variable)
    estate.gitlab("POST", f"{project}/protected_branches", name="preprod")
    found = of_project(estate, PLATFORM, "preprod")
    assert (found["branches"], found["variables"]) == (1, ["ITS_OWN"])
    yield found
    estate.gitlab("DELETE", f"{project}/variables/ITS_OWN?filter%5Benvironment_scope%5D=preprod")
    estate.gitlab("DELETE", f"{project}/protected_branches/preprod")


@edits_dev
def test_a_further_project_that_goes_takes_its_own_things_and_no_others(
    estate: Estate, admin: Client, of_preprod: dict[str, Any]
) -> None:
    app = of_project(estate, APP, "dev")
    schedules = len(estate.records(SCHEDULES))
    for key in ("furtherProjects", "operationsProject"):
        estate.pulumi(f"config rm --stack dev --path gitlab.{key}")
    changes = _updated(estate)
    assert {n: op for n, op in changes.items() if "@acme-platform" not in n and not n.startswith("schedules")} == {
        "runner-deploy-isolation-quota": "update",
        "runner-preview-isolation-quota": "update",
    }
    assert {op for name, op in changes.items() if not name.endswith("-quota")} == {"delete"}
    assert of_project(estate, APP, "dev") == app
    assert of_project(estate, PLATFORM, "preprod") == of_preprod
    assert of_project(estate, PLATFORM, "dev") == {"branches": 0, "environments": 0, "variables": [], "tags": []}
    assert len(estate.records(SCHEDULES)) == schedules - 2
    assert _managers(admin) == sorted([RELEASES[0], OTHERS[0]])
    tokens = {str(s.metadata and s.metadata.name) for s in admin.list(Secret, namespace="dev-runners")}
    assert {name for name in tokens if "tokens" in name} == {"dev-runner-tokens", "dev-preview-runner-tokens"}


@edits_dev
def test_a_schedule_changes_and_goes_alone(estate: Estate) -> None:
    estate.set("dev", "gitlab.schedules.rotation.cron", "0 5 * * *")
    estate.set("dev", "gitlab.schedules.drift.enabled", "false")
    assert _updated(estate) == {
        "schedules-rotation": "update",
        "schedules-drift": "delete",
        "schedules-drift-task": "delete",
    }
    found = [s for s in estate.records(SCHEDULES) if s["ref"] == "refs/heads/main"]
    assert [(s["description"], s["cron"]) for s in found] == [("rotation of dev", "0 5 * * *")]


@edits_dev
def test_a_paid_licence_protects_deployments_and_tags(estate: Estate) -> None:
    before = (estate.checkout / "Pulumi.dev.yaml").read_text()
    estate.set("dev", "gitlab.premium", "true")
    estate.set("dev", "gitlab.deployment.requiredApprovals", "2")
    estate.set("dev", "gitlab.releaseTags", "rc-*")
    new = {f"gitlab{project}-{what}" for project in ("", "@acme-platform") for what in ("deployments", "release-tags")}
    assert _updated(estate) == dict.fromkeys(new, "create")
    rules = estate.records(PROTECTED_ENVIRONMENTS)
    assert [rule["name"] for rule in rules] == ["dev", "dev"]
    assert len({rule["project_id"] for rule in rules}) == 2
    for rule in rules:
        assert [level["access_level"] for level in rule["deploy_access_levels"]] == [40]
        assert [(each["access_level"], each["required_approvals"]) for each in rule["approval_rules"]] == [(40, 2)]
    tags = [tag for tag in estate.records(PROTECTED_TAGS) if tag["name"] == "rc-*"]
    assert [[level["access_level"] for level in tag["create_access_levels"]] for tag in tags] == [[40], [40]]
    estate.set("dev", "gitlab.deployment.requiredApprovals", "0")
    estate.set("dev", "gitlab.deployment.deployAccessLevel", "developer")
    assert set(_updated(estate).values()) == {"update"}
    for rule in estate.records(PROTECTED_ENVIRONMENTS):
        assert [level["access_level"] for level in rule["deploy_access_levels"]] == [30]
        assert rule["approval_rules"] == []
    (estate.checkout / "Pulumi.dev.yaml").write_text(before)
    assert estate.update("dev") == dict.fromkeys(new, "delete")
    assert estate.records(PROTECTED_ENVIRONMENTS) == []
    assert estate.records(PROTECTED_TAGS) == []


@edits_dev
def test_a_state_backend_is_reached_with_the_mounted_key_and_no_variable_holds_it(
    estate: Estate, admin: Client
) -> None:
    estate.set("dev", "stateBackend.bucket", "acme-state")
    of_the_bucket = estate.outputs("dev")["devopsProjectId"]
    estate.set("dev", "stateBackend.projectId", of_the_bucket)
    _updated(estate)
    for runner in estate.outputs("dev")["runners"]:
        files = estate.mounted("dev", runner)
        profile = yaml.safe_load(files["config.yaml"])
        assert files["credentials"].splitlines() == [
            "[default]",
            f"aws_access_key_id = {profile['access_key']}@{of_the_bucket}",
            f"aws_secret_access_key = {profile['secret_key']}",
        ]
    for release in (*RELEASES, *OTHERS):
        (mount,) = executor_config(admin, "dev", release)["volumes"]["secret"]
        assert mount["items"] == {"config.yaml": "config.yaml", "credentials": "credentials"}
        assert mount["read_only"] is True
    ours = [v for v in estate.records(VARIABLES) if v["environment_scope"] == "dev"]
    told = {(v["owner"], v["key"]): v["value"] for v in ours}
    for owner in {owner for owner, _ in told}:
        assert told[owner, "PULUMI_BACKEND_URL"] == "s3://acme-state?endpoint=s3.fr-par.scw.cloud&region=fr-par"
        assert told[owner, "AWS_SHARED_CREDENTIALS_FILE"] == "/root/.config/scw/credentials"
    assert len(told) == 2 * 8
    keys = [k for k in estate.records(API_KEYS) if k.get("application_id")]
    assert [k["access_key"] for k in keys if any(k[n] in json.dumps(ours) for n in ("access_key", "secret_key"))] == []


@edits_dev
def test_an_allow_list_keeps_the_api_server_to_those_who_are_on_it(estate: Estate) -> None:
    cluster_id = estate.outputs("dev")["clusterId"].rpartition("/")[2]

    def rules() -> list[str]:
        found = [rule for rule in estate.records(ACLS) if rule["_cluster_id"] == cluster_id]
        return sorted(str(rule.get("ip", "Scaleway")) for rule in found)

    assert rules() == ["0.0.0.0/0"]
    estate.set("dev", "cluster.apiAllowedCidrs[0]", "203.0.113.0/24")
    estate.set("dev", "cluster.apiAllowedCidrs[1]", "198.51.100.7/32")
    assert _updated(estate) == {"cluster-api-access": "create"}
    assert rules() == ["198.51.100.7/32", "203.0.113.0/24", "Scaleway"]
    estate.pulumi("config rm --stack dev --path cluster")
    assert _updated(estate) == {"cluster-api-access": "delete"}
    assert rules() == ["0.0.0.0/0", "Scaleway"], "the provider opens it again"


def test_a_project_that_merges_otherwise_is_told_and_the_update_goes_on(estate: Estate) -> None:
    wrong = {"merge_method": "rebase_merge", "only_allow_merge_if_pipeline_succeeds": False}
    right = {"merge_method": "merge", "only_allow_merge_if_pipeline_succeeds": True}
    estate.gitlab("PUT", "projects/acme%2Fplatform", **wrong)
    try:
        everything = estate.pulumi("preview --expect-no-changes --stack dev")
        printed = everything.partition("\nDiagnostics:\n")[2]
        assert printed.count("warning: GitLab project acme/platform does not merge as promotions need it") == 1
        assert "acme/app" not in printed
        for name, value in wrong.items():
            assert f"{name} = {json.dumps(value).strip(chr(34))}: must be " in printed
        (fix,) = [line.partition("Fix: ")[2] for line in printed.splitlines() if "Fix: printf" in line]
        assert estate.variables()["GITLAB_TOKEN"] not in everything
        mended = estate.shell(fix)
        assert mended.returncode == 0, mended.stderr
        project = estate.gitlab("GET", "projects/acme%2Fplatform")
        assert {name: project[name] for name in right} == right
        assert "merge" not in estate.pulumi("preview --stack dev")
    finally:
        estate.gitlab("PUT", "projects/acme%2Fplatform", **right)
