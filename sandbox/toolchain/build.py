"""Builds the toolchain's parts into a user cache, each under a hash of its own sources.

A part is built once per machine and user: another clone with the same sources finds it. A binary appears in the cache by
a rename of a finished folder, so that a half-built one is never left behind; a lock lets two clones build at once without
building twice.

`python -m sandbox.toolchain.build [PART …]` builds what is missing and prints where it is.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.toolchain import children
from sandbox.toolchain.go import NoGoError, find_go
from sandbox.toolchain.parts import ALL, ModuleEdit, Part

SOURCES = Path(__file__).parent
RECIPE = "1"  # counts up when the way of building changes, so that old binaries are not taken for new ones


class BuildError(Exception):
    """A part could not be built; the message says which, why and how to try again."""


def cache_folder() -> Path:
    """$TOOLCHAIN_CACHE, else kapsule-devops/toolchain in the user's cache folder."""
    if chosen := os.environ.get("TOOLCHAIN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kapsule-devops" / "toolchain"


def part_hash(part: Part) -> str:
    """Changes with anything that changes the binary: sources, pins, flags, files, platform, recipe."""
    digest = hashlib.sha256(f"{RECIPE} {platform.system()} {platform.machine()} {part!r}".encode())
    for file in sorted((SOURCES / part.folder).iterdir()):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def part_folder(part: Part) -> Path:
    """Where the part's binary and files are once it is built."""
    return cache_folder() / f"{part.folder}-{part_hash(part)}"


def binary(part: Part) -> Path:
    return part_folder(part) / part.binary


def missing(parts: Iterable[Part]) -> list[Part]:
    return [p for p in parts if not binary(p).exists()]


def build(parts: Sequence[Part]) -> None:
    """Builds those parts that the cache lacks, in turn, and tells on stderr which of how many and for how long."""
    for number, part in enumerate(parts, 1):
        if binary(part).exists():
            continue
        cache_folder().mkdir(parents=True, exist_ok=True)
        with _sigterm_raises(), locked(part.folder), _progress(f"[{number}/{len(parts)}] {part.what}"):
            if not binary(part).exists():  # another clone may have built it while this one waited
                _build(part)


def _build(part: Part) -> None:
    try:
        go = find_go(cache_folder())
    except NoGoError as error:
        raise BuildError(f"{part.folder}: {error}") from None
    for killed in cache_folder().glob(f".{part.folder}-*"):  # of a build that was killed: this one holds the lock
        shutil.rmtree(killed)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=f".{part.folder}-") as scratch:
        source, done = Path(scratch) / "source", Path(scratch) / "done"
        shutil.copytree(SOURCES / part.folder, source)
        done.mkdir()
        for file in part.files:
            target = (source if file.beside_source else done) / Path(file.path).name
            shutil.copyfile(_module(part, source, go, file.module) / file.path, target)
        for edit in part.edits:
            _edit(part, source, go, edit)
        variables = " ".join(f"-X {name}={value}" for name, value in part.variables.items())
        _run(
            part,
            source,
            [
                *(go, "build", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {variables}"),
                *("-o", str(done / part.binary), part.package),
            ],
        )
        final = part_folder(part)
        shutil.rmtree(final, ignore_errors=True)
        done.rename(final)


def _module(part: Part, source: Path, go: str, module: str) -> Path:
    """A module's folder in Go's module cache."""
    # Downloading first: `go list` knows no folder of a module that is not in the module cache yet.
    _run(part, source, [go, "mod", "download", module])
    return Path(_run(part, source, [go, "list", "-m", "-f", "{{.Dir}}", module]).strip())


def _edit(part: Part, source: Path, go: str, edit: ModuleEdit) -> None:
    """Lets the build take a copy of the module beside the source, with the file changed."""
    copy = source / edit.module.replace("/", "-")
    # What lies in the module cache may not be written to, nor may its copies: they get modes of their own.
    shutil.copytree(_module(part, source, go, edit.module), copy, copy_function=shutil.copyfile)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    file = copy / edit.path
    text = file.read_text()
    for pattern, replacement in edit.replaced:
        text, count = re.subn(pattern, replacement, text)
        if not count:
            raise BuildError(
                f"{part.folder}: {edit.module} has no {pattern!r} in {edit.path}: it is not the version that "
                "the edit was made for. Fix: bring `edits` in sandbox/toolchain/parts.py up to date"
            )
    file.write_text(text)
    _run(part, source, [go, "mod", "edit", f"-replace={edit.module}=./{copy.name}"])


def _run(part: Part, folder: Path, command: list[str]) -> str:
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    result = children.run(command, folder, environment)
    if result.returncode:
        shown = "\n".join(result.stderr.strip().splitlines()[-20:])
        raise BuildError(
            f"{part.folder} ({part.what}) could not be built: `{' '.join(command[:3])} …` ended with "
            f"{result.returncode}:\n{shown}\n"
            "What was built before is kept. Try again: python -m sandbox.toolchain.build " + part.folder
        )
    return result.stdout


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """SIGTERM ends a build as Ctrl-C does: what is half-built goes, and so does the compiler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Nobody else has this part of the cache meanwhile; the system frees the lock when the process ends, however it ends."""
    with (cache_folder() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _progress(label: str) -> Iterator[None]:
    """A running clock on a terminal; elsewhere a line at the start, each half minute, and at the end."""
    started, over = time.monotonic(), threading.Event()
    live = sys.stderr.isatty()

    def tell(state: str, end: str = "\n") -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        lead = "\r\033[K" if live else ""
        print(f"{lead}{label}: {state} {minutes}:{seconds:02d}", end=end, file=sys.stderr, flush=True)

    def clock() -> None:
        tell("building", "" if live else "\n")
        while not over.wait(1 if live else 30):
            tell("building", "" if live else "\n")

    thread = threading.Thread(target=clock, daemon=True)
    thread.start()
    state = "failed after"
    try:
        yield
        state = "built in"
    finally:
        over.set()
        thread.join()
        tell(state)


def main(names: Sequence[str]) -> int:
    known = {p.folder: p for p in ALL}
    if wrong := [n for n in names if n not in known]:
        print(f"unknown part {', '.join(wrong)}: the parts are {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [known[n] for n in names] or list(ALL)
    try:
        build(chosen)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for part in chosen:
        print(binary(part))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
