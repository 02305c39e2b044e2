"""The resources of a stack as the engine tells them: of a preview, which knows what is still to be made, or of the state.

Owns reading both. Values that are not known yet, or secret, count as not there: nobody can look for a thing by them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ci.steps import PART_OF_REPLACE
from ci.values import SIGNATURE, UNKNOWN_VALUES

Record = dict[str, Any]
Inputs = Mapping[str, Any]
_CHANGES_NOTHING = frozenset({"same", "read"})


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. `id` is empty where it is still to be made; `provider` is its provider's URN and id.

    `field_manager` is by which name the state has set the fields of an object in the cluster.
    `operation` is what the next update does with it: create, same, update, replace, delete, or another of the engine's.
    `dependencies` are the URNs of what must be there before it; `protect` keeps it from being deleted.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Inputs
    parent: str = ""
    provider: str = ""
    operation: str = "same"
    field_manager: str = ""
    dependencies: tuple[str, ...] = ()
    protect: bool = False

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def made(self) -> bool:
        """Whether the state holds it."""
        return bool(self.id)


@dataclass(frozen=True, kw_only=True)
class State:
    """What a stack's state holds; `pending` are the URNs of what an update that was cut off had begun.

    `written` is when the engine wrote it (RFC 3339, "" where it does not say): an import keeps what the file says.
    """

    resources: tuple[Resource, ...]
    pending: tuple[str, ...]
    written: str = ""

    @property
    def urns(self) -> frozenset[str]:
        return frozenset(r.urn for r in self.resources)


def of_preview(document: Record) -> list[Resource]:
    """Every resource of `pulumi preview --json`, by URN once: as it is, or as it is to be made."""
    found: dict[str, Resource] = {}
    asked: set[str] = set()  # with --refresh: of what stays the same, nothing else is told
    for step in document.get("steps") or []:
        operation, old, new = step.get("op", ""), step.get("oldState"), step.get("newState")
        # A replacement is told as up to three operations.
        operation = "replace" if operation in PART_OF_REPLACE else operation
        if operation == "create" and new:
            found[step["urn"]] = _resource(new, "create")
        elif old and operation == "refresh":
            asked.add(step["urn"])
            found.setdefault(step["urn"], _resource(old, "same"))
        elif old and (step["urn"] not in found or step["urn"] in asked):
            asked.discard(step["urn"])
            found[step["urn"]] = _resource(old, operation)
    return list(found.values())


def gone(document: Record) -> list[str]:
    """The URNs that `pulumi preview --refresh --json` looked for in vain, and would make anew."""
    operations: dict[str, set[str]] = {}
    for step in document.get("steps") or []:
        operations.setdefault(step["urn"], set()).add(step.get("op", ""))
    return sorted(urn for urn, each in operations.items() if {"refresh", "create"} <= each)


def last_change(history: Sequence[Record]) -> str:
    """When the newest update that changed something began, of `pulumi stack history --json` (newest first); "" if none."""
    for entry in history:
        counts = entry.get("resourceChanges") or {}
        if any(n and operation not in _CHANGES_NOTHING for operation, n in counts.items()):
            return str(entry.get("startTime") or "")
    return ""


def is_older(written: str, changed: str) -> bool:
    """Whether a state was written before the last update that changed something began. Unknown times are not older."""
    try:
        return datetime.fromisoformat(written) < datetime.fromisoformat(changed)
    except (ValueError, TypeError):
        return False


def of_export(document: Record) -> State:
    """What `pulumi stack export` tells."""
    deployment = document.get("deployment") or {}
    return State(
        # What is to be deleted still, after it was replaced, has the URN of what came in its place.
        resources=tuple(_resource(each, "same") for each in deployment.get("resources") or []),
        pending=tuple(each["resource"]["urn"] for each in deployment.get("pending_operations") or []),
        written=str((deployment.get("manifest") or {}).get("time") or ""),
    )


def known(inputs: Inputs, *names: str) -> bool:
    """Whether every one of these is there to look by."""
    return all(inputs.get(name) not in (None, "", "[secret]", *UNKNOWN_VALUES) for name in names)


def _resource(state: Record, operation: str) -> Resource:
    return Resource(
        urn=state["urn"],
        type=state["type"],
        custom=bool(state.get("custom")),
        id="" if operation == "create" else str(state.get("id") or ""),
        inputs=dict(_plain(state.get("inputs") or {})),
        parent=state.get("parent") or "",
        provider=state.get("provider") or "",
        operation=operation,
        field_manager="" if operation == "create" else str((state.get("outputs") or {}).get("__fieldManager") or ""),
        dependencies=tuple(state.get("dependencies") or ()),
        protect=bool(state.get("protect")),
    )


def _plain(inputs: Record) -> Iterator[tuple[str, Any]]:
    """Without what the state holds encrypted."""
    for name, value in inputs.items():
        if not (isinstance(value, dict) and SIGNATURE in value):
            yield name, value
