"""The program on Pulumi's mocks, with the real stack files."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
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


Ask = Callable[[str, dict[str, Any] | None], Program]


@pytest.fixture(scope="session")
def ask() -> Iterator[Ask]:
    """Runs the program with a stack's settings, those sections replaced."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("recorder.py"))],
        cwd=ROOT,
        env={"PATH": "", "KAPSULE_DEVOPS_NOW": NOW},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as recorder:
        assert recorder.stdin is not None
        assert recorder.stdout is not None
        questions, answers = recorder.stdin, recorder.stdout

        def run(stack: str, replaced: dict[str, Any] | None) -> Program:
            config = configuration(stack) | {f"{PROJECT}:{k}": v for k, v in (replaced or {}).items()}
            questions.write(json.dumps({"stack": stack, "config": as_engine_gives_it(config)}) + "\n")
            questions.flush()
            recorded = json.loads(answers.readline())
            assert "failed" not in recorded, recorded["failed"]
            return Program({r["name"]: r for r in recorded["resources"]}, recorded["outputs"], recorded["error"])

        yield run
        questions.close()


@pytest.fixture(scope="session")
def run_program(ask: Ask) -> Callable[..., Program]:
    """`run_program("dev", {"runnerPool": {...}})`: a run with the stack's settings, those sections replaced."""

    known: dict[str, Program] = {}  # several tests look at the same one

    def run(stack: str, replaced: dict[str, Any] | None = None) -> Program:
        if (key := json.dumps([stack, replaced], sort_keys=True)) not in known:
            known[key] = ask(stack, replaced)
        assert known[key].error == ""
        return known[key]

    return run


@pytest.fixture(scope="session")
def refused_program(ask: Ask) -> Callable[..., Program]:
    """The same for a program that is to refuse."""

    def run(stack: str, replaced: dict[str, Any]) -> Program:
        program = ask(stack, replaced)
        assert program.error
        return program

    return run
