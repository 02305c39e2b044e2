"""Settings as the engine gives them: Pulumi.yaml's defaults under a stack file, then one argument changed."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import settings
from config_error import ConfigError

ROOT = Path(__file__).parents[2]
PROJECT = "kapsule-devops"


def merged(stack: str) -> dict[str, Any]:
    """As the command line merges them: a key of the stack file replaces the default, and is not mixed with it."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    defaults = {f"{PROJECT}:{key}": each["default"] for key, each in project["config"].items()}
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in (defaults | own["config"]).items()}


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """As the engine gives them to the program: text, JSON where it is none."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """`runners.0.name` and the like; `...` removes the key."""
    *folders, last = path.split(".")
    target: Any = values
    for part in folders:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    if value is ...:
        del target[last]
    elif isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value


Parse = Callable[..., settings.Settings]


@pytest.fixture(scope="session")
def values() -> Callable[[str], dict[str, Any]]:
    """`values("dev")`: a copy of the stack's merged settings."""
    read = {stack: merged(stack) for stack in ("dev", "preprod", "prod")}
    return lambda stack: copy.deepcopy(read[stack])


@pytest.fixture(scope="session")
def parse(values: Callable[[str], dict[str, Any]]) -> Parse:
    """`parse({"runnerPool.size": 3})`: the settings of dev (or another stack) with these arguments changed."""

    def changed(changes: Mapping[str, Any] | None = None, stack: str = "dev") -> settings.Settings:
        given = values(stack)
        for path, value in (changes or {}).items():
            put(given, path, value)
        return settings.parse(as_text(given), stack)

    return changed


@pytest.fixture(scope="session")
def problems(parse: Parse) -> Callable[..., list[str]]:
    """What the user reads of each problem, after the error as a whole was checked to hold just that."""

    def told(changes: Mapping[str, Any], stack: str = "dev") -> list[str]:
        with pytest.raises(ConfigError) as caught:
            parse(changes, stack)
        texts = [problem.text(f"Pulumi.{stack}.yaml") for problem in caught.value.problems]
        count = "1 setting is" if len(texts) == 1 else f"{len(texts)} settings are"
        body = "\n".join(texts)
        assert str(caught.value) == f"{count} wrong; nothing was created or changed.\n\n{body}\n"
        return [text.strip().replace(".\n    Fix: ", ". Fix: ") for text in texts]

    return told
