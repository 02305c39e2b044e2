"""Where recordings are: the eight that the stand-in was built after lie in the Scaleway provider's Go module.

Owns getting that module, of the version that the toolchain builds; it is downloaded (14 MB) where a cached toolchain has
made that needless. Nothing of it is copied into this repository.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sandbox.toolchain.build import SOURCES, cache_folder
from sandbox.toolchain.go import NoGoError, find_go
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
# What is sold and for how much: no request that an environment's life is made of.
CATALOGUES = (("instance", "data-source-server-type-basic"), ("instance", "test-get-end-of-service-date"))


class NoRecordingsError(Exception):
    """The recordings are not to be had; the message says why and what to do."""


def module_folder() -> Path:
    """The module's folder in Go's module cache."""
    try:
        go = find_go(cache_folder())
    except NoGoError as error:
        raise NoRecordingsError(str(error)) from None
    with tempfile.TemporaryDirectory() as folder:
        for name in ("go.mod", "go.sum"):  # a copy: Go may write into them
            shutil.copy(SOURCES / SCALEWAY_PLUGIN.folder / name, folder)
        result = subprocess.run(
            [go, "mod", "download", "-json", MODULE],
            cwd=folder,
            env=os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""},
            capture_output=True,
            text=True,
        )
    if result.returncode:
        why = (result.stderr or result.stdout).strip().splitlines()[-1:]
        raise NoRecordingsError(f"{MODULE} cannot be downloaded: {''.join(why)}")
    return Path(json.loads(result.stdout)["Dir"])


def named(recordings: Iterable[tuple[str, str]] = (*NAMED, *CATALOGUES)) -> list[Path]:
    """The recordings that the stand-in is held to."""
    services = module_folder() / "internal" / "services"
    return [services / service / "testdata" / f"{name}.cassette.yaml" for service, name in recordings]
