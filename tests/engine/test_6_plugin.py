"""`plugin/` as another program meets it: its schema by the engine, and an environment made of the YAML example.

The host of YAML is not to be had here, so a program of this file declares what the example does, as every SDK does it: by
the component's token, with nothing of ours imported.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.resources.core_v1 import Namespace, Secret

from sandbox.scaleway.common import API_KEYS
from tests.engine.estate import ROOT, Estate, Up

EXAMPLE = yaml.safe_load((ROOT / "examples" / "yaml-environment" / "Pulumi.yaml").read_text())
TEAM = EXAMPLE["resources"]["team"]
SCHEMA = json.loads((ROOT / "docs" / "plugin.schema.json").read_text())
COMPONENT = SCHEMA["resources"]["kapsule-devops:index:RunnerEnvironment"]

PROGRAM = """\
import json
from pathlib import Path

import pulumi

declared = json.loads(Path("declared.json").read_text())
properties = {**declared["properties"], **dict.fromkeys(declared["outputs"])}
made = pulumi.ComponentResource("kapsule-devops:index:RunnerEnvironment", "team", properties, remote=True)
for name in declared["outputs"]:
    pulumi.export(name, getattr(made, name))
"""


@dataclass(frozen=True)
class Team:
    """A program of another team, with the component's properties as they are in `given`."""

    estate: Estate
    folder: Path
    given: Mapping[str, Any]

    def pulumi(self, arguments: str, code: int = 0) -> str:
        result = self.estate.shell(f"cd {shlex.quote(str(self.folder))}\npulumi {arguments} 2>&1")
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout

    def declare(self, **changed: Any) -> None:
        declared = {"properties": {**self.given, **changed}, "outputs": list(COMPONENT["properties"])}
        (self.folder / "declared.json").write_text(json.dumps(declared))

    @contextmanager
    def declaring(self, **changed: Any) -> Iterator[None]:
        self.declare(**changed)
        try:
            yield
        finally:
            self.declare()


