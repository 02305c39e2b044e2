"""A `pulumi` that stands in for the engine: a small script that writes what a test gives it, and notes how it was called.

Nothing is planned or deployed. That the real engine writes such things, and is called so, is tested in tests/pipelines.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ci.deploy import main

_SCRIPT = """#!/bin/sh
at={folder}/$1
printf '%s\\n' "$@" > "$at.arguments"
printf '%s' "$PULUMI_ENABLE_STREAMING_JSON_PREVIEW" > "$at.streaming"
while [ $# -gt 0 ]; do
  case $1 in
    --save-plan) cp "$at.plan" "$2" ;;
    --plan) cp "$2" "$at.plan" ;;
  esac
  shift
done
cat "$at.err" >&2
cat "$at.out"
if [ -e "$at.interrupted" ]; then
  sleep 60 > /dev/null 2>&1 &
  trap 'kill $!; cat "$at.interrupted"; exit 3' INT
  echo '{{"ready": true}}'
  wait
fi
: > "$at.ended"
exit "$(cat "$at.code")"
"""

Ran = tuple[int, str, str]


class FakePulumi:
    """Its folder is to be on the PATH. Each of its two commands first writes nothing and succeeds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        script = folder / "pulumi"
        script.write_text(_SCRIPT.format(folder=folder))
        script.chmod(0o755)
        for command in ("preview", "up"):
            self.does(command)

    @property
    def path(self) -> str:
        return f"{self.folder}{os.pathsep}{os.defpath}"

    def does(self, command: str, out: str = "", *, err: str = "", code: int = 0, plan: str = "{}") -> None:
        """What a command writes to its two streams, its exit code and, for `preview`, the plan that it saves."""
        for name, text in {"out": out, "err": err, "code": str(code), "plan": plan}.items():
            self._file(command, name).write_text(text)

    def waits_for_an_interrupt(self, command: str, out: str) -> None:
        """Then it writes this and ends with 3."""
        self._file(command, "interrupted").write_text(out)

    def arguments(self, command: str) -> list[str] | None:
        """None: the command was not called."""
        file = self._file(command, "arguments")
        return file.read_text().splitlines() if file.exists() else None

    def streaming(self, command: str) -> str:
        return self._file(command, "streaming").read_text()

    def ended(self, command: str) -> bool:
        return self._file(command, "ended").exists()

    def held_to(self) -> Any:
        """The plan that `up` was given."""
        return json.loads(self._file("up", "plan").read_text())

    def _file(self, command: str, name: str) -> Path:
        return self.folder / f"{command}.{name}"


def lines(*events: dict[str, Any]) -> str:
    """Events as the engine writes them, ended by a summary unless they have one."""
    ended = any("summaryEvent" in event for event in events)
    return _lines(events if ended else (*events, {"summaryEvent": {"result": "succeeded"}}))


def _lines(events: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps({"sequence": n} | event) + "\n" for n, event in enumerate(events))


def error(message: str, urn: str = "") -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "prefix": "error: ", "urn": urn, "message": message}}


UNCHANGED = lines({"summaryEvent": {"result": "succeeded", "resourceChanges": {"same": 1}}})
# What is told of that, and where there is no plan.
NOTHING = "Preview of dev: no changes\n  1 resource stays as it is.\n\n"
NOTHING_DONE = "\nDeployment of dev: no changes\n  1 resource stays as it is.\n\n"
NO_PLAN = "No reviewed plan: this is no pipeline.\n\n"


class Deployment:
    """`python -m ci.deploy --stack dev` with a stand-in for the engine and nothing else in its environment."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.pulumi = FakePulumi(folder / "bin")
        self.reviewed = folder / "reviewed.json"
        self.environ = {"PATH": self.pulumi.path, "HOME": str(folder)}
        self._capsys = capsys

    def run(self, *arguments: str, **variables: str) -> Ran:
        """Exit code, standard output, standard error."""
        code = main(["--stack=dev", *arguments], self.environ | variables)
        return code, *self._capsys.readouterr()

    def kept_to(self, reviewed: str, now: str) -> Ran:
        """Of a reviewed plan and that of a preview, both as texts."""
        self.reviewed.write_text(reviewed)
        self.pulumi.does("preview", UNCHANGED, plan=now)
        self.pulumi.does("up", UNCHANGED)
        return self.run(f"--plan={self.reviewed}")
