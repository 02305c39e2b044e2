"""The engine's commands that a repair is made of, for one stack, and what each of them said.

Owns the command lines, and which of the engine's errors mean what. Does not own when each is due (`steps`).
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.engine import documents
from ci.errors import CiError
from ci.previews import read_events
from ci.redaction import Redactor
from repair.resources import Resource, State, gone, last_change, of_export, of_preview

_HOLDER = re.compile(r"created by (?P<user>\S+?)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
_LOCKED = re.compile(r"the stack is currently locked by|Another update is currently in progress")
_UNREADABLE = re.compile(r"checkpoint|unmarshal|deserializ|invalid character|unexpected end of JSON", re.IGNORECASE)
_ABSENT = re.compile(r"no stack named")
_LONGEST_REASON = 600
# The Kubernetes provider then takes values over from the field manager of another state.
PATCH_FORCE = "PULUMI_K8S_ENABLE_PATCH_FORCE"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a stack's lock, as the lock itself says. `since` is RFC 3339."""

    user: str
    host: str
    pid: int
    since: str


class LockedError(CiError):
    """Somebody else's update runs, or did. `holders` is empty where the state backend does not tell who."""

    def __init__(self, stack: str, holders: Sequence[Holder]) -> None:
        self.holders = tuple(holders)
        super().__init__(f"the stack {stack} is locked: an update of it runs, or was killed")


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """The URNs of what the state held and is no more, and of what is otherwise than it was left."""

    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack of the program in the current folder.

    `environment` is what the engine runs in; `redactor` takes out of its errors what they quote and nobody may see.
    Each command raises CiError where there is no engine on its PATH.
    """

    name: str
    environment: Mapping[str, str]
    redactor: Redactor = field(default_factory=Redactor)

    def export(self) -> State:
        """CiError: there is no such stack, or its state cannot be read."""
        result = self._run("stack", "export")
        said = result.stderr
        if result.returncode and _ABSENT.search(said):
            raise CiError(
                f"there is no stack {self.name} in this state backend: its state is lost, or lies elsewhere. Fix: "
                f"pulumi stack init {self.name}, and repair again, or log in where its state is: "
                "docs/runbooks/lost-state.md"
            )
        if result.returncode and _UNREADABLE.search(said):
            raise CiError(
                f"the state of {self.name} cannot be read ({self._reason(said)}): nothing can be compared with it, and "
                "nothing was changed. Fix: put back the newest backup that can be read: docs/runbooks/restore.md"
            )
        self._expect(result, "stack export")
        try:
            return of_export(json.loads(result.stdout))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CiError(
                f"the state of {self.name} is not one: nothing can be compared with it, and nothing was changed. Fix: put "
                "back the newest backup that can be read: docs/runbooks/restore.md"
            ) from None

    def last_change(self) -> str:
        """When the newest update that changed something began (RFC 3339), as far as the backend tells; "" if unknown."""
        result = self._run("stack", "history", "--json", "--page-size", "100")
        try:
            return last_change(json.loads(result.stdout))
        except (ValueError, TypeError, AttributeError):
            return ""

    def declared(self) -> list[Resource]:
        """What the program declares, and what of it the state holds."""
        return of_preview(self._preview())

    def looked_up(self) -> tuple[list[Resource], list[str]]:
        """What the program declares, and what of it is there; and the URNs that the state holds and are gone."""
        document = self._preview("--refresh")
        return of_preview(document), gone(document)

    def _preview(self, *flags: str) -> dict[str, Any]:
        # A dry run: where another state has set fields in the cluster, it would be refused, and nothing could be told.
        result = self._run("preview", "--json", "--suppress-outputs", "--show-sames", *flags, **{PATCH_FORCE: "true"})
        document = _whole(result.stdout)
        if result.returncode or document is None:
            said = "; ".join(self._errors(document)) or self._reason(result.stderr + result.stdout)
            raise CiError(f"the preview of {self.name} fails: {said}. Fix: mend what it names, and repair again")
        return document

    def refresh(self) -> Refreshed:
        """Asks what became of everything that the state holds; what was not made after all is forgotten. LockedError."""
        result = self._run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--json")
        said = list(documents((result.stdout + result.stderr).splitlines(keepends=True)))
        told = "\n".join(each for each in said if isinstance(each, str))
        if _LOCKED.search(told):
            raise LockedError(self.name, [_holder(found) for found in _HOLDER.finditer(told)])
        try:
            outcome = read_events(self.name, (json.dumps(each) for each in said if isinstance(each, dict)))
        except CiError as error:
            raise CiError(f"pulumi refresh of {self.name} fails: {self._reason(told) or error}") from None
        if result.returncode:
            wrong = [f"{d.urn.rpartition('::')[2]}: {d.message}" for d in outcome.diagnostics if d.severity == "error"]
            raise CiError(
                f"pulumi refresh of {self.name} fails: {self._reason('; '.join(wrong) or told)}. Fix: make it answer again "
                "(a cluster that is gone for good: docs/runbooks/lost-state.md), and repair again"
            )
        return _refreshed([each for each in said if isinstance(each, dict)])

    def cancel(self) -> None:
        self._expect(self._run("cancel", "--yes"), "cancel")

    def take(self, file: Mapping[str, Any]) -> None:
        """Into the state, as an import file says; nothing that exists is changed."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "import.json"
            path.write_text(json.dumps(file))
            result = self._run(
                "import", "--file", str(path), "--yes", "--skip-preview", "--protect=false", "--generate-code=false"
            )
        self._expect(result, "import")

    def _run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = ["pulumi", *arguments, "--stack", self.name, "--non-interactive", "--color", "never"]
        variables = {**self.environment, **environment}
        try:
            return subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace")
        except OSError as error:
            raise CiError(
                f"pulumi cannot be started ({error.strerror}): it must be on the PATH, or nothing of the stack {self.name} "
                "can be read or changed. Fix: install Pulumi: https://www.pulumi.com/docs/install/"
            ) from None

    def _expect(self, result: "subprocess.CompletedProcess[str]", what: str) -> None:
        if result.returncode:
            raise CiError(
                f"pulumi {what} of {self.name} ended with {result.returncode}: {self._reason(result.stderr + result.stdout)}"
            )

    def _errors(self, document: dict[str, Any] | None) -> list[str]:
        said = (document or {}).get("diagnostics") or []
        return [self._reason(str(each.get("message"))) for each in said if each.get("severity") == "error"]

    def _reason(self, text: str) -> str:
        """What the engine said, without what it says of its own way, and without secrets."""
        lines = [line.strip().removeprefix("error: ") for line in text.splitlines()]
        return self.redactor.text(" ".join(line for line in lines if line), limit=_LONGEST_REASON)


def _refreshed(events: Sequence[Mapping[str, Any]]) -> Refreshed:
    """Each resource is told twice: that it is asked for (`refresh`), and what became of it."""
    told: dict[str, list[str]] = {}
    for event in events:
        step = (event.get("resOutputsEvent") or {}).get("metadata") or {}
        told.setdefault(step.get("op", ""), []).append(step.get("urn", ""))
    return Refreshed(gone=tuple(sorted(told.get("delete", []))), changed=tuple(sorted(told.get("update", []))))


def _holder(found: "re.Match[str]") -> Holder:
    return Holder(user=found["user"], host=found["host"], pid=int(found["pid"]), since=found["since"])


def _whole(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
