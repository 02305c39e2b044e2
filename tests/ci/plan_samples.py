"""Plans as the engine writes them, made in a test: resources by name, each with its steps and its goal."""

import json
from typing import Any

from ci.plans import Plan, parse_plan
from tests.ci.conftest import PREFIX

TYPE = "kubernetes:core/v1:ConfigMap"
PROVIDER = f"{PREFIX}pulumi:providers:kubernetes::cluster"
MANIFEST = {"time": "2026-11-23T22:21:15Z", "magic": "ab35920a", "version": "v3.259.0"}


def urn(name: str) -> str:
    return f"{PREFIX}{TYPE}::{name}"


def planned(
    *steps: str, adds: Any = None, updates: Any = None, deletes: Any = None, outputs: Any = None, **goal: Any
) -> dict[str, Any]:
    """One resource: what is done to it, which properties change, and what else its goal says."""
    parts = {"adds": adds, "updates": updates, "deletes": deletes}
    whole = {
        "type": TYPE,
        "custom": True,
        "inputDiff": {k: v for k, v in parts.items() if v is not None},
        "outputDiff": outputs or {},
        "protect": False,
        "provider": f"{PROVIDER}::0e1c",
        "customTimeouts": {},
    }
    return {"goal": whole | goal, "steps": list(steps), "state": {"kept": "by the engine"}, "seed": "c2VlZA=="}


DELETED: dict[str, Any] = {"steps": ["delete"], "state": None}  # it has no goal


def text_of_plan(**resources: Any) -> str:
    plans = {urn(name): resource for name, resource in resources.items()}
    return json.dumps({"manifest": MANIFEST, "config": {"p:a": {"value": "configured"}}, "resourcePlans": plans})


def plan_of(**resources: Any) -> Plan:
    return parse_plan(text_of_plan(**resources), "plan.json", "Fix: make another.")
