"""Stand-in for Scaleway's VPC API (v2): custom routes, and the access rules between a VPC's private networks.

Owns their records, by the types of Scaleway's SDK. Does not route nor filter anything: the sandbox's clusters all run on one
machine. Does not own the routes that each private network brings by itself: only those that somebody made are listed.
"""

import ipaddress

from sandbox.scaleway.common import (
    PRIVATE_NETWORKS,
    VPCS,
    Fields,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    query_flag,
    region_of,
    shown,
    touched,
)
from sandbox.scaleway.vpc import ACCESS, CUSTOM_ROUTES
from sandbox.store import Record
from sandbox.web import Call, Routes

routes = Routes()

_RULE = "/vpc/v2/regions/<region>/routes"
_ACL_RULE = "/vpc/v2/regions/<region>/vpcs/<id>/acl-rules"
_NEXTHOPS = ("nexthop_resource_id", "nexthop_private_network_id", "nexthop_vpc_connector_id")
_PROTOCOLS, _ACTIONS = ("ANY", "TCP", "UDP", "ICMP"), ("accept", "drop")


def _network(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise invalid(name, "format", f"{text} is not a network") from None


def _nexthops(call: Call, fields: Fields) -> Record:
    found = {name: fields.optional(name) for name in _NEXTHOPS}
    if network_id := found["nexthop_private_network_id"]:
        find(call, PRIVATE_NETWORKS, "private_network", network_id)
    return found


@routes.post(_RULE, "vpc.CreateRoute")
def create(call: Call) -> Record:
    fields, region, moment = Fields(call.body), region_of(call), now()
    vpc = find(call, VPCS, "vpc", fields.required("vpc_id"))
    route = {
        "id": new_id(),
        "description": fields.text("description"),
        "tags": fields.texts("tags"),
        "vpc_id": vpc["id"],
        "destination": _network("destination", fields.required("destination")),
        **_nexthops(call, fields),
        "created_at": moment,
        "updated_at": moment,
        "is_read_only": False,
        "type": "custom",
        "region": region,
    }
    return shown(call.store.put(CUSTOM_ROUTES, route["id"], route))


@routes.get(_RULE, "vpc.ListRoutes")
def list_all(call: Call) -> Record:
    found = call.store.all(CUSTOM_ROUTES, region=region_of(call))
    return paged(call, "routes", filtered(call, found, "vpc_id", *_NEXTHOPS, "type"))


@routes.get(f"{_RULE}/<id>", "vpc.GetRoute")
def get(call: Call) -> Record:
    return shown(_route(call))


@routes.patch(f"{_RULE}/<id>", "vpc.UpdateRoute")
def update(call: Call) -> Record:
    route, fields = _route(call), Fields(call.body)
    changes = fields.changes(text=["description"], lists=["tags"])
    if fields.given("destination"):
        changes["destination"] = _network("destination", fields.text("destination"))
    wanted = _nexthops(call, fields)
    if any(wanted.values()):
        changes |= wanted
    return shown(touched(call.store, CUSTOM_ROUTES, route, **changes))


@routes.delete(f"{_RULE}/<id>", "vpc.DeleteRoute")
def delete(call: Call) -> None:
    call.store.delete(CUSTOM_ROUTES, _route(call)["id"])


def _route(call: Call) -> Record:
    return find(call, CUSTOM_ROUTES, "route", call.args["id"])


# Access rules: one list for each family of addresses, replaced as a whole.


@routes.get(_ACL_RULE, "vpc.GetACL")
def get_acl(call: Call) -> Record:
    vpc, is_ipv6 = find(call, VPCS, "vpc", call.args["id"]), bool(query_flag(call, "is_ipv6"))
    found = call.store.get(ACCESS, f"{vpc['id']}/{is_ipv6}")
    return shown(found or {"rules": [], "default_policy": "accept"})


@routes.put(_ACL_RULE, "vpc.SetACL")
def set_acl(call: Call) -> Record:
    vpc, fields = find(call, VPCS, "vpc", call.args["id"]), Fields(call.body)
    policy = fields.text("default_policy")
    if policy not in _ACTIONS:
        raise invalid("default_policy", "constraint", f"must be one of {', '.join(_ACTIONS)}")
    acl = {"rules": [_acl_rule(rule) for rule in fields.all_nested("rules")], "default_policy": policy}
    call.store.put(ACCESS, f"{vpc['id']}/{fields.flag('is_ipv6')}", acl | {"_vpc_id": vpc["id"]})
    return acl


def _acl_rule(fields: Fields) -> Record:
    protocol, action = fields.text("protocol") or "ANY", fields.required("action")
    if protocol not in _PROTOCOLS:
        raise invalid("protocol", "constraint", f"must be one of {', '.join(_PROTOCOLS)}")
    if action not in _ACTIONS:
        raise invalid("action", "constraint", f"must be one of {', '.join(_ACTIONS)}")
    return {
        "protocol": protocol,
        "source": _network("source", fields.required("source")),
        "src_port_low": fields.number("src_port_low"),
        "src_port_high": fields.number("src_port_high"),
        "destination": _network("destination", fields.required("destination")),
        "dst_port_low": fields.number("dst_port_low"),
        "dst_port_high": fields.number("dst_port_high"),
        "action": action,
        "description": fields.text("description"),
    }
