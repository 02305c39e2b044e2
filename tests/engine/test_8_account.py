"""Whose credentials these are is asked first: with another account's nothing is created or changed."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from sandbox.scaleway.common import PROJECTS
from sandbox.store import Store
from tests.engine.estate import Estate

pytestmark = pytest.mark.usefixtures("dev")

ACCOUNT = "00000000-0000-4000-8000-000000000001"  # the stack files' and so the sandbox's
OTHER = "11111111-2222-3333-4444-555555555555"
UNKNOWN = "66666666-7777-4888-8999-000000000000"


@pytest.fixture(autouse=True)
def nothing_changes(estate: Estate, dev: None) -> Iterator[None]:
    """Whatever is refused, both stand-ins are as before, and so is the stack file in the end."""
    file = estate.checkout / "Pulumi.dev.yaml"
    settings, before = file.read_text(), [estate.ask(each, "/_sandbox/state") for each in ("scaleway", "gitlab")]
    yield
    file.write_text(settings)
    assert [estate.ask(each, "/_sandbox/state") for each in ("scaleway", "gitlab")] == before


@pytest.fixture
def project_of_others(estate: Estate, nothing_changes: None) -> Iterator[str]:
    """A project of another organization, which the API tells these credentials nothing of."""
    with closing(Store(estate.folder / "records.db")) as store:
        store.put(PROJECTS, OTHER, store.all(PROJECTS)[0] | {"id": OTHER, "organization_id": OTHER})
        yield OTHER
        store.delete(PROJECTS, OTHER)


def refused(estate: Estate, environment: str = "") -> str:
    result = estate.shell(f"{environment} pulumi up --yes --skip-preview --stack dev 2>&1")
    assert result.returncode != 0, result.stdout
    assert "nothing was created or changed" in result.stdout
    assert "Traceback" not in result.stdout
    assert "invoke of" not in result.stdout
    return result.stdout


def test_another_organization_and_another_project_are_told_at_once(estate: Estate) -> None:
    estate.set("dev", "account.organizationId", OTHER)
    estate.set("dev", "account.projectId", UNKNOWN)
    printed = refused(estate)
    assert "2 settings are not met by the credentials in use; nothing was created or changed." in printed
    assert (
        f"account.organizationId = '{OTHER}' (Pulumi.dev.yaml): must be the organization of the credentials, which is "
        f"{ACCOUNT}, or another account is changed." in printed
    )
    assert (
        f"account.projectId = '{UNKNOWN}' (Pulumi.dev.yaml): must be the default project of the credentials, which is "
        f"{ACCOUNT}, or another account is changed." in printed
    )


def test_what_the_environment_says_of_the_organization_proves_nothing(estate: Estate) -> None:
    estate.set("dev", "account.organizationId", OTHER)
    assert f"which is {ACCOUNT}, or another account" in refused(estate, f"SCW_DEFAULT_ORGANIZATION_ID={OTHER}")


def test_what_the_environment_says_of_the_organization_must_agree(estate: Estate) -> None:
    printed = refused(estate, f"SCW_DEFAULT_ORGANIZATION_ID={OTHER}")
    assert f"must be the default organization of the credentials, which is {OTHER}" in printed


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_a_project_that_is_taken_is_one_of_the_organization(estate: Estate, project_of_others: str, kind: str) -> None:
    project_id = project_of_others if kind == "known" else UNKNOWN
    file = estate.checkout / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("target: { name: app-dev }", f"target: {{ id: {project_id} }}"))
    printed = refused(estate)
    assert (
        f"projects.target.id = '{project_id}' (Pulumi.dev.yaml): must be a project of the organization {ACCOUNT} that the "
        "credentials may see, or nothing can be made in it." in printed
    )


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            f"SCW_SECRET_KEY={UNKNOWN}",
            "Scaleway does not say whose the credentials in use are: denied authentication: ",
        ),
        ("SCW_SECRET_KEY=nonsense", "the Scaleway credentials in use are not well-formed: invalid secret key format"),
        ("env -u SCW_SECRET_KEY", "there are no Scaleway credentials; nothing"),
        ("env -u SCW_DEFAULT_PROJECT_ID", "the Scaleway credentials in use have no default project; nothing"),
        (f"SCW_DEFAULT_PROJECT_ID={UNKNOWN}", f"credentials in use, {UNKNOWN}, is not one that they may see; nothing"),
    ],
    ids=["unknown key", "no key at all", "no key", "no project", "unknown project"],
)
def test_credentials_that_are_none_are_told_on_one_line(estate: Estate, environment: str, reason: str) -> None:
    lines = [line for line in refused(estate, environment).splitlines() if reason in line]
    assert lines
    assert all("nothing was created or changed. Fix: export SCW_" in line for line in lines)


def test_make_up_refuses_an_account_that_the_sandbox_does_not_play(estate: Estate) -> None:
    estate.set("dev", "account.organizationId", OTHER)
    result = estate.sandbox("up", "dev")
    assert result.returncode == 1
    assert f"this sandbox plays the organization {ACCOUNT}" in result.stderr
    assert "Fix: SANDBOX_DIR=.sandbox/for-dev make up ENV=dev" in result.stderr
