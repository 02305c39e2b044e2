"""A preview in words that may be shown: the one way from what the engine wrote to what people read.

Owns which words say what (status, counts, names, how values are written and cut) and that each text goes through the
redactor before it is cut, quoted or escaped. `note` and `terminal` only lay out what comes from here.

Does not own Markdown nor colours.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ci.previews import Preview
from ci.redaction import SECRET_TEXT, Redactor
from ci.steps import COUNTED, Drift, Property, Resource
from ci.values import Mark

MAX_VALUE: Final = 200  # characters of one value
MAX_LINES: Final = 100  # properties of one resource, and lines of one message
_MAX_NAME = 200
_COMPARED = 10_000  # characters of two texts that are compared line by line
_MAX_COMPARED_LINES = 300
_BEFORE_DIFFERENCE = 20
_ONE_MODULE = re.compile(r"([^:]+):(.+)/([^/:]+):([^:]+)")
_SHA = re.compile(r"[0-9a-f]{6,64}")
_URL = re.compile(r"https?://[\w.:/%~-]{1,500}", re.ASCII)
_WORDS: Final = {
    "create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported",
    "read": "read", "discard": "discarded",
}  # fmt: skip
NO_MORE_IN_JSON: Final = (
    "The JSON of a preview does not say why it failed, nor which policies were violated; the event log does "
    "(with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true)."
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """The pipeline that a report comes from: what its status line links. Empty where it comes from no pipeline."""

    commit: str = ""
    pipeline_url: str = ""
    job_url: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Run":
        """From GitLab's variables; what does not look like a commit or an address is left out."""
        sha = environ.get("CI_COMMIT_SHORT_SHA", "")
        urls = (environ.get(name, "") for name in ("CI_PIPELINE_URL", "CI_JOB_URL"))
        pipeline, job = (url if _URL.fullmatch(url) else "" for url in urls)
        return cls(commit=sha if _SHA.fullmatch(sha) else "", pipeline_url=pipeline, job_url=job)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A resource: what happens to it, its logical name, its type and which properties force its replacement."""

    operation: str
    name: str
    type: str
    forced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of a diff: "-" (was), "+" (will be) or " " (where)."""

    sign: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """A violation's or the engine's message: a head that says what it is, and its lines."""

    severity: str
    rule: str
    resource: Entry | None
    lines: tuple[str, ...]
    times: int = 1


