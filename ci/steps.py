"""What the steps of a preview say of each resource: from either format to the same frozen data, merged by resource.

Owns which operations are one (a replacement is up to three steps), which properties changed and from what to what, what a
refresh found changed outside the program, and the order of all.

Does not own the formats around the steps (`previews`) nor any wording.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ci.values import (
    OUTPUT_SIGNATURE,
    SECRET_SIGNATURE,
    Mark,
    Path,
    differences,
    holds_secret,
    lookup,
    path_of,
    plain_secrets,
    text_of,
)

Record = Mapping[str, Any]

# In the order in which they are told: what may lose data first.
OPERATIONS: Final = ("replace", "delete", "update", "create", "import", "read", "discard")
COUNTED: Final = ("create", "update", "replace", "delete", "same", "refresh", "import", "read")
PART_OF_REPLACE: Final = frozenset(
    {"create-replacement", "delete-replaced", "import-replacement", "remove-pending-replace"}
)
_SAME_AS = {"read-replacement": "read", "discard-replaced": "discard", "read-discard": "discard"}
_MAX_COUNT = 10**9  # of resources: a greater number is none that an engine has counted
# Of an update that leaves its plan, the engine tells the values, and among them secrets as they are.
_PLAN_VALUES = re.compile(r"(violates plan: properties changed:).*", re.DOTALL)
_HIDDEN_SECRET = re.compile(rf'"{SECRET_SIGNATURE}"\s*,\s*"ciphertext"\s*:\s*"\[secret\]"\s*\}}')


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property that differs. `kind` is add, delete or update; `name` is the path as the engine wrote it.

    Who shows a property shows `name`: taken apart and put together, a path might hold a secret in another form.
    """

    path: Path
    name: str
    kind: str
    old: Any
    new: Any
    forces_replacement: bool = False


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource that the update would change, and how; `operation` is of OPERATIONS, or a newer engine's."""

    urn: str
    operation: str
    forced_by: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A resource that was changed outside the program: `old` is what the state knew, `new` what there is."""

    urn: str
    gone: bool
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Violation:
    rule: str
    pack: str
    level: str
    urn: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A message of severity error, warning or info#err (what the program wrote), and how often it came."""

    severity: str
    urn: str
    message: str
    times: int = 1


def texts_of(raw: str) -> bool:
    """Whether the raw JSON holds a marked secret whose text is not already hidden: a search is costly, and seldom due."""
    return raw.count(f'"{SECRET_SIGNATURE}"') > len(_HIDDEN_SECRET.findall(raw)) or OUTPUT_SIGNATURE in raw


