"""`python -m doctor` as a user runs it: against both stand-ins, and with nothing at hand."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doctor.__main__ import main
from tests.ci.fake_pulumi import FakePulumi
from tests.doctor.conftest import ROOT, Instance
from tests.doctor.test_tools import PINS

PASSPHRASE = "correct horse battery staple"
AREAS = ["tools", "settings", "state backend", "Scaleway", "GitLab", "chart repository", "clock"]
Run = Callable[..., tuple[int, str, str]]


def areas(out: str) -> list[str]:
    return [line.strip() for line in out.splitlines() if line.startswith("  ") and not line.startswith("   ")]


@pytest.fixture
def folder(tmp_path: Path, api: Any) -> Path:
    """The program's files, with the stand-in's account."""
    for name in ("requirements.txt", "Pulumi.yaml", "Pulumi.dev.yaml"):
        text = (ROOT / name).read_text().replace("00000000-0000-4000-8000-000000000001", api.account.organization_id)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def run(
    folder: Path, api: Any, instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Exit code and both streams, with these variables changed."""
    fake = FakePulumi(folder / "bin")
    fake.does("version", f"v{PINS['pulumi']}\n")
    fake.does("plugin", "[]")
    fake.does("whoami", json.dumps({"url": "file:///srv/state"}))
    fake.does("stack", json.dumps([{"name": "dev"}]))
    monkeypatch.chdir(folder)
    monkeypatch.setattr("ci.gitlab_client.RETRIES", 0)
    given = {
        "PATH": fake.path,
        "HOME": str(folder),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        **api.variables(),
        "GITLAB_TOKEN": instance.account.token,
        "GITLAB_BASE_URL": f"{instance.listener.url}/api/v4/",
        "GITLAB_RUNNER_CHART_REPOSITORY": f"{instance.listener.url}/charts",
    }

    def command(*arguments: str, **variables: str) -> tuple[int, str, str]:
        environment = given | variables
        for name, value in environment.items():
            if name.startswith("SCW_"):  # Scaleway's SDK reads the process's own
                monkeypatch.setenv(name, value)
        code = main(arguments or ("--stack", "dev"), environment)
        out, err = capsys.readouterr()
        for secret in (PASSPHRASE, api.account.secret_key, instance.account.token, *variables.values()):
            assert len(secret) < 20 or secret not in out + err
        return code, out, err

    return command


def test_all_is_right(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert areas(out) == AREAS
    assert out.splitlines()[-1].startswith("dev: 26 checks, nothing wrong, 2 warnings")
    assert max(len(line) for line in out.splitlines() if "Fix:" not in line) <= 80


def test_a_stack_may_have_its_whole_name(run: Run) -> None:
    assert run("--stack", "acme/kapsule-devops/dev")[0] == 0


def test_what_is_wrong_in_each_area_is_told_beside_the_others(run: Run, folder: Path) -> None:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("size: 2", "size: -1"))
    code, out, err = run(
        GITLAB_TOKEN="glpat-" + "x" * 20, SCW_SECRET_KEY="11111111-2222-3333-4444-555555555555", PATH=str(folder)
    )
    text = " ".join(out.split())
    assert (code, err) == (1, "")
    assert areas(out) == AREAS
    for told in (
        "WRONG pulumi cannot be started",
        "WRONG runnerPool.size = -1 (Pulumi.dev.yaml): must be at least 0",
        "WRONG Scaleway refuses the key (401)",
        "refuses GITLAB_TOKEN (401",
        "skipped chart: the settings must be right first",
        "ok as Scaleway's, within 60 s",
    ):
        assert told in text
    assert out.splitlines()[-1].startswith("dev: ")


def test_secrets_in_what_the_engine_says_are_hidden(run: Run, folder: Path) -> None:
    FakePulumi.does(FakePulumiAt(folder / "bin"), "whoami", err=f"error: {PASSPHRASE} is no good\n", code=255)
    code, out, _ = run()
    assert code == 1
    assert "[secret] is no good" in " ".join(out.split())


class FakePulumiAt(FakePulumi):
    """One whose script is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


@pytest.mark.parametrize("arguments", [[], ["--stack"], ["--stack", "a b"], ["--stack", "../x/../y"], ["--sta", "dev"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, {})
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_leaves_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("doctor.tools.ask", interrupted)
    assert run() == (130, "", "")


def test_with_nothing_installed_the_packages_are_told(tmp_path: Path) -> None:
    for name in ("requirements.txt", "Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['doctor', "
         "'--stack', 'dev']; import runpy; runpy.run_module('doctor', run_name='__main__')"],
        cwd=tmp_path, env={"PATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("is not installed: must be") == len(PINS)
    assert "skipped  Python and its packages must be right first" in done.stdout
    assert done.stdout.splitlines()[-1] == f"dev: {len(PINS) + 3} checks, {len(PINS) + 1} wrong, 1 skipped"
