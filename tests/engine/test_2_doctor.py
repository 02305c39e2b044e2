"""The doctor on environments that are up: nothing is wrong, and what is made wrong is told beside the rest."""

import pytest

from tests.engine.estate import Estate

pytestmark = pytest.mark.usefixtures("environments")
AREAS = ["tools", "settings", "state backend", "Scaleway", "GitLab", "chart repository", "clock"]


def secrets_of(estate: Estate) -> set[str]:
    """What must not be in a report: the credentials in use, and the passphrase."""
    variables = estate.variables()
    keys = {key["secret_key"] for key in estate.records("scaleway.iam.api_keys")}
    passphrase = (estate.folder / "passphrase").read_text().strip()
    return {variables["SCW_SECRET_KEY"], variables["GITLAB_TOKEN"], passphrase} | keys


def test_nothing_is_wrong_with_an_environment_that_is_up(estate: Estate) -> None:
    result = estate.shell("make doctor ENV=dev")
    assert result.returncode == 0, result.stdout + result.stderr
    assert [line.strip() for line in result.stdout.splitlines() if line.startswith("  ") and line[2] != " "] == AREAS
    assert "WRONG" not in result.stdout
    assert "unknown" not in result.stdout
    assert "skipped" not in result.stdout
    closing = result.stdout.splitlines()[-1]
    assert closing.startswith("dev: ")
    assert "nothing wrong" in closing
    assert not [secret for secret in secrets_of(estate) if secret in result.stdout + result.stderr]


def test_a_wrong_token_is_told_and_hides_no_other_area(estate: Estate) -> None:
    wrong = "glpat-" + "x" * 20
    result = estate.shell(f"GITLAB_TOKEN={wrong} .venv/bin/python -m doctor --stack dev")
    assert result.returncode == 1, result.stdout + result.stderr
    told = [line for line in result.stdout.splitlines() if line.startswith("    WRONG")]
    assert len(told) == 1
    assert "refuses GITLAB_TOKEN" in " ".join(result.stdout.split())
    for area in AREAS:
        assert f"\n  {area}\n" in f"\n{result.stdout}"
    assert wrong not in result.stdout + result.stderr


def test_nothing_is_changed_and_the_other_environments_are_right_as_well(estate: Estate) -> None:
    before = {stack: estate.pulumi(f"stack export --stack {stack}") for stack in ("preprod", "prod")}
    for stack, state in before.items():
        result = estate.shell(f".venv/bin/python -m doctor --stack {stack}")
        assert result.returncode == 0, result.stdout + result.stderr
        assert estate.pulumi(f"stack export --stack {stack}") == state
