"""The description of a promotion's merge request: which merged merge requests it brings, between two marker lines.

Owns the text between the markers, which each run writes anew; what people write above or below stays as it is. A title is
shown as code, because nothing in code is Markdown, a mention, a reference or a quick action, whatever its text. The authors
are mentioned on purpose: whose change goes out hears of it.

Does not own which merge requests those are (`promotion`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BEGINS = "<!-- ci.promote: begin"  # how to know it, also when the sentence behind is another one day
BEGIN = f"{_BEGINS}. Each run writes this part anew; text above and below it stays. -->"
END = "<!-- ci.promote: end -->"
LISTED = 50
_USERNAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Merged:
    """A merge request that was merged; `author` is a user name, empty where GitLab names none."""

    iid: int
    title: str
    author: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a promotion brings. `since` is the number of the last one; `complete` is False when reading ended early."""

    source: str
    target: str
    merged: Sequence[Merged]
    commits: int
    since: int | None = None
    complete: bool = True


def block(content: Content) -> str:
    """The part between the markers, with them. The same content gives the same text."""
    body = [f"Promotes {code(content.source)} to {code(content.target)}: {_summary(content)}.", *_list(content)]
    return "\n".join([BEGIN, "", *body, "", END])


def with_block(description: str, new: str) -> str:
    """The description with our part written anew, or added at its end; every other line stays."""
    lines = description.split("\n")
    begin = None
    for index, line in enumerate(lines):
        if line.strip().startswith(_BEGINS):
            begin = index
        elif line.strip() == END and begin is not None:
            return "\n".join([*lines[:begin], new, *lines[index + 1 :]])
    return f"{description.rstrip()}\n\n{new}" if description.strip() else new


def same(one: str, other: str) -> bool:
    """Whether two descriptions differ in no more than line endings and space at the end, which a form may change."""
    return [line.rstrip() for line in one.rstrip().splitlines()] == [
        line.rstrip() for line in other.rstrip().splitlines()
    ]


def code(text: str) -> str:
    """Any text as one line of Markdown code, fenced by more backticks than follow each other in it."""
    plain = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{space}{plain}{space}{fence}"


def one_line(text: str) -> str:
    """The text without line ends and other characters that are not seen, such as those that turn its direction."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain or "(no text)"


def count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _summary(content: Content) -> str:
    since = f" since !{content.since}" if content.since is not None else ""
    if not content.merged:
        return f"no merge request{since}, {_at_least(content)}{count(content.commits, 'commit')} that came without one"
    return f"{_at_least(content)}{count(len(content.merged), 'merge request')}{since}"


def _at_least(content: Content) -> str:
    return "" if content.complete else "at least "


def _list(content: Content) -> Iterator[str]:
    if content.merged:
        yield ""
    for merged in content.merged[:LISTED]:
        known = _USERNAME.fullmatch(merged.author)
        author = f" (@{merged.author})" if known else ""
        yield f"* !{merged.iid} {code(merged.title)}{author}"
    if len(content.merged) > LISTED:
        yield f"* and {len(content.merged) - LISTED} more"
