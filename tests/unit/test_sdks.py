"""What the program finds in the SDKs is what is there, though it imports a part of them; what the engine is told of them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdks import _likely_first

ROOT = Path(__file__).parents[2]
# Each kind of package that there is: with hundreds of modules, with classes for inputs, with modules that say nothing of
# what they export, with none of its own.
PACKAGES = (
    "pulumi_gitlab",
    "pulumi_kubernetes",
    "pulumi_kubernetes.core.v1",
    "pulumi_kubernetes.helm.v3",
    "pulumi_kubernetes.meta.v1",
    "pulumi_kubernetes.networking.v1",
    "pulumiverse_scaleway",
    "pulumiverse_scaleway.iam",
    "pulumiverse_scaleway.kubernetes",
)
_SHOW = """
import json, sys
from importlib import import_module
from types import ModuleType
def shown(value):
    if isinstance(value, ModuleType):
        return ["module", value.__spec__.name]  # its other attributes may be there when it has been used
    return [type(value).__name__, getattr(value, "__module__", None), getattr(value, "__qualname__", None)]
"""
_EAGER = (
    _SHOW
    + """
packages = {name: dict(vars(import_module(name))) for name in json.load(sys.stdin)}
print(json.dumps({p: {n: shown(v) for n, v in names.items() if n[:2] != "__"} for p, names in packages.items()}))
"""
)
_LAZY = (
    _SHOW
    + """
import sdks
packages = json.load(sys.stdin)
print(json.dumps({p: {n: shown(getattr(import_module(p), n)) for n in names} for p, names in packages.items()}))
"""
)
_PROGRAM = """
import json, sys
import sdks
from components import gitlab_project, runner
print(json.dumps(sorted(sys.modules)))
"""
# What an engine is told of one resource, by the function that the SDK's own modules call.
_TOLD = """
import json, logging
import sdks
import pulumi
from pulumi.runtime import mocks
told = []
class Log(logging.Handler):
    def emit(self, record):
        told.append([record.levelname, record.getMessage()])
logger = logging.Logger("engine", logging.DEBUG)
logger.addHandler(Log())
class Provider(mocks.Mocks):
    def call(self, args):
        return {}
    def new_resource(self, args):
        return args.name, {}
mocks.set_mocks(Provider(), logger=logger)
class Thing(pulumi.CustomResource):
    def __init__(self):
        super().__init__("test:index:Thing", "thing", {})
@pulumi.runtime.test
def declare():
    pulumi.log.warn("a warning")
    return Thing().urn
declare()
print(json.dumps(told))
"""


def run(script: str, given: object = None, **environment: str) -> Any:
    command = [sys.executable, "-W", "ignore", "-c", script]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    result = subprocess.run(
        command, cwd=ROOT, env=plain | environment, input=json.dumps(given), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_each_name_is_what_it_would_have_been() -> None:
    names = run(_EAGER, PACKAGES)
    assert sum(map(len, names.values())) > 1000
    assert run(_LAZY, names) == names


def test_what_nobody_asks_for_is_not_imported() -> None:
    modules = run(_PROGRAM)
    assert "pulumi_gitlab.get_project" in modules  # an annotation of components.merge_settings
    assert "pulumi_gitlab.branch" not in modules
    assert "pulumiverse_scaleway.baremetal_server" not in modules


def test_no_garbage_is_looked_for() -> None:
    assert run("import gc, json, sdks\nprint(json.dumps(gc.isenabled()))") is False


@pytest.mark.parametrize("value", ["true", "1"])
def test_with_debug_the_engine_is_told_of_the_sdks_steps(value: str) -> None:
    told = run(_TOLD, PULUMI_OPTION_DEBUG=value)
    assert ["WARNING", "a warning"] in told
    assert [text for level, text in told if level == "DEBUG" and "thing" in text]


@pytest.mark.parametrize("without", [{}, {"PULUMI_OPTION_DEBUG": "false"}], ids=["not set", "false"])
def test_without_debug_it_is_told_of_all_else(without: dict[str, str]) -> None:
    assert run(_TOLD, **without) == [["WARNING", "a warning"]]


def test_a_name_that_no_module_has_is_an_error_as_elsewhere() -> None:
    script = "import sdks, pulumi_gitlab\ntry: pulumi_gitlab.Nothing\nexcept AttributeError as e: print(repr(str(e)))"
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert told.stdout == repr("module 'pulumi_gitlab' has no attribute 'Nothing'") + "\n"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("BranchProtectionArgs", ["branch_protection", "branch", "_inputs"]),
        ("get_project", ["get_project", "_inputs"]),
        ("PolicyRuleArgs", ["policy", "_inputs"]),
        ("ServiceAccount", ["ServiceAccount", "Service", "_inputs"]),
    ],
)
def test_the_likely_module_comes_first(name: str, first: list[str]) -> None:
    modules = ["Service", "ServiceAccount", "branch", "branch_protection", "get_project", "policy", "_inputs"]
    assert _likely_first(name, modules)[: len(first)] == first
    assert sorted(_likely_first(name, modules)) == sorted(modules)
