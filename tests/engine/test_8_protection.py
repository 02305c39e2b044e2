"""Protection against loss, on prod: what is refused, what that leaves, and the way to destroy it on purpose."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.scaleway.common import API_KEYS, CLUSTERS, PROJECTS, SECRETS
from tests.engine.estate import UNSEEN, Estate, Up

pytestmark = pytest.mark.usefixtures("environments")

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbooks" / "destroy-a-protected-environment.md"
PROTECTED = {
    "cluster-kapsule",
    "projects-credentials",
    "projects-devops",
    "projects-target",
    "runner-deploy-credentials-copy",
    "runner-preview-credentials-copy",
}
GUARD = "cluster-guard-owner"  # protected so that a destroy fails at it, which comes first


@pytest.fixture(autouse=True)
def prod_comes_back(estate: Estate, environments: dict[str, Up]) -> Iterator[None]:
    """Each test leaves prod up and as declared."""
    file = estate.checkout / "Pulumi.prod.yaml"
    before = file.read_text()
    yield
    # Without another setting a test sees by the stand-ins' tables that prod is as it was, or makes it anew.
    edited = file.read_text() != before
    file.write_text(before)
    if edited and estate.changes("prod"):
        estate.pulumi("up --yes --skip-preview --stack prod")


def state(estate: Estate) -> Any:
    return [estate.ask(service, "/_sandbox/state") for service in ("scaleway", "gitlab")]


def changing_requests(estate: Estate) -> list[str]:
    """Since the sandbox started: those that a stand-in was asked to change something by."""
    requests = [r for service in ("scaleway", "gitlab") for r in estate.ask(service, "/_sandbox/requests")]
    return [f"{r['method']} {r['path']}" for r in requests if r["method"] not in ("GET", "HEAD")]


def kept(estate: Estate) -> dict[str, set[str]]:
    """The ids of what keeps data, of all environments."""
    return {table: {r["id"] for r in estate.records(table)} for table in (CLUSTERS, PROJECTS, SECRETS)}


def protected(estate: Estate, stack: str) -> set[str]:
    resources = json.loads(estate.shell(f"pulumi stack export --stack {stack}").stdout)["deployment"]["resources"]
    found = {r["urn"].rpartition("::")[2] for r in resources if r.get("protect")}
    assert found - {GUARD} == {r["urn"].rpartition("::")[2] for r in resources if r.get("retainOnDelete")}
    assert (GUARD in found) == bool(found)
    return found - {GUARD}


def test_prod_is_protected_and_dev_is_not(estate: Estate) -> None:
    assert protected(estate, "prod") == PROTECTED
    assert protected(estate, "dev") == set()


@pytest.mark.parametrize(
    ("flags", "refusal"),
    [
        ("", "You must run with the `--run-program` flag"),
        ("--skip-preview", "You must run with the `--run-program` flag"),
        ("--run-program", "cannot be deleted\n    because it is protected."),
        ("--run-program --skip-preview", "cannot be deleted\n    because it is protected."),
    ],
)
def test_destroying_is_refused_and_deletes_nothing(estate: Estate, flags: str, refusal: str) -> None:
    before, requests = state(estate), changing_requests(estate)
    result = estate.shell(f"pulumi destroy --yes {flags} --stack prod 2>&1")
    assert result.returncode != 0
    assert refusal in result.stdout
    assert state(estate) == before
    assert changing_requests(estate) == requests


def test_a_project_that_leaves_the_program_is_not_deleted(estate: Estate) -> None:
    file = estate.checkout / "Pulumi.prod.yaml"
    default = estate.variables()["SCW_DEFAULT_PROJECT_ID"]
    name, taken = "credentials: { name: credentials-prod }", f"credentials: {{ id: {default} }}"
    assert name in file.read_text()
    file.write_text(file.read_text().replace(name, taken))
    before = state(estate)
    result = estate.shell("pulumi up --yes --stack prod 2>&1")
    assert result.returncode != 0
    assert 'projects-credentials" cannot be deleted' in result.stdout
    assert state(estate) == before


def test_keys_rotate_all_the_same(estate: Estate) -> None:
    def keys() -> set[str]:
        return {k["access_key"] for k in estate.records(API_KEYS) if " of prod," in k["description"]}

    before, secrets = keys(), kept(estate)[SECRETS]
    assert len(before) == 2
    estate.set("prod", "rotation.serial", "1")
    estate.pulumi("up --yes --skip-preview --stack prod")
    assert len(keys()) == 2
    assert not keys() & before
    assert kept(estate)[SECRETS] == secrets


def test_lifting_it_changes_the_state_only(estate: Estate) -> None:
    before, requests = state(estate), changing_requests(estate)
    estate.set("prod", "protection", "false")
    estate.pulumi("up --yes --skip-preview --stack prod")
    assert protected(estate, "prod") == set()
    assert state(estate) == before
    assert changing_requests(estate) == requests
    estate.set("prod", "protection", "true")
    estate.pulumi("up --yes --skip-preview --stack prod")
    assert protected(estate, "prod") == PROTECTED


def test_the_runbook_destroys_it(estate: Estate) -> None:
    """With the commands of its code block, as they are."""
    (commands,) = re.findall(r"^```\n(.*?)^```$", RUNBOOK.read_text(), re.DOTALL | re.MULTILINE)
    others = {p["name"] for p in estate.records(PROJECTS)} - {"devops-prod", "app-prod", "credentials-prod"}
    result = estate.shell(commands, PULUMI_SKIP_CONFIRMATIONS="true", **UNSEEN)
    assert result.returncode == 0, result.stdout + result.stderr
    assert {p["name"] for p in estate.records(PROJECTS)} == others
    assert [c for c in estate.records(CLUSTERS) if "prod" in c["tags"]] == []
    config = yaml.safe_load((estate.checkout / "Pulumi.prod.yaml").read_text())["config"]
    assert config["kapsule-devops:protection"] in (True, "true")  # the command line writes text
    assert estate.up("prod").code == 0
