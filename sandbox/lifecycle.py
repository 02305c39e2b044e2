"""Starts, stops, finds and empties the background sandbox. Each waits for the state itself, not for a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from typing import Any

from sandbox import files, loopback
from sandbox.folder import CHECKOUT, Folder
from sandbox.running import Running, is_held

START_SECONDS = 60
STOP_SECONDS = 60
_POLL_SECONDS = 0.05


class SandboxError(Exception):
    """Something that the user can mend; the message says what is wrong and the command that mends it."""


def start(folder: Folder) -> Running:
    """The running sandbox, started where none runs; builds the toolchain first where it is not built."""
    build_toolchain()
    return Running.of(folder) or _spawn(folder)


def build_toolchain() -> None:
    """Builds what $TOOLCHAIN asks for and the cache lacks."""
    from sandbox import home
    from sandbox.toolchain.build import BuildError, build

    try:
        build(home.toolchain_parts(home.chosen_toolchain()))
    except (BuildError, home.HomeError) as error:
        raise SandboxError(str(error)) from None


def _spawn(folder: Folder) -> Running:
    folder.create()
    # Its own words go where its log goes: the terminal that started it may be closed before it ends.
    with files.appending(folder.log) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while (running := Running.of(folder)) is None:
        if process.poll() is not None and not is_held(folder):  # where it is held, another was started just before
            last = folder.log.read_text().splitlines()[-1:]
            raise SandboxError(f"the sandbox did not start: {''.join(last)}\nIts log: {folder.log}")
        if time.monotonic() > deadline:
            process.terminate()
            raise SandboxError(f"the sandbox did not answer within {START_SECONDS} s. Its log: {folder.log}")
        time.sleep(_POLL_SECONDS)
    process.returncode = 0  # it goes on without us: nothing to reap, and no warning that it was not
    return running


def find(folder: Folder) -> Running:
    """The running sandbox. Raises SandboxError where none runs."""
    running = Running.of(folder)
    if running is None:
        raise SandboxError("no sandbox runs. Fix: python -m sandbox start")
    return running


def stop(folder: Folder) -> bool:
    """Stops it and waits until it is gone; False where none ran."""
    running = Running.of(folder)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while is_held(folder):
        if time.monotonic() > deadline:
            raise SandboxError(f"process {running.pid} did not end within {STOP_SECONDS} s. Its log: {folder.log}")
        time.sleep(_POLL_SECONDS)
    return True


def reset(folder: Folder) -> None:
    """Puts both stand-ins back to their seed, deletes all clusters, and forgets Pulumi's state."""
    for unfinished in folder.root.glob(folder.unfinished("*").name):
        unfinished.unlink()
    running = Running.of(folder)
    if running is None:
        for path in (folder.backend, folder.clusters):
            shutil.rmtree(path, ignore_errors=True)
        for file in folder.root.glob("records.db*"):
            file.unlink()
        return
    ask(f"{running.scaleway}/_sandbox/reset", method="POST")
    shutil.rmtree(folder.backend, ignore_errors=True)
    folder.create()


def status(folder: Folder) -> tuple[str, bool]:
    """What the sandbox holds, for a person, and whether it runs."""
    running = Running.of(folder)
    if running is None:
        return f"no sandbox runs in {folder.root}", False
    cloud = ask(f"{running.scaleway}/_sandbox/state")
    lines = [f"sandbox runs (process {running.pid})", f"  Scaleway {running.scaleway}", f"  GitLab   {running.gitlab}"]
    for cluster in cloud.get("k8s.clusters", []):
        lines.append(f"  cluster  {cluster['name']} ({cluster['id']}): {cluster['status']}")
    for stack in sorted((folder.backend / ".pulumi" / "stacks").rglob("*.json")):
        lines.append(f"  stack    {stack.stem}")
    return "\n".join(lines), True


def ask(url: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    """A request to the sandbox's own routes, and the JSON of its answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data)  # noqa: S310 - loopback
    with loopback.opened(request, seconds=30) as answer:
        return json.loads(answer.read())
