"""The command as a pipeline calls it: files, texts, colours, exit codes, mistakes told at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci.preview_report import main
from tests.ci.conftest import SAMPLES

ROOT = Path(__file__).parents[2]
CHANGES = f"--preview=dev={SAMPLES / 'changes.json'}"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_files_and_text(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prod = tmp_path / "prod.json"
    prod.write_text((SAMPLES / "changes.json").read_text().replace("urn:pulumi:dev::", "urn:pulumi:prod::"))
    files = [f"--markdown={tmp_path / 'o.md'}", f"--widget={tmp_path / 'o.json'}"]
    assert main([CHANGES, f"--preview=prod={prod}", *files], environ) == 0
    assert json.loads((tmp_path / "o.json").read_text()) == {"create": 8, "update": 6, "delete": 4}
    text = (tmp_path / "o.md").read_text()
    assert text.count("### Preview of `dev`") == text.count("### Preview of `prod`") == 1
    assert "<!--" not in text
    shown = capsys.readouterr().out
    assert "Preview of dev (kapsule-devops): 8 changes" in shown
    assert "Preview of prod (kapsule-devops): 8 changes" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", ["failed.json", "policy.events"])
def test_a_report_of_a_failed_preview_is_no_failure(environ: dict[str, str], name: str) -> None:
    assert main([f"--preview=dev={SAMPLES / name}"], environ) == 0


def test_colours(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for more, coloured in (({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)):
        assert main([CHANGES], environ | more) == 0
        assert ("\x1b[1m" in capsys.readouterr().out) is coloured


def test_all_that_is_wrong_with_the_files_is_told_at_once(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    out = tmp_path / "o.md"
    assert main([f"--preview=dev={empty}", f"--preview=prod={tmp_path / 'no'}", f"--markdown={out}"], environ) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: 2 problems:"
    assert lines[1].startswith(f"  {empty} is empty. Make it with: pulumi preview --json -s dev > {empty}")
    assert lines[2].startswith(f"  {tmp_path / 'no'} cannot be read: No such file or directory. Make it with:")
    assert len(lines) == 3
    assert not out.exists()


def test_files_that_cannot_be_written(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([CHANGES, f"--markdown={tmp_path}", f"--widget={tmp_path}/no/w.json"], environ) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.strip() for line in lines] == [
        "error: 2 problems:",
        f"{tmp_path} cannot be written: Is a directory.",
        f"{tmp_path}/no/w.json cannot be written: No such file or directory.",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: --preview"),
        (["--preview=dev"], "must be STACK=FILE, such as dev=preview.json"),
        ([CHANGES, CHANGES], "--preview names the stack dev twice"),
        ([CHANGES, "--limit=5"], "must be a number from 3000 to 1000000"),
        ([CHANGES, "--limit=1000001"], "must be a number from 3000 to 1000000"),
    ],
)
def test_wrong_arguments(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, environ)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_preview_without_resources_belongs_to_the_program_in_this_folder(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "preview.json"
    file.write_text('{"diagnostics": [{"severity": "error", "message": "error: no plugin"}]}')
    monkeypatch.chdir(ROOT)
    assert main([f"--preview=dev={file}"], environ) == 0
    assert capsys.readouterr().out.startswith("Preview of dev (kapsule-devops): failed\n")
    monkeypatch.chdir(tmp_path)
    assert main([f"--preview=dev={file}"], environ) == 0
    assert capsys.readouterr().out.startswith("Preview of dev: failed\n")


def test_as_a_process(tmp_path: Path) -> None:
    """In a locale that knows no "…", and without loading GitLab's client, which is slow and not needed here."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONIOENCODING": "latin-1", "PYTHONVERBOSE": "1"}
    command = [sys.executable, "-m", "ci.preview_report", f"--preview=dev={SAMPLES / 'drift.events'}"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True)
    assert b"1 resource changed outside the program" in done.stdout
    assert b"import 'gitlab'" not in done.stderr
    assert b"import 'ci.previews'" in done.stderr


def test_help_says_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for part in ("PRIVATE_TOKEN", "Exit codes", "--event-log", "[secret]", "artifacts:reports:terraform"):
        assert part in text
