"""Settings as the engine would hand them over: right, wrong in the settings' own words, encrypted, absent."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from doctor.stack_file import parsed, read
from doctor.verdicts import Verdict
from settings import parse
from tests.doctor.conftest import ROOT, not_right
from tests.program.conftest import as_engine_gives_it, configuration


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_the_shipped_files_are_right_and_read_as_by_the_program(stack: str) -> None:
    found = read(ROOT, stack)
    assert not_right(found.checks) == []
    assert found.header == {}
    config = {key.partition(":")[2]: value for key, value in as_engine_gives_it(configuration(stack)).items()}
    assert found.settings == parse(config, stack)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_each_wrong_setting_is_told_in_the_settings_words(folder: Path) -> None:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("size: 2", "size: -1").replace("name: main", "nmae: main"))
    found = read(folder, "dev")
    assert found.settings is None
    checks = {check.text: check.fix for check in found.checks}
    size = "runnerPool.size = -1 (Pulumi.dev.yaml): must be at least 0, or no job can run"
    assert checks[size] == "pulumi config set --path runnerPool.size 0"
    assert any(text.startswith("gitlab.branch.nmae (Pulumi.dev.yaml): is not a setting") for text in checks)
    assert {check.verdict for check in found.checks} == {Verdict.WRONG}


def test_what_the_engine_writes_beside_the_settings_is_known(folder: Path) -> None:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text() + "encryptionsalt: v1:x\n")
    assert read(folder, "dev").header == {"encryptionsalt": "v1:x"}


def test_encrypted_settings_are_unknown(folder: Path) -> None:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text() + "  kapsule-devops:network: {ipv4Subnet: {secure: v1:abc}}\n")
    assert not_right(read(folder, "dev").checks) == [
        ("unknown", "Pulumi.dev.yaml: kapsule-devops:network is encrypted, so only a preview can check it")
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "Pulumi.dev.yaml cannot be read: No such file or directory: it must be there"),
        ("a: [", "Pulumi.dev.yaml: must be YAML, which it is not in line 1"),
        ("- a", "Pulumi.dev.yaml: must be an object"),
        ("config: 5", "config (Pulumi.dev.yaml): must be an object"),
        ("config: {'kapsule-devops:projects': {? [a] : b}}", "Pulumi.dev.yaml"),
        ("", "Pulumi.dev.yaml: must be an object"),
    ],
)
def test_a_file_that_is_none_is_told(folder: Path, text: str | None, says: str) -> None:
    if text is None:
        (folder / "Pulumi.dev.yaml").unlink()
    else:
        (folder / "Pulumi.dev.yaml").write_text(text)
    found = read(folder, "dev")
    assert found.settings is None
    assert not_right(found.checks)[0][0] == "WRONG"
    assert says in not_right(found.checks)[0][1]


def test_settings_of_others_and_odd_keys_are_left_alone() -> None:
    project: dict[str, Any] = {"name": "kapsule-devops", "config": {"a": {"type": "string"}, "b": 5}}
    checks, settings = parsed(project, {"config": {5: "x", "scaleway:region": "nl-ams"}}, "dev")
    assert settings is None
    assert any(check.text.startswith("projects (Pulumi.dev.yaml): is required") for check in checks)
    assert not any("region" in check.text for check in checks)
