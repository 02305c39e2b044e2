"""Plans of the engine (`pulumi preview --save-plan`): what may be published of one, and whether a reviewed one still fits.

Owns the file's format as far as it is read, that no secret is in a published plan, where two plans of one stack differ in
what they would do, and what of a plan the engine can be held to (`pulumi up --plan`).

Does not own where a reviewed plan comes from (`reviewed_plan`), how differences are told (`terminal`), nor the update
(`deploy`).
Source: Pulumi, apitype.DeploymentPlanV1 and resource/deploy/plan.go, v3.259.0.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci.errors import CiError
from ci.steps import PART_OF_REPLACE, Property, Resource
from ci.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN, Mark, differences, masked, text_of

Record = dict[str, Any]

MAX_BYTES: Final = 100_000_000  # of a plan's file: some 50,000 resources
MAKE_PLAN: Final = "pulumi preview -s {stack} --save-plan {file}"
# What a goal says beside its properties; the engine refuses an update in which one of these differs.
_OPTIONS: Final = (
    "type", "custom", "parent", "protect", "dependencies", "deleteBeforeReplace", "ignoreChanges", "id", "customTimeouts",
)  # fmt: skip
# What may come of a planned operation: it may have been done before, as by a deployment that failed halfway.
_FITS: Final = {
    "create": {"create", "same"},
    "update": {"update", "same"},
    "replace": {"replace", "update", "same"},
    "delete": {"delete", ""},
    "same": {"same", ""},
    "": {"same", ""},
}


@dataclass(frozen=True, kw_only=True)
class Departure:
    """What would be done otherwise than was reviewed. `now.operation` is "" where nothing is there any more; in its
    properties, `old` is what was reviewed and `new` what there would be now.
    """

    now: Resource
    reviewed: str


@dataclass(frozen=True)
class Plan:
    """What a preview planned: of each resource (by URN) its steps and goal, without secrets."""

    resources: Mapping[str, Record]
    manifest: Mapping[str, Any]

    def operation(self, urn: str) -> str:
        """Of `ci.steps.OPERATIONS`; "same" where nothing is done, "" where the plan does not know the resource."""
        if urn not in self.resources:
            return ""
        steps = [step for step in self.resources[urn].get("steps", []) if step != "same"]
        if any(step in PART_OF_REPLACE or step == "replace" for step in steps) or {"create", "delete"} <= set(steps):
            return "replace"
        return str(steps[0]) if steps else "same"

    def written(self) -> str:
        """The file's text, as `pulumi up --plan` reads it."""
        return json.dumps({"manifest": self.manifest, "resourcePlans": self.resources})


