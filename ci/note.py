"""A report as a merge request note: Markdown that GitLab shows as it is meant, whatever is in the preview.

Owns the form: status line, counts, what is violated, failed, drifted, replaced and deleted first, then a fold for each diff;
and the size, which GitLab limits. What has no room is counted at the end.

Text from a preview is only ever inside code (a fence, backticks, `<code>`), where GitLab knows no mention, no HTML, no quick
action and no reference. Does not own what is told, nor redaction (`report`).
"""

import html
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from ci.report import Entry, Line, Message, Report, told

MAX_NOTE: Final = 1_000_000  # characters, GitLab's own limit
DEFAULT_LIMIT: Final = 950_000
MIN_LIMIT: Final = 3_000  # the status, the counts and what was cut always fit
_RESERVED = 700  # for the words that say what was cut
_TRIES = 20  # entries that are too long for the rest of the room, before the rest is left out unseen
_FOLD_FROM = 20  # diffs: more of them get a fold around all

T = TypeVar("T")


def marker(report: Report) -> str:
    """The first line of a note, hidden: how the next pipeline finds it."""
    project, stack = (quote(name or "-", safe="/._-") for name in (report.project, report.stack))
    return f"<!-- kapsule-devops:preview project={project} stack={stack} -->"


def markdown(report: Report, limit: int = DEFAULT_LIMIT, notice: str = "") -> str:
    """The note without its marker, at most `limit` characters. `notice` is a sentence of ours below the status."""
    page = _Page(limit)
    links = _links(report)
    of = f" ({code(report.project)})" if report.project else ""
    if report.unchanged:
        page.always(f"**Preview of {code(report.stack)}{of}: no changes**, {report.stays()}.{links and f' {links}'}\n")
        page.always(f"\n{notice}\n" if notice else "")
        page.section("", "", report.messages(("warning", "info#err")), _message, "", "warnings")
        return page.text(report)
    page.always(f"### Preview of {code(report.stack)}{of}: {report.headline()}\n\n")
    page.always(f"{links}\n\n" if links else "")
    page.always(f"{notice}\n\n" if notice else "")
    page.always(_counts(report))
    page.section("**Violated policies**\n\n", "", list(report.violations()), _message, "", "violations")
    page.section("**Errors**\n\n", "", report.messages(("error",)), _message, "", "errors")
    page.always(f"{report.hint()}\n\n" if report.hint() else "")
    page.section(
        "**Changed outside the program** (`-` what the state knew, `+` what there is)\n\n",
        "",
        report.drift,
        lambda d: f"{_title(report.entry(d))}\n\n{_diff(report.lines(d))}",
        "",
        "changes outside the program",
    )
    page.section(
        "**Replaced and deleted**\n\n", "\n", report.losses, lambda r: _loss(report.entry(r)), "", "losses in the list"
    )
    many = len(report.resources) > _FOLD_FROM
    page.section(
        f"<details><summary>All {len(report.resources):,} diffs</summary>\n\n" if many else "",
        "",
        report.resources,
        lambda r: _fold(report.entry(r), report.lines(r)),
        "</details>\n\n" if many else "",
        "diffs",
    )
    page.section(
        "<details><summary>Warnings and output of the program</summary>\n\n",
        "",
        report.messages(("warning", "info#err")),
        _message,
        "</details>\n\n",
        "warnings",
    )
    return page.text(report)


def document(reports: Sequence[Report], limit: int = DEFAULT_LIMIT) -> str:
    """The Markdown file: what the notes say, one after another."""
    return "\n".join(markdown(each, limit) for each in reports)


