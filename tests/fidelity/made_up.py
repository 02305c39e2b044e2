"""Made-up recordings for the harness's own tests: small, in go-vcr's form, and nobody's."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.fidelity import cassette
from tests.fidelity.cassette import Interaction

ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"
PROJECT = "aaaaaaaa-0000-4000-8000-000000000002"
VPC, NETWORK = "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
CLUSTER, POOL = "cccccccc-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000002"
DATE = "2026-06-24T12:52:02.924774Z"

VPCS = "/vpc/v2/regions/fr-par/vpcs"
CLUSTERS, POOLS = "/k8s/v1/regions/fr-par/clusters", "/k8s/v1/regions/fr-par/pools"


def interaction(method: str, path: str, answer: Any = None, code: int = 200, asked: Any = None) -> dict[str, Any]:
    """One interaction as go-vcr writes it."""
    return {
        "request": {
            "host": "api.scaleway.com",
            "body": "" if asked is None else json.dumps(asked),
            "form": {},
            "headers": {"Content-Type": ["application/json"]} if asked is not None else {},
            "url": path if "://" in path else f"https://api.scaleway.com{path}",
            "method": method,
        },
        "response": {
            "body": "" if answer is None else json.dumps(answer),
            "headers": {"Date": ["Wed, 24 Jun 2026 12:52:02 GMT"]},
            "status": f"{code} Some Words",
            "code": code,
        },
    }


def write(path: Path, *interactions: dict[str, Any], version: int = 2) -> Path:
    path.write_text(yaml.safe_dump({"version": version, "interactions": list(interactions)}))
    return path


def recording(folder: Path, *interactions: dict[str, Any]) -> list[Interaction]:
    return cassette.read(write(folder / "made-up.cassette.yaml", *interactions))


def vpc(**changes: Any) -> dict[str, Any]:
    return {
        "created_at": DATE,
        "custom_routes_propagation_enabled": True,
        "id": VPC,
        "is_default": False,
        "name": "a",
        "organization_id": ORGANIZATION,
        "private_network_count": 0,
        "project_id": PROJECT,
        "region": "fr-par",
        "routing_enabled": True,
        "tags": [],
        "transitivity_enabled": True,
        "updated_at": DATE,
    } | changes


def not_found(resource: str, resource_id: str) -> dict[str, Any]:
    return {"message": "gone", "resource": resource, "resource_id": resource_id, "type": "not_found"}


def vpc_life() -> list[dict[str, Any]]:
    """Made, read, listed among others, deleted, gone."""
    other = vpc(id="bbbbbbbb-0000-4000-8000-00000000000f", name="of somebody else", tags=["x"])
    return [
        interaction("POST", VPCS, vpc(), asked={"name": "a", "project_id": PROJECT, "tags": []}),
        interaction("GET", f"{VPCS}/{VPC}", vpc()),
        interaction("GET", f"{VPCS}?order_by=created_at_asc&page=1", {"total_count": 2, "vpcs": [other, vpc()]}),
        interaction("DELETE", f"{VPCS}/{VPC}", code=204),
        interaction("GET", f"{VPCS}/{VPC}", not_found("vpc", VPC), code=404),
    ]
