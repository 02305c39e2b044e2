"""Stand-in for Scaleway's Kubernetes API (v1): the versions on offer.

Owns their routes; the table is `catalog`. The control planes of the sandbox all run one version, whatever is asked for.
"""

from sandbox.scaleway.catalog import VERSIONS, upgrades
from sandbox.scaleway.common import CLUSTERS, find, not_found, region_of
from sandbox.web import JSON, Call, Routes

routes = Routes()


@routes.get("/k8s/v1/regions/<region>/versions", "k8s.ListVersions")
def list_all(call: Call) -> JSON:
    region = region_of(call)
    return {"versions": [version.shown(region) for version in VERSIONS.values()]}


@routes.get("/k8s/v1/regions/<region>/versions/<name>", "k8s.GetVersion")
def get(call: Call) -> JSON:
    region, name = region_of(call), call.args["name"]
    if name not in VERSIONS:
        raise not_found("version", name)
    return VERSIONS[name].shown(region)


@routes.get("/k8s/v1/regions/<region>/clusters/<id>/available-versions", "k8s.ListClusterAvailableVersions")
def list_upgrades(call: Call) -> JSON:
    cluster = find(call, CLUSTERS, "cluster", call.args["id"])
    return {"versions": [VERSIONS[name].shown(cluster["region"]) for name in upgrades(cluster["version"])]}
