"""A report as text for a terminal or a job's log: 80 columns, with colours where they are wanted.

Owns widths, colours and when there are any: not where NO_COLOR is set or the output is no terminal, unless FORCE_COLOR says
so (a job's log is no terminal and shows colours). Does not own what is told (`report`).
"""

import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TextIO

from ci.plans import Departure
from ci.report import Entry, Message, Report, told
from ci.steps import Drift, Resource

WIDTH: Final = 80
DEFAULT_LIMIT: Final = 200_000  # characters: a job's log is cut by GitLab after some megabytes
_STYLES: Final = {"title": "1", "bad": "1;31", "-": "31", "+": "32", "warning": "33"}

_DONE: Final = {"same": "left as it is", "": "not there"}

Styled = tuple[str, str, str]  # style, first indent, text


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (stream.isatty() and environ.get("TERM") != "dumb")


def text(report: Report, *, colour: bool, limit: int = DEFAULT_LIMIT) -> str:
    """The report, each line at most 80 columns. What is beyond the limit is counted, not shown."""
    return _laid_out(_blocks(report), colour=colour, limit=limit)


def outcome(report: Report, *, colour: bool, limit: int = DEFAULT_LIMIT) -> str:
    """What came of an update: its counts and what went wrong. What would change was told before."""
    return _laid_out(_outcome(report), colour=colour, limit=limit, rest="")


def departures(report: Report, found: Sequence[Departure], *, colour: bool, limit: int = DEFAULT_LIMIT) -> str:
    """Where a plan does not fit: - what was reviewed, + what there would be now."""
    return _laid_out(_departures(report, found), colour=colour, limit=limit, rest="")


def progress(report: Report, urn: str, operation: str, *, colour: bool) -> str:
    """One line for what was done to a resource."""
    entry = report.entry(Resource(urn=urn, operation=operation))
    return "\n".join(_wrapped("bad" if operation == "failed" else "", "  ", _title(entry), colour=colour))


def _laid_out(
    blocks: Iterable[list[Styled]], *, colour: bool, limit: int, rest: str = ": the Markdown file tells more"
) -> str:
    parts: list[str] = []
    room = limit
    for block in blocks:
        lines = [line for style, indent, content in block for line in _wrapped(style, indent, content, colour=colour)]
        room -= sum(len(line) + 1 for line in lines)
        if room < 0:
            parts.append(f"… cut here{rest}.")
            break
        parts += lines
    return "\n".join(parts) + "\n"


def _wrapped(style: str, indent: str, content: str, *, colour: bool) -> Iterator[str]:
    lines = textwrap.wrap(
        content,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent) + "  ",
        break_on_hyphens=False,
        replace_whitespace=True,
        drop_whitespace=True,
    ) or [""]
    paint = _STYLES.get(style) if colour else None
    for line in lines:
        yield f"\x1b[{paint}m{line}\x1b[0m" if paint else line


def _head(report: Report, of_what: str) -> Iterator[list[Styled]]:
    of = f" ({report.project})" if report.project else ""
    yield [("bad" if report.failed else "title", "", f"{of_what} of {report.stack}{of}: {report.headline()}")]
    if report.unchanged:
        yield [("", "  ", report.stays() + ".")]
    elif report.counts():
        yield [("", "  ", ", ".join(f"{name} {n:,}" for name, n in report.counts()))]
    for message in report.violations():
        yield _message(message, "bad")
    for message in report.messages(("error",)):
        yield _message(message, "bad")


def _outcome(report: Report) -> Iterator[list[Styled]]:
    yield from _head(report, "Deployment")
    for message in report.messages(("warning", "info#err")):
        yield _message(message, "warning")


def _departures(report: Report, found: Sequence[Departure]) -> Iterator[list[Styled]]:
    for each in found:
        entry = report.entry(each.now)
        kind = f" ({entry.type})" if entry.type else ""
        now, before = (_DONE.get(done, told(done)) for done in (each.now.operation, each.reviewed))
        # What was not to be changed at all and now is, is told by the diff above.
        told_above = each.reviewed not in ("create", "update", "replace") and each.now.operation != "same"
        diff = [] if told_above else _diff(report, each.now)
        yield [("title", "  ", f"{entry.name}{kind}: reviewed: {before}; now: {now}"), *diff]


def _blocks(report: Report) -> Iterator[list[Styled]]:
    yield from _head(report, "Preview")
    if report.hint():
        yield [("", "  ", report.hint())]
    if report.drift:
        yield [("title", "", "Changed outside the program (- what the state knew, + what there is)")]
    for drift in report.drift:
        yield [("", "  ", _title(report.entry(drift))), *_diff(report, drift)]
    if report.losses:
        yield [("title", "", "Replaced and deleted")]
    for loss in report.losses:
        entry = report.entry(loss)
        forced = f", forced by {', '.join(entry.forced_by[:10])}" if entry.forced_by else ""
        yield [("-", "  ", _title(entry) + forced)]
    if report.resources:
        yield [("title", "", "Diffs")]
    for resource in report.resources:
        yield [("", "  ", _title(report.entry(resource))), *_diff(report, resource)]
    for message in report.messages(("warning", "info#err")):
        yield _message(message, "warning")


def _diff(report: Report, of: Resource | Drift) -> list[Styled]:
    return [(line.sign, f"    {line.sign} ", line.text) for line in report.lines(of)]


def _title(entry: Entry) -> str:
    kind = f" ({entry.type})" if entry.type else ""
    return f"{told(entry.operation)} {entry.name}{kind}".strip()


def _message(message: Message, style: str) -> list[Styled]:
    words = [message.severity, message.rule] if message.rule else [message.severity.replace("info#err", "output")]
    if message.resource:
        words.append(_title(message.resource))
    if message.times > 1:
        words.append(f"({message.times:,} times)")
    return [(style, "  ", " ".join(words)), *(("", "    ", line) for line in message.lines)]