class _Page:
    """A text that grows while there is room, and remembers what had none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit - _RESERVED
        self._parts: list[str] = []
        self._left_out: list[str] = []

    def always(self, text: str) -> None:
        self._parts.append(text)
        self._room -= len(text)

    def section(
        self, opening: str, after: str, items: Sequence[T], write: Callable[[T], str], closing: str, what: str
    ) -> None:
        """As many items as have room, between opening and closing. `write` is not called for what comes after."""
        around = len(opening) + len(closing) + len(after)
        written = misses = 0
        for item in items:
            if misses == _TRIES:
                break
            text = write(item)
            if len(text) + (0 if written else around) > self._room:
                misses += 1
                continue
            if not written:
                self._room -= around
                self._parts.append(opening)
            written += 1
            self._room -= len(text)
            self._parts.append(text)
        if written:
            self._parts.append(after + closing)
        if written < len(items):
            self._left_out.append(f"{len(items) - written:,} of {len(items):,} {what}")

    def text(self, report: Report) -> str:
        if self._left_out:
            where = f"[the job]({report.run.job_url})" if report.run.job_url else "the job"
            self._parts.append(
                f"**Cut** to stay below {self._limit:,} characters. Left out: {'; '.join(self._left_out)}. "
                f"The log and the artifacts of {where} tell more.\n"
            )
        return "".join(self._parts).rstrip("\n") + "\n"


# --- parts ------------------------------------------------------------------------------------------------------------


def _links(report: Report) -> str:
    run = report.run
    parts = [f"Commit `{run.commit}`"] if run.commit else []
    parts += [f"[{name}]({url})" for name, url in (("pipeline", run.pipeline_url), ("job", run.job_url)) if url]
    return " · ".join(parts)


def _counts(report: Report) -> str:
    counts = report.counts()
    if not counts:
        return ""
    rows = [[name for name, _ in counts], ["--:" for _ in counts], [f"{n:,}" for _, n in counts]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n\n"


def _title(entry: Entry) -> str:
    kind = f" ({code(entry.type)})" if entry.type else ""
    return f"{_operation(entry)}{code(entry.name)}{kind}"


def _operation(entry: Entry) -> str:
    """Our own words stand as they are; those of a newer engine, as code."""
    if not entry.operation:
        return ""
    word = told(entry.operation)
    return f"{word} " if word.isalpha() and word.isascii() else f"{code(word)} "


def _loss(entry: Entry) -> str:
    forced = ", forced by " + ", ".join(map(code, entry.forced_by[:10])) if entry.forced_by else ""
    return f"- **{told(entry.operation)}** {_title(_without_operation(entry))}{forced}\n"


def _without_operation(entry: Entry) -> Entry:
    return Entry(operation="", name=entry.name, type=entry.type)


def _fold(entry: Entry, lines: Sequence[Line]) -> str:
    kind = f" (<code>{html.escape(entry.type)}</code>)" if entry.type else ""
    summary = f"{html.escape(told(entry.operation))} <code>{html.escape(entry.name)}</code>{kind}"
    body = _diff(lines) if lines else "No property is known to differ.\n\n"
    return f"<details><summary>{summary}</summary>\n\n{body}</details>\n\n"


def _message(message: Message) -> str:
    head = []
    if message.rule:
        head.append(f"{code(message.severity)} {code(message.rule)}")
    elif message.severity != "error":
        head.append("warning" if message.severity == "warning" else "output")
    if message.resource:
        head.append(_title(message.resource))
    if message.times > 1:
        head.append(f"{message.times:,} times")
    title = ", ".join(head)
    return (f"{title}:\n\n" if title else "") + fence("", [f"  {line}".rstrip() for line in message.lines])


def _diff(lines: Sequence[Line]) -> str:
    return fence("diff", [f"{line.sign} {line.text}" for line in lines])


def fence(language: str, lines: Sequence[str]) -> str:
    """A code block that its content cannot end. No line of it starts at the margin: GitLab would read `/close` there."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([ticks + language, *lines, ticks]) + "\n\n"


def code(text: str) -> str:
    """A text of one line as inline code that it cannot end."""
    runs = {len(run) for run in re.findall(r"`+", text)}
    ticks = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    pad = " " if not text.strip(" ") or text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text or ' '}{pad}{ticks}"
