"""Ways to run a control plane with less memory than the sandbox's way, to be measured against it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox.cluster_parts import Arguments, Endpoints, arguments

# What the estate's objects need: namespaces and their contents, pods, accounts, roles, quotas, leases and the nodes.
_CONTROLLERS: Final = [
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "deployment-controller",
    "replicaset-controller",
    "garbage-collector-controller",
    "resourcequota-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "clusterrole-aggregation-controller",
    "taint-eviction-controller",
    "validatingadmissionpolicy-status-controller",
]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """`environment` is for each of a control plane's processes."""

    arguments: Arguments = arguments
    environment: Mapping[str, str] = field(default_factory=dict)


def _with(**more: list[str]) -> Arguments:
    """The sandbox's arguments and these, by part; a hyphen in a part's name is an underscore here."""

    def changed(folder: Path, at: Endpoints, binary: Path) -> dict[str, list[str]]:
        found = arguments(folder, at, binary)
        return {part: [*flags, *more.get(part.replace("-", "_"), [])] for part, flags in found.items()}

    return changed


def _shared_etcd(folder: Path, at: Endpoints, binary: Path) -> dict[str, list[str]]:
    """The etcd of the first cluster holds what each of them has, under a prefix of its own."""
    first = min(folder.parent.iterdir())
    port = json.loads((first / "endpoints.json").read_text())["etcd_client"]
    found = arguments(folder, at, binary)
    own = [flag for flag in found["apiserver"] if not flag.startswith("--etcd-servers=")]
    return found | {"apiserver": [*own, f"--etcd-servers=http://127.0.0.1:{port}", f"--etcd-prefix=/{folder.name}"]}


SHARED_ETCD: Final = "one etcd for all"
VARIANTS: Final[Mapping[str, Variant]] = {
    "as the sandbox does": Variant(),
    SHARED_ETCD: Variant(arguments=_shared_etcd),
    "a thread for each core": Variant(environment={"GOMAXPROCS": str(os.cpu_count())}),
    "garbage collection at 50 %": Variant(environment={"GOGC": "50"}),
    "GOMEMLIMIT of 64 MiB": Variant(environment={"GOMEMLIMIT": "64MiB"}),
    "needed controllers only": Variant(arguments=_with(controller_manager=[f"--controllers={','.join(_CONTROLLERS)}"])),
    "no watch cache": Variant(arguments=_with(apiserver=["--watch-cache=false"])),
}
