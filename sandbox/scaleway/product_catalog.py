"""Stand-in for Scaleway's Product Catalog API (v2alpha1): what is sold, where, and for how much. It asks for no key.

Owns how a product looks, after the recordings `instance/data-source-server-type-*` and
`instance/test-get-end-of-service-date` of 30 July 2026. Knows Instances only: the node types of `catalog`, and the others
that were recorded. What a server takes of the environment is left at zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.scaleway.catalog import NODE_TYPES, NodeType
from sandbox.scaleway.common import ZONES, paged
from sandbox.store import Record
from sandbox.web import Call, Routes

routes = Routes()

_NANOS = 10**9
_GIB = 2**30
_BANDWIDTH = 200_000_000
_WATER = (*ZONES["fr-par"], "nl-ams-1")  # where it was estimated


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """`kind` is None where the catalogue says nothing of the hardware any more; `price` is in EUR per `unit`."""

    name: str
    zone: str
    price: float
    kind: NodeType | None
    range: str
    cpu: str = ""
    unit: str = "hour"
    gpu: str = ""
    gpus: int = 1
    replacements: tuple[str, ...] = ()
    retired: str = ""  # the day


_RECORDED = (
    _Offer(
        name="ENT1-S",
        zone="fr-par-1",
        price=0.29,
        kind=None,
        range="General Purpose",
        replacements=("POP2-8C-32G",),
        retired="2025-09-01",
    ),
    _Offer(
        name="RENDER-S",
        zone="fr-par-1",
        price=1.221,
        kind=NodeType(10, 42, 1.221, 400),
        range="GPU",
        cpu="Intel Xeon Gold 6148 (2.4 GHz)",
        gpu="P100",
    ),
    _Offer(
        name="H100-SXM-2-80G",
        zone="fr-par-2",
        price=0.11033,
        unit="minute",
        kind=NodeType(32, 240, 6.6198),
        range="GPU",
        cpu="Intel Xeon Platinum 8452Y (2.0 GHz)",
        gpu="H100-SXM",
        gpus=2,
    ),
    _Offer(
        name="L4-1-24G",
        zone="pl-waw-2",
        price=0.013125,
        unit="minute",
        kind=NodeType(8, 48, 0.7875),
        range="GPU",
        cpu="AMD EPYC 7413 (2.65 GHz)",
        gpu="L4",
    ),
    _Offer(
        name="BASIC3-X8C-32G",
        zone="nl-ams-1",
        price=0.236797,
        kind=NodeType(8, 32, 0.236797),
        range="General Purpose",
        cpu="AMD EPYC™ 9555P (3.2 GHz)",
    ),
)
_RANGES = {"DEV1": "Development", "PLAY2": "Development", "POP2": "Specialized"}  # else General Purpose
_CPU = "AMD EPYC™ 7543 (2.8 GHz)"
_CPUS = dict.fromkeys(("DEV1", "GP1"), "AMD EPYC™ 7281 (2.1 GHz) or equivalent")  # else that one


def _offers() -> Iterator[_Offer]:
    for name, kind in NODE_TYPES.items():
        family = name.partition("-")[0]
        line, cpu = _RANGES.get(family, "General Purpose"), _CPUS.get(family, _CPU)
        for zone in (zone for zones in ZONES.values() for zone in zones):
            price = kind.price(zone)
            if price is not None:
                yield _Offer(name=name, zone=zone, price=price, kind=kind, range=line, cpu=cpu)
    yield from _RECORDED


def _product(offer: _Offer) -> Record:
    units, nanos = divmod(
        int(offer.price * _NANOS), _NANOS
    )  # cut off, as the real one does: 0.065076 is 65075999 nanos
    name, zone = f"{offer.name} - {offer.zone}", offer.zone
    place = {"fr-par-1": "par1", "nl-ams-1": "ams1"}.get(zone, zone)
    instance = {
        "range": offer.range,
        "offer_id": offer.name,
        "recommended_replacement_offer_ids": list(offer.replacements),
    }
    properties = {"instance": instance}
    product: Record = {
        "sku": f"/compute/{offer.name.lower().replace('-', '_')}/run_{place}",
        "service_category": "Compute",
        "product_category": "Instance",
        "product": offer.name,
        "variant": name,
        "description": f"{name} ({units + nanos / _NANOS:.9g}€ per {offer.unit})",
        "locality": {"zone": zone},
        "price": {"retail_price": {"currency_code": "EUR", "units": units, "nanos": nanos}},
        "properties": properties if offer.kind is None else {"hardware": _hardware(offer, offer.kind)} | properties,
        "unit_of_measure": {"unit": offer.unit, "size": 1},
        "status": "retired" if offer.retired else "general_availability",
        "badges": [],
    }
    if offer.retired:
        product["end_of_life_at"] = f"{offer.retired}T00:00:00Z"
    elif not offer.gpu:
        water = {"m3_water_usage": 0.0} if zone in _WATER else {}
        product["environmental_impact_estimation"] = {"kg_co2_equivalent": 0.0} | water
    return product


def _hardware(offer: _Offer, kind: NodeType) -> Record:
    arch = "x64" if kind.arch == "x86_64" else kind.arch
    speed = f"{_BANDWIDTH // 10**6} Mb/s"
    hardware: Record = {
        "cpu": {
            "description": f"{offer.cpu}, {arch}, vCPUs: {kind.cpu}",
            "arch": arch,
            "type": offer.cpu,
            "virtual": {"count": kind.cpu},
            "threads": kind.cpu,
            "shared": not offer.gpu and offer.range != "Specialized",
        },
        "ram": {
            "description": f"{kind.memory_gib} GiB",
            "size": kind.memory_gib * _GIB,
            "type": "",
            "ecc_type": "standard",
        },
        "storage": {"description": "Dynamic local: 1 x SSD, Block" if kind.local_gb else "Block", "total": 0},
        "network": {
            "description": f"Internal: {speed}, Public: {speed}",
            "internal_bandwidth": _BANDWIDTH,
            "public_bandwidth": _BANDWIDTH,
            "max_public_bandwidth": _BANDWIDTH,
        },
    }
    gpu = {"description": f"{offer.gpus} x {offer.gpu}", "count": offer.gpus, "type": offer.gpu}
    return hardware | ({"gpu": gpu} if offer.gpu else {})


@routes.add(
    "GET",
    "/product-catalog/v2alpha1/public-catalog/products",
    "catalog.ListPublicCatalogProducts",
    public=True,
)
def list_all(call: Call) -> Record:
    types, names, zone = call.query.getlist("product_types"), call.query.getlist("api_ids"), call.query.get("zone")
    found = [
        _product(offer)
        for offer in _offers()
        if (not types or "instance" in types) and (not names or offer.name in names) and zone in (None, offer.zone)
    ]
    return paged(call, "products", found)
