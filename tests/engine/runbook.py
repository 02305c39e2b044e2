"""Runs a runbook: the commands of its fenced blocks as they stand, and what it says that they print.

Owns reading the blocks. A block ```sh is a script. A block ```text that follows scripts holds lines that they print, in that
order; one that comes before the first script of its section is a symptom. `…` stands for anything.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.estate import UNSEEN, Estate

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
FOUND = 4  # `python -m repair` has found something to mend
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Section:
    """What stands below one heading: `symptoms`, and `steps` of scripts, each run of them with the lines that it prints."""

    symptoms: list[str] = field(default_factory=list)
    steps: list[tuple[list[str], list[str]]] = field(default_factory=list)


def symptoms(runbook: str) -> list[str]:
    """What stands above the first heading."""
    return [b["text"] for b in _BLOCK.finditer(_read(runbook).partition("\n## ")[0])]


def section(runbook: str, heading: str) -> Section:
    (text,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", _read(runbook), re.DOTALL | re.MULTILINE)
    found = Section()
    for block in _BLOCK.finditer(text):
        if block["kind"] == "sh":
            if not found.steps or found.steps[-1][1]:
                found.steps.append(([], []))
            found.steps[-1][0].append(block["text"])
        elif found.steps:
            found.steps[-1][1].append(block["text"])
        else:
            found.symptoms.append(block["text"])
    return found


def follow(estate: Estate, runbook: str, heading: str, **environment: str) -> str:
    """Does what the section says, and finds what it says that is printed; all that was."""
    told = []
    for scripts, excerpts in section(runbook, heading).steps:
        said = "".join(run(estate, script, **environment) for script in scripts)
        for excerpt in excerpts:
            assert_told(excerpt, said)
        told.append(said)
    return "".join(told)


def run(estate: Estate, script: str, **environment: str) -> str:
    """What the script prints; it must end with 0, or with what says that a repair is due."""
    result = shell(estate, script, **environment)
    assert result.returncode in (0, FOUND), f"{script}\n{result.stdout}{result.stderr}"
    return result.stdout


def shell(estate: Estate, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """As a person who says yes to each question of Pulumi, with the virtual environment on the PATH; all in one stream.

    Nobody looks at the preview that `pulumi up` makes before it asks, so there is none: it runs the program once more.
    """
    path = os.pathsep.join((str(Path(sys.prefix) / "bin"), os.environ["PATH"]))
    given = {"PATH": path, "PULUMI_SKIP_CONFIRMATIONS": "true", **UNSEEN, **environment}
    return estate.shell(f"exec 2>&1\n{script}", **given)


def assert_symptom(runbook: str, heading: str, *printed: str) -> None:
    """The section's symptoms are what was really printed: the first by the first command, and so on."""
    symptoms = section(runbook, heading).symptoms
    assert len(symptoms) == len(printed)
    for excerpt, said in zip(symptoms, printed, strict=True):
        assert_told(excerpt, said)


def assert_told(excerpt: str, printed: str) -> None:
    """Each line of the excerpt is told, in this order; how lines are broken and indented does not count."""
    flat = " ".join(printed.split())
    at = 0
    for line in excerpt.splitlines():
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        found = re.compile(pattern).search(flat, at)
        assert found, f"not told: {line}\n{printed}"
        at = found.end()


def _read(runbook: str) -> str:
    return (FOLDER / f"{runbook}.md").read_text()
