"""The toolchain's build with a `go` that is a script: hashes, progress, atomic binaries, failures, two builders at once."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.toolchain import build
from sandbox.toolchain.parts import ALL, ModuleEdit, ModuleFile, Part

CHECKOUT = Path(__file__).parents[3]

GO = """#!/bin/sh
echo "$@" >> "$GO_LOG"
case "$1" in
  env) echo "${GO_VERSION:-go1.26.1}" ;;
  list) echo "$MODULES/$5" ;;
  build)
    [ -z "${GO_WAITS:-}" ] || { echo started > "$GO_WAITS.started"; read -r _ < "$GO_WAITS.goes"; }
    [ -z "${GO_FAILS:-}" ] || { echo "main.go:1: undefined: x" >&2; exit 2; }
    while [ "$1" != -o ]; do shift; done
    cat ./* > "$2" ;;
esac
"""
PART = Part(folder="part", what="A part", binary="tool", variables={"main.version": "1.2"})


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@dataclass
class Bench:
    """One part's source, a cache and a go command, of this test's own."""

    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def source(self) -> Path:
        return self.root / "sources" / "part" / "main.go"

    def calls(self) -> list[str]:
        log = self.root / "go.log"
        return log.read_text().splitlines() if log.exists() else []

    def left(self) -> list[str]:
        """What lies in the cache, but for locks."""
        return sorted(p.name for p in self.cache.iterdir() if not p.name.endswith(".lock"))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path)
    bench.source.parent.mkdir(parents=True)
    bench.source.write_text("package main\n")
    script(tmp_path / "bin" / "go", GO)
    monkeypatch.setattr(build, "SOURCES", tmp_path / "sources")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GO_LOG", str(tmp_path / "go.log"))
    monkeypatch.setenv("MODULES", str(tmp_path / "modules"))
    monkeypatch.setenv("TOOLCHAIN_CACHE", str(bench.cache))
    return bench


def test_the_cache_is_the_users_unless_it_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOOLCHAIN_CACHE", str(tmp_path / "chosen"))
    assert build.cache_folder() == tmp_path / "chosen"
    monkeypatch.delenv("TOOLCHAIN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert build.cache_folder() == tmp_path / "xdg" / "kapsule-devops" / "toolchain"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert build.cache_folder() == tmp_path / "home" / ".cache" / "kapsule-devops" / "toolchain"


def test_a_hash_does_not_change_with_time(bench: Bench) -> None:
    before = build.part_hash(PART)
    os.utime(bench.source, (1, 1))
    assert build.part_hash(PART) == before
    assert re.fullmatch("[0-9a-f]{16}", before)


def _edit(bench: Bench) -> None:
    bench.source.write_text("package main // edited\n")


def _add(bench: Bench) -> None:
    (bench.source.parent / "more.go").write_text("")


def _rename(bench: Bench) -> None:
    bench.source.rename(bench.source.with_name("other.go"))


@pytest.mark.parametrize("change", [_edit, _add, _rename])
def test_a_hash_changes_with_the_sources(bench: Bench, change: Callable[[Bench], None]) -> None:
    before = build.part_hash(PART)
    change(bench)
    assert build.part_hash(PART) != before


@pytest.mark.parametrize(
    "part",
    [
        replace(PART, variables={"main.version": "1.3"}),
        replace(PART, package="./cmd"),
        replace(PART, binary="other"),
        replace(PART, files=(ModuleFile(module="m", path="p"),)),
    ],
)
def test_a_hash_changes_with_what_is_built_how(bench: Bench, part: Part) -> None:
    assert build.part_hash(part) != build.part_hash(PART)


def test_a_hash_changes_with_the_recipe(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.part_hash(PART)
    monkeypatch.setattr(build, "RECIPE", "next")
    assert build.part_hash(PART) != before


def test_a_build_tells_how_far_it_is_and_leaves_a_binary(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.missing([PART]) == [PART]
    build.build([PART])
    assert re.fullmatch(r"\[1/1] A part: building 0:0\d\n\[1/1] A part: built in 0:0\d\n", capsys.readouterr().err)
    assert build.binary(PART) == bench.cache / f"part-{build.part_hash(PART)}" / "tool"
    assert build.binary(PART).read_text() == "package main\n"
    assert bench.left() == [f"part-{build.part_hash(PART)}"]
    assert build.missing([PART]) == []
    (command,) = [call for call in bench.calls() if call.startswith("build")]
    assert command.startswith("build -trimpath -buildvcs=false -ldflags -s -w -X main.version=1.2 -o /")
    assert command.endswith("/done/tool .")


def test_what_is_built_is_not_built_again(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    build.build([PART])
    before = bench.calls()
    capsys.readouterr()
    build.build([PART])
    assert bench.calls() == before
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_one_running_line(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    build.build([PART])
    shown = capsys.readouterr().err
    assert re.fullmatch(r"(\r\x1b\[K\[1/1] A part: building 0:0\d)+\r\x1b\[K\[1/1] A part: built in 0:0\d\n", shown)


def test_files_of_modules_go_beside_the_source_or_the_binary(bench: Bench) -> None:
    for module in ("a.example/m", "b.example/m"):
        file = bench.root / "modules" / module / "deep" / f"{module[0]}.json"
        file.parent.mkdir(parents=True)
        file.write_text(f"{module[0]}\n")
    part = replace(
        PART,
        files=(
            ModuleFile(module="a.example/m", path="deep/a.json", beside_source=True),
            ModuleFile(module="b.example/m", path="deep/b.json"),
        ),
    )
    build.build([part])
    assert build.binary(part).read_text() == "a\npackage main\n", "the first is in the build"
    assert sorted(p.name for p in build.part_folder(part).iterdir()) == ["b.json", "tool"]
    assert not (bench.source.parent / "a.json").exists(), "the sources stay as they are"
    assert bench.calls()[1:3] == ["mod download a.example/m", "list -m -f {{.Dir}} a.example/m"]


@pytest.fixture
def module(bench: Bench) -> Path:
    """A file of a module that, as all of them, may not be written to."""
    file = bench.root / "modules" / "a.example" / "m" / "deep" / "a.go"
    file.parent.mkdir(parents=True)
    file.write_text("var a one.Type\nvar b two.Type\n")
    file.chmod(0o444)
    file.parent.chmod(0o555)
    return file


def _edited(*replaced: tuple[str, str]) -> Part:
    return replace(PART, edits=(ModuleEdit(module="a.example/m", path="deep/a.go", replaced=replaced),))


def test_a_module_is_edited_in_a_copy_that_the_build_takes(bench: Bench, module: Path) -> None:
    script(bench.root / "bin" / "go", GO.replace("cat ./* >", "cat a.example-m/deep/* >"))
    part = _edited((r"\w+\.Type", "Any"), ("var b", "var c"))
    build.build([part])
    assert build.binary(part).read_text() == "var a Any\nvar c Any\n"
    assert "mod edit -replace=a.example/m=./a.example-m" in bench.calls()
    assert module.read_text() == "var a one.Type\nvar b two.Type\n"
    assert bench.left() == [f"part-{build.part_hash(part)}"], "also of the copy nothing is left"


def test_an_edit_of_another_version_of_its_module_fails(bench: Bench, module: Path) -> None:
    with pytest.raises(build.BuildError, match=r"part: a.example/m has no 'var z' in deep/a.go: .* Fix: bring `edits`"):
        build.build([_edited(("var a", "var b"), ("var z", ""))])
    assert bench.left() == []


def test_a_failure_names_part_reason_and_the_way_to_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = replace(PART, folder="good", what="Good part")
    (bench.root / "sources" / "good").mkdir()
    (bench.root / "sources" / "good" / "main.go").write_text("package good\n")
    build.build([good])
    monkeypatch.setenv("GO_FAILS", "1")
    with pytest.raises(build.BuildError) as caught:
        build.build([good, PART])
    assert str(caught.value) == (
        "part (A part) could not be built: `" + f"{bench.root}/bin/go build -trimpath …` ended with 2:\n"
        "main.go:1: undefined: x\n"
        "What was built before is kept. Try again: python -m sandbox.toolchain.build part"
    )
    assert bench.left() == [f"good-{build.part_hash(good)}"]
    assert re.search(r"\[2/2] A part: failed after 0:0\d\n$", capsys.readouterr().err)
    monkeypatch.delenv("GO_FAILS")
    build.build([good, PART])
    assert build.missing([good, PART]) == []


def test_without_go_the_part_that_needs_it_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_VERSION", "go1.25")
    monkeypatch.setattr(sys, "executable", str(script(bench.root / "pip", "#!/bin/sh\necho offline >&2; exit 1\n")))
    with pytest.raises(build.BuildError, match=r"^part: no Go 1\.26 or newer on PATH, and [^:]*:\noffline\nFix: "):
        build.build([PART])
    assert bench.left() == []


def test_what_a_killed_build_left_is_removed_by_the_next(bench: Bench) -> None:
    (bench.cache / ".part-x1y2" / "done").mkdir(parents=True)
    (bench.cache / ".other-x1y2").mkdir()
    build.build([PART])
    assert bench.left() == [".other-x1y2", f"part-{build.part_hash(PART)}"]


BUILDER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
from pathlib import Path
from sandbox.toolchain import build
from sandbox.toolchain.parts import Part
build.SOURCES = Path(sys.argv[1])
build.build([Part(folder="part", what="A part", binary="tool", variables={})])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing_half_built(bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    waits = bench.root / "waits"
    monkeypatch.setenv("GO_WAITS", str(waits))
    for end in ("started", "goes"):
        os.mkfifo(f"{waits}.{end}")
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(bench.root / "sources")], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
    ) as builder:
        assert Path(f"{waits}.started").read_text() == "started\n"
        assert [name for name in bench.left() if name.startswith(".part-")] != [], "it is in the middle"
        builder.send_signal(number)
        _, told = builder.communicate(timeout=20)
    assert "failed after" in told
    assert builder.returncode == (143 if number == signal.SIGTERM else -signal.SIGINT)
    assert bench.left() == []


# The signal comes when the compiler runs, and before the builder knows of it.
EARLY = """
import signal, subprocess, sys
class Early(subprocess.Popen):
    def _execute_child(self, *arguments):
        super()._execute_child(*arguments)
        if "build" in arguments[0]:
            print(self.pid, flush=True)
            signal.raise_signal(signal.Signals[sys.argv[2]])
subprocess.Popen = Early
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_while_the_compiler_starts_leaves_no_compiler(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    waits = bench.root / "waits"
    monkeypatch.setenv("GO_WAITS", str(waits))
    for end in ("started", "goes"):
        os.mkfifo(f"{waits}.{end}")
    command = [sys.executable, "-c", EARLY + BUILDER, str(bench.root / "sources"), name]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=20)
    assert "failed after" in ended.stderr
    assert not Path(f"/proc/{int(ended.stdout)}").exists()
    assert bench.left() == []


def test_a_sandbox_whose_parent_ends_builds_no_further(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = bench.root / "waits"
    monkeypatch.setenv("GO_WAITS", str(waits))
    monkeypatch.setenv("SANDBOX_DIR", str(bench.root / "sandbox"))
    for end in ("started", "goes"):
        os.mkfifo(f"{waits}.{end}")
    command = [sys.executable, "-m", "sandbox", "serve", "--until-stdin-ends"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert Path(f"{waits}.started").read_text() == "started\n"
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(timeout=20) == 143
    assert bench.left() == []


def test_two_builders_build_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes to the lock while the first builds."""
    waits = bench.root / "waits"
    monkeypatch.setenv("GO_WAITS", str(waits))
    for end in ("started", "goes"):
        os.mkfifo(f"{waits}.{end}")
    at_the_lock = threading.Semaphore(0)
    flock = fcntl.flock

    def seen(file: int, operation: int) -> None:
        at_the_lock.release()
        flock(file, operation)

    monkeypatch.setattr("sandbox.toolchain.build.fcntl.flock", seen)
    builders = [threading.Thread(target=build.build, args=([PART],)) for _ in range(2)]
    for builder in builders:
        builder.start()
    assert Path(f"{waits}.started").read_text() == "started\n"
    for _ in builders:
        assert at_the_lock.acquire(timeout=20)
    Path(f"{waits}.goes").write_text("go\n")
    for builder in builders:
        builder.join(timeout=20)
    assert len([call for call in bench.calls() if call.startswith("build")]) == 1
    assert bench.left() == [f"part-{build.part_hash(PART)}"]


def test_a_build_in_a_thread_leaves_signals_alone(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGTERM)
    builder = threading.Thread(target=build.build, args=([PART],))
    builder.start()
    builder.join()
    assert build.missing([PART]) == []
    build.build([replace(PART, variables={})])
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_command_prints_where_the_binaries_are(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "ALL", (PART,))
    assert build.main([]) == 0
    assert capsys.readouterr().out == f"{build.binary(PART)}\n"
    assert build.main(["part"]) == 0
    assert build.main(["prat"]) == 2
    assert capsys.readouterr().err == "unknown part prat: the parts are part\n"


def test_the_command_fails_with_the_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "ALL", (PART,))
    monkeypatch.setenv("GO_FAILS", "1")
    assert build.main(["part"]) == 1
    assert "Try again: python -m sandbox.toolchain.build part\n" in capsys.readouterr().err


@pytest.mark.parametrize("part", ALL, ids=lambda part: part.folder)
def test_each_part_has_a_module_with_pins(part: Part) -> None:
    folder = CHECKOUT / "sandbox" / "toolchain" / part.folder
    assert {"go.mod", "go.sum"} <= {file.name for file in folder.iterdir()}
    assert re.search(r"^go 1\.26", (folder / "go.mod").read_text(), re.M)
    assert re.fullmatch("[0-9a-f]{16}", build.part_hash(part))
