"""The area `tools`: Python, the Python packages, the engine and its plugins, each in the version that the program pins.

Owns which versions are right; what is asked of the engine is `engine`'s. Needs nothing that is installed, and runs in
Python 3.9: it is the first area, and the others need what it finds missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import NamedTuple

from ci.errors import CiError
from doctor.engine import Engine
from doctor.verdicts import Check, of_error, ok, unknown, wrong

OLDEST_PYTHON = (3, 11)
# The plugins that the program needs, by the package whose version each has.
PLUGINS = {"scaleway": "pulumiverse-scaleway", "gitlab": "pulumi-gitlab", "kubernetes": "pulumi-kubernetes"}
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;#]+)")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_INSTALL = ".venv/bin/python -m pip install -r requirements.txt"
_UPGRADE = "install Pulumi {}: https://www.pulumi.com/docs/install/"


class Tools(NamedTuple):
    """What was found. `usable`: all that the other areas import is there."""

    checks: list[Check]
    usable: bool


def ask(engine: Engine, python: tuple[int, ...] = tuple(sys.version_info[:3])) -> Tools:
    """Everything that can be told without an account."""
    found, usable = [python_check(python)], python >= OLDEST_PYTHON
    try:
        pins = pins_of((engine.folder / "requirements.txt").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        where = "requirements.txt cannot be read: it says which versions are right. Run in the folder of the program"
        return Tools([*found, wrong(f"{where}, or nothing can be compared", "cd FOLDER-OF-THE-PROGRAM")], usable)
    installed = {name: installed_version(name) for name in pins}
    found += package_checks(pins, installed)
    try:
        found.append(engine_check(engine.run("version").out, pins.get("pulumi", "0.0.0")))
        listed = engine.run("plugin", "ls", "--json").document()
        wanted = {plugin: pins[package] for plugin, package in PLUGINS.items() if package in pins}
        found += plugin_checks(listed, wanted)
    except CiError as error:
        found.append(of_error(error))
    return Tools(found, usable and None not in installed.values())


def installed_version(package: str) -> str | None:
    """None: it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def pins_of(requirements: str) -> dict[str, str]:
    """The version of each package that requirements.txt pins."""
    found = (_PIN.match(line.strip()) for line in requirements.splitlines())
    return {pin[1]: pin[2] for pin in found if pin}


def python_check(version: tuple[int, ...]) -> Check:
    shown, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST_PYTHON))
    if version >= OLDEST_PYTHON:
        return ok(f"Python {shown}")
    return wrong(
        f"Python {shown}: must be {oldest} or newer, or the program does not start",
        f"python{oldest} -m venv .venv && {_INSTALL}",
    )


def package_checks(pins: Mapping[str, str], installed: Mapping[str, str | None]) -> Iterator[Check]:
    """One check where all is right, else one for each package that is not."""
    others = {name: version for name, version in pins.items() if installed.get(name) != version}
    for name, version in others.items():
        there = installed.get(name)
        has = f"{name} is not installed" if there is None else f"{name} {there}"
        yield wrong(f"{has}: must be {version}, or the program is not the one that was tested", _INSTALL)
    if not others:
        yield ok(f"{len(pins)} Python packages as requirements.txt pins them")


def engine_check(said: str, wanted: str) -> Check:
    """`said` is what `pulumi version` prints; `wanted` the SDK's version, than which the engine may not be older."""
    there, least = _VERSION.match(said.strip()), _VERSION.match(wanted)
    if there is None or least is None:
        return wrong(
            "pulumi does not say its version: it must be known, or an old engine fails half-way",
            _UPGRADE.format(wanted),
        )
    shown = ".".join(there.groups())
    if tuple(map(int, there.groups())) >= tuple(map(int, least.groups())):
        return ok(f"pulumi {shown}")
    return wrong(
        f"pulumi {shown}: must be {wanted} or newer, as the Python SDK is, or it does not know what the SDK asks for",
        _UPGRADE.format(wanted),
    )


def plugin_checks(listed: object, wanted: Mapping[str, str]) -> Iterator[Check]:
    """`listed` is the answer of `pulumi plugin ls --json`. A plugin that is not there is downloaded when it is needed."""
    if not isinstance(listed, list):
        yield unknown("which plugins are there: the engine's list of them is none")
        return
    there = {(each.get("name"), str(each.get("version"))) for each in listed if isinstance(each, dict)}
    for name, version in wanted.items():
        if (name, version) in there:
            yield ok(f"plugin {name} {version}")
        else:
            yield ok(f"plugin {name} {version} is not there: will be downloaded by the first preview")
