"""The command that makes an artifact of a plan: what it writes, its exit codes, and that no secret gets in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci.plans import read_plan
from ci.publish_plan import main
from ci.values import UNKNOWN
from tests.ci.conftest import SAMPLES
from tests.ci.plan_samples import planned, text_of_plan, urn

ROOT = Path(__file__).parents[2]
PLAN = str(SAMPLES / "plan.json")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_a_plan_of_the_engine_is_published_without_its_secrets(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.json"
    assert main([PLAN, str(out)], environ) == 0
    assert capsys.readouterr() == ("", "")
    text = out.read_text()
    assert "ciphertext" not in text
    assert '"state"' not in text
    assert '"config"' not in text
    assert text.isascii()
    assert read_plan(out, "dev") == read_plan(Path(PLAN), "dev")


def test_what_the_job_knows_to_be_secret_is_not_published(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out, passphrase = tmp_path / "full.json", tmp_path / "plan.json", tmp_path / "passphrase"
    passphrase.write_text("correct-horse-battery\n")
    adds = {"a": "https://x?t=tHe-ToKeN-1", "b": ["correct-horse-battery"], "c": "glpat-AAAAAAAAAAAAAAAAAAAA", "d": "e"}
    whole.write_text(text_of_plan(a=planned("create", adds=adds)))
    known = {"MY_TOKEN": "tHe-ToKeN-1", "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)}
    assert main([str(whole), str(out)], environ | known) == 0
    published = json.loads(out.read_text())["resourcePlans"][urn("a")]["goal"]["inputDiff"]["adds"]
    assert published == {"a": UNKNOWN, "b": [UNKNOWN], "c": UNKNOWN, "d": "e"}
    assert capsys.readouterr() == ("", "")


def test_a_key_file_that_cannot_be_read_is_told(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text("a: [")
    assert main([PLAN, str(tmp_path / "o")], environ | {"SCW_CONFIG_PATH": str(broken)}) == 0
    assert capsys.readouterr().err == (
        f"warning: {broken} cannot be read (ParserError): what it holds cannot be told from others.\n"
    )


def test_a_plan_that_is_none_is_an_error_and_nothing_is_written(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, out = tmp_path / "gone", tmp_path / "o"
    make = f"pulumi preview -s STACK --save-plan {gone}"
    assert main([str(gone), str(out)], environ) == 1
    assert capsys.readouterr() == (
        "",
        f"error: {gone} cannot be read: No such file or directory. Make it with: {make}\n",
    )
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_an_error(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([PLAN, str(tmp_path)], environ) == 1
    assert capsys.readouterr() == ("", f"error: {tmp_path} cannot be written: Is a directory.\n")


@pytest.mark.parametrize("arguments", [[], [PLAN], [PLAN, "a", "b"], ["--plan", PLAN, "a"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m ci.publish_plan [-h] PLAN OUT" in capsys.readouterr().err


def test_as_a_process(tmp_path: Path) -> None:
    """As in a job: without loading GitLab's client, which is slow and not needed here."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONVERBOSE": "1"}
    command = [sys.executable, "-m", "ci.publish_plan", PLAN, str(tmp_path / "o")]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True)
    assert json.loads((tmp_path / "o").read_text())["manifest"]["version"] == "v3.259.0"
    assert b"import 'gitlab'" not in done.stderr
    assert b"import 'ci.plans'" in done.stderr
