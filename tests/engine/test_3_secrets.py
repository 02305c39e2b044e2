"""Where the issued secrets are not: a search for the values themselves, in everything that a run leaves and says."""

import base64
import json
from pathlib import Path

import pytest
from lightkube.resources.core_v1 import Secret

from sandbox.gitlab.variables import VARIABLES
from sandbox.scaleway.common import API_KEYS
from tests.engine.estate import ENVIRONMENTS, Estate, Up

RUNNERS = PROJECTS = 2  # in each environment; a runner has a token in each project


@pytest.fixture(scope="module")
def cloud_keys(estate: Estate, environments: dict[str, Up]) -> list[str]:
    """The secret keys of the runners' API keys, as the stand-in issued them."""
    keys = [str(k["secret_key"]) for k in estate.records(API_KEYS) if k.get("application_id")]
    assert len(keys) >= RUNNERS * len(ENVIRONMENTS)
    return keys


@pytest.fixture(scope="module")
def tokens(estate: Estate, environments: dict[str, Up]) -> list[str]:
    """Runner tokens, promotion tokens and the clusters' admin tokens."""
    found = []
    for environment in ENVIRONMENTS:
        with estate.kubernetes(environment) as client:
            for secret in client.list(Secret, namespace=f"{environment}-runners"):
                if "runner-token" in (secret.data or {}):
                    assert secret.data is not None
                    found.append(base64.b64decode(secret.data["runner-token"]).decode())
    for file in (estate.folder / "clusters").glob("*/endpoints.json"):
        found.append(json.loads(file.read_text())["token"])
    found += [v["value"] for v in estate.records(VARIABLES) if v["key"] == "PRIVATE_TOKEN"]
    assert len(found) == (RUNNERS * PROJECTS + 1 + PROJECTS) * len(ENVIRONMENTS)
    assert len(set(found)) == len(found)
    return found


def _forms(secret: str) -> list[str]:
    """The secret, and what base64 makes of it at each of the three offsets inside a longer text."""
    forms = [secret]
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + secret.encode()).decode()
        forms.append(encoded[4 if offset else 0 : -4])
    return forms


def _holders(secrets: list[str], texts: dict[str, str]) -> list[str]:
    return [name for name, text in texts.items() if any(f in text for s in secrets for f in _forms(s))]


def _files(folder: Path, pattern: str = "**/*") -> dict[str, str]:
    return {str(f): f.read_text(errors="replace") for f in folder.glob(pattern) if f.is_file()}


def test_the_search_finds_what_is_there(cloud_keys: list[str], estate: Estate) -> None:
    """A search that found nothing anywhere would prove nothing."""
    with estate.kubernetes("dev") as client:
        secret = client.get(Secret, "dev-api-key", namespace="dev")
    assert secret.data is not None
    assert _holders(cloud_keys, {"kubernetes": secret.data["config.yaml"]}) == ["kubernetes"]
    assert _holders(cloud_keys, {"plain": f"secret_key: {cloud_keys[0]}"}) == ["plain"]


def test_no_ci_variable_holds_a_cloud_key(cloud_keys: list[str], estate: Estate) -> None:
    variables = {f"{v['owner']}/{v['environment_scope']}/{v['key']}": json.dumps(v) for v in estate.records(VARIABLES)}
    assert len(variables) == 6 * PROJECTS * len(ENVIRONMENTS)
    assert _holders(cloud_keys, variables) == []
    assert not [name for name in variables if "ACCESS_KEY" in name or "SECRET" in name]


def test_no_output_holds_a_secret(cloud_keys: list[str], tokens: list[str], estate: Estate) -> None:
    outputs = {e: estate.pulumi(f"stack output --json --show-secrets --stack {e}") for e in ENVIRONMENTS}
    assert _holders(cloud_keys + tokens, outputs) == []


def test_the_state_holds_secrets_only_encrypted(cloud_keys: list[str], tokens: list[str], estate: Estate) -> None:
    state = _files(estate.folder / "state")
    assert len(state) > len(ENVIRONMENTS)
    assert _holders(cloud_keys + tokens, state) == []
    exported = {e: estate.pulumi(f"stack export --show-secrets --stack {e}") for e in ENVIRONMENTS}
    assert _holders(cloud_keys, exported) == list(ENVIRONMENTS), "encrypted in the state, so there once it is decrypted"


def test_no_log_holds_a_secret(
    cloud_keys: list[str], tokens: list[str], estate: Estate, environments: dict[str, Up]
) -> None:
    logs = _files(estate.folder, "*.log") | _files(estate.folder, "*.jsonl") | _files(estate.folder, "clusters/*/*.log")
    assert len(logs) >= 2 + 5 * len(ENVIRONMENTS)
    logs |= {f"up {e}": up.printed for e, up in environments.items()}
    logs |= {f"admin {s}": json.dumps(estate.ask(s, "/_sandbox/state")) for s in ("scaleway", "gitlab")}
    logs |= {"requests": json.dumps(estate.ask("gitlab", "/_sandbox/requests"))}
    assert _holders(cloud_keys + tokens, logs) == []


def test_no_process_has_a_secret_among_its_arguments(cloud_keys: list[str], tokens: list[str], estate: Estate) -> None:
    processes = {p: p for p in estate.processes()}
    assert len(processes) >= 5 * len(ENVIRONMENTS)
    passphrase = (estate.folder / "passphrase").read_text()
    assert _holders([*cloud_keys, *tokens, passphrase], processes) == []


def test_files_that_hold_secrets_are_their_owners_alone(estate: Estate, environments: dict[str, Up]) -> None:
    assert estate.folder.stat().st_mode & 0o077 == 0
    secret = [
        *estate.folder.glob("records.db*"),
        *estate.folder.glob("clusters/*/tokens.csv"),
        *estate.folder.glob("clusters/*/*.json"),
        *estate.folder.glob("clusters/*/*.kubeconfig"),
        *estate.folder.glob("clusters/*/sa.key"),
        estate.folder / "passphrase",
        estate.folder / "requests.jsonl",
        estate.folder / "sandbox.log",
    ]
    assert len(secret) > 4 * len(ENVIRONMENTS)
    assert [str(f) for f in secret if f.stat().st_mode & 0o077] == []


def test_the_users_own_folders_are_left_alone(estate: Estate, environments: dict[str, Up]) -> None:
    assert sorted(p.name for p in estate.home.iterdir()) == []
