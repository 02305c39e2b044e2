"""Stand-in for Scaleway's VPC API (v2): VPCs and private networks.

Owns addresses too: each private network gets one IPv4 and one IPv6 subnet, as on the real platform. Routes and access
rules are `vpc_routing`.
"""

import ipaddress
import secrets

from sandbox.scaleway.common import (
    CLUSTERS,
    PRIVATE_NETWORKS,
    VPCS,
    ZONES,
    Fields,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    precondition_failed,
    project_of,
    query_flag,
    region_of,
    shown,
    touched,
)
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

CUSTOM_ROUTES = "scaleway.vpc.routes"
ACCESS = "scaleway.vpc.access"

routes = Routes()

_RULE = "/vpc/v2/regions/<region>/vpcs"
_NETWORK_RULE = "/vpc/v2/regions/<region>/private-networks"
_POOL = ipaddress.IPv4Network("172.16.0.0/12")  # where the real platform takes its subnets from, a /22 each


def add_default_vpcs(store: Store, project: Record) -> None:
    """The VPC that every project has in every region."""
    for region in ZONES:
        vpc = _vpc(project, region, name="default", tags=[], transitivity=False)
        store.put(VPCS, vpc["id"], vpc | {"is_default": True})


def is_custom_vpc(vpc: Record) -> bool:
    return not vpc["is_default"]


def _vpc(project: Record, region: str, *, name: str, tags: list[str], transitivity: bool) -> Record:
    moment = now()
    return {
        "id": new_id(),
        "name": name,
        "tags": tags,
        "organization_id": project["organization_id"],
        "created_at": moment,
        "updated_at": moment,
        "project_id": project["id"],
        "is_default": False,
        "private_network_count": 0,
        # True whatever was asked for: the real API switched to routed VPCs for good.
        "routing_enabled": True,
        "custom_routes_propagation_enabled": True,
        "transitivity_enabled": transitivity,
        "region": region,
    }


def _counted(store: Store, vpc: Record) -> Record:
    return vpc | {"private_network_count": len(store.all(PRIVATE_NETWORKS, vpc_id=vpc["id"]))}


@routes.post(_RULE, "vpc.CreateVPC")
def create_vpc(call: Call) -> Record:
    fields = Fields(call.body)
    vpc = _vpc(
        project_of(call, "vpc"),
        region_of(call),
        name=fields.text("name") or f"vpc-{new_id()[:8]}",
        tags=fields.texts("tags"),
        transitivity=fields.flag("enable_transitivity"),
    )
    return shown(call.store.put(VPCS, vpc["id"], vpc))


@routes.get(_RULE, "vpc.ListVPCs")
def list_vpcs(call: Call) -> Record:
    vpcs = call.store.all(VPCS, region=region_of(call))
    default = query_flag(call, "is_default")
    found = filtered(call, vpcs, "organization_id", "project_id", contains=["name"])
    return paged(
        call, "vpcs", [_counted(call.store, v) for v in found if default is None or v["is_default"] is default]
    )


@routes.get(f"{_RULE}/<id>", "vpc.GetVPC")
def get_vpc(call: Call) -> Record:
    return shown(_counted(call.store, find(call, VPCS, "vpc", call.args["id"])))


@routes.patch(f"{_RULE}/<id>", "vpc.UpdateVPC")
def update_vpc(call: Call) -> Record:
    vpc = find(call, VPCS, "vpc", call.args["id"])
    changes = Fields(call.body).changes(text=["name"], lists=["tags"])
    return shown(_counted(call.store, touched(call.store, VPCS, vpc, **changes)))


@routes.delete(f"{_RULE}/<id>", "vpc.DeleteVPC")
def delete_vpc(call: Call) -> None:
    vpc = find(call, VPCS, "vpc", call.args["id"])
    if vpc["is_default"]:
        raise precondition_failed("resource_not_deletable", "a default VPC cannot be deleted")
    if call.store.all(PRIVATE_NETWORKS, vpc_id=vpc["id"]):
        raise precondition_failed("resource_still_in_use", "the VPC must have no private network")
    for route in call.store.all(CUSTOM_ROUTES, vpc_id=vpc["id"]):
        call.store.delete(CUSTOM_ROUTES, route["id"])
    for is_ipv6 in (False, True):
        call.store.delete(ACCESS, f"{vpc['id']}/{is_ipv6}")
    call.store.delete(VPCS, vpc["id"])


@routes.post(f"{_RULE}/<id>/enable-routing", "vpc.EnableRouting")
def enable_routing(call: Call) -> Record:
    vpc = find(call, VPCS, "vpc", call.args["id"])
    return shown(_counted(call.store, touched(call.store, VPCS, vpc, routing_enabled=True)))


@routes.post(f"{_RULE}/<id>/enable-custom-routes-propagation", "vpc.EnableCustomRoutesPropagation")
def enable_custom_routes_propagation(call: Call) -> Record:
    vpc = find(call, VPCS, "vpc", call.args["id"])
    return shown(_counted(call.store, touched(call.store, VPCS, vpc, custom_routes_propagation_enabled=True)))


