"""What the program finds in the SDKs is what is there, though it imports a part of them; and nothing of it stays behind."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdk_imports import _likely_first

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
import sdk_imports
packages = json.load(sys.stdin)
print(json.dumps({p: {n: shown(getattr(import_module(p), n)) for n in names} for p, names in packages.items()}))
"""
)
_PROGRAM = """
import gc, json, sys
import sdk_imports
in_between = gc.isenabled()
from components import gitlab_project, runner
sdk_imports.done()
print(json.dumps({"in_between": in_between, "afterwards": gc.isenabled(), "modules": sorted(sys.modules)}))
"""


def run(script: str, given: object = None) -> Any:
    command = [sys.executable, "-W", "ignore", "-c", script]
    result = subprocess.run(command, cwd=ROOT, input=json.dumps(given), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_each_name_is_what_it_would_have_been() -> None:
    names = run(_EAGER, PACKAGES)
    assert sum(map(len, names.values())) > 1000
    assert run(_LAZY, names) == names


def test_what_nobody_asks_for_is_not_imported() -> None:
    found = run(_PROGRAM)
    assert "pulumi_gitlab.get_project" in found["modules"]  # an annotation of components.merge_settings
    assert "pulumi_gitlab.branch" not in found["modules"]
    assert "pulumiverse_scaleway.baremetal_server" not in found["modules"]


def test_garbage_is_looked_for_again_afterwards() -> None:
    found = run(_PROGRAM)
    assert (found["in_between"], found["afterwards"]) == (False, True)


def test_a_name_that_no_module_has_is_an_error_as_elsewhere() -> None:
    script = (
        "import sdk_imports, pulumi_gitlab\ntry: pulumi_gitlab.Nothing\nexcept AttributeError as e: print(repr(str(e)))"
    )
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
