"""`up`, `preview`, `repair` and `down` of an environment in the sandbox: the real commands on the user's terminal, and a
summary.

An `up` that was cut off may have made what Pulumi's state does not know. So the next one repairs first, and each looks
afterwards whether anything exists twice: a client that tries again may have made it so, and heard of one only.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from sandbox import guests, scaleway, stack_files
from sandbox.environment import merged
from sandbox.folder import CHECKOUT, Folder
from sandbox.lifecycle import SandboxError, ask, start, stop
from sandbox.running import Running
from sandbox.store import Store

# The program runs along because its hooks guard what is deleted, and so it can lift protection. Without a preview: it would
# only ask what `make down` has answered. The setting ends in the sandbox's copy of the stack file, not in the user's.
_DESTROY = ("--yes", "--skip-preview", "--remove", "--run-program", "--config", "kapsule-devops:protection=false")
# With it, the Kubernetes provider takes over what another state's field manager has set.
_TAKE_OVER = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
_REPAIR = (sys.executable, "-m", "repair")
_POLICIES = ("--policy-pack", str(CHECKOUT / "policies"))


def up(folder: Folder, environment: str) -> int:
    """Starts the sandbox, creates the stack and runs `pulumi up`; then says what exists and where to look."""
    running = _prepare(folder, environment)
    unfinished = folder.unfinished(environment)
    taken_over = {}
    if unfinished.exists():
        print(f"The last `up` of {environment} did not end well: what it left behind is repaired first.", flush=True)
        if code := _repaired(folder, running, environment):
            return code
        taken_over = _TAKE_OVER
    unfinished.touch(mode=0o600)
    updates = _updates(folder, environment)
    # With its own preview: some rules see the whole stack, and could otherwise only complain of what exists already.
    code = _pulumi(folder, running, ["up", "--stack", environment, "--yes", *_POLICIES], **taken_over)
    if code:
        if _updates(folder, environment) == updates and not taken_over:
            unfinished.unlink()  # it ended in its preview: nothing was begun
        return code
    if _run([*_REPAIR, "--stack", environment, "--check"], merged(folder, running)):
        print(f"In the sandbox: make repair ENV={environment}", file=sys.stderr)
        return 1
    unfinished.unlink()
    print(_summary(folder, running, environment))
    return 0


def repair(folder: Folder, environment: str) -> int:
    """Brings Pulumi's state and what exists together again. What is left to do, the next `up` does."""
    return _repaired(folder, _prepare(folder, environment), environment)


def preview(folder: Folder, environment: str) -> int:
    """What `up` would change."""
    return _pulumi(folder, _prepare(folder, environment), ["preview", "--stack", environment, "--diff", *_POLICIES])


def down(folder: Folder, environment: str | None) -> int:
    """Destroys one environment, or all, protected or not, and stops the sandbox when no stack is left."""
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
            resources = _resources(folder, running, name)
            if any(r.get("protect") for r in resources):
                print(f"{name} is protected: that is lifted, in the sandbox only", flush=True)
            # A destroy runs the program, which would put its components into a stack that was only looked at so far.
            remove = ["destroy", *_DESTROY] if resources else ["stack", "rm", "--yes", "--preserve-config"]
            if code := _pulumi(folder, running, [*remove, "--stack", name]):
                return code
            folder.unfinished(name).unlink(missing_ok=True)
    if left := _stacks(folder):
        print(f"the sandbox goes on: {', '.join(left)} is up")
    elif stop(folder):
        print("sandbox stopped")
    return 0


def _repaired(folder: Folder, running: Running, environment: str) -> int:
    code = _run([*_REPAIR, "--stack", environment, "--yes"], merged(folder, running))
    folder.unfinished(environment).touch(mode=0o600)  # the next `up` takes over what it finds in the cluster
    return code


def _updates(folder: Folder, environment: str) -> int:
    """How many updates the file backend's history has of the stack."""
    return len(list((folder.backend / ".pulumi" / "history").glob(f"*/{environment}/*.history.json")))


def _prepare(folder: Folder, environment: str) -> Running:
    known = stack_files.stacks()
    if environment not in known:
        raise SandboxError(f"there is no Pulumi.{environment}.yaml. Fix: ENV must be one of {', '.join(known)}")
    running = start(folder)
    _play_account(folder, environment)
    if environment not in _stacks(folder) and _pulumi(folder, running, ["stack", "init", environment, "--no-select"]):
        raise SandboxError(f"the stack {environment} could not be created")
    return running


def _play_account(folder: Folder, environment: str) -> None:
    """The sandbox plays the account that the stack's file names. Raises SandboxError where it is in use as another."""
    wanted = stack_files.wanted(environment)
    with closing(Store(folder.records)) as store:
        account = scaleway.seed(store, wanted)
    if not account.meets(wanted):
        raise SandboxError(
            f"this sandbox plays the organization {account.organization_id} with the default project {account.project_id}, "
            f"and Pulumi.{environment}.yaml names others in account.organizationId or account.projectId.\n"
            f"Fix: SANDBOX_DIR=.sandbox/for-{environment} make up ENV={environment}   # or make down first"
        )


def _stacks(folder: Folder) -> list[str]:
    """The stacks that the file backend knows, in the order of their names."""
    return sorted(f.stem for f in (folder.backend / ".pulumi" / "stacks").rglob("*.json"))


def _pulumi(folder: Folder, running: Running, arguments: Sequence[str], **environment: str) -> int:
    return _run([str(folder.bin / "pulumi"), *arguments], merged(folder, running) | environment)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command on this terminal. A Ctrl-C reaches it directly, and it ends in order."""
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment) as process:
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
        *(
            f"  {command:<42} {what}"
            for command, what in (
                ('eval "$(.venv/bin/python -m sandbox env)"', "a shell in which plain pulumi works"),
                (f"pulumi stack output -s {environment}", "what other teams read, in that shell"),
                (f"make graph ENV={environment}", "what needs what, as a picture"),
                (f"make preview ENV={environment}", f"no change, until Pulumi.{environment}.yaml has"),
                ("make down", "destroy and stop"),
            )
        ),
    ]
    if unknown:
        lines.append("WARNING: the stand-ins lack " + ", ".join(unknown))
    return "\n".join(lines)


def _outputs(folder: Folder, running: Running, environment: str) -> dict[str, Any]:
    parsed: dict[str, Any] = _read(folder, running, ["stack", "output", "--json", "--stack", environment])
    return parsed


def _resources(folder: Folder, running: Running, environment: str) -> list[dict[str, Any]]:
    """What the stack's state holds."""
    deployment = _read(folder, running, ["stack", "export", "--stack", environment])["deployment"] or {}
    return list(deployment.get("resources") or [])


def _read(folder: Folder, running: Running, arguments: Sequence[str]) -> Any:
    """What a command prints as JSON."""
    command = [str(folder.bin / "pulumi"), *arguments]
    result = subprocess.run(command, cwd=CHECKOUT, env=merged(folder, running), stdout=subprocess.PIPE, check=False)
    if result.returncode:
        raise SandboxError(f"pulumi {' '.join(arguments[:2])} ended with {result.returncode}; see above")
    return json.loads(result.stdout)
