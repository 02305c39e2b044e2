"""Made-up resources and kinds for the tests of `repair`."""

from collections.abc import Iterable
from typing import Any

from ci.values import UNKNOWN
from repair.kinds import Found, Kind
from repair.resources import Resource

URN = "urn:pulumi:dev::kapsule-devops::"
PROVIDER = f"{URN}pulumi:providers:scaleway::default_1_56_1_github_/api.github.com/pulumiverse"
VPC, KEY = "scaleway:network/vpc:Vpc", "scaleway:iam/apiKey:ApiKey"
COMPONENT = f"{URN}kapsule-devops:scaleway:Network::network"
ROOT = f"{URN}pulumi:pulumi:Stack::kapsule-devops-dev"

__all__ = ["COMPONENT", "KEY", "KINDS", "NETWORK", "PROVIDER", "ROOT", "UNKNOWN", "URN", "VPC", "resource", "step"]
NETWORK = Resource(
    urn=COMPONENT, type="kapsule-devops:scaleway:Network", custom=False, inputs={}, parent=ROOT, operation="create"
)


def _finds(*_: object) -> Iterable[Found]:
    raise AssertionError("the test says what is found")


def _removes(*_: object) -> None:
    raise AssertionError("nothing is removed here")


KINDS = {
    VPC: Kind(noun="VPC", needs=("name", "projectId"), find=_finds, remove=_removes),
    KEY: Kind(noun="API key", needs=("applicationId",), find=_finds, remove=_removes, adoptable=False),
}


def resource(name: str, type_: str = VPC, id_: str = "", **inputs: Any) -> Resource:
    given = {"name": name, "projectId": "p"} if type_ == VPC else {"applicationId": "a"}
    return Resource(
        urn=f"{URN}kapsule-devops:scaleway:Network${type_}::{name}",
        type=type_,
        custom=True,
        id=id_,
        inputs=given | inputs,
        parent=COMPONENT,
        provider=f"{PROVIDER}::id",
        operation="same" if id_ else "create",
    )


def step(operation: str, name: str, type_: str = VPC, id_: str = "", **inputs: Any) -> dict[str, Any]:
    """As `pulumi preview --json` has it."""
    of = resource(name, type_, id_, **inputs)
    state: dict[str, Any] = {
        "urn": of.urn,
        "type": of.type,
        "custom": True,
        "inputs": dict(of.inputs),
        "parent": of.parent,
        "provider": of.provider,
    } | ({"id": id_} if id_ else {})
    states = {"newState": state} if operation == "create" else {"oldState": state, "newState": state}
    return {"op": operation, "urn": of.urn, **states}