def read_plan(file: Path, stack: str) -> Plan:
    """A plan's file without its secrets, its configuration and its states. CiError: what is wrong with the file."""
    make = f"Make it with: {MAKE_PLAN.format(stack=stack, file=file)}"
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CiError(f"{file} is larger than {MAX_BYTES:,} bytes: it is no plan of one stack. {make}")
        return parse_plan(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise CiError(f"{file} cannot be read: {error.strerror or type(error).__name__}. {make}") from None
    except UnicodeDecodeError:
        raise CiError(f"{file} is not UTF-8 text. {make}") from None


def parse_plan(text: str, origin: str) -> Plan:
    """The plan in a text; `origin` names it where it is none (CiError)."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise CiError(f"{origin} is no plan: it is not JSON, or is cut off.") from None
    plans = found.get("resourcePlans") if isinstance(found, dict) else None
    if not isinstance(plans, dict) or not all(map(_is_plan, plans.values())):
        raise CiError(f"{origin} is no plan: it holds no resourcePlans as the engine writes them.")
    manifest = found.get("manifest")
    return Plan(
        # The state is advice, and holds secrets; the configuration is what the stack's file says.
        resources={urn: {k: _without_secrets(v) for k, v in p.items() if k != "state"} for urn, p in plans.items()},
        manifest=manifest if isinstance(manifest, dict) else {},
    )


def _is_plan(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("steps", []), list):
        return False
    goal = value.get("goal", {})
    if not isinstance(goal, dict):
        return False
    diffs = (goal.get(name) or {} for name in ("inputDiff", "outputDiff"))
    known = all(
        isinstance(d, dict)
        and isinstance(d.get("adds", {}), dict)
        and isinstance(d.get("updates", {}), dict)
        and isinstance(d.get("deletes", []), list)
        for d in diffs
    )
    return known and isinstance(goal.get("propertyDependencies") or {}, dict)


def _without_secrets(value: Any) -> Any:
    """Where a secret was (encrypted, but it is in an artifact) stands what fits any value."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE or (SIGNATURE in value and value.get("secret") is True):
            return UNKNOWN
        return {key: _without_secrets(inner) for key, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


# --- does it still fit? -----------------------------------------------------------------------------------------------


def departures(reviewed: Plan, now: Plan) -> list[Departure]:
    """Where what would be done now is not what was reviewed; none when the plan fits, or when it is done already."""
    found = []
    for urn in sorted({*reviewed.resources, *now.resources}):
        before, after = reviewed.operation(urn), now.operation(urn)
        properties = tuple(_properties(reviewed.resources.get(urn, {}), now.resources.get(urn, {})))
        if after not in _FITS.get(before, {before}) or (properties and after not in ("", "delete")):
            resource = Resource(urn=urn, operation=after, properties=properties)
            found.append(Departure(now=resource, reviewed=before))
    return found


def _properties(reviewed: Record, now: Record) -> Iterator[Property]:
    before, after = reviewed.get("goal") or {}, now.get("goal") or {}
    if not after:
        return
    if before and _provider(before) != _provider(after):
        yield _property(("provider",), _provider(before), _provider(after))
    for name in _OPTIONS if before else ():
        if _normal(before.get(name)) != _normal(after.get(name)):
            yield _property((name,), before.get(name), after.get(name))
    for diff in ("inputDiff", "outputDiff"):
        planned, present = (side.get(diff) or {} for side in (before, after))
        changes = {**planned.get("adds", {}), **planned.get("updates", {})}
        for name, value in sorted({**present.get("adds", {}), **present.get("updates", {})}.items()):
            for path, old, new in differences((name,), masked(changes.get(name, Mark.ABSENT)), masked(value)):
                if Mark.UNKNOWN not in (old, new):
                    yield _property(path, old, new)
        for name in sorted({*present.get("deletes", [])} - {*planned.get("deletes", [])}):
            yield _property((str(name),), masked(changes.get(name, "(as it is)")), Mark.ABSENT)


def _provider(goal: Record) -> str:
    """The provider's URN; its id follows it, and is only known when there is one."""
    return str(goal.get("provider") or "").rpartition("::")[0]


def _property(path: tuple[str | int, ...], old: Any, new: Any) -> Property:
    kind = "add" if old is Mark.ABSENT else "delete" if new is Mark.ABSENT else "update"
    return Property(path=path, name=text_of(path), kind=kind, old=old, new=new)


def _normal(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value or None


# --- what the engine can be held to -----------------------------------------------------------------------------------


def enforceable(reviewed: Plan, now: Plan) -> Plan | None:
    """The plan as the engine can keep to it; None where it cannot.

    Where a property depends on what the update makes, its value is only known then, and a provider may make more of it
    (Helm's drops what it does not know from a release's values): any value fits there. Where the provider itself is made
    by the update, as with a new cluster, every property is like that, and the engine would stop halfway.
    """
    if any(_provider_is_new(plan) for plan in now.resources.values()):
        return None
    changed = {urn for urn in now.resources if now.operation(urn) != "same"}
    kept = {
        urn: plan
        for urn, plan in reviewed.resources.items()
        if urn in now.resources or reviewed.operation(urn) != "same"  # the engine misses what is gone
    }
    return Plan(resources={urn: _loosened(plan, changed) for urn, plan in kept.items()}, manifest=reviewed.manifest)


def _provider_is_new(plan: Record) -> bool:
    return str((plan.get("goal") or {}).get("provider", "")).endswith(f"::{UNKNOWN}")


def _loosened(plan: Record, changed: set[str]) -> Record:
    goal = plan.get("goal")
    if not goal:
        return plan
    unsure = {name for name, urns in (goal.get("propertyDependencies") or {}).items() if changed & set(urns or [])}
    diff = dict(goal.get("inputDiff") or {})
    for part in ("adds", "updates"):
        if part in diff:
            diff[part] = {name: UNKNOWN if name in unsure else value for name, value in diff[part].items()}
    return plan | {"goal": goal | {"inputDiff": diff}}