@routes.post(_NETWORK_RULE, "vpc.CreatePrivateNetwork")
def create_private_network(call: Call) -> Record:
    fields, project, region = Fields(call.body), project_of(call, "private_network"), region_of(call)
    vpc_id = fields.optional("vpc_id")
    if vpc_id is None:
        vpc = call.store.all(VPCS, project_id=project["id"], region=region, is_default=True)[0]
    else:
        vpc = find(call, VPCS, "vpc", vpc_id)
        if vpc["project_id"] != project["id"]:
            raise invalid("vpc_id", "constraint", "the VPC must be in the private network's project")
    network_id, moment = new_id(), now()
    subnets = [
        {
            "id": new_id(),
            "created_at": moment,
            "updated_at": moment,
            "subnet": str(subnet),
            "project_id": project["id"],
            "private_network_id": network_id,
            "vpc_id": vpc["id"],
            "region": region,
        }
        for subnet in _subnets(call.store, vpc, fields.texts("subnets"))
    ]
    network = {
        "id": network_id,
        "name": fields.text("name") or f"pn-{network_id[:8]}",
        "tags": fields.texts("tags"),
        "organization_id": project["organization_id"],
        "created_at": moment,
        "updated_at": moment,
        "project_id": project["id"],
        "subnets": subnets,
        "vpc_id": vpc["id"],
        "dhcp_enabled": True,
        "default_route_propagation_enabled": fields.flag("default_route_propagation_enabled"),
        "region": region,
    }
    return shown(call.store.put(PRIVATE_NETWORKS, network_id, network))


@routes.get(_NETWORK_RULE, "vpc.ListPrivateNetworks")
def list_private_networks(call: Call) -> Record:
    networks = call.store.all(PRIVATE_NETWORKS, region=region_of(call))
    wanted = call.query.getlist("private_network_ids")
    found = filtered(call, networks, "organization_id", "project_id", "vpc_id", contains=["name"])
    return paged(call, "private_networks", [n for n in found if not wanted or n["id"] in wanted])


@routes.get(f"{_NETWORK_RULE}/<id>", "vpc.GetPrivateNetwork")
def get_private_network(call: Call) -> Record:
    return shown(find(call, PRIVATE_NETWORKS, "private_network", call.args["id"]))


@routes.patch(f"{_NETWORK_RULE}/<id>", "vpc.UpdatePrivateNetwork")
def update_private_network(call: Call) -> Record:
    network = find(call, PRIVATE_NETWORKS, "private_network", call.args["id"])
    changes = Fields(call.body).changes(text=["name"], flags=["default_route_propagation_enabled"], lists=["tags"])
    return shown(touched(call.store, PRIVATE_NETWORKS, network, **changes))


@routes.delete(f"{_NETWORK_RULE}/<id>", "vpc.DeletePrivateNetwork")
def delete_private_network(call: Call) -> None:
    network = find(call, PRIVATE_NETWORKS, "private_network", call.args["id"])
    if call.store.all(CLUSTERS, private_network_id=network["id"]):
        raise precondition_failed("resource_still_in_use", "a Kubernetes cluster is attached to the private network")
    call.store.delete(PRIVATE_NETWORKS, network["id"])


def _subnets(store: Store, vpc: Record, asked: list[str]) -> tuple[ipaddress.IPv4Network, ipaddress.IPv6Network]:
    """The wanted subnets, and free ones for the family that was not asked for."""
    v4: ipaddress.IPv4Network | None = None
    v6: ipaddress.IPv6Network | None = None
    for text in asked:
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            raise invalid("subnets", "format", f"{text} is not a network") from None
        if isinstance(network, ipaddress.IPv4Network):
            if v4 is not None or not network.is_private or not 20 <= network.prefixlen <= 29:
                raise invalid("subnets", "constraint", "one private IPv4 subnet from /20 to /29 is allowed")
            v4 = network
        else:
            if v6 is not None or not network.is_private or network.prefixlen != 64:
                raise invalid("subnets", "constraint", "one unique local IPv6 subnet of /64 is allowed")
            v6 = network
    taken = _taken(store, vpc)
    if v4 is not None and any(v4.overlaps(t) for t in taken):
        raise invalid("subnets", "constraint", "overlaps with a subnet of the same VPC")
    if v4 is None:
        v4 = next(n for n in _POOL.subnets(new_prefix=22) if not any(n.overlaps(t) for t in taken))
    if v6 is None:
        v6 = ipaddress.IPv6Network((0xFD << 120 | secrets.randbits(56) << 64, 64))
    return v4, v6


def _taken(store: Store, vpc: Record) -> list[ipaddress.IPv4Network]:
    subnets = [s["subnet"] for n in store.all(PRIVATE_NETWORKS, vpc_id=vpc["id"]) for s in n["subnets"]]
    return [ipaddress.IPv4Network(s) for s in subnets if ":" not in s]