@pytest.fixture(scope="module")
def team(estate: Estate, environments: dict[str, Up], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A stack `dev` of the example, in dev's cluster, which is another stack's."""
    folder, dev = tmp_path_factory.mktemp("team"), estate.outputs("dev")
    file = estate.folder / "clusters" / dev["clusterId"].rpartition("/")[2] / "admin.kubeconfig"
    config = {
        "clusterId": dev["clusterId"],
        "kubeconfig": file.read_text(),  # no secret as it comes: the component is to make it one
        "targetProjectId": dev["targetProjectId"],
        "credentialsProjectId": dev["credentialsProjectId"],
    }
    properties = {key: config.get(str(value)[2:-1], value) for key, value in TEAM["properties"].items()}
    project = {
        "name": EXAMPLE["name"],
        "runtime": {"name": "python", "options": {"virtualenv": str(estate.checkout / ".venv")}},
        "packages": {"kapsule-devops": str(estate.checkout / "plugin")},
    }
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (folder / "__main__.py").write_text(PROGRAM)
    team = Team(estate, folder, properties)
    team.declare()
    team.pulumi("stack init dev")
    yield team
    team.pulumi("destroy --yes --skip-preview --stack dev --remove")
    with estate.kubernetes("dev") as client:
        assert [space for space in client.list(Namespace) if "team" in str(space.metadata)] == []
    assert [key for key in estate.records(API_KEYS) if " of team," in key["description"]] == []


def as_the_engine_has_it(schema: Any, *, inside: bool = False) -> Any:
    """It drops what a list's items are described with, which is the list's own description again."""
    if not isinstance(schema, dict):
        return schema
    nested = ("items", "additionalProperties")
    return {
        k: as_the_engine_has_it(v, inside=k in nested) for k, v in schema.items() if not (inside and k == "description")
    }


def test_the_engine_reads_the_schema_off_the_plugin(estate: Estate) -> None:
    result = estate.shell("cd examples/yaml-environment && pulumi package get-schema ../../plugin")
    told = json.loads(result.stdout)
    parts = ("name", "version", "resources", "types")
    assert {part: told[part] for part in parts} == {part: as_the_engine_has_it(SCHEMA[part]) for part in parts}


def test_wrong_arguments_are_told_as_settings_are_and_make_nothing(team: Team) -> None:
    keys = team.estate.records(API_KEYS)
    gitlab = {**team.given["gitlab"], "variables": {"A_SECRET_KEY": "not to be seen"}}
    with team.declaring(gitlab=gitlab, runners=[{"name": "deploy", "concurrent": 0, "tagg": "x"}]):
        said = team.pulumi("up --yes --skip-preview --stack dev", code=1)
    assert re.sub(r"\n {4}", "\n", said).count(
        "3 arguments are wrong; nothing of RunnerEnvironment team was created or changed.\n\n"
        "  runners[0].concurrent = 0 (RunnerEnvironment team): must be at least 1, or the runner does not start.\n"
        "    Fix: set runners[0].concurrent to 1\n"
        "  runners[0].tagg (RunnerEnvironment team): is not a setting; did you mean tag?, or it would be silently ignored.\n"
        "    Fix: leave runners[0].tagg out\n"
        "  gitlab.variables.A_SECRET_KEY (RunnerEnvironment team): must not be, or hold, a credential, or it leaks, never "
        "expires and is used outside the cloud's control.\n"
        "    Fix: leave gitlab.variables.A_SECRET_KEY out, and revoke it, if it was one\n"
    )
    # What a Python program itself prints when the engine stops it is not the plugin's.
    assert [line for line in said.splitlines() if "plugin/" in line or "components/" in line] == []
    assert "not to be seen" not in said
    assert team.estate.records(API_KEYS) == keys


def test_the_example_makes_an_environment(team: Team) -> None:
    team.pulumi("up --yes --skip-preview --stack dev")
    outputs = json.loads(team.pulumi("stack output --json --stack dev"))
    assert outputs == {
        "managersNamespace": "team-runners",
        "namespaces": {"deploy": "team", "preview": "team-preview"},
        "tags": {"deploy": "k8s-team-runner", "preview": "k8s-team-preview-runner"},
        "apiKeySecrets": {"deploy": "team-api-key", "preview": "team-preview-api-key"},
        "runnerPoolTaint": "gitlab-runner-jobs-team-reserved=true:NoSchedule",
        "runnerPoolSelector": {"gitlab-runner-jobs": "team"},
    }
    assert set(EXAMPLE["outputs"]) <= set(outputs)
    with team.estate.kubernetes("dev") as client:
        for runner, secret in outputs["apiKeySecrets"].items():
            assert set(client.get(Secret, secret, namespace=outputs["namespaces"][runner]).data or {}) == {
                "config.yaml"
            }
    protected = team.estate.gitlab("GET", "projects/acme%2Fapp/protected_branches/team")
    assert [level["access_level"] for level in protected["merge_access_levels"]] == [30]


def test_then_nothing_is_to_be_done(team: Team) -> None:
    team.pulumi("preview --stack dev --expect-no-changes")
    team.pulumi("refresh --yes --skip-preview --stack dev --expect-no-changes")


def test_nothing_secret_is_readable_in_the_state(team: Team) -> None:
    state = team.pulumi("stack export --stack dev")
    (user,) = yaml.safe_load(team.given["kubeconfig"])["users"]
    keys = [key["secret_key"] for key in team.estate.records(API_KEYS)]
    secrets = [*keys, *(str(value) for value in user["user"].values()), "glrt-", "glpat-"]
    assert keys
    assert [secret for secret in secrets if secret in state] == []


def test_without_protections_gitlab_only_gets_runners(team: Team) -> None:
    with team.declaring(protections=False, gitlab={"project": "acme/app"}):
        team.pulumi("up --yes --skip-preview --stack dev")
        state = json.loads(team.pulumi("stack export --stack dev"))["deployment"]["resources"]
    made = {each["type"] for each in state if each["type"].startswith("gitlab:")}
    assert made == {"gitlab:index/userRunner:UserRunner"}
