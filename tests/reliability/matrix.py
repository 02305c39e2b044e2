"""One fault at a time: what an update does when one request goes wrong, and whether the next one mends it.

A case is an operation, the phase of the environment's life in which it is asked for, and what goes wrong with it.
"""

import json
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.engine.estate import Estate, eventually
from tests.reliability.life import STACK, census, settle, writes
from tests.reliability.updates import started

PHASES: Final = ("make", "change", "remove")
# The states that a thing stays in, by the question that tells it.
_STUCK: Final = {
    "k8s.CreateCluster": ("k8s.GetCluster", "creating"),
    "k8s.CreatePool": ("k8s.GetPool", "scaling"),
    "k8s.UpdatePool": ("k8s.GetPool", "scaling"),
    "k8s.DeleteCluster": ("k8s.GetCluster", "deleting"),
    "k8s.DeletePool": ("k8s.GetPool", "deleting"),
}
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "one 500": {"status": 500},
    "one 429": {"status": 429, "retry_after": 1},
    "dropped after": {"drop": "after"},
    "403 for good": {"status": 403, "times": None},
}
STUCK: Final = "stuck"
_DESTROY: Final = ["pulumi", "destroy", "--yes", "--skip-preview", "--run-program", "--stack", STACK]
_REPAIR: Final = f"{shlex.quote(sys.executable)} -m repair --stack {STACK} --yes"
_NAMED = re.compile(r"^\s+\S+:\S+ \((?P<name>[\w@-]+)\):\n\s+error: (?!failed to run remediation)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Case:
    phase: str
    operation: str
    fault: str

    def __str__(self) -> str:
        return f"{self.phase}: {self.operation}, {self.fault}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`survived`: the update ended well all the same. `wrong` says what is not as it must be; nothing, if all is."""

    case: Case
    survived: bool
    named: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A life in which nothing goes wrong: what is asked for in each phase, what there is after it, and how long it takes."""

    operations: dict[str, list[str]]
    census: dict[str, Counter[str]]
    seconds: dict[str, float]

    def cases(self) -> Iterator[Case]:
        for phase in PHASES:
            for operation in self.operations[phase]:
                stuck = [STUCK] if operation in _STUCK else []
                for fault in [*FAULTS, *stuck]:
                    yield Case(phase=phase, operation=operation, fault=fault)


def reference(estate: Estate, phases: Sequence[str] = PHASES) -> Reference:
    """Lives these phases of the life once."""
    operations, counted, last, seconds = {}, {}, 0, {}
    _empty(estate)
    for phase in phases:
        before = time.monotonic()
        code, printed = _run(estate, phase)
        assert code == 0, printed
        seconds[phase] = time.monotonic() - before
        operations[phase], last = writes(estate, last)
        counted[phase] = census(estate)
    return Reference(operations=operations, census=counted, seconds=seconds)


def play(estate: Estate, case: Case, normal: Reference) -> Outcome:
    """Plays one case and looks at what is left. AssertionError: the environment cannot be had as it is before the phase."""
    _prepare(estate, case.phase)
    if case.fault == STUCK:
        code, printed = _interrupted(estate, case)
    else:
        _fault(estate, operation=case.operation, **FAULTS[case.fault])
        code, printed = _run(estate, case.phase)
    met = not estate.ask("scaleway", "/_sandbox/fault") and not estate.ask("gitlab", "/_sandbox/fault")
    estate.sandbox("fault", "--clear")
    named = tuple(sorted(set(_NAMED.findall(printed)) - {f"kapsule-devops-{STACK}"}))
    wrong = []
    if case.fault not in (STUCK, "403 for good") and not met:
        wrong.append("the fault was never met")
    twice = f"Fix: python -m repair --stack {STACK}" in printed  # it names what exists twice: no error of the engine's
    if code and not (named or twice) and case.fault != STUCK:
        wrong.append(f"the message names no resource: {printed[-800:]}")
    left = [] if code else differences(estate, case.phase, normal)
    if code or left:  # else the next one would have nothing to do: the preview says so
        if case.phase == "remove":
            estate.shell(_REPAIR)  # `make up` does it by itself
        again, said = _run(estate, case.phase)
        if again:
            wrong.append(f"the next one fails: {said[-1500:]}")
        left = differences(estate, case.phase, normal)
    wrong += left
    if wrong:
        _empty(estate)  # what is lost must not be in the way of the next case
    return Outcome(case=case, survived=code == 0, named=named, wrong=tuple(wrong))


def differences(estate: Estate, phase: str, normal: Reference) -> list[str]:
    """What is not as after the phase of a life without trouble."""
    found, wanted = census(estate), normal.census[phase]
    wrong = [f"more: {name} {n}" for name, n in (found - wanted).items()]
    wrong += [f"lost: {name} {n}" for name, n in (wanted - found).items()]
    if phase != "remove":
        preview = estate.shell(f"pulumi preview --json --stack {STACK}")
        steps = (
            json.loads(preview.stdout)["steps"] if preview.returncode == 0 else [{"op": "fails", "urn": preview.stderr}]
        )
        wrong += [f"preview: {s['op']} {s['urn'][-300:]}" for s in steps if s["op"] not in ("same", "read")]
    return wrong


def _prepare(estate: Estate, phase: str) -> None:
    """The environment as it is before the phase. A change is played back and forth, which saves making it anew."""
    if phase == "make":
        _empty(estate)
        return
    if phase == "change":
        settle(estate, changed=False)
    code, printed = _run(estate, "make" if phase == "remove" else "back")
    if code:
        _empty(estate)  # the next case begins anew
        raise AssertionError(printed)


def _empty(estate: Estate) -> None:
    settle(estate, changed=False)
    result = estate.sandbox("reset")
    assert result.returncode == 0, result.stderr


def _run(estate: Estate, phase: str) -> tuple[int, str]:
    """What a user does in the phase; all that he sees."""
    if phase == "change":
        settle(estate, changed=True)
    if phase != "remove":
        up = estate.up(STACK)
        return up.code, up.printed
    result = estate.shell(f"{shlex.join(_DESTROY)} 2>&1")
    return result.returncode, result.stdout


def _interrupted(estate: Estate, case: Case) -> tuple[int, str]:
    """Something stays as it is; a user sees that nothing moves, and interrupts."""
    question, status = _STUCK[case.operation]
    _fault(estate, operation=question, fields={"status": status}, times=None)
    if case.phase == "change":
        settle(estate, changed=True)
    command = _DESTROY if case.phase == "remove" else [sys.executable, "-m", "sandbox", "up", STACK]
    with started(estate, command) as update:
        eventually(lambda: update.process.poll() is not None or _met(estate) >= 2, bool)
        update.interrupt()
        return update.code, update.printed()


def _met(estate: Estate) -> int:
    return sum(f["met"] for f in estate.ask("scaleway", "/_sandbox/fault"))


def _fault(estate: Estate, **fault: Any) -> None:
    service = "gitlab" if fault["operation"].startswith("gitlab.") else "scaleway"
    estate.ask(service, "/_sandbox/fault", "POST", **fault)
