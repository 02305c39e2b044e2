"""Stand-in for Scaleway's IPAM API (v1): the list of addresses.

Owns the addresses of nodes in their cluster's private network, which the provider reads to fill a pool's `nodes`. Does
not own reserving an address: nothing in the sandbox asks for that.
"""

import ipaddress
import secrets

from sandbox.scaleway.common import filtered, new_id, now, paged, query_flag, region_of
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

IPS = "scaleway.ipam.ips"

routes = Routes()


def add_addresses(store: Store, network: Record, name: str) -> None:
    """Gives the network interface called `name` one address in each subnet of the private network."""
    interface = {
        "type": "instance_private_nic",
        "id": new_id(),
        "mac_address": "02:00:00:" + ":".join(f"{secrets.randbelow(256):02X}" for _ in range(3)),
        "name": name,
    }
    for subnet in network["subnets"]:
        moment, block = now(), ipaddress.ip_network(subnet["subnet"])
        ip = {
            "id": new_id(),
            "address": f"{_free(store, subnet['id'], block)}/{block.prefixlen}",
            "project_id": network["project_id"],
            "is_ipv6": block.version == 6,
            "created_at": moment,
            "updated_at": moment,
            "source": {"subnet_id": subnet["id"]},
            "resource": interface,
            "tags": [],
            "reverses": [],
            "region": network["region"],
            "zone": None,
            "_resource_name": name,
            "_subnet_id": subnet["id"],
            "_private_network_id": network["id"],
        }
        store.put(IPS, ip["id"], ip)


def remove_addresses(store: Store, name: str) -> None:
    for ip in store.all(IPS, _resource_name=name):
        store.delete(IPS, ip["id"])


def _free(store: Store, subnet_id: str, block: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    if isinstance(block, ipaddress.IPv6Network):
        return str(block[secrets.randbits(64)])
    taken = {ip["address"].partition("/")[0] for ip in store.all(IPS, _subnet_id=subnet_id)}
    first = 2  # after the network's own address and its gateway's
    return next(str(block[n]) for n in range(first, block.num_addresses) if str(block[n]) not in taken)


@routes.get("/ipam/v1/regions/<region>/ips", "ipam.ListIPs")
def list_all(call: Call) -> Record:
    ips = filtered(call, call.store.all(IPS, region=region_of(call)), "project_id")
    wanted = {
        "_resource_name": call.query.get("resource_name"),
        "_subnet_id": call.query.get("subnet_id"),
        "_private_network_id": call.query.get("private_network_id"),
    }
    for name, value in wanted.items():
        ips = [ip for ip in ips if value is None or ip[name] == value]
    for name in ("type", "id", "mac_address"):
        value = call.query.get("mac_address" if name == "mac_address" else f"resource_{name}", "")
        ips = [ip for ip in ips if not value or value.startswith("unknown") or ip["resource"][name] == value]
    is_ipv6 = query_flag(call, "is_ipv6")
    return paged(call, "ips", [ip for ip in ips if is_ipv6 is None or ip["is_ipv6"] is is_ipv6])
