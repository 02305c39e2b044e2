"""Reads what `pulumi preview` has written: the JSON of `--json`, or the engine's events, one to a line.

Owns both formats and what they have in common, as frozen data: what shall change, what was changed outside the program,
violations, diagnostics and counts. A file that is neither is a CiError that says how to make one.

Values are as the engine gave them but for marks in place of what is secret or unknown (`values`). The configuration, which
both formats hold, is never read. Nothing here may be shown before it went through `report`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from ci.errors import CiError
from ci.files import UnusableError, opened
from ci.steps import Collector, Diagnostic, Drift, Record, Resource, Violation, record, texts_of

MAKE_JSON: Final = "pulumi preview --json -s {stack} > {file}"
# The flag --event-log is behind PULUMI_DEBUG_COMMANDS; this switch of --json writes the same events.
MAKE_EVENTS: Final = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json -s {stack} > {file}"
# Of a file, as it is held in memory: 5,000 resources with 40 kB each, or a diff of 20 MB ten times over.
MAX_BYTES: Final = 250_000_000
_FIRST_KEY = re.compile(r'\s*\{\s*(?:"([^"\\]*)"|\})')
_SPACE = re.compile(r"[ \t\r\n]*")
_DOCUMENT_KEYS = frozenset({"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"})


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a preview of one stack says. `project` is empty where no resource names it."""

    stack: str
    project: str
    failed: bool
    from_events: bool
    refreshed: bool
    counts: Mapping[str, int]
    resources: tuple[Resource, ...]
    drift: tuple[Drift, ...]
    violations: tuple[Violation, ...]
    diagnostics: tuple[Diagnostic, ...]
    plain_secrets: frozenset[str]

    @property
    def changes(self) -> bool:
        return bool(self.resources)


class _WrongError(Exception):
    """What is wrong with a file; the reader adds its name and how to make a right one."""


def read_preview(stack: str, file: Path) -> Preview:
    """The preview of a stack. CiError: one line that names the file, what is wrong, and the command that makes it."""
    try:
        with opened(file, MAX_BYTES, encoding="utf-8-sig") as stream:
            return _read(stack, stream)
    except UnusableError as error:
        wrong = str(error)
    except RecursionError:
        wrong = "is nested too deeply to be a preview"
    except json.JSONDecodeError as error:
        text = error.doc.rstrip()
        cut_off = not text.endswith("}") or error.pos >= len(text) - 1 or error.msg.startswith("Unterminated")
        place = f"line {error.lineno}, column {error.colno}"
        wrong = "ends too early: it is cut off" if cut_off else f"is not JSON ({place})"
    except (_WrongError, ValueError) as error:
        wrong = str(error) if isinstance(error, _WrongError) else "holds a number that is too long"
    make = MAKE_JSON.format(stack=stack, file=file)
    raise CiError(f"{file} {wrong}. Make it with: {make}   # or: {MAKE_EVENTS.format(stack=stack, file=file)}")


def read_events(stack: str, lines: Iterable[str]) -> Preview:
    """The same of events at hand. CiError: they are none, or end too early."""
    try:
        return _events(stack, lines)
    except (_WrongError, ValueError, RecursionError) as error:
        raise CiError(f"what pulumi wrote {error if isinstance(error, _WrongError) else 'is no event log'}.") from None


def _read(stack: str, stream: TextIO) -> Preview:
    head = stream.read(65_536)
    if not head.strip():
        raise _WrongError("is empty")
    first = _FIRST_KEY.match(head)
    stream.seek(0)
    if first and first[1] and (first[1] in ("sequence", "timestamp") or first[1].endswith("Event")):
        return _events(stack, stream)
    if not first and head.lstrip()[0] != "{":
        raise _WrongError("is not JSON (line 1, column 1)")
    return _document(stack, stream.read())


# --- pulumi preview --json --------------------------------------------------------------------------------------------