@dataclass
class Collector:
    """Takes steps in the order of a file and gives frozen data in an order that does not depend on it."""

    kind_key: str
    collect_secrets: bool
    stack: str = ""
    project: str = ""
    failed: bool = False
    refreshed: set[str] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    _resources: dict[str, Resource] = field(default_factory=dict)
    _drift: dict[str, Drift] = field(default_factory=dict)
    _diagnostics: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _same: int = 0
    _before_refresh: dict[str, Record] = field(default_factory=dict)

    def see(self, step: Record) -> None:
        """Learns from a step that says nothing of its own which stack this is, and plain secrets."""
        if self.collect_secrets:
            self.secrets.update(plain_secrets(step))
        if not self.stack and str(step.get("urn", "")).startswith("urn:pulumi:"):
            parts = str(step["urn"]).split("::", 3)
            self.stack, self.project = parts[0].removeprefix("urn:pulumi:"), parts[1] if len(parts) > 1 else ""

    def add_step(self, step: Record, *, old: str, new: str, reasons: str) -> bool:
        """False: it is no step."""
        operation, urn = step.get("op"), step.get("urn")
        if not isinstance(operation, str) or not isinstance(urn, str):
            return False
        self.see(step)
        before, after = record(step.get(old)), record(step.get(new))
        if operation == "refresh":
            self.refreshed.add(urn)
            self._add_drift(urn, step, before, after)
        elif operation == "same":
            self._same += 1
        else:
            self._add_change(urn, operation, step, before, after, reasons)
        return True

    def _add_change(self, urn: str, given: str, step: Record, before: Record, after: Record, reasons: str) -> None:
        operation = "replace" if given in PART_OF_REPLACE else _SAME_AS.get(given, given)
        if given == "remove-pending-replace":
            return  # only the state forgets what an interrupted update left
        properties = tuple(self._properties(operation, step, before, after))
        forced = set(_texts(step.get(reasons)))
        known = self._resources.get(urn)
        if known is not None and known.operation == operation:
            forced.update(known.forced_by)
            properties = known.properties if len(known.properties) > len(properties) else properties
        elif known is not None and "replace" in (known.operation, operation):
            # A leftover of an earlier replacement goes as well: it is part of this one.
            operation = "replace"
            properties = known.properties or properties
        self._resources[urn] = Resource(
            urn=urn, operation=operation, forced_by=tuple(sorted(forced)), properties=properties
        )

    def _properties(self, operation: str, step: Record, before: Record, after: Record) -> Iterator[Property]:
        if step.get("op") in PART_OF_REPLACE:
            return  # the step `replace` of the same resource holds them
        detailed = record(step.get("detailedDiff"))
        if not detailed and operation in ("update", "replace"):
            names = _texts(step.get("diffReasons")) or _texts(step.get("diffs"))
            detailed = {name: {self.kind_key: "update"} for name in names}
        hidden = _secret_outputs(before) | _secret_outputs(after)
        if detailed:
            found: dict[Path, Property] = {}
            for text, each in detailed.items():
                kind = str(record(each).get(self.kind_key, "update"))
                forces = kind.endswith("-replace")
                for each_one in _smaller(text, *_pair(path_of(text), kind, before, after, hidden)):
                    found[each_one.path] = replace(each_one, forces_replacement=forces)
            yield from sorted(found.values(), key=lambda p: [str(part).rjust(9) for part in p.path])
        else:
            for path, old, new in differences((), _inputs(before), _inputs(after)):
                yield _property(path, text_of(path), *_both_secret(path, old, new, hidden))

    # --- drift

    def _add_drift(self, urn: str, step: Record, before: Record, after: Record) -> None:
        """Of an event, which says what differs; the JSON of --json does not (`add_drift_of_document`)."""
        detailed = record(step.get("detailedDiff"))
        if before and "new" in step and not after:
            self._drift[urn] = Drift(urn=urn, gone=True)
        elif detailed:
            self._keep_drift(urn, detailed, before, after)

    def _keep_drift(self, urn: str, names: Iterable[str], before: Record, after: Record) -> None:
        hidden = _secret_outputs(before) | _secret_outputs(after)
        found: dict[Path, Property] = {}
        for name in names:
            path = path_of(name)
            old, new = (_found(path, (state.get("outputs"), state.get("inputs"))) for state in (before, after))
            old, new = _both_secret(path, old, new, hidden)
            if old != new or old is Mark.SECRET:
                found |= {each.path: each for each in _smaller(name, old, new)}
        if found:
            properties = tuple(sorted(found.values(), key=lambda p: [str(part).rjust(9) for part in p.path]))
            self._drift[urn] = Drift(urn=urn, gone=False, properties=properties)

    def add_drift_of_document(self, step: Record) -> None:
        """Second reading: a refresh step holds the state before, the change of the same resource the one after."""
        urn = str(step.get("urn"))
        if urn not in self._resources:
            return
        if step.get("op") == "refresh":
            self._before_refresh[urn] = record(step.get("oldState"))
        elif urn in self._before_refresh:
            before = self._before_refresh.pop(urn)
            if step.get("op") == "create":
                self._drift[urn] = Drift(urn=urn, gone=True)
            elif step.get("op") in ("update", "replace"):
                names = record(step.get("detailedDiff")) or _texts(step.get("diffReasons"))
                self._keep_drift(urn, names, before, record(step.get("oldState")))

    # --- what is not a step

    def add_diagnostic(self, given: Record) -> None:
        severity = str(given.get("severity"))
        if severity not in ("error", "warning", "info#err") or given.get("ephemeral") is True:
            return
        self.failed |= severity == "error"
        message = str(given.get("message") or "").removeprefix(f"{severity}: ").strip("\n")
        message = _PLAN_VALUES.sub(r"\1 (their values are not shown: secrets may be among them)", message)
        if message.strip():
            key = (severity, str(given.get("urn") or ""), message)
            self._diagnostics[key] = self._diagnostics.get(key, 0) + 1

    def add_violation(self, given: Record) -> None:
        texts = {name: str(given.get(name) or "") for name in ("policyName", "policyPackName", "message")}
        level = str(given.get("enforcementLevel") or "mandatory")
        self.failed |= level == "mandatory"
        violation = Violation(
            rule=texts["policyName"],
            pack=texts["policyPackName"],
            level=level,
            urn=str(given.get("resourceUrn") or ""),
            message=texts["message"].strip("\n"),
        )
        if violation not in self.violations:
            self.violations.append(violation)
            self.violations.sort(key=lambda v: (v.level != "mandatory", v.level, v.rule, v.urn, v.message))

    # --- the result

    def resources(self) -> tuple[Resource, ...]:
        def order(resource: Resource) -> tuple[int, str, str, str]:
            known = resource.operation in OPERATIONS
            rank = OPERATIONS.index(resource.operation) if known else len(OPERATIONS)
            return rank, resource.operation, resource.urn.rpartition("::")[2], resource.urn

        return tuple(sorted(self._resources.values(), key=order))

    def drift(self) -> tuple[Drift, ...]:
        return tuple(self._drift[urn] for urn in sorted(self._drift, key=lambda u: (u.rpartition("::")[2], u)))

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """In the order in which they came: a later one is often the consequence of an earlier one."""
        return tuple(Diagnostic(severity=s, urn=u, message=m, times=n) for (s, u, m), n in self._diagnostics.items())

    def counts(self, summary: Record) -> dict[str, int]:
        """The engine's own counts, or what the steps add up to where it was stopped before it counted."""
        counted = {
            str(k): v for k, v in summary.items() if type(v) is int and 0 < v <= _MAX_COUNT and k not in PART_OF_REPLACE
        }
        if not counted:
            for resource in self._resources.values():
                counted[resource.operation] = counted.get(resource.operation, 0) + 1
            if self._same:
                counted["same"] = self._same
        if self.refreshed:
            counted.setdefault("refresh", len(self.refreshed))
        order = {name: n for n, name in enumerate(COUNTED)}
        return dict(sorted(counted.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


# --- values of a step -------------------------------------------------------------------------------------------------


def record(value: Any) -> Record:
    """The object, or an empty one in the place of anything else: formats may grow, and files may be wrong."""
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _inputs(state: Record) -> Any:
    found = lookup(state, ("inputs",))
    return found if isinstance(found, dict) else {}


def _secret_outputs(state: Record) -> frozenset[str]:
    return frozenset(_texts(state.get("additionalSecretOutputs")))


def _found(path: Path, roots: tuple[Any, ...]) -> Any:
    return next((v for root in roots if (v := lookup(root, path)) is not Mark.ABSENT), Mark.ABSENT)


def _pair(path: Path, kind: str, before: Record, after: Record, hidden: frozenset[str]) -> tuple[Any, Any]:
    """The values at a path before and after. Inputs are what the program says; outputs hold what only the cloud says."""
    new = _found(path, (after.get("inputs"), after.get("outputs")))
    # Which of the two differed, the engine does not say: inputs, unless they do not.
    olds = [v for part in ("inputs", "outputs") if (v := lookup(before.get(part), path)) is not Mark.ABSENT]
    old = next((v for v in olds if v != new), olds[0] if olds else Mark.ABSENT)
    if new is Mark.ABSENT and kind.startswith("update"):
        new = Mark.UNKNOWN
    old, new = _both_secret(path, old, new, hidden)
    if kind.startswith("add"):
        return Mark.ABSENT, new
    return (old, Mark.ABSENT) if kind.startswith("delete") else (old, new)


def _both_secret(path: Path, old: Any, new: Any, hidden: frozenset[str]) -> tuple[Any, Any]:
    """A value that becomes secret was the same value before: where one side is secret, the other is not shown either."""
    secret = Mark.SECRET in (old, new)
    if type(old) is not type(new) and not isinstance(old, Mark) and not isinstance(new, Mark):
        secret = holds_secret(old) or holds_secret(new)  # two of one kind are compared inside
    if secret or (path and path[0] in hidden):
        return tuple(v if v in (Mark.ABSENT, Mark.UNKNOWN) else Mark.SECRET for v in (old, new))  # type: ignore[return-value] # of two values, two
    return old, new


def _smaller(name: str, old: Any, new: Any) -> Iterator[Property]:
    """What differs inside two objects or lists, so that a long one is not shown twice for one entry."""
    path = path_of(name)
    if type(old) is type(new) and isinstance(old, dict | list):
        for below, was, now in differences((), old, new):
            yield _property(
                (*path, *below), name + text_of(below, below=True), *_both_secret((), was, now, frozenset())
            )
    else:
        yield _property(path, name, old, new)


def _property(path: Path, name: str, old: Any, new: Any) -> Property:
    kind = "update"
    if old is Mark.ABSENT and new is not Mark.ABSENT:
        kind = "add"
    elif new is Mark.ABSENT and old is not Mark.ABSENT:
        kind = "delete"
    return Property(path=path, name=name, kind=kind, old=old, new=new)
