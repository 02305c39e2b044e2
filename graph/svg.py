"""A picture of a stack as SVG. Pure.

It is read without its colours too: each resource's type stands beside its name. Text of the state is escaped, and cut
where it would leave its frame.
"""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from graph import layout
from graph.layout import HEAD, ROW, SECTION, WIDTH, Place, needed_arrows, placed
from graph.model import Frame, Graph, Row, by_service

MARGIN: Final = 24
TITLE: Final = 64  # the height of what stands above the frames
INSET: Final = 12
CHARACTERS: Final = 50  # of a row: name, a space, type
_COLOURS: Final = {"scaleway": "#4f0599", "gitlab": "#b43c00", "kubernetes": "#1d4fb8"}
_OTHER: Final = "#555555"
_STYLE: Final = (
    "text{font-family:system-ui,sans-serif;font-size:12px;fill:#1a1a1a}"
    ".title{font-size:20px;font-weight:600}"
    ".frame{fill:#ffffff;stroke:#8a8a8a}"
    ".name{font-size:13px;font-weight:600}"
    ".kind,.type{fill:#555555}"
    ".section{font-weight:600;fill:#555555}"
    ".arrow{fill:none;stroke:#8a8a8a;stroke-width:1.5}"
)


def drawn(graph: Graph, stack: str) -> str:
    """The whole picture."""
    places = placed(graph)
    width = max([p.x + WIDTH for p in places.values()], default=WIDTH) + 2 * MARGIN
    height = max([p.y + p.height for p in places.values()], default=0) + 2 * MARGIN + TITLE
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" role="img">',
        f"<title>The stack {escape(stack)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8a8a8a"/></marker></defs>',
        f'<rect {size} fill="#f6f6f6"/>',
        *_title(graph, stack),
        f'<g transform="translate({MARGIN},{MARGIN + TITLE})">',
        *(_arrow(places[first], places[then]) for first, then in sorted(needed_arrows(graph.arrows))),
        *(line for frame in graph.frames for line in _frame(frame, places[frame.name])),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _title(graph: Graph, stack: str) -> Iterator[str]:
    yield f'<text class="title" x="{MARGIN}" y="{MARGIN + 14}">{escape(stack)}: {graph.resources} resources</text>'
    rows = [row for frame in graph.frames for section in frame.sections for row in section.rows]
    services = ", ".join(f"{number} of {name}" for name, number in by_service(rows).items())
    yield (
        f'<text class="kind" x="{MARGIN}" y="{MARGIN + 36}">{escape(services)}. An arrow leads from what is there first to '
        "what needs it.</text>"
    )


def _arrow(first: Place, then: Place) -> str:
    start, end = first.x + WIDTH, then.x
    bend = layout.BETWEEN_COLUMNS // 2
    return (
        f'<path class="arrow" marker-end="url(#head)" d="M{start} {first.middle}C{start + bend} {first.middle} '
        f'{end - bend} {then.middle} {end} {then.middle}"/>'
    )


def _frame(frame: Frame, at: Place) -> Iterator[str]:
    yield f'<g transform="translate({at.x},{at.y})">'
    yield f'<rect class="frame" width="{WIDTH}" height="{at.height}" rx="6"/>'
    name = escape(cut(frame.name, CHARACTERS - len(frame.type)))
    yield f'<text class="name" x="{INSET}" y="20">{name}</text>'
    yield f'<text class="kind" x="{WIDTH - INSET}" y="20" text-anchor="end">{escape(frame.type)}</text>'
    y = HEAD
    for section in frame.sections:
        if section.title:
            yield f'<text class="section" x="{INSET}" y="{y + 16}">{escape(cut(section.title, CHARACTERS))}</text>'
            y += SECTION
        for row in section.rows:
            yield from _row(row, y)
            y += ROW
    yield "</g>"


def _row(row: Row, y: int) -> Iterator[str]:
    kind = f"{row.type}, protected" if row.protected else row.type
    colour = _COLOURS.get(row.service, _OTHER)
    yield f'<rect x="{INSET}" y="{y + 4}" width="8" height="8" rx="2" fill="{colour}"/>'
    yield f'<text x="{INSET + 16}" y="{y + 12}">{escape(cut(row.name, CHARACTERS - len(kind)))}</text>'
    yield f'<text class="type" x="{WIDTH - INSET}" y="{y + 12}" text-anchor="end">{escape(kind)}</text>'


def cut(text: str, characters: int) -> str:
    """At most so many characters, the last one … where some are left out; at least one."""
    room = max(1, characters)
    return text if len(text) <= room else f"{text[: room - 1]}…"
