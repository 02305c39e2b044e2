"""A sandbox of the tests' own: a copy of the checkout, an empty home, and the commands that a user has."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from lightkube import Client, KubeConfig
from lightkube.resources.core_v1 import Secret

from ci.engine import documents
from sandbox import environment
from sandbox.folder import Folder
from sandbox.running import Running
from sandbox.store import Record, Store
from sandbox.toolchain.build import cache_folder

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "preprod", "prod")
WAIT_SECONDS = 60
HUNG_SECONDS = 900  # three environments that come up beside other tests take minutes
# Any option of `pulumi` may be given so, also where a command of ours calls it.
UNSEEN: Final = {"PULUMI_OPTION_SKIP_PREVIEW": "true"}
# What is compiled is copied, so that no estate compiles it anew; not what another process is just about to write of it.
_LEFT_OUT = (".git", ".venv", ".sandbox", ".mypy_cache", ".ruff_cache", ".hypothesis", "*.pyc.*", "tests")


T = TypeVar("T")


def eventually(ask: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """Asks until the answer is as wanted; the last answer fails the test after a minute."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not wanted(answer := ask()):
        assert time.monotonic() < deadline, f"after {WAIT_SECONDS} s still {answer!r}"
        time.sleep(0.1)
    return answer


def all_processes() -> dict[int, tuple[int, str]]:
    """Every process of the machine: its parent and its command line."""
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parts = [line.split(None, 2) for line in listed.splitlines()]
    return {int(pid): (int(parent), " ".join(command)) for pid, parent, *command in parts}


def descendants(pid: int) -> dict[int, str]:
    """The processes that one has started, and those that these have."""
    found: dict[int, str] = {}
    for child, (parent, command) in all_processes().items():
        if parent == pid:
            found |= {child: command} | descendants(child)
    return found


def _request(method: str, url: str, credential: dict[str, str], body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        url,
        method=method,
        headers={**credential, "Content-Type": "application/json"},
        data=json.dumps(body).encode() if body else None,
    )
    with urllib.request.urlopen(request) as answer:
        told = answer.read()
    return json.loads(told) if told else None  # nothing is told of what was deleted


@dataclass(frozen=True)
class Up:
    """What one `pulumi up` ended with and printed."""

    code: int
    printed: str


