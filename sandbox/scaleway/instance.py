"""Stand-in for Scaleway's Instance API (v1): the list of server types.

Owns the one route that the provider asks before it creates a pool, to check the root volume. Does not own servers.
"""

from sandbox.scaleway.catalog import NODE_TYPES, NodeType
from sandbox.scaleway.common import ZONES, not_found, query_number
from sandbox.web import Call, Reply, Routes

routes = Routes()

_GB, _GIB = 10**9, 2**30
_BANDWIDTH = 200_000_000
_HOURS = 730  # a month has, for a price


def _shown(kind: NodeType, hourly: float) -> dict[str, object]:
    local = {"min_size": 0, "max_size": kind.local_gb * _GB}
    return {
        "alt_names": [],
        "arch": kind.arch,
        "ncpus": kind.cpu,
        "ram": kind.memory_gib * _GIB,
        "gpu": 0,
        "gpu_info": None,
        "mig_profile": None,
        "volumes_constraint": local,
        "per_volume_constraint": {"l_ssd": local},
        "scratch_storage_max_size": 0,
        "scratch_storage_max_volumes_count": 0,
        "monthly_price": round(hourly * _HOURS, 5),
        "hourly_price": hourly,
        "capabilities": {
            "boot_types": ["local", "rescue"],
            "placement_groups": True,
            "block_storage": True,
            "hot_snapshots_local_volume": kind.local_gb > 0,
            "private_network": 8,
            "max_file_systems": 0,
        },
        "network": {
            "interfaces": [{"internal_bandwidth": None, "internet_bandwidth": _BANDWIDTH}],
            "sum_internal_bandwidth": _BANDWIDTH,
            "sum_internet_bandwidth": _BANDWIDTH,
            "ipv6_support": True,
        },
        "block_bandwidth": _BANDWIDTH,
        "end_of_service": False,
    }


@routes.get("/instance/v1/zones/<zone>/products/servers", "instance.ListServersTypes")
def list_types(call: Call) -> Reply:
    """This API counts in a header and pages by `per_page`."""
    if not any(call.args["zone"] in zones for zones in ZONES.values()):
        raise not_found("zone", call.args["zone"])
    size = query_number(call, "per_page", 50, maximum=100)
    start = (query_number(call, "page", 1, maximum=1_000_000) - 1) * size
    prices = {name: kind.price(call.args["zone"]) for name, kind in sorted(NODE_TYPES.items())}
    sold = {name: _shown(NODE_TYPES[name], price) for name, price in prices.items() if price is not None}
    servers = dict(list(sold.items())[start : start + size])
    return Reply(body={"servers": servers}, headers={"X-Total-Count": str(len(sold))})
