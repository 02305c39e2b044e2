"""Stand-in for Scaleway's Instance API (v1): the servers that are nodes of Kubernetes clusters.

Owns how such a server looks, in the words of the recordings. Each node's `provider_id` names one, so it must be there. Does
not own any other server: none can be made, and these come and go with their nodes (`k8s_nodes`).
"""

import uuid
from typing import Any

from sandbox.scaleway.catalog import NODE_TYPES
from sandbox.scaleway.common import CLUSTERS, find, not_found
from sandbox.scaleway.ipam import IPS
from sandbox.scaleway.k8s_nodes import NODES, commercial_type, server_of
from sandbox.scaleway.k8s_state import POOLS
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

routes = Routes()

# Scaleway's own organization, which owns the image of nodes: an id of ours, because nothing may depend on it.
_SCALEWAY = "00000000-0000-4000-8000-000000000000"


def node_of(store: Store, server_id: str, zone: str) -> Record | None:
    provider_id = f"scaleway://instance/{zone}/{server_id}"
    return next(iter(store.all(NODES, provider_id=provider_id)), None)


@routes.get("/instance/v1/zones/<zone>/servers/<server_id>", "instance.GetServer")
def get(call: Call) -> Record:
    zone, server_id = call.args["zone"], call.args["server_id"]
    node = node_of(call.store, server_id, zone)
    if node is None:
        raise not_found("instance_server", server_id)
    return {"server": _server(call, node)}


def _server(call: Call, node: Record) -> Record:
    pool = call.store.get(POOLS, node["pool_id"])
    cluster = find(call, CLUSTERS, "cluster", node["cluster_id"])
    assert pool is not None, "a node never outlives its pool"
    zone, server_id, kind = pool["zone"], server_of(node), commercial_type(pool["node_type"])
    arch, ips = NODE_TYPES[kind].arch, _public_ips(node, server_id)
    return {
        "id": server_id,
        "name": node["name"],
        "arch": arch,
        "commercial_type": kind,
        "boot_type": "local",
        "organization": cluster["organization_id"],
        "project": cluster["project_id"],
        "hostname": node["name"],
        "image": _image(arch, zone),
        "volumes": {
            "0": {
                "boot": True,
                "volume_type": "sbs_volume",
                "id": _id(server_id, "volume"),
                "state": "available",
                "zone": zone,
            }
        },
        "tags": _tags(pool, node),
        "state": "running",
        "protected": False,
        "state_detail": "booting kernel",
        "public_ip": ips[0] if ips else None,
        "public_ips": ips,
        "mac_address": "de:00:00:00:00:01",
        "routed_ip_enabled": True,
        "ipv6": None,
        "extra_networks": [],
        "dynamic_ip_required": False,
        "enable_ipv6": False,
        "private_ip": None,
        "creation_date": _date(node["created_at"]),
        "modification_date": _date(node["created_at"]),
        "bootscript": None,
        "security_group": {"id": pool["security_group_id"], "name": "Kapsule default security group"},
        "location": {
            "zone_id": zone,
            "platform_id": "14",
            "cluster_id": "1",
            "hypervisor_id": "1",
            "node_id": "1",
        },
        "maintenances": [],
        "allowed_actions": ["poweroff", "terminate", "reboot", "stop_in_place", "backup"],
        "placement_group": None,
        "private_nics": _private_nics(call.store, node, cluster, zone),
        "zone": zone,
        "filesystems": [],
        "end_of_service": False,
        "dns": f"{server_id}.pub.instances.scw.cloud",
    }


def _image(arch: str, zone: str) -> Record:
    moment = "2026-01-07T13:09:03.361333+00:00"
    return {
        "id": _id(zone, arch, "image"),
        "name": "k8s_base_node_instance",
        "organization": _SCALEWAY,
        "project": _SCALEWAY,
        "root_volume": {"volume_type": "sbs_snapshot", "id": _id(zone, arch, "snapshot"), "size": 0, "name": ""},
        "extra_volumes": {},
        "public": True,
        "arch": arch,
        "creation_date": moment,
        "modification_date": moment,
        "default_bootscript": None,
        "from_server": "",
        "state": "available",
        "tags": [],
        "zone": zone,
    }


def _tags(pool: Record, node: Record) -> list[str]:
    first = [f"kapsule={node['cluster_id']}", f"pool={pool['id']}", f"pool-name={pool['name']}"]
    first += [f"runtime={pool['container_runtime']}", "managed=true"]
    return [*first, *pool["tags"], f"node={node['id']}"]


def _public_ips(node: Record, server_id: str) -> list[Record]:
    """One of each family, as every Instance with a public address has; none in a pool without them."""
    if node["public_ip_v4"] is None:
        return []

    def ip(address: str, family: str, gateway: str, netmask: str, mode: str) -> dict[str, Any]:
        return {
            "id": _id(server_id, family),
            "address": address,
            "dynamic": False,
            "gateway": gateway,
            "netmask": netmask,
            "family": family,
            "provisioning_mode": mode,
            "tags": [f"kapsule={node['cluster_id']}", f"node-name={node['name']}"],
            "state": "attached",
            "ipam_id": _id(server_id, family),
        }

    # 2001:db8::/32, as the node's IPv4 address, is a block that is for documentation.
    v6 = f"2001:db8::{uuid.UUID(server_id).int & 0xFFFF:x}"
    return [
        ip(node["public_ip_v4"], "inet", "203.0.113.254", "32", "dhcp"),
        ip(v6, "inet6", "fe80::1", "64", "slaac"),
    ]


def _private_nics(store: Store, node: Record, cluster: Record, zone: str) -> list[Record]:
    ips = store.all(IPS, _resource_name=node["name"])
    if not ips:
        return []
    nic = ips[0]["resource"]
    return [
        {
            "id": nic["id"],
            "private_network_id": cluster["private_network_id"],
            "server_id": server_of(node),
            "mac_address": nic["mac_address"].lower(),
            "state": "available",
            "creation_date": _date(node["created_at"]),
            "modification_date": _date(node["created_at"]),
            "zone": zone,
            "tags": [],
            "ipam_ip_ids": [ip["id"] for ip in ips],
        }
    ]


def _id(*parts: str) -> str:
    """An id that stays the same without a record."""
    return str(uuid.uuid5(uuid.UUID(_SCALEWAY), "/".join(parts)))


def _date(moment: str) -> str:
    """This API writes the offset in digits."""
    return moment.replace("Z", "+00:00")
