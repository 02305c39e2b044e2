"""Helm releases that block the next update: of an installation or upgrade that was cut off, or that the state has lost.

Helm keeps each revision of a release in a secret of the cluster. While the newest one is `pending-…`, every upgrade is
refused, and while any is there, so is an installation of that name. Forgetting such revisions changes nothing of what runs:
the next update takes it over, as its labels and annotations say whose it is.

Source: Helm, "Storage backends", "Release adoption" (meta.helm.sh/release-name); pulumi-kubernetes, helm.v3.Release.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lightkube.resources.core_v1 import Secret

from repair.resources import Resource, known
from repair.services import Services

RELEASE = "kubernetes:helm.sh/v3:Release"
_PROVIDER = "pulumi:providers:kubernetes"


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """A release, and the revisions of it (secrets of the cluster) that are in the way."""

    resource: Resource
    cluster_id: str
    namespace: str
    revisions: tuple[str, ...]
    pending: bool


def blocked(services: Services, resources: Sequence[Resource]) -> Iterator[Blocked]:
    """Looks into each cluster of the stack whose releases are declared."""
    clusters = clusters_of(resources)
    for resource in resources:
        cluster_id = clusters.get(resource.provider.rpartition("::")[0])
        if resource.type != RELEASE or cluster_id is None or not known(resource.inputs, "name", "namespace"):
            continue
        name, namespace = str(resource.inputs["name"]), str(resource.inputs["namespace"])
        client = services.cluster(cluster_id)
        found = list(client.list(Secret, namespace=namespace, labels={"owner": "helm", "name": name}))
        statuses = {str(s.metadata.name): (s.metadata.labels or {}).get("status", "") for s in found if s.metadata}
        pending = [name for name, status in statuses.items() if status.startswith("pending-")]
        if revisions := tuple(sorted(pending if resource.made else statuses)):
            yield Blocked(
                resource=resource,
                cluster_id=cluster_id,
                namespace=namespace,
                revisions=revisions,
                pending=bool(pending),
            )


def forget(services: Services, found: Blocked) -> None:
    for revision in found.revisions:
        services.cluster(found.cluster_id).delete(Secret, revision, namespace=found.namespace)


def clusters_of(resources: Sequence[Resource]) -> dict[str, str]:
    """The ids of the clusters by the URN of the provider for what is inside, as far as they are there."""
    return {r.urn: str(r.inputs["clusterIdentifier"]) for r in resources if _is_cluster(r)}


def _is_cluster(resource: Resource) -> bool:
    return resource.type == _PROVIDER and known(resource.inputs, "clusterIdentifier")
