"""Every pin of the project, found as Renovate finds it: its settings say which files hold some, and how they look.

Owns reading them. Does not own what is newer (`newest`), nor Renovate's settings (`renovate.json`, held complete by
tests/unit/test_renovate.py). Pins that other pins bring are left out: constraints.txt, and Go's `// indirect`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s#]+)", re.MULTILINE)
_GO = re.compile(r"^(?:require )?\s*([\w.-]+\.[\w.-]+/\S+) (v\S+)$", re.MULTILINE)
_IMAGE = re.compile(r"image:\s*(?:\{\s*name:\s*)?\"?([\w./-]+):([\w.-]+)")
_FROM = re.compile(r"^FROM (\S+):(\S+)$", re.MULTILINE)
_LEFT_OUT: Final = (".git", ".venv", ".sandbox")


@dataclass(frozen=True, kw_only=True, order=True)
class Pin:
    """A version, and where it stands. `source` is Renovate's name of what knows newer ones: pypi, go, npm, docker, helm, …

    `at_most` is the version beyond which it must not go, empty where there is none.
    """

    source: str
    name: str
    version: str
    file: str
    at_most: str = ""


def pins(root: Path) -> list[Pin]:
    """All pins below a folder, in the order of their sources and names."""
    settings = json.loads((root / "renovate.json").read_text())
    held = {
        name: rule["allowedVersions"].removeprefix("<=")
        for rule in settings["packageRules"]
        if "allowedVersions" in rule
        for name in rule["matchPackageNames"]
    }
    found = {
        Pin(source=source, name=name, version=version, file=file, at_most=held.get(name, ""))
        for file in _files(root)
        for source, name, version in _of_file(settings, file, (root / file).read_text)
    }
    return sorted(found)


def _files(root: Path) -> list[str]:
    """Those that may hold a pin. What is left out is not even looked into: a virtual environment has ten thousands."""
    suffixes = (".txt", ".mod", ".json", ".yml", ".yaml", ".py")
    kept = (each for each in root.iterdir() if each.name not in _LEFT_OUT)
    paths = (path for each in kept for path in (each.rglob("*") if each.is_dir() else [each]))
    found = (path for path in paths if path.suffix in suffixes or path.name == "Containerfile")
    return sorted(str(path.relative_to(root)) for path in found if path.is_file())


def _of_file(settings: dict[str, Any], file: str, read: Any) -> Iterator[tuple[str, str, str]]:
    if is_looked_at(settings["pip_requirements"], file) and file != "constraints.txt":
        yield from (("pypi", *pair) for pair in _REQUIREMENT.findall(read()))
    if is_looked_at(settings["gomod"], file):
        yield from (("go", *pair) for pair in _GO.findall(read()))
    if is_looked_at(settings["npm"], file):
        yield from (("npm", *pair) for pair in json.loads(read())["dependencies"].items())
    if is_looked_at(settings["gitlabci"], file):
        yield from (("docker", *pair) for pair in _IMAGE.findall(read()))
    if is_looked_at(settings["dockerfile"], file):
        yield from (("docker", *pair) for pair in _FROM.findall(read()))
    for manager in settings["customManagers"]:
        if is_looked_at(manager, file):
            yield from ((manager["datasourceTemplate"], *pair) for pair in matched(manager, read()))


def matched(manager: dict[str, Any], text: str) -> Iterator[tuple[str, str]]:
    """The name and the version of each pin that one of Renovate's managers of regular expressions finds in a text."""
    for pattern in manager["matchStrings"]:
        for match in re.finditer(pattern.replace("(?<", "(?P<"), text):  # as JavaScript writes a group's name
            yield match.groupdict().get("depName") or manager["depNameTemplate"], match["currentValue"]


def is_looked_at(manager: dict[str, Any], file: str) -> bool:
    """Whether one of Renovate's managers reads a file, by its path from the root."""
    return any(re.search(pattern.strip("/"), file) for pattern in manager["managerFilePatterns"])
