"""What a command and all that it starts costs: when each process came and went, its processor time and its memory.

Owns the looking, in a thread beside the command; the numbers are the kernel's own, from /proc, so only Linux has them.
Memory is what is resident, added up over the processes; pages that two of them share count twice.
"""

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
INTERVAL_SECONDS: Final = 0.1  # a look costs some milliseconds of one core
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE: Final = 1e6
_SHOWN_CHARACTERS: Final = 4000  # of what a command that failed has printed


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A process at one look. `started` is in seconds since the machine's start, `cpu` in seconds until now."""

    pid: int
    parent: int
    started: float
    cpu: float
    resident: int
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Life:
    """A process from its start to the last look that saw it, in seconds since the watched command's own start."""

    role: str
    start: float
    end: float
    cpu: float
    peak_mb: float

    def record(self) -> dict[str, float | str]:
        times = {"start": self.start, "end": self.end, "cpu": self.cpu}
        return {"role": self.role} | {k: round(v, 2) for k, v in times.items()} | {"peak_mb": round(self.peak_mb)}


def parsed(stat: str) -> Seen:
    """A process by its /proc/PID/stat. Its name is in brackets, and may hold brackets and spaces itself."""
    pid, _, rest = stat.partition(" ")
    fields = rest.rpartition(")")[2].split()  # from the third one on
    return Seen(
        pid=int(pid),
        parent=int(fields[1]),
        started=int(fields[19]) / _TICKS,
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
        resident=int(fields[21]) * _PAGE,
    )


def tree(root: int, everybody: Iterable[Seen]) -> list[Seen]:
    """The root and all that it has started, and these."""
    children: dict[int, list[Seen]] = {}
    found = []
    for each in everybody:
        children.setdefault(each.parent, []).append(each)
        if each.pid == root:
            found.append(each)
    for parent in found:  # grows while it is gone through
        found += children.get(parent.pid, ())
    return found


def role_of(command: str) -> str:
    """What a process of an update is, by its command line."""
    for pattern, role in _ROLES:
        if found := re.search(pattern, command):
            return found.expand(role)
    return "other"


_ROLES: Final = (
    (r"sandbox\.language_host", "language host"),
    (r"sandbox\.gitlab_plugin", "plugin gitlab"),
    (r"pulumi-language-python-exec", "program"),
    (r"-m pulumi\.policy", "policies"),
    (r"pulumi-resource-(\w+)", r"plugin \1"),
    (r"pulumi-language-python", "language host"),
    (r"(^|/)pulumi( |$)", "engine"),
)


class Lives:
    """What came of every process, look by look. `peak` is the most memory at one look, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._begin: float | None = None
        self._found: dict[tuple[int, float], Life] = {}

    def look(self, at: float, processes: Sequence[Seen]) -> None:
        """The processes that there are at a time, in seconds since the machine's start; the root comes first."""
        self.peak = max(self.peak, sum(each.resident for each in processes))
        for each in processes:
            if self._begin is None:
                self._begin = each.started
            key = (each.pid, each.started)  # a number may be given again
            before = self._found.get(key)
            peak = each.resident / _MEGABYTE
            self._found[key] = Life(
                # Anew each time: what a script starts takes its place. One that is about to end has no command line.
                role=role_of(each.command) if each.command or before is None else before.role,
                start=each.started - self._begin,
                end=at - self._begin,
                cpu=each.cpu,
                peak_mb=max(peak, before.peak_mb if before else 0.0),
            )

    @property
    def all(self) -> list[Life]:
        """In the order of their start; the root's is 0."""
        return sorted(self._found.values(), key=lambda life: life.start)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A command that has ended."""

    seconds: float
    peak_mb: float
    lives: Sequence[Life]


class CommandError(Exception):
    """A command that was to be measured failed; the message has the end of what it printed."""


def watched(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Watched:
    """Runs a command to its end and watches it. Raises CommandError."""
    lives = Lives()
    seconds = _run(command, folder, environment, lambda root: _looking(root, lives))
    return Watched(seconds=seconds, peak_mb=lives.peak / _MEGABYTE, lives=lives.all)


def timed(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Runs a command to its end; the seconds that it took. Raises CommandError."""
    return _run(command, folder, environment, lambda _: nullcontext())


def _run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    beside: Callable[[int], AbstractContextManager[None]],
) -> float:
    # No pipe: it would stay open as long as a plugin lives.
    with tempfile.TemporaryFile() as printed:
        begin = time.monotonic()
        with (
            subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
            ) as process,
            beside(process.pid),
        ):
            code = process.wait()
            seconds = time.monotonic() - begin
        if code:
            printed.seek(0)
            text = printed.read().decode(errors="replace")
            raise CommandError(f"{' '.join(command)} ended with {code}: …{text[-_SHOWN_CHARACTERS:]}")
    return seconds


@contextmanager
def _looking(root: int, lives: Lives) -> Iterator[None]:
    """Looks at a process and its descendants until the block ends."""
    over = threading.Event()

    def look_again() -> None:
        while not over.wait(INTERVAL_SECONDS):
            now = time.clock_gettime(time.CLOCK_BOOTTIME)
            lives.look(now, [replace(each, command=_command(each.pid)) for each in tree(root, _everybody())])

    thread = threading.Thread(target=look_again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _everybody() -> Iterator[Seen]:
    for name in os.listdir(PROC):  # noqa: PTH208 - many times a second
        if name.isdigit():
            try:
                yield parsed((PROC / name / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
