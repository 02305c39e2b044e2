"""docs/reliability.md: what was played, and what became of it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.reliability.matrix import FAULTS, PHASES, STUCK

Played = Mapping[str, Mapping[str, Any]]

_HEAD = """# Reliability

Written by `make reliability`, which plays each of these in the sandbox, one at a time, on a small environment with each kind
of thing. **Survived**: the update ended well all the same. **Converged**: else, the next `make up` brought everything to
where a life without trouble ends: nothing twice, nothing lost, and a preview with no change. **Lost**: neither.

`make up` repairs first where the last one did not end well, and looks afterwards whether anything exists twice: a client
that tries again when an answer is lost may have made two (`make repair` says what it finds).
"""


def written(played: Played, todo: Sequence[str]) -> str:
    """`played` by name; `todo` names all that there is to play."""
    lines = [_HEAD, _commits(played), _faults(played), _kills(played), _wrong(played)]
    if missing := [name for name in todo if name not in played]:
        lines.append(f"## Not played yet\n\n{len(missing)} of {len(todo)}: `make reliability` goes on with them.\n")
    return "\n".join(line for line in lines if line)


def _commits(played: Played) -> str:
    """Which state of the project was played: a suite that was ended may go on with a later one."""
    commits = Counter(record["commit"] for record in played.values())
    return f"Played: {', '.join(f'{count} at {commit}' for commit, count in commits.items())}.\n" if commits else ""


def _faults(played: Played) -> str:
    rows = []
    for phase in PHASES:
        for fault in (*FAULTS, STUCK):
            each = [
                r
                for r in played.values()
                if (r.get("case") or {}).get("phase") == phase and r["case"]["fault"] == fault
            ]
            if each:
                rows.append(f"| {phase} | {fault} | {_figures(each)} |")
    head = "## One fault at a time\n\n| phase | fault | injected | survived | converged | lost |\n" + "|---" * 6 + "|\n"
    return head + "\n".join(rows) + "\n" if rows else ""


def _kills(played: Played) -> str:
    kills = [r for r in played.values() if "victim" in r]
    victims = sorted({r["victim"] for r in kills})
    rows = [f"| {victim} | {_figures([r for r in kills if r['victim'] == victim])} |" for victim in victims]
    head = "## kill -9 at a random moment\n\n| killed | runs | survived | converged | lost |\n" + "|---" * 5 + "|\n"
    return head + "\n".join(rows) + "\n" if rows else ""


def _figures(each: Sequence[Mapping[str, Any]]) -> str:
    lost = sum(bool(r["wrong"]) for r in each)
    survived = sum(bool(r["survived"]) and not r["wrong"] for r in each)
    return f"{len(each)} | {survived} | {len(each) - survived - lost} | {lost}"


def _wrong(played: Played) -> str:
    lost = {name: record["wrong"] for name, record in played.items() if record["wrong"]}
    if not lost:
        return ""
    return "## Lost\n\n" + "\n".join(f"* {name}: {'; '.join(wrong)[:300]}" for name, wrong in lost.items()) + "\n"
