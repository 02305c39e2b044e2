"""States to be drawn: of chosen resources, and of what the program declares."""

from pathlib import Path
from typing import Any

import yaml

from graph.model import Graph, Row
from repair.resources import Resource, State

EXPECTED = Path(__file__).parents[1] / "program" / "expected"
STACK = "urn:pulumi:dev::kapsule-devops::pulumi:pulumi:Stack::kapsule-devops-dev"


def resource(name: str, type_: str = "scaleway:iam/apiKey:ApiKey", **more: Any) -> Resource:
    fields: dict[str, Any] = {"custom": True, "inputs": {}, "parent": STACK, "id": "1"}
    return Resource(urn=urn(name, type_), type=type_, **(fields | more))


def urn(name: str, type_: str = "scaleway:iam/apiKey:ApiKey") -> str:
    return f"urn:pulumi:dev::kapsule-devops::{type_}::{name}"


def component(name: str, type_: str = "kapsule-devops:scaleway:Projects", **more: Any) -> Resource:
    return resource(name, type_, custom=False, **more)


def state(*resources: Resource) -> State:
    return State(
        resources=(resource("kapsule-devops-dev", "pulumi:pulumi:Stack", custom=False), *resources), pending=()
    )


def declared(stack: str) -> State:
    """What the program declares for a stack, as a state."""
    expected = yaml.safe_load((EXPECTED / f"{stack}.yaml").read_text())["resources"]
    urns = {name: urn(name, each["type"]) for name, each in expected.items()}
    return state(
        *(
            resource(
                name,
                each["type"],
                custom=not each["type"].startswith("kapsule-devops:"),
                parent=urns.get(each["parent"], STACK),
                provider=f"{urns[each['provider']]}::id" if each.get("provider") else "",
                dependencies=tuple(urns[d] for d in each.get("depends_on", []) if d in urns),
                protect=each.get("protect", False),
            )
            for name, each in expected.items()
        )
    )


def rows(graph: Graph) -> list[Row]:
    return [row for frame in graph.frames for section in frame.sections for row in section.rows]
