"""Runbooks of Pulumi's state: each symptom is produced for real, and the runbook's own commands mend it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.scaleway.common import API_KEYS, CLUSTERS
from tests.engine import runbook
from tests.engine.estate import Estate
from tests.engine.managers import contact, held_token
from tests.reliability.life import STACK, settle

REPAIR = f"python -m repair --stack {STACK}"


pytestmark = pytest.mark.usefixtures("converged")


def back_up(small: Estate) -> None:
    """A backup that is whole, its owner's alone, and without a secret in plain."""
    runbook.follow(small, "backup", "Make one")
    runbook.follow(small, "backup", "Verify it")
    backup = small.home / "pulumi-backups" / "dev.json"
    assert backup.stat().st_mode & 0o077 == 0
    secrets = [key["secret_key"] for key in small.records(API_KEYS)]
    assert secrets
    assert not [secret for secret in secrets if secret in backup.read_text()]


def cluster_ids(small: Estate) -> list[str]:
    return [record["id"] for record in small.records(CLUSTERS)]


def keys(small: Estate) -> set[str]:
    """The access keys of the runners."""
    return {key["access_key"] for key in small.records(API_KEYS) if key["description"].startswith("Runner")}


def gitlab_variables(small: Estate) -> dict[str, Any]:
    return {v["key"]: v for v in small.gitlab("GET", "projects/acme%2Fapp/variables?per_page=100")}


@pytest.mark.parametrize(
    ("copies", "last", "told"),
    [
        ("its own", b"\\", "invalid character ' ' in string escape code"),
        ("only checkpoints", b",", "unexpected end of JSON input"),
    ],
)
def test_a_state_that_is_cut_off_is_put_back(small: Estate, copies: str, last: bytes, told: str) -> None:
    """What the engine says of it depends on the last byte that is left."""
    file = small.state_file(STACK)
    content = file.read_bytes()
    before = json.loads(content)
    with file.open("r+b") as cut_off:
        cut_off.truncate(content.index(last, len(content) // 2) + 1)
    if copies == "only checkpoints":
        file.with_name("dev.json.bak").write_text("")
    plain = small.pulumi(f"stack export --stack {STACK}", code=None)
    assert told in plain
    repair = runbook.shell(small, REPAIR)
    assert repair.returncode == 1
    runbook.assert_symptom("restore", "The state cannot be read", plain, repair.stdout)
    runbook.follow(small, "restore", "The state cannot be read")
    after = json.loads(file.read_text())
    urns = [[r["urn"] for r in state["checkpoint"]["latest"]["resources"]] for state in (before, after)]
    assert sorted(urns[0]) == sorted(urns[1])


def test_a_backup_that_is_put_back_is_known_as_older_and_brought_up_to_date(small: Estate) -> None:
    """From before the keys were rotated, a setting was changed, and the runner was registered anew."""
    back_up(small)
    small.set(STACK, "rotation.serial", "1")
    small.set(STACK, "gitlab.variables.EXTRA", "hello")
    small.pulumi(f"up --yes --skip-preview --stack {STACK} --replace '**::runner-deploy-gitlab-registration'")
    newer = keys(small)
    runbook.follow(small, "restore", "An older state was put back")
    said = runbook.shell(small, REPAIR)
    assert said.returncode == runbook.FOUND
    runbook.assert_symptom("restore", "An older state was put back", said.stdout)

    assert "to take in   CI variable acme/app:EXTRA:dev" in said.stdout
    assert "to remove    API key SCW" in said.stdout
    assert "gone         runner-deploy-gitlab-registration" in said.stdout
    runbook.follow(small, "restore", "Bring it up to date")
    assert len(keys(small)) == 1
    assert not keys(small) & newer

    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")


def test_a_lost_state_is_made_anew_around_the_same_cluster(small: Estate) -> None:
    """Its runner serves meanwhile: nobody removes it until another does."""
    clusters, runner = cluster_ids(small), str(small.outputs(STACK)["runners"][0]["runnerId"])
    with small.kubernetes(STACK) as client:
        contact(small, held_token(client))
    (small.folder / "state" / ".pulumi").rename(small.folder / "state" / "lost")
    plain = small.pulumi(f"preview --stack {STACK}", code=None)
    repair = runbook.shell(small, REPAIR)
    assert repair.returncode == 1
    runbook.assert_symptom("lost-state", "The stack is not there", plain, repair.stdout)
    runbook.follow(small, "lost-state", "Make it anew from what exists")
    runbook.follow(small, "import-existing-resources", "The runner that served until now", OLD_RUNNER=runner)
    runbook.follow(small, "lost-state", "It worked")
    assert cluster_ids(small) == clusters


def test_what_a_lost_state_has_set_in_the_cluster_may_be_changed_afterwards(small: Estate) -> None:
    """Else the API server would refuse it as a conflict with the state that is lost."""
    small.set(STACK, "runners[0].concurrent", "7")
    small.set(STACK, "rotation.serial", "2")
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")
    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")


@pytest.fixture
def existing(small: Estate) -> Iterator[None]:
    """A variable that was made by hand, and the program is to make now."""
    variable = {"key": "EXTRA", "value": "made by hand", "environment_scope": STACK}
    small.gitlab("POST", "projects/acme%2Fapp/variables", **variable)
    small.set(STACK, "gitlab.variables.EXTRA", "as declared")
    yield
    settle(small, changed=False)
    small.pulumi(f"up --yes --skip-preview --stack {STACK}")


@pytest.mark.usefixtures("converged", "existing")
@pytest.mark.parametrize("how", ["By name", "By hand"])
def test_what_exists_already_is_taken_in(small: Estate, how: str) -> None:
    refused = small.pulumi(f"up --yes --skip-preview --stack {STACK}", code=None)
    (symptom,) = runbook.symptoms("import-existing-resources")
    runbook.assert_told(symptom, refused)
    runbook.follow(small, "import-existing-resources", how)
    assert gitlab_variables(small)["EXTRA"]["value"] == "as declared"
    runbook.follow(small, "import-existing-resources", "It worked")
