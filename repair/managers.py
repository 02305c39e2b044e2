"""Objects in the cluster whose fields another state claims: one that was lost, or that came after the one put back.

With server-side apply, the API server remembers who has set each field, and the Kubernetes provider has a name of its own
for each object, which only its state knows. A new state takes an object over by force; but where it sets what was there
already, both own the field from then on, and the next change is refused as a conflict with somebody who is no more.

Handed over, the fields belong to a name that the provider knows as one of its older ones, and drops when it next changes
the object.

Source: Kubernetes, "Server-Side Apply"; pulumi-kubernetes, `await.fixCSAFieldManagers`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lightkube import Client
from lightkube.codecs import resource_registry
from lightkube.core.exceptions import ApiError, LoadResourceError
from lightkube.types import PatchType

from repair.releases import RELEASE, clusters_of
from repair.resources import Resource, known
from repair.services import Services

_OF_A_STATE = re.compile(r"pulumi-kubernetes-[0-9a-f]+")
_OLDER_NAME = {"manager": "pulumi-kubernetes", "operation": "Update"}


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An object, and the entries of `managedFields` that it shall have."""

    resource: Resource
    cluster_id: str
    entries: tuple[dict[str, Any], ...]


def leftover(services: Services, resources: Sequence[Resource]) -> Iterator[Leftover]:
    """Looks at each object that is declared."""
    clusters = clusters_of(resources)
    for resource in resources:
        cluster_id = clusters.get(resource.provider.rpartition("::")[0])
        if cluster_id is None or resource.type == RELEASE or not resource.type.startswith("kubernetes:"):
            continue
        if not (known(resource.inputs, "kind", "metadata") and known(resource.inputs["metadata"], "name")):
            continue
        entries = _entries(services.cluster(cluster_id), resource)
        handed = tuple(e | _OLDER_NAME if _of_another(e["manager"], resource) else e for e in entries)
        if handed != tuple(entries):
            yield Leftover(resource=resource, cluster_id=cluster_id, entries=handed)


def hand_over(services: Services, found: Leftover) -> None:
    """Changes nothing of the object but who has set it."""
    kind, name, namespace = _address(found.resource)
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": list(found.entries)}]
    services.cluster(found.cluster_id).patch(kind, name, patch, namespace=namespace, patch_type=PatchType.JSON)


def _of_another(manager: str, resource: Resource) -> bool:
    return manager != resource.field_manager and bool(_OF_A_STATE.fullmatch(manager))


def _entries(client: Client, resource: Resource) -> list[dict[str, Any]]:
    try:
        kind, name, namespace = _address(resource)
        found = client.get(kind, name, namespace=namespace)
    except LoadResourceError:
        return []  # a kind that the client does not know: the next update tells
    except ApiError as error:
        if error.status.code == 404:
            return []
        raise
    entries = found.to_dict()["metadata"].get("managedFields") or []
    return [dict(entry) for entry in entries]


def _address(resource: Resource) -> tuple[Any, str, str | None]:
    inputs = resource.inputs
    kind = resource_registry.load(str(inputs.get("apiVersion") or "v1"), str(inputs["kind"]))
    return kind, str(inputs["metadata"]["name"]), inputs["metadata"].get("namespace")
