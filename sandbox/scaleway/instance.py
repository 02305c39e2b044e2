"""Stand-in for Scaleway's Instance API (v1): the list of server types.

Owns the one route that the provider asks before it creates a pool, to check the root volume. Does not own servers.
"""

from sandbox.scaleway.catalog import NODE_TYPES, NodeType
from sandbox.scaleway.common import ZONES, not_found, query_number
from sandbox.web import Call, Reply, Routes

routes = Routes()

_GB, _GIB = 10**9, 2**30
_BANDWIDTH = 200_000_000


def _shown(kind: NodeType) -> dict[str, object]:
    local = {"min_size": 0, "max_size": kind.local_gb * _GB}
    return {
        "alt_names": [],
        "arch": kind.arch,
        "ncpus": kind.cpu,
        "ram": kind.memory_gib * _GIB,
        "gpu": 0,
        "gpu_info": None,
        "volumes_constraint": local,
        "per_volume_constraint": {"l_ssd": local},
        "scratch_storage_max_size": None,
        "scratch_storage_max_volumes_count": 0,
        "baremetal": False,
        "monthly_price": 0.0,
        "hourly_price": 0.0,
        "capabilities": {"boot_types": ["local", "rescue"], "block_storage": True, "max_file_systems": 0},
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
    page = sorted(NODE_TYPES)[start : start + size]
    servers = {name: _shown(NODE_TYPES[name]) for name in page}
    return Reply(body={"servers": servers}, headers={"X-Total-Count": str(len(NODE_TYPES))})
