"""Where recordings are: the six that the stand-in was built after lie in the Scaleway provider's Go module.

Owns finding them in Go's module cache. Downloads nothing: the toolchain's build does, because it builds that provider.
"""

import os
import shutil
import subprocess
from pathlib import Path

from sandbox.toolchain.build import SOURCES
from sandbox.toolchain.parts import SCALEWAY_PLUGIN

MODULE = "github.com/scaleway/terraform-provider-scaleway/v2"
NAMED = (
    ("k8s", "pool-basic"),
    ("k8s", "cluster-private-network"),
    ("k8s", "acl-rules-order"),
    ("iam", "application-basic"),
    ("secret", "secret-basic"),
    ("vpc", "vpc-basic"),
)


class NoRecordingsError(Exception):
    """The recordings are not to be had; the message says why and what to do."""


def module_folder() -> Path:
    """The module's folder, of the version that the toolchain builds."""
    go = shutil.which("go")
    if go is None:
        raise NoRecordingsError("there is no `go` on PATH, which knows where the recordings are")
    found = subprocess.run(
        [go, "list", "-mod=mod", "-m", "-f", "{{.Dir}}", MODULE],
        cwd=SOURCES / SCALEWAY_PLUGIN.folder,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "GOPROXY": "off"},
        capture_output=True,
        text=True,
    )
    folder = found.stdout.strip()
    if found.returncode or not folder:
        raise NoRecordingsError(f"Go's module cache has no {MODULE}")
    return Path(folder)


def named() -> list[Path]:
    """The recordings that the stand-in is held to."""
    services = module_folder() / "internal" / "services"
    return [services / service / "testdata" / f"{name}.cassette.yaml" for service, name in NAMED]