class Report:
    """What may be shown of one stack's preview. Diffs are made when they are asked for: not all may have room."""

    def __init__(self, preview: Preview, redactor: Redactor, run: Run, project: str = "") -> None:
        self._preview, self._redactor = preview, redactor
        self.run = run
        self._diffs: dict[int, list[Line]] = {}
        self.stack = self._name(preview.stack)
        self.project = self._name(preview.project or project)

    # --- as a whole

    @property
    def failed(self) -> bool:
        return self._preview.failed

    @property
    def unchanged(self) -> bool:
        found = self._preview
        return not (found.failed or found.changes or found.drift or found.violations)

    def headline(self) -> str:
        """What happened, in a few words."""
        found = self._preview
        parts = []
        if found.failed:
            broken = sum(v.level == "mandatory" for v in found.violations)
            parts.append(f"failed, {_number(broken, 'violation')} of mandatory policies" if broken else "failed")
        if found.drift:
            parts.append(f"{_number(len(found.drift), 'resource')} changed outside the program")
        if found.changes:
            parts.append(_number(len(found.resources), "change"))
        elif not found.failed:
            parts.append("no changes")
        return ", ".join(parts)

    def stays(self) -> str:
        same = self._preview.counts.get("same", 0)
        return (
            f"{_number(same, 'resource')} {'stays' if same == 1 else 'stay'} as {'it is' if same == 1 else 'they are'}"
        )

    def counts(self) -> list[tuple[str, int]]:
        """Of each operation. What a newer engine counts beside them is told together: its name is not known to be safe."""
        counts = self._preview.counts
        known = [(name, counts[name]) for name in COUNTED if name in counts]
        other = sum(n for name, n in counts.items() if name not in COUNTED)
        return [*known, ("other", other)] if other else known

    def widget(self) -> dict[str, int]:
        """For the merge request's widget (`artifacts:reports:terraform`): a replacement is a creation and a deletion, as
        in GitLab's own recipe, which counts the two actions that Terraform's plan has for it. An import makes nothing."""
        counts = self._preview.counts
        replaced = counts.get("replace", 0)
        return {
            "create": counts.get("create", 0) + replaced,
            "update": counts.get("update", 0),
            "delete": counts.get("delete", 0) + replaced,
        }

    # --- resources

    @property
    def resources(self) -> tuple[Resource, ...]:
        return self._preview.resources

    @property
    def losses(self) -> tuple[Resource, ...]:
        """What a reader must not overlook: replacements and deletions."""
        return tuple(r for r in self._preview.resources if r.operation in ("replace", "delete"))

    @property
    def drift(self) -> tuple[Drift, ...]:
        return self._preview.drift

    def entry(self, of: Resource | Drift) -> Entry:
        if isinstance(of, Drift):
            return self._entry(of.urn, "deleted" if of.gone else "changed")
        forced = {*of.forced_by, *(p.name for p in of.properties if p.forces_replacement)}
        # An engine names the top level, a provider the path below it: the longer one says more.
        forced = {f for f in forced if not any(o != f and o.startswith((f + ".", f + "[")) for o in forced)}
        return self._entry(of.urn, self._name(of.operation), tuple(self._name(f) for f in sorted(forced)))

    def _entry(self, urn: str, operation: str, forced_by: tuple[str, ...] = ()) -> Entry:
        parts = self._redactor.text(urn).split("::", 3)
        if len(parts) == 4:
            kind, name = parts[2].rpartition("$")[2], parts[3]
        else:
            kind, name = "", parts[-1]
        return Entry(operation=operation, name=_one_line(name), type=_readable(_one_line(kind)), forced_by=forced_by)

    def lines(self, of: Resource | Drift) -> list[Line]:
        """The diff of a resource: old and new of each property. It is kept: there are several forms of a report."""
        if id(of) not in self._diffs:
            self._diffs[id(of)] = self._lines(of)
        return self._diffs[id(of)]

    def _lines(self, of: Resource | Drift) -> list[Line]:
        found: list[Line] = []
        for n, each in enumerate(of.properties):
            if len(found) >= MAX_LINES:
                found.append(Line(" ", f"… and {_number(len(of.properties) - n, 'more property', 'more properties')}"))
                break
            found += self._property(each)
        return found

    def _property(self, given: Property) -> Iterator[Line]:
        path = self._name(given.name)
        forces = "   (forces the replacement)" if given.forces_replacement else ""
        if isinstance(given.old, str) and isinstance(given.new, str):
            if "\n" in given.old and "\n" in given.new:
                lines = self._text_diff(given.old, given.new)
                if lines:
                    yield Line(" ", f"{path}:{forces}")
                    yield from lines
                    return
            old, new = self._texts(given.old, given.new)
        else:
            old, new = self._value(given.old), self._value(given.new)
        if given.old is not Mark.ABSENT:
            yield Line("-", f"{path}: {old}" + (forces if given.new is Mark.ABSENT else ""))
        if given.new is not Mark.ABSENT:
            yield Line("+", f"{path}: {new}{forces}")

    def _text_diff(self, old: str, new: str) -> list[Line]:
        """The lines of a long text that differ, without what surrounds them; none where they are too many."""
        texts = [self._redactor.text(text, _COMPARED).split("\n") for text in (old, new)]
        if max(map(len, texts)) > _MAX_COMPARED_LINES:
            return []
        diff = list(difflib.unified_diff(texts[0], texts[1], n=0, lineterm=""))[2:]  # without the two heads
        found = [Line(line[0], f"  {_cut(line[1:], MAX_VALUE)}") for line in diff if line[0] in "+-"]
        if len(found) > MAX_LINES:
            found = [*found[:MAX_LINES], Line(" ", f"  … and {_number(len(found) - MAX_LINES, 'more line')}")]
        return found

    def _texts(self, old: str, new: str) -> tuple[str, str]:
        """Two texts; long ones from shortly before they differ."""
        if max(len(old), len(new)) <= MAX_VALUE:
            return self._value(old), self._value(new)
        start = max(0, _first_difference(old, new) - _BEFORE_DIFFERENCE)
        before = "…" if start else ""
        first, second = (before + _quoted(self._redactor.text(text, MAX_VALUE, start)) for text in (old, new))
        return first, second

    def _value(self, value: Any) -> str:
        if isinstance(value, str):
            shown = self._redactor.text(value, MAX_VALUE)
            return shown if shown == SECRET_TEXT else _quoted(shown)
        pieces: list[str] = []
        room = 2 * MAX_VALUE  # then the rest need not even be redacted
        for piece in self._pieces(value):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                break
        return _cut("".join(pieces), MAX_VALUE)

    def _pieces(self, value: Any) -> Iterator[str]:
        """An object or a list as compact JSON, bit by bit; a text in it is redacted before it is quoted."""
        if isinstance(value, Mark):
            yield value.value
        elif isinstance(value, str):
            yield _quoted(self._redactor.text(value, MAX_VALUE))
        elif isinstance(value, dict):
            for n, key in enumerate(sorted(value)):
                yield ("{" if n == 0 else ", ") + _quoted(self._name(key)) + ": "
                yield from self._pieces(value[key])
            yield "}" if value else "{}"
        elif isinstance(value, list):
            for n, inner in enumerate(value):
                yield "[" if n == 0 else ", "
                yield from self._pieces(inner)
            yield "]" if value else "[]"
        else:
            yield self._redactor.text(json.dumps(value), MAX_VALUE)

    # --- messages

    def violations(self) -> Iterator[Message]:
        for each in self._preview.violations:
            yield Message(
                severity=self._name(each.level),
                rule=self._name(f"{each.pack}/{each.rule}" if each.pack else each.rule),
                resource=self._entry(each.urn, "") if each.urn else None,
                lines=self._lines_of(each.message),
            )

    def messages(self, severities: tuple[str, ...]) -> list[Message]:
        found = self._preview
        return [
            Message(
                severity=each.severity,
                rule="",
                resource=self._entry(each.urn, "") if each.urn else None,
                lines=self._lines_of(each.message),
                times=each.times,
            )
            for each in found.diagnostics
            # Where violations tell why, this says nothing.
            if each.severity in severities and not (found.violations and each.message.strip() == "preview failed")
        ]

    def hint(self) -> str:
        """What to do where the file does not tell why the preview failed."""
        found = self._preview
        errors = [d.message.strip() for d in found.diagnostics if d.severity == "error"]
        if found.failed and not found.from_events and all(e == "preview failed" for e in errors):
            return NO_MORE_IN_JSON
        return ""

    def _lines_of(self, message: str) -> tuple[str, ...]:
        lines = self._redactor.text(message, MAX_LINES * MAX_VALUE).replace("\t", "    ").split("\n")
        shown = [_cut(line.rstrip(), 2 * MAX_VALUE) for line in lines[:MAX_LINES]]
        if len(lines) > MAX_LINES:
            shown.append(f"… and {_number(len(lines) - MAX_LINES, 'more line')}")
        return tuple(shown)

    def _name(self, text: str) -> str:
        return _one_line(self._redactor.text(text))


def told(operation: str) -> str:
    return _WORDS.get(operation, operation)


def _number(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _one_line(text: str) -> str:
    return _cut(" ".join(text.split()), _MAX_NAME)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… (+{len(text) - limit:,} characters)"


def _first_difference(one: str, other: str) -> int:
    """Where two texts begin to differ, by halves: slices are compared faster than characters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _readable(token: str) -> str:
    """`scaleway:kubernetes/pool:Pool` as people say it: `scaleway:kubernetes:Pool`."""
    match = _ONE_MODULE.fullmatch(token)
    if match and match[3].lower() == match[4].lower():
        return f"{match[1]}:{match[2]}:{match[4]}"
    return token
