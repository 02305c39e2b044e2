"""`make fidelity`: its lines and its exit codes."""

import json
from pathlib import Path

import pytest

from tests.fidelity import __main__ as command
from tests.fidelity.made_up import VPC, VPCS, vpc, vpc_life, write
from tests.fidelity.recordings import NoRecordingsError


def test_what_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "life.cassette.yaml", *vpc_life())
    assert command.main([str(path), str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "life: matched 5, allowed 0, wrong 0",
        "life: matched 5, allowed 0, wrong 0",
        "matched 10, allowed 0, wrong 0",
    ]


def test_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    life = vpc_life()
    life[1]["response"]["body"] = json.dumps(vpc(tags=None))
    assert command.main([str(write(tmp_path / "life.yaml", *life))]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"wrong: life #1 GET {VPCS}/{VPC}: tags: recorded null, stand-in list",
        "life: matched 4, allowed 0, wrong 1",
        "matched 4, allowed 0, wrong 1",
    ]


def test_what_is_allowed_says_why_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = {name: value for name, value in vpc().items() if name != "transitivity_enabled"}
    life = vpc_life()[:2]
    life[1]["response"] |= {"body": json.dumps(old), "headers": {"Date": ["Thu, 29 Jan 2026 16:38:24 GMT"]}}
    path = str(write(tmp_path / "life.yaml", *life))
    assert command.main([path, "--verbose"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"allowed: life #1 GET {VPCS}/{VPC}: transitivity_enabled: recorded no such key")
    assert "gained" in told[0]
    assert told[-1] == "matched 1, allowed 1, wrong 0"


@pytest.mark.parametrize("text", ["no: cassette", "a: [", None])
def test_what_is_no_cassette_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    path = tmp_path / "c.yaml"
    if text is not None:
        path.write_text(text)
    assert command.main([str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"error: {path}: ")
    assert told.err.count("\n") == 1


def test_without_recordings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[Path]:
        raise NoRecordingsError("the module cannot be downloaded: no network")

    monkeypatch.setattr(command, "named", none)
    assert command.main([]) == 2
    assert capsys.readouterr().err == (
        "error: the module cannot be downloaded: no network. Fix: make fidelity CASSETTE=PATH replays one that you have\n"
    )
