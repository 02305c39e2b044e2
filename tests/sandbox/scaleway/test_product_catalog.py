"""The public product catalogue: in the shape of the recordings, by the filters that clients use, and without a key."""

from typing import Any

import pytest

from tests.fidelity.compare import compare
from tests.fidelity.mapping import Ids

PATH = "/product-catalog/v2alpha1/public-catalog/products"


def listed(api: Any, **query: Any) -> list[Any]:
    found: list[Any] = api.get(PATH, **query)["products"]
    return found


def price(product: Any) -> tuple[int, int, str]:
    money = product["price"]["retail_price"]
    assert money["currency_code"] == "EUR"
    return money["units"], money["nanos"], product["unit_of_measure"]["unit"]


def test_it_needs_no_key(api: Any) -> None:
    answer = api.client.get(f"{api.url}{PATH}", params={"api_ids": "PLAY2-NANO", "zone": "nl-ams-3"})
    assert (answer.status_code, answer.json()["total_count"]) == (200, 1)


def test_a_product_has_the_shape_of_the_recordings(api: Any) -> None:
    """PLAY2-NANO in nl-ams-3, as it was recorded on 30 July 2026."""
    (found,) = listed(api, api_ids="PLAY2-NANO", product_types="instance", zone="nl-ams-3")
    recorded = {
        "sku": "/compute/play2_nano/run_nl-ams-3",
        "service_category": "Compute",
        "product_category": "Instance",
        "product": "PLAY2-NANO",
        "variant": "PLAY2-NANO - nl-ams-3",
        "description": "PLAY2-NANO - nl-ams-3 (0.02754€ per hour)",
        "locality": {"zone": "nl-ams-3"},
        "price": {"retail_price": {"currency_code": "EUR", "units": 0, "nanos": 27540000}},
        "unit_of_measure": {"unit": "hour", "size": 1},
        "status": "general_availability",
        "badges": [],
    }
    assert {name: found[name] for name in recorded} == recorded
    assert set(found) - set(recorded) == {"properties", "environmental_impact_estimation"}
    assert found["properties"]["instance"] == {
        "range": "Development",
        "offer_id": "PLAY2-NANO",
        "recommended_replacement_offer_ids": [],
    }
    hardware = {
        "cpu": {
            "description": "AMD EPYC™ 7543 (2.8 GHz), x64, vCPUs: 2",
            "arch": "x64",
            "type": "AMD EPYC™ 7543 (2.8 GHz)",
            "virtual": {"count": 2},
            "threads": 2,
            "shared": True,
        },
        "ram": {"description": "4 GiB", "size": 4294967296, "type": "", "ecc_type": "standard"},
        "storage": {"description": "Block", "total": 0},
        "network": {
            "description": "Internal: 200 Mb/s, Public: 200 Mb/s",
            "internal_bandwidth": 200000000,
            "public_bandwidth": 200000000,
            "max_public_bandwidth": 200000000,
        },
    }
    assert compare(hardware, found["properties"]["hardware"], Ids()).differences == []


@pytest.mark.parametrize(
    ("name", "zone", "expected"),
    [
        ("DEV1-XL", "fr-par-1", (0, 65075999, "hour")),
        ("GP1-L", "pl-waw-1", (0, 774180000, "hour")),
        ("PRO2-M", "pl-waw-3", (0, 446760000, "hour")),
        ("POP2-HM-16C-128G", "fr-par-3", (1, 236000000, "hour")),
        ("L4-1-24G", "pl-waw-2", (0, 13125000, "minute")),
    ],
)
def test_prices_are_the_recorded_ones(api: Any, name: str, zone: str, expected: tuple[int, int, str]) -> None:
    (found,) = listed(api, api_ids=name, zone=zone)
    assert price(found) == expected


def test_a_retired_type_has_its_successor_and_no_hardware(api: Any) -> None:
    (found,) = listed(api, api_ids="ENT1-S", zone="fr-par-1")
    assert (found["status"], found["end_of_life_at"]) == ("retired", "2025-09-01T00:00:00Z")
    assert set(found["properties"]) == {"instance"}
    assert found["properties"]["instance"]["recommended_replacement_offer_ids"] == ["POP2-8C-32G"]


def test_filters_and_pages(api: Any) -> None:
    zones = {product["locality"]["zone"] for product in listed(api, api_ids="PLAY2-NANO", page_size=100)}
    assert len(zones) == 8
    assert "fr-par-3" not in zones
    both = listed(api, api_ids=["GP1-XS", "PLAY2-NANO"], zone="fr-par-1")
    assert {product["product"] for product in both} == {"GP1-XS", "PLAY2-NANO"}
    assert listed(api, api_ids="GP1-XS", product_types="dedibox") == []
    assert listed(api, api_ids="COPARM1-2C-8G") == []
    first = api.get(PATH, zone="fr-par-1", page_size=2)
    second = api.get(PATH, zone="fr-par-1", page_size=2, page=2)
    assert first["total_count"] == second["total_count"] > 30
    assert len({product["product"] for each in (first, second) for product in each["products"]}) == 4
