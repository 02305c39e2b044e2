"""docs/performance.md: each figure with its limit, how often it was measured, its range and its parts; and a chart. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.figures import RATIO

Record = Mapping[str, Any]

_HEAD: Final = """# Performance

Written by `make bench` from `benchmarks/results.json`. Times depend on the machine ({machine}), so what is held
to a limit is mostly a ratio: both of its sides are measured in the same run, in turn. A limit is the project's own; the
median is held against it. No test asserts a time.
"""
_TABLE: Final = "| figure | limit | kept | median | minimum | maximum | runs |\n" + "|---" * 7 + "|"


def written(results: Mapping[str, Record], titles: Mapping[str, Sequence[str]], machine: str) -> str:
    """`results` by name; `titles` names the figures of each section, in its order. What nobody names comes last."""
    named = {name for names in titles.values() for name in names}
    sections = {**titles, "Others": [name for name in results if name not in named]}
    parts = [_HEAD.format(machine=machine), _chart(results)]
    for title, names in sections.items():
        if found := {name: results[name] for name in names if name in results}:
            parts.append(_section(title, found))
    return "\n".join(part for part in parts if part)


def _chart(results: Mapping[str, Record]) -> str:
    """How much of its limit each figure takes, in percent."""
    shares = {name: 100 * r["median"] / r["at_most"] for name, r in results.items() if r["at_most"]}
    if not shares:
        return ""
    top = max(110, *(round(share) + 5 for share in shares.values()))
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta horizontal",
            '  title "How much of its limit each figure takes (%)"',
            f"  x-axis [{', '.join(shares)}]",
            f'  y-axis "100 is the limit" 0 --> {top}',
            f"  bar [{', '.join(f'{share:.0f}' for share in shares.values())}]",
            f"  line [{', '.join('100' for _ in shares)}]",
            "```",
            "",
        ]
    )


def _section(title: str, results: Mapping[str, Record]) -> str:
    lines = [f"## {title}", "", _TABLE]
    lines += [_row(name, record) for name, record in results.items()]
    lines.append("")
    for name, record in results.items():
        lines += [f"**{name}**: {record['meaning']}", ""]
        if record["details"]:
            lines += [*_details(record["details"]), ""]
    return "\n".join(lines)


def _row(name: str, record: Record) -> str:
    unit = "" if record["unit"] == RATIO else f" {record['unit']}"
    limit = "" if record["at_most"] is None else f"{number(record['at_most'])}{unit}"
    kept = {True: "yes", False: "**no**", None: ""}[record["kept"]]
    values = " | ".join(f"{number(record[key])}{unit}" for key in ("median", "minimum", "maximum"))
    return f"| {name} | {limit} | {kept} | {values} | {record['repetitions']} |"


def _details(details: Mapping[str, Any]) -> list[str]:
    """What is plain as a list, what is a table as one; anything deeper as JSON."""
    plain = {key: value for key, value in details.items() if not isinstance(value, Mapping | list)}
    lines = [f"* {key}: {number(value)}" for key, value in plain.items()]
    for key, value in details.items():
        if key not in plain:
            lines += ["", f"{key}:", "", *_table(value)]
    return lines


def _table(value: Any) -> list[str]:
    rows = [{"": key, **row} for key, row in value.items()] if _holds_rows(value) else value
    if isinstance(rows, Mapping):
        return ["| | |", "|---|---|", *(f"| {key} | {number(inner)} |" for key, inner in rows.items())]
    if rows and all(isinstance(row, Mapping) for row in rows):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        head = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        return head + [f"| {' | '.join(number(row.get(column, '')) for column in columns)} |" for row in rows]
    return [f"* {number(each)}" for each in rows]


def _holds_rows(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(row, Mapping) for row in value.values())


def number(value: Any) -> str:
    """A figure as a person reads it: three digits that matter. Anything else as it is, fit for a cell."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = value if isinstance(value, str) else json.dumps(value)
        return text.replace("|", "\\|").replace("\n", " ")
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
