"""The area `settings`: the stack file, read as the engine hands it to the program, and checked by the settings' own rules.

Owns how the two files are put together. Does not own any rule or its wording (`settings`, `config_error`). Values that the
engine has encrypted are not decrypted: what they are is told to be unknown.
Source: Pulumi, "Pulumi project file reference", `config`: a key's default holds where the stack file does not name it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from ci.files import UnusableError, opened
from ci.yaml_text import parse_yaml
from config_error import ConfigError
from doctor.verdicts import Check, of_problem, ok, unknown, wrong
from settings import Settings, parse

MAX_BYTES: Final = 1_000_000  # of one of the files, ten times what all settings of a stack may be together
NEED_SETTINGS: Final = "the settings must be right first"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """`settings` is None where they cannot be read; `header` is what the file says beside `config`."""

    name: str
    checks: tuple[Check, ...]
    settings: Settings | None = None
    header: Mapping[str, Any]


def read(folder: Path, stack: str) -> StackFile:
    """The settings of a stack, by its short name."""
    name = f"Pulumi.{stack}.yaml"
    loaded: list[Mapping[str, Any]] = []
    for file in ("Pulumi.yaml", name):
        found = _loaded(folder / file)
        if isinstance(found, Check):
            return StackFile(name=name, checks=(found,), header={})
        loaded.append(found)
    project, own = loaded
    header = {key: value for key, value in own.items() if key != "config"}
    checks, settings = parsed(project, own, stack)
    return StackFile(name=name, checks=tuple(checks), settings=settings, header=header)


def parsed(project: Mapping[str, Any], own: Mapping[str, Any], stack: str) -> tuple[list[Check], Settings | None]:
    """What the settings come to. Pure: of what both files hold."""
    file = f"Pulumi.{stack}.yaml"
    config = own.get("config") or {}
    if not isinstance(config, dict):
        return [wrong(f"config ({file}): must be an object, or nothing is set", f"edit {file}")], None
    if secret := [str(key) for key, value in config.items() if _encrypted(value)]:
        named = ", ".join(sorted(secret))
        return [
            unknown(f"{file}: {named} is encrypted, so only a preview can check it", f"pulumi preview -s {stack}")
        ], None
    try:
        settings = parse(dict(_as_engine_gives_it(project, config)), stack)
    except ConfigError as error:
        return list(_of_problems(error, file)), None
    except (TypeError, ValueError):
        return [wrong(f"{file}: must hold what JSON can hold, or the engine cannot hand it over", f"edit {file}")], None
    return [ok(f"{file}: environment {settings.environment}")], settings


def _as_engine_gives_it(project: Mapping[str, Any], config: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Text, JSON where a value is none; the project's defaults below the stack's own."""
    prefix = f"{project.get('name')}:"
    declared = project.get("config")
    for key, entry in declared.items() if isinstance(declared, dict) else ():
        if isinstance(entry, dict) and "default" in entry:
            yield key, _text(entry["default"])
    for key, value in config.items():
        if str(key).startswith(prefix):
            yield str(key).removeprefix(prefix), _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _encrypted(value: Any, depth: int = 0) -> bool:
    """Whether the engine has encrypted the value, or one in it. What is nested deeper than any setting is not looked at."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return True
        value = list(value.values())
    return isinstance(value, list) and depth < 20 and any(_encrypted(each, depth + 1) for each in value)


def _of_problems(error: ConfigError, file: str) -> Iterator[Check]:
    for problem in error.problems:
        yield of_problem(problem, file)


def _loaded(path: Path) -> Mapping[str, Any] | Check:
    try:
        with opened(path, MAX_BYTES) as stream:
            found = parse_yaml(stream.read())
    except UnusableError as error:
        return wrong(
            f"{path.name} {error}: it must be there, or there are no settings",
            "cd FOLDER-OF-THE-PROGRAM, or copy another environment's and edit it: cp Pulumi.dev.yaml " + path.name,
        )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        return wrong(f"{path.name}: must be YAML, which it is not{where}, or nothing is set", f"edit {path.name}")
    if not isinstance(found, dict):
        return wrong(f"{path.name}: must be an object, or nothing is set", f"edit {path.name}")
    return found
