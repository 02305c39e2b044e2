"""How the program uses the SDKs to be quick: it imports a part of them, they keep their steps to themselves, and no garbage
is looked for.

An SDK's package imports each of its modules, hundreds, when it is imported. Here that waits: a package imported after
this module runs without `from .module import *`, and a name is looked for in the modules when somebody asks for it. What is
found is what would have been there otherwise, so nothing else knows of this.

The SDK tells the engine of each of its steps, "registering resource", four for each resource, and waits for each answer;
nobody is shown them but who runs the engine with `--debug`. So they are told only then: where the option comes from the
environment, PULUMI_OPTION_DEBUG=true, which this module can see.

Python looks for objects that hold only each other again and again while hundreds of classes and resources are made. The
program lives for seconds and makes hardly any (1 MB of 100; with 200 runners a tenth), so it is not asked to.

ADR 12 has what each gives, what else was tried, and what comes of it.
"""

import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

import pulumi

SDKS: Final = ("pulumi_gitlab", "pulumi_kubernetes", "pulumiverse_scaleway")
_IMPORTS = re.compile(r"^from \.(\w+) import \*$", re.MULTILINE)


class _Package(SourceFileLoader):
    """Runs a package without what it imports of its modules, and finds a name of them later."""

    def exec_module(self, module: ModuleType) -> None:
        source = self.get_source(module.__name__)
        assert source is not None
        modules = _IMPORTS.findall(source)
        # As many lines as before, so that an error names the right one.
        exec(compile(_IMPORTS.sub("", source), self.path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the SDK's own package, without some lines

        def find(name: str) -> Any:
            """What a module answers for a name that it lacks (PEP 562)."""
            for each in () if name.startswith("__") else _likely_first(name, modules):
                found = import_module(f"{module.__name__}.{each}")
                module.__dict__.update((own, getattr(found, own)) for own in _exported(found))
                if name in module.__dict__:
                    return module.__dict__[name]
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__["__getattr__"] = find


def _likely_first(name: str, modules: Sequence[str]) -> list[str]:
    """The modules in the order in which a name is looked for: `BranchProtectionArgs` is in `branch_protection`.

    Or it is in those with an underscore before their name, which each of the others needs anyway. Pure.
    """
    wanted = _without_case(name)

    def turn(module: str) -> tuple[int, int]:
        if wanted.startswith(_without_case(module)):
            return 0, -len(module)
        return (1 if module.startswith("_") else 2), 0

    return sorted(modules, key=turn)


def _exported(module: ModuleType) -> list[str]:
    """What `from module import *` brings."""
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]


def _without_case(name: str) -> str:
    return name.replace("_", "").lower()


class _Finder(MetaPathFinder):
    """Finds the SDKs' packages, and leaves all else to those that come after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in SDKS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations is not None and spec.origin is not None:
            spec.loader = _Package(fullname, spec.origin)
        return spec


def _unheard(*_: object, **__: object) -> None:
    """In the place of `pulumi.log.debug`, which the SDK calls and the program does not."""


gc.disable()
sys.meta_path.insert(0, _Finder())
if os.environ.get("PULUMI_OPTION_DEBUG", "").lower() not in ("1", "t", "true"):
    pulumi.log.debug = _unheard
