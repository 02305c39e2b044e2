"""Runs `pulumi preview` and `pulumi up` so that what they write can be read, and be shown without secrets.

Owns the command lines, that an update which is told to end is let end (the engine then writes down what it did), and taking
apart the engine's output. Does not own what it means (`previews`, `plans`) nor how it is told (`terminal`).
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ci.errors import CiError
from ci.private_files import OWNERS_ONLY, opened

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The engine for one stack, with the policies that each run is checked by."""

    stack: str
    policy_packs: Sequence[str]
    environment: Mapping[str, str]

    def preview(self, events: Path, plan: Path) -> tuple[int, str]:
        """Writes the events and the plan of a preview; its exit code, and what it said beside."""
        environment = {**self.environment, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
        with opened(events) as out:
            result = subprocess.run(
                self._command("preview", "--json", "--save-plan", str(plan)),
                env=environment,
                umask=OWNERS_ONLY,
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        return result.returncode, result.stderr

    @contextmanager
    def update(self, plan: Path | None) -> Iterator["Update"]:
        """A running update. It is waited for in any case."""
        held = ["--plan", str(plan)] if plan else []

        def started() -> "subprocess.Popen[str]":
            return subprocess.Popen(
                # What it would show in its own preview was shown; its events are for the update alone then.
                self._command("up", "--yes", "--skip-preview", "--json", *held),
                env=self.environment,
                umask=OWNERS_ONLY,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )

        with _ended_gently(started) as process:
            yield Update(process)

    def _command(self, *arguments: str) -> list[str]:
        packs = [word for pack in self.policy_packs for word in ("--policy-pack", pack)]
        return ["pulumi", *arguments, "--stack", self.stack, "--non-interactive", *packs]


@dataclass(frozen=True)
class Update:
    """An update that runs: its events as they come, then its exit code."""

    process: "subprocess.Popen[str]"

    def output(self) -> Iterator[Record | str]:
        assert self.process.stdout is not None
        yield from documents(self.process.stdout)

    def code(self) -> int:
        return self.process.wait()


@contextmanager
def _ended_gently(start: Callable[[], "subprocess.Popen[str]"]) -> Iterator["subprocess.Popen[str]"]:
    """Passes the wish to end on, as an interrupt, and goes on reading: the engine ends what it has begun.

    A terminal sends its interrupt to both, so this process only must not end before the other. It listens before the engine
    starts: what is ignored here, as interrupts are in the background of a shell, the engine would ignore from its start.
    """
    process: subprocess.Popen[str] | None = None
    wanted = False

    def pass_on(number: int, _frame: FrameType | None) -> None:
        nonlocal wanted
        if number == signal.SIGTERM:
            if process is None:
                wanted = True
            else:  # and not once more below: at a second interrupt the engine leaves all as it is
                process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        process = start()
        if wanted:
            process.send_signal(signal.SIGINT)
        try:
            yield process
        finally:
            assert process.stdout is not None
            with process.stdout:
                for _ in process.stdout:  # whoever read it has failed: the engine must not wait for a reader
                    pass
            process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def documents(lines: Iterable[str]) -> Iterator[Record | str]:
    """The engine's JSON documents, indented or one to a line; what is between them (a warning, an error) as its lines."""
    held: list[str] = []
    for line in lines:
        bare = line.rstrip()
        if not held and not (line.startswith("{") and (bare == "{" or bare.endswith("}"))):
            yield bare
            continue
        held.append(line)
        if bare == "}" or (len(held) == 1 and bare != "{"):
            whole, held = held, []
            try:
                yield json.loads("".join(whole))  # an object: it begins with a brace
            except (ValueError, RecursionError):
                yield from (each.rstrip() for each in whole)
    yield from (line.rstrip() for line in held)


def engine_of(stack: str, policy_packs: Sequence[str], environment: Mapping[str, str]) -> Engine:
    """The engine that is installed here. CiError: none is, or a pack is not there."""
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    if not any(os.access(Path(folder or ".") / "pulumi", os.X_OK) for folder in folders):
        raise CiError(
            "there is no pulumi on the PATH: it must be installed, or nothing can be deployed. "
            "Fix: run the job in an image that has it, such as pulumi/pulumi-python-3.11"
        )
    missing = [pack for pack in policy_packs if not Path(pack).is_dir()]
    if missing:
        raise CiError(
            f"there is no policy pack {', '.join(missing)}: it must be a folder, or nothing is checked by it. "
            "Fix: --policy-pack FOLDER"
        )
    # The engine looks for a plan's and a pack's path from the folder of the program.
    return Engine(stack=stack, policy_packs=[str(Path(p).absolute()) for p in policy_packs], environment=environment)
