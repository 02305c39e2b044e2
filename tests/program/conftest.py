"""The program on Pulumi's mocks, with the real stack files."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = "kapsule-devops"
NOW = "2026-11-23T12:00:00+00:00"  # decides which keys a run declares


@dataclass(frozen=True)
class Program:
    """What a run declared: resources by logical name (see recorder.py for the fields), outputs by name."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    error: str = ""  # why it refused to go on

    def of_type(self, suffix: str) -> list[dict[str, Any]]:
        return [r for r in self.resources.values() if r["type"].endswith(suffix)]

    def depends_on(self, name: str) -> set[str]:
        """The logical names that a resource waits for, directly or not."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for each in self.resources.get(waiting.pop(), {}).get("depends_on", []):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found


def configuration(stack: str) -> dict[str, Any]:
    """A stack's settings as the command line merges them: Pulumi.yaml's defaults under the stack file."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    defaults: dict[str, Any] = {f"{PROJECT}:{k}": v["default"] for k, v in project["config"].items()}
    return defaults | dict(own["config"])


def as_engine_gives_it(config: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}


@pytest.fixture(scope="session")
def run_program() -> Callable[..., Program]:
    """`run_program("dev", {"runnerPool": {...}})`: a run with the stack's settings, those sections replaced."""

    known: dict[str, Program] = {}  # a run takes seconds, and several tests look at the same one

    def run(stack: str, replaced: dict[str, Any] | None = None) -> Program:
        if (key := json.dumps([stack, replaced], sort_keys=True)) not in known:
            known[key] = _run(stack, replaced)
        assert known[key].error == ""
        return known[key]

    return run


@pytest.fixture(scope="session")
def refused_program() -> Callable[..., Program]:
    """The same for a program that is to refuse."""

    def run(stack: str, replaced: dict[str, Any]) -> Program:
        program = _run(stack, replaced)
        assert program.error
        return program

    return run


def _run(stack: str, replaced: dict[str, Any] | None) -> Program:
    config = configuration(stack) | {f"{PROJECT}:{k}": v for k, v in (replaced or {}).items()}
    result = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("recorder.py")), stack],
        input=json.dumps(as_engine_gives_it(config)),
        cwd=ROOT,
        env={"PATH": "", "KAPSULE_DEVOPS_NOW": NOW},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    recorded = json.loads(result.stdout)
    return Program({r["name"]: r for r in recorded["resources"]}, recorded["outputs"], recorded["error"])