class Estate:
    """`checkout` is the copy, `home` stands for the user's home folder.

    Without `logs` the engine writes no log of each of its steps by itself, which takes a tenth of its time, and which only
    those tests read that look for secrets in it.
    """

    def __init__(self, folder: Path, *, logs: bool = True) -> None:
        self.checkout, self.home = folder / "check out", folder / "home"  # a space, as some users have
        self.home.mkdir()
        shutil.copytree(ROOT, self.checkout, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        (self.checkout / ".venv").symlink_to(sys.prefix)
        self.folder = self.checkout / ".sandbox"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}  # what the user's shell has beside
        self._told: dict[str, tuple[tuple[int, int], str]] = {}  # outputs by stack, and of which version of its state
        if not logs:  # the engine goes on without where it cannot make the folder
            Folder(self.folder).create()
            (Folder(self.folder).pulumi_home / "logs").touch()

    @property
    def cache(self) -> dict[str, str]:
        """Where the built toolchain is, from any home."""
        return {"TOOLCHAIN_CACHE": str(cache_folder())}

    @property
    def _plain(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home)} | self.cache | self.environment

    def start(self, **environment: str) -> None:
        """Starts a sandbox that ends with this process."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve", "--until-stdin-ends"],
            cwd=self.checkout,
            env=self._plain | environment,
            stdin=subprocess.PIPE,
        )
        process = self.process
        try:
            eventually(lambda: process.poll() is not None or Running.of(Folder(self.folder)), bool)
            assert process.poll() is None, (self.folder / "sandbox.log").read_text()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Closes the pipe, which ends the sandbox, and waits for it."""
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            assert self.process.wait(WAIT_SECONDS) == 0
            self.process = None

    def kill(self) -> None:
        """What a crash does: no time to end anything."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process = None

    def sandbox(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`python -m sandbox …` as a user runs it."""
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=self.checkout,
            env=self._plain | environment,
            capture_output=True,
            text=True,
            timeout=HUNG_SECONDS,
        )

    def shell(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A script in the shell that `eval "$(python -m sandbox env)"` makes."""
        return subprocess.run(
            ["sh", "-euc", script],
            cwd=self.checkout,
            env=self._in_sandbox(environment),
            capture_output=True,
            text=True,
            timeout=HUNG_SECONDS,
        )

    def pulumi(self, arguments: str, *, code: int | None = 0, **environment: str) -> str:
        """`pulumi …` in that shell; what it printed on both streams. `code` None takes any exit code."""
        result = self.shell(f"pulumi {arguments} 2>&1", **environment)
        assert code is None or result.returncode == code, result.stdout + result.stderr
        return result.stdout

    def up(self, stack: str, *, previewed: bool = False) -> Up:
        """`make up`; without the engine's preview before it, which runs the program once more, unless that is asked for."""
        result = self.sandbox("up", stack, **({} if previewed else UNSEEN))
        return Up(result.returncode, result.stdout + result.stderr)

    def state_file(self, stack: str) -> Path:
        """Where the file backend keeps a stack's state."""
        return self.folder / "state" / ".pulumi" / "stacks" / "kapsule-devops" / f"{stack}.json"

    def version_of_state(self, stack: str) -> tuple[int, int]:
        """Another one once an update, a refresh or an import has written the state."""
        state = self.state_file(stack).stat()
        return state.st_mtime_ns, state.st_size

    def outputs(self, stack: str) -> dict[str, Any]:
        """As `pulumi stack output` tells them; asked once for each version of the state."""
        version = self.version_of_state(stack)
        if stack not in self._told or self._told[stack][0] != version:
            result = self.shell(f"pulumi stack output --json --stack {stack}")
            self._told[stack] = version, result.stdout
        found: dict[str, Any] = json.loads(self._told[stack][1])
        return found

    def changes(self, stack: str, *flags: str) -> dict[str, str]:
        """What a preview would do, by logical name; what stays the same is left out."""
        result = self.shell(f"pulumi preview --json --stack {stack} {' '.join(flags)}")
        assert result.returncode == 0, result.stdout + result.stderr
        steps = json.loads(result.stdout)["steps"]
        return {s["urn"].rpartition("::")[2]: s["op"] for s in steps if s["op"] not in ("same", "read")}

    def update(self, stack: str) -> dict[str, str]:
        """`pulumi up` without a preview; what it did, as `changes` tells what it would do: half of what both cost."""
        result = self.shell(f"pulumi up --yes --skip-preview --json --stack {stack}")
        assert result.returncode == 0, result.stdout + result.stderr
        events = [line for line in documents(result.stdout.splitlines(keepends=True)) if isinstance(line, dict)]
        steps = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
        assert steps, result.stdout
        return {s["urn"].rpartition("::")[2]: s["op"] for s in steps if s["op"] not in ("same", "read")}

    def set(self, stack: str, key: str, value: str) -> None:
        """Edits a setting with the command that the errors name."""
        self.pulumi(f"config set --stack {stack} --path '{key}' -- '{value}'")

    def ask(self, service: str, path: str, method: str = "GET", **body: Any) -> Any:
        """A request to the sandbox's own routes."""
        running = json.loads((self.folder / "running.json").read_text())
        return _request(method, f"{running[service]}{path}", {}, body)

    def variables(self) -> dict[str, str]:
        """The environment of that shell."""
        return self._in_sandbox({})

    def _in_sandbox(self, given: dict[str, str]) -> dict[str, str]:
        """As `eval` of what `sandbox env` prints (`test_sandbox` holds that), without a process for each command."""
        folder = Folder(self.folder)
        running = Running.of(folder)
        assert running is not None, "no sandbox runs"
        before = {name: value for name, value in (self._plain | given).items() if name not in environment.UNSET}
        return before | environment.variables(folder, running, before)

    def gitlab(self, method: str, path: str, **body: Any) -> Any:
        """A request to the GitLab stand-in with the administrator's token."""
        variables = self.variables()
        token = {"PRIVATE-TOKEN": variables["GITLAB_TOKEN"]}
        return _request(method, variables["GITLAB_BASE_URL"] + path, token, body)

    def cloud(self, method: str, path: str, **body: Any) -> Any:
        """A request to the Scaleway stand-in with the owner's key."""
        variables = self.variables()
        return _request(method, variables["SCW_API_URL"] + path, {"X-Auth-Token": variables["SCW_SECRET_KEY"]}, body)

    def records(self, table: str) -> list[Record]:
        """A table of the stand-ins as it is, secrets included."""
        store = Store(self.folder / "records.db")
        try:
            return store.all(table)
        finally:
            store.close()

    def tables(self) -> list[str]:
        """The names of the stand-ins' tables."""
        store = Store(self.folder / "records.db")
        try:
            return store.tables()
        finally:
            store.close()

    def unknown_requests(self) -> list[str]:
        if Running.of(Folder(self.folder)) is None:
            return []
        return [f"{r['method']} {r['path']}" for r in self.ask("scaleway", "/_sandbox/requests") if r["unknown"]]

    def mounted(self, stack: str, runner: dict[str, Any]) -> dict[str, str]:
        """The files that job pods of a runner (an entry of the output `runners`) find in /root/.config/scw."""
        with self.kubernetes(stack) as client:
            secret = client.get(Secret, runner["apiKeySecret"], namespace=runner["namespace"])
        return {name: base64.b64decode(data).decode() for name, data in (secret.data or {}).items()}

    def kubernetes(self, stack: str) -> Client:
        """An administrator's client of the stack's cluster."""
        cluster_id = self.outputs(stack)["clusterId"].rpartition("/")[2]
        config = yaml.safe_load((self.folder / "clusters" / cluster_id / "admin.kubeconfig").read_text())
        return Client(config=KubeConfig.from_dict(config), trust_env=False)

    def processes(self) -> list[str]:
        """The processes that have this estate's folder, or that of its plugins, in their command line."""
        listed = subprocess.run(["ps", "-eww", "-o", "pid,args"], capture_output=True, text=True, check=True).stdout
        return [line for line in listed.splitlines() if str(self.checkout) in line and " ps " not in line]
