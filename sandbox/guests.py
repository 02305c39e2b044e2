"""Which environments live in another's cluster, so that `make down` takes them down first, or refuses to.

Owns the question and the order. The program has a guard of its own for those who call `pulumi destroy` (a before-delete
hook); this one asks before anything is started, and the sandbox knows nothing of the program.
"""

from collections.abc import Mapping
from typing import Any

from lightkube.resources.core_v1 import Namespace

from sandbox.folder import Folder
from sandbox.nodes import connect

_ENVIRONMENT_LABEL = "kapsule-devops/environment"

Outputs = Mapping[str, Any]


def in_order(stacks: Mapping[str, Outputs]) -> list[str]:
    """Stacks with their outputs, guests of other clusters first."""
    return sorted(stacks, key=lambda name: (stacks[name].get("clusterMode") != "shared", name))


def refusal(folder: Folder, stack: str, outputs: Outputs) -> str | None:
    """Why the stack may not go yet; None where it may."""
    kubeconfig = folder.clusters / str(outputs.get("clusterId", "")).rpartition("/")[2] / "admin.kubeconfig"
    if outputs.get("clusterMode") != "dedicated" or not kubeconfig.is_file():
        return None
    found: dict[str, list[str]] = {}
    with connect(kubeconfig.read_text()) as client:
        for each in client.list(Namespace, labels={_ENVIRONMENT_LABEL: None}):
            labels = (each.metadata.labels if each.metadata else None) or {}
            environment = labels.get(_ENVIRONMENT_LABEL)
            if each.metadata and environment not in (None, outputs["environment"]):
                found.setdefault(str(environment), []).append(str(each.metadata.name))
    if not found:
        return None
    names = "; ".join(f"{guest} (namespaces {', '.join(sorted(spaces))})" for guest, spaces in sorted(found.items()))
    return (
        f"{stack} stays: its cluster is in use by {names}, and their runners and secrets would be lost.\n"
        f"Fix: {' && '.join(f'make down ENV={each}' for each in [*sorted(found), stack])}"
    )