def _document(stack: str, text: str) -> Preview:
    found = Collector(kind_key="kind", collect_secrets=texts_of(text))
    counts: Record = {}
    diagnostics: list[Any] = []
    keys = set()
    steps = 0
    for key, value in _members(text):
        keys.add(key)
        if key == "steps":
            steps += 1
            if not found.add_step(record(value), old="oldState", new="newState", reasons="replaceReasons"):
                raise _WrongError(f"is no preview: its step {steps} has no op and urn")
        elif key == "changeSummary":
            counts = record(value)
        elif key == "diagnostics":
            diagnostics = value if isinstance(value, list) else []
    if keys.isdisjoint(_DOCUMENT_KEYS):
        raise _WrongError("is JSON, but neither a preview nor an event log")
    if found.refreshed:
        # A refresh step says what the state held; only the step that follows shows what there is. They are far apart,
        # so the states of what changes are looked for in a second reading, and no other state is kept.
        for key, value in _members(text):
            if key == "steps":
                found.add_drift_of_document(record(value))
    for each in map(record, diagnostics):
        found.add_diagnostic(each)
    return _preview(stack, found, counts, from_events=False)


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """The members of the outermost object. Those of the list `steps` come one by one: the whole would be too much."""
    decode = json.JSONDecoder().raw_decode
    at = _after(text, 0, "{")
    if _next(text, at) == "}":
        return
    while True:
        key, at = decode(text, _SPACE.match(text, at).end())  # type: ignore[union-attr] # _SPACE always matches
        if not isinstance(key, str):
            raise json.JSONDecodeError("a key must be a text", text, at)
        at = _after(text, at, ":")
        if key == "steps" and _next(text, at) == "[":
            at = _after(text, at, "[")
            while _next(text, at) != "]":
                value, at = decode(text, _SPACE.match(text, at).end())  # type: ignore[union-attr] # _SPACE always matches
                yield key, value
                if _next(text, at) != "]":
                    at = _after(text, at, ",")
            at = _after(text, at, "]")
        elif key == "steps" and _next(text, at) not in ("n", ""):  # null is no steps
            raise _WrongError("is no preview: its steps are no list")
        else:
            value, at = decode(text, _SPACE.match(text, at).end())  # type: ignore[union-attr] # _SPACE always matches
            if key != "steps":
                yield key, value
        if _next(text, at) == "}":
            at = _after(text, at, "}")
            break
        at = _after(text, at, ",")
    if _next(text, at):
        raise json.JSONDecodeError("more than one document", text, at)


def _next(text: str, at: int) -> str:
    space = _SPACE.match(text, at)
    assert space is not None
    return text[space.end() : space.end() + 1]


def _after(text: str, at: int, wanted: str) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    if text[space.end() : space.end() + 1] != wanted:
        raise json.JSONDecodeError(f"{wanted} is missing", text, space.end())
    return space.end() + 1


# --- events -----------------------------------------------------------------------------------------------------------


def _events(stack: str, lines: Iterable[str]) -> Preview:
    found = Collector(kind_key="diffKind", collect_secrets=False)
    summary: Record | None = None
    ended = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = record(json.loads(line))
        except json.JSONDecodeError:
            raise _WrongError(f"is cut off or is not JSON in line {number}") from None
        found.collect_secrets = texts_of(line)
        if "resourcePreEvent" in event or "resOutputsEvent" in event:
            before = "resourcePreEvent" in event
            step = record(record(event["resourcePreEvent" if before else "resOutputsEvent"]).get("metadata"))
            if (step.get("op") == "refresh") == before:
                found.see(step)  # a refresh tells its findings afterwards, everything else its plans before
            elif not found.add_step(step, old="old", new="new", reasons="keys"):
                raise _WrongError(f"is no event log: line {number} has no op and urn")
        elif "diagnosticEvent" in event:
            found.add_diagnostic(record(event["diagnosticEvent"]))
        elif "policyEvent" in event:
            found.add_violation(record(event["policyEvent"]))
        elif "errorEvent" in event:
            found.add_diagnostic({"severity": "error", "message": record(event["errorEvent"]).get("error")})
        elif "resOpFailedEvent" in event:
            found.failed = True
        elif "summaryEvent" in event:
            summary, ended = record(event["summaryEvent"]), True
        elif "cancelEvent" in event:
            ended = True
    if not ended:
        raise _WrongError("is cut off: it holds no summaryEvent, or pulumi was stopped")
    found.failed |= summary is None or summary.get("result", "succeeded") != "succeeded"
    return _preview(stack, found, record((summary or {}).get("resourceChanges")), from_events=True)


# --- both -------------------------------------------------------------------------------------------------------------


def _preview(stack: str, found: Collector, counts: Record, *, from_events: bool) -> Preview:
    if found.stack and found.stack != stack.rpartition("/")[2]:
        raise _WrongError(f"is a preview of another stack than {stack}")
    return Preview(
        stack=stack,
        project=found.project,
        failed=found.failed,
        from_events=from_events,
        refreshed=bool(found.refreshed),
        counts=found.counts(counts),
        resources=found.resources(),
        drift=found.drift(),
        violations=tuple(found.violations),
        diagnostics=found.diagnostics(),
        plain_secrets=frozenset(found.secrets),
    )
