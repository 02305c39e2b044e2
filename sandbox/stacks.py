"""`up`, `preview` and `down` of an environment in the sandbox: the real command on the user's terminal, and a summary."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from sandbox import guests
from sandbox.environment import merged
from sandbox.folder import CHECKOUT, Folder
from sandbox.lifecycle import SandboxError, ask, start, stop
from sandbox.running import Running

_POLICIES = ("--policy-pack", str(CHECKOUT / "policies"))


def up(folder: Folder, environment: str) -> int:
    """Starts the sandbox, creates the stack and runs `pulumi up`; then says what exists and where to look."""
    running = _prepare(folder, environment)
    # With its own preview: some rules see the whole stack, and could otherwise only complain of what exists already.
    code = _pulumi(folder, running, ["up", "--stack", environment, "--yes", *_POLICIES])
    if code == 0:
        print(_summary(folder, running, environment))
    return code


def preview(folder: Folder, environment: str) -> int:
    """What `up` would change."""
    return _pulumi(folder, _prepare(folder, environment), ["preview", "--stack", environment, "--diff", *_POLICIES])


def down(folder: Folder, environment: str | None) -> int:
    """Destroys one environment, or all, and stops the sandbox when no stack is left."""
    if not _stacks(folder):
        print("no environment is up")
    else:
        running = start(folder)
        if environment and environment not in _stacks(folder):
            raise SandboxError(f"{environment} is not up: {', '.join(_stacks(folder))} is. Fix: make down ENV=…")
        told = {name: _outputs(folder, running, name) for name in ([environment] if environment else _stacks(folder))}
        for name in guests.in_order(told):
            if why := guests.refusal(folder, name, told[name]):
                raise SandboxError(why)
            # The program runs along because its hooks guard what is deleted.
            destroy = ["destroy", "--stack", name, "--yes", "--skip-preview", "--remove", "--run-program"]
            if code := _pulumi(folder, running, destroy):
                return code
    if left := _stacks(folder):
        print(f"the sandbox goes on: {', '.join(left)} is up")
    elif stop(folder):
        print("sandbox stopped")
    return 0


def _prepare(folder: Folder, environment: str) -> Running:
    known = sorted(f.name.split(".")[1] for f in CHECKOUT.glob("Pulumi.*.yaml"))
    if environment not in known:
        raise SandboxError(f"there is no Pulumi.{environment}.yaml. Fix: ENV must be one of {', '.join(known)}")
    running = start(folder)
    if environment not in _stacks(folder) and _pulumi(folder, running, ["stack", "init", environment, "--no-select"]):
        raise SandboxError(f"the stack {environment} could not be created")
    return running


def _stacks(folder: Folder) -> list[str]:
    """The stacks that the file backend knows, in the order of their names."""
    return sorted(f.stem for f in (folder.backend / ".pulumi" / "stacks").rglob("*.json"))


def _pulumi(folder: Folder, running: Running, arguments: Sequence[str]) -> int:
    """Runs the command on this terminal. A Ctrl-C reaches it directly, and it ends in order."""
    with subprocess.Popen(
        [str(folder.bin / "pulumi"), *arguments], cwd=CHECKOUT, env=merged(folder, running)
    ) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the engine got it, too, and says what it does


def _summary(folder: Folder, running: Running, environment: str) -> str:
    outputs = _outputs(folder, running, environment)
    requests = ask(f"{running.scaleway}/_sandbox/requests")
    unknown = sorted({f"{r['method']} {r['path']}" for r in requests if r["unknown"]})
    runners = "\n".join(
        f"    {r['tag']:<24} jobs of {'protected branches' if r['protected'] else 'any branch'}; key in secret "
        f"{r['namespace']}/{r['apiKeySecret']}"
        for r in outputs["runners"]
    )
    lines = [
        "",
        f"{environment} is up: cluster {outputs['clusterName']} ({outputs['clusterVersion']}), pool with taint",
        f"  {outputs['runnerPoolTaint']}, branch {outputs['branch']} protected.",
        "  Runners, by the tag that a job names:",
        runners,
        "",
        "Where to look next:",
        '  eval "$(.venv/bin/python -m sandbox env)"         a shell in which plain pulumi works',
        f"  pulumi stack output -s {environment:<27} what other teams read",
        f"  pulumi stack graph -s {environment} graph.dot             what depends on what",
        f"  make preview ENV={environment:<32} no change, until you edit Pulumi.{environment}.yaml",
        "  make down                                         destroy and stop",
    ]
    if unknown:
        lines.append("WARNING: the stand-ins lack " + ", ".join(unknown))
    return "\n".join(lines)


def _outputs(folder: Folder, running: Running, environment: str) -> dict[str, Any]:
    command = [str(folder.bin / "pulumi"), "stack", "output", "--json", "--stack", environment]
    result = subprocess.run(command, cwd=CHECKOUT, env=merged(folder, running), stdout=subprocess.PIPE, check=False)
    if result.returncode:
        print("the outputs could not be read; see above", file=sys.stderr)
        raise SandboxError(f"pulumi stack output ended with {result.returncode}")
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed
