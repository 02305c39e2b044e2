"""Plans of the engine (`pulumi preview --save-plan`): what may be published of one, and whether a reviewed one still fits.

Owns the file's format as far as it is read, that no secret is in a published plan, where two plans of one stack differ in
what they would do, and what of a plan the engine can be held to (`pulumi up --plan`).

Does not own where a reviewed plan comes from (`reviewed_plan`), how differences are told (`terminal`), nor the update
(`deploy`).
Source: Pulumi, apitype.DeploymentPlanV1 and resource/deploy/plan.go, v3.259.0.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci.errors import CiError
from ci.files import UnusableError, opened
from ci.redaction import SECRET_TEXT, Redactor
from ci.steps import PART_OF_REPLACE, Property, Resource
from ci.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN, Mark, differences, masked, secret_by_name, text_of

Record = dict[str, Any]

MAX_BYTES: Final = 100_000_000  # of a plan's file: some 50,000 resources
MAKE_PLAN: Final = "pulumi preview -s {stack} --save-plan {file}"
MAX_DEPTH: Final = 100  # of objects and lists in each other: what is deeper, no engine has written
_DIFFS = ("inputDiff", "outputDiff")
_CHANGES = ("adds", "updates")
# What a goal says beside its properties, and is reviewed with them.
_OPTIONS: Final = (
    "type", "custom", "parent", "protect", "dependencies", "deleteBeforeReplace", "ignoreChanges", "id", "customTimeouts",
)  # fmt: skip
_NOTHING = frozenset({"same", "remove-pending-replace"})  # of the latter, only the state forgets something
# What may come of a planned operation: it may have been done before, as by a deployment that failed halfway.
_FITS: Final = {
    "create": {"create", "same"},
    "update": {"update", "same"},
    "replace": {"replace", "update", "same"},
    "delete": {"delete", ""},
    "import": {"import", "same"},
    "discard": {"discard", ""},
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
        steps = [step for step in self.resources[urn].get("steps", []) if step not in _NOTHING]
        if any(step in PART_OF_REPLACE or step == "replace" for step in steps) or {"create", "delete"} <= set(steps):
            return "replace"
        return str(steps[0]) if steps else "same"

    def written(self) -> str:
        """The file's text, as `pulumi up --plan` reads it."""
        return json.dumps({"manifest": self.manifest, "resourcePlans": self.resources})

    def without(self, redactor: Redactor) -> "Plan":
        """The plan with no text in which the redactor finds a secret, as where a program has forgotten to mark one."""

        def hidden(_name: str, value: Any) -> Any:
            return _replaced(value, lambda text: SECRET_TEXT in redactor.text(text))

        plans = {urn: _with_values(plan, hidden) for urn, plan in self.resources.items()}
        return Plan(resources=plans, manifest=self.manifest)


def read_plan(file: Path, stack: str) -> Plan:
    """A plan's file without its secrets, its configuration and its states. CiError: what is wrong, and how to make one."""
    make = f"Make it with: {MAKE_PLAN.format(stack=stack, file=file)}"
    try:
        with opened(file, MAX_BYTES) as stream:
            text = stream.read()
    except UnusableError as error:
        raise CiError(f"{file} {error}. {make}") from None
    return parse_plan(text, str(file), make)


def parse_plan(text: str, origin: str, fix: str) -> Plan:
    """The plan in a text; where it is none, `origin` names it and `fix` says how to go on (CiError)."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise CiError(f"{origin} is no plan: it is not JSON, or is cut off. {fix}") from None
    given = found if isinstance(found, dict) else {}
    try:
        # The state is advice, and holds secrets; the configuration is what the stack's file says.
        plans = _replaced(_without_states(given.get("resourcePlans")), room=MAX_DEPTH + 1)
        manifest = _replaced(given.get("manifest"))
    except RecursionError:
        raise CiError(f"{origin} is no plan: it is nested too deeply. {fix}") from None
    # Only now: what is marked as a secret has become a text, also where the engine writes an object.
    if not isinstance(plans, dict) or not all(map(_is_plan, plans.values())):
        raise CiError(f"{origin} is no plan: it holds no resourcePlans as the engine writes them. {fix}")
    return Plan(resources=plans, manifest=manifest if isinstance(manifest, dict) else {})


def _without_states(plans: Any) -> Any:
    if not isinstance(plans, dict):
        return plans
    return {urn: {k: v for k, v in p.items() if k != "state"} if isinstance(p, dict) else p for urn, p in plans.items()}


def _is_plan(value: Any) -> bool:
    """Whether a resource's plan has the engine's form, as far as it is read here."""
    if not isinstance(value, dict) or not _texts(value.get("steps", [])):
        return False
    goal = value.get("goal", {})
    if not isinstance(goal, dict):
        return False
    diffs = [goal.get(name) or {} for name in _DIFFS]
    sources = goal.get("propertyDependencies") or {}
    return (
        all(isinstance(d, dict) and _texts(d.get("deletes", [])) for d in diffs)
        and all(isinstance(d.get(part, {}), dict) for d in diffs for part in _CHANGES)
        and isinstance(sources, dict)
        and all(urns is None or _texts(urns) for urns in sources.values())
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _replaced(value: Any, also: Callable[[str], bool] = lambda _: False, room: int = MAX_DEPTH) -> Any:
    """The value; where a secret was (encrypted, but it is in an artifact), stands what fits any value."""
    if not room:
        raise RecursionError
    if isinstance(value, dict):
        if SIGNATURE in value and (value[SIGNATURE] == SECRET_SIGNATURE or value.get("secret") is True):
            return UNKNOWN
        return {k: UNKNOWN if secret_by_name(value, k) else _replaced(v, also, room - 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, also, room - 1) for inner in value]
    return UNKNOWN if isinstance(value, str) and (SECRET_SIGNATURE in value or also(value)) else value


def _with_values(plan: Record, of: Callable[[str, Any], Any]) -> Record:
    """The resource's plan with other values of the properties that change."""
    goal = plan.get("goal") or {}
    diffs = {
        name: goal[name]
        | {part: {k: of(k, v) for k, v in goal[name][part].items()} for part in _CHANGES if part in goal[name]}
        for name in _DIFFS
        if goal.get(name)
    }
    return plan | {"goal": goal | diffs} if diffs else plan


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
    for diff in _DIFFS:
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
    return (sorted(set(map(str, value))) if isinstance(value, list) else value) or None


# --- what the engine can be held to -----------------------------------------------------------------------------------


def enforceable(now: Plan) -> Plan | None:
    """What would be done now, and has been found to fit (`departures`), as the engine can keep to it; None where it cannot.

    Not the reviewed plan itself: where a part of that is done already, the engine would miss its steps and fail.

    Where a property depends on what the update makes, its value is only known then, and a provider may make more of it
    (Helm's drops what it does not know from a release's values): any value fits there. Where the provider itself is made
    by the update, as with a new cluster, every property is like that, and the engine would stop halfway.
    """
    if any(_provider_is_new(plan) for plan in now.resources.values()):
        return None
    changed = {urn for urn in now.resources if now.operation(urn) != "same"}
    return Plan(resources={urn: _loosened(plan, changed) for urn, plan in now.resources.items()}, manifest=now.manifest)


def _provider_is_new(plan: Record) -> bool:
    return str((plan.get("goal") or {}).get("provider", "")).endswith(f"::{UNKNOWN}")


def _loosened(plan: Record, changed: set[str]) -> Record:
    sources = (plan.get("goal") or {}).get("propertyDependencies") or {}
    unsure = {name for name, urns in sources.items() if changed & set(urns or [])}
    return _with_values(plan, lambda name, value: UNKNOWN if name in unsure else value)
