"""The steps of a repair, in their order, and what is said of each.

1. The lock of an update that was killed is taken away, where that update runs no more; the engine asks what became of all
   that the state holds, and forgets what it had begun and was not made. A secret of it that is to be deleted is restored.
2. What exists and the state does not know is taken into it by name, or removed where it is of no use to anybody.
3. Releases that an update was cut off in are freed, and objects in the cluster handed over by another state.
4. What is left to do for the next update is told.

Owns the order and the wording. Does not own how anything is found (`kinds`, `releases`, `managers`) nor compared
(`findings`).
"""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ci.errors import CiError, all_problems
from repair import managers, releases, scheduled
from repair.findings import Adoption, Extra, Findings, Foreign, compare
from repair.imports import import_file
from repair.kinds import Found, Kind, Kinds
from repair.resources import Resource, State, is_older, known
from repair.services import Services
from repair.stack import PATCH_FORCE, Holder, LockedError, Stack

# Each round of looking knows the ids that the one before has taken in: project, network, cluster, pool.
MOST_ROUNDS = 12
_AT_A_TIME = 8
_GONE = "gone         {}: it no longer exists, and the next update makes it, where it is still declared"
_SERVES = (
    "in use, so somebody holds its secret, which nobody can read again: it cannot be taken in, and is not removed "
    "(docs/runbooks/import-existing-resources.md)"
)
_TOLD = {"create": "to make", "update": "to change", "replace": "to replace", "delete": "to delete"}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One repair of one stack. `change` False only tells; `unlock` takes a lock away also where its holder may still run."""

    stack: Stack
    services: Services
    kinds: Kinds
    say: Callable[[str], None]
    change: bool
    unlock: bool = False

    def check(self) -> bool:
        """Whether nothing exists twice, by the state alone: quick, and changes nothing."""
        resources = self.stack.export().resources
        found = self._found(resources)
        self._tell(found)
        return not found

    def explain(self) -> bool:
        """Tells what `run` would do. True: nothing. What hangs on an id that is not known yet is told by `run` alone."""
        state = self.stack.export()
        older = self._tell_older(state)
        for urn in state.pending:
            self.say(f"   unfinished   {_name(urn)}: an update was cut off while it made or changed it")
        resources, gone = self.stack.looked_up()
        for urn in gone:
            self.say(f"   {_GONE.format(_name(urn))}")
        leaving = list(scheduled.scheduled(self.services, state.resources))
        self._tell_scheduled(leaving)
        found = self._found(resources)
        stuck = list(releases.blocked(self.services, resources))
        claimed = list(managers.leftover(self.services, resources))
        self._tell(found)
        self._tell_blocked(stuck)
        self._tell_leftover(claimed)
        return not (older or state.pending or gone or leaving or found or stuck or claimed)

    def run(self) -> None:
        """All steps. CiError: a step could not be done; what was done before it stays, and the next run goes on there."""
        self.say("1. The lock, and what became of all that the state holds")
        state = self.stack.export()
        self._tell_older(state)
        outcome = self._refreshed()
        for urn in state.pending:
            self.say(f"   looked at    {_name(urn)}: the update was cut off while it made or changed it")
        leaving = list(scheduled.scheduled(self.services, self.stack.export().resources))
        for each in leaving:
            scheduled.restore(self.services, each)
        self._tell_scheduled(leaving)
        for line in outcome or ([] if leaving else ["all of it is as the state has it"]):
            self.say(f"   {line}")
        self.say("2. What exists, and the state does not know")
        resources, foreign = self._taken_in()
        self.say("3. What in the cluster would refuse the next update")
        stuck = list(releases.blocked(self.services, resources))
        self._tell_blocked(stuck)
        for blocked in stuck:
            releases.forget(self.services, blocked)
        claimed = list(managers.leftover(self.services, resources))
        self._tell_leftover(claimed)
        for obj in claimed:
            managers.hand_over(self.services, obj)
        if not stuck and not claimed:
            self.say("   nothing")
        self.say("4. What is left to do for the next pulumi up")
        for line in next_update(resources):
            self.say(f"   {line}")
        if foreign:
            raise all_problems([_foreign(each) for each in foreign])

    def _refreshed(self) -> list[str]:
        try:
            found = self.stack.refresh()
        except LockedError as error:
            self._unlock(error.holders)
            found = self.stack.refresh()
        gone = [_GONE.format(_name(urn)) for urn in found.gone]
        changed = [f"otherwise    {_name(urn)}: changed outside; the next update says how" for urn in found.changed]
        return [*gone, *changed]

    def _tell_older(self, state: State) -> bool:
        """Whether the state is known to be an older one: of a backup, or of a bucket's older version."""
        changed = self.stack.last_change()
        if not is_older(state.written, changed):
            return False
        self.say(
            f"   older state  of {state.written[:19]}Z: an update changed something after it, at {changed[:19]}Z; what that "
            "made and removed is looked for (docs/runbooks/restore.md)"
        )
        return True

    def _unlock(self, holders: Sequence[Holder]) -> None:
        running = [h for h in holders if not _is_over(h)]
        if (running or not holders) and not self.unlock:
            who = ", ".join(f"{h.user}@{h.host}, process {h.pid}, since {h.since}" for h in running) or "somebody"
            raise CiError(
                f"the stack {self.stack.name} is locked by {who}: an update that runs must be let end, or two write "
                "one state. Fix: wait for it; where it is known to be dead, repair again with --unlock"
            )
        for holder in holders:
            over = "which has ended" if holder not in running else "as --unlock says"
            self.say(f"   unlocked     the lock of {holder.user}@{holder.host}, process {holder.pid}, {over}")
        self.stack.cancel()

    def _taken_in(self) -> tuple[list[Resource], tuple[Foreign, ...]]:
        """Until nothing more is found; the resources as they are then."""
        nothing = True
        for _ in range(MOST_ROUNDS):
            resources = self.stack.declared()
            found = self._found(resources)
            removable = [e for e in found.extras if e.removable]
            if not found.adoptions and not removable:
                self._tell(found)
                if nothing and not found:
                    self.say("   nothing")
                return resources, found.foreign
            nothing = False
            if found.adoptions:
                self.stack.take(import_file(found.adoptions, resources, self.stack.export().urns))
            for extra in removable:
                assert extra.kind.remove is not None
                extra.kind.remove(self.services, extra.resource.inputs, extra.found.id)
            self._tell(Findings(adoptions=found.adoptions, extras=tuple(removable)))
        raise CiError(
            f"after {MOST_ROUNDS} rounds there is still something to take in: each round must bring the state nearer to "
            "what exists, or it would never end. Fix: look at what the last lines name, and take it in with pulumi import"
        )

    def _found(self, resources: Sequence[Resource]) -> Findings:
        """Asks for many at a time, and for what several resources share once."""
        self.services.forget_lists()
        asked = {
            _question(r, kind): (r, kind)
            for r in resources
            if (kind := self.kinds.get(r.type)) and known(r.inputs, *kind.needs)
        }
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            each = [pool.submit(_listed, self.services, r, kind) for r, kind in asked.values()]
            answers = dict(zip(asked, (a.result() for a in each), strict=True))

        def look(resource: Resource, kind: Kind) -> Iterable[Found]:
            return answers[_question(resource, kind)]

        return compare(resources, self.kinds, look)

    def _tell(self, found: Findings) -> None:
        for line in told(found, changed=self.change):
            self.say(f"   {line}")

    def _tell_scheduled(self, leaving: Iterable[Resource]) -> None:
        word = "restored    " if self.change else "to restore  "
        for each in leaving:
            self.say(f"   {word} secret {each.name}: Scaleway was to delete it, and the state still has it")

    def _tell_blocked(self, stuck: Iterable[releases.Blocked]) -> None:
        for each in stuck:
            why = (
                "Helm was cut off in it, and refuses the next update" if each.pending else "the state does not know it"
            )
            word = "freed       " if self.change else "to be freed "
            self.say(f"   {word} release {_name(each.resource.urn)}: {why}; what runs goes on")

    def _tell_leftover(self, claimed: Sequence[managers.Leftover]) -> None:
        if claimed:
            word = "handed over " if self.change else "to hand over"
            self.say(
                f"   {word} {len(claimed)} objects in the cluster: another state has set their fields, and their next "
                "change would be refused"
            )


def next_update(resources: Sequence[Resource]) -> list[str]:
    """What the next update does, and what of it somebody should look at first."""
    todo = {operation: [r for r in resources if r.custom and r.operation == operation] for operation in _TOLD}
    lines = [f"{_TOLD[operation]:<12} {len(each)}" for operation, each in todo.items() if each]
    for operation in ("replace", "delete"):
        lines += [f"look at      {each.name}: pulumi up would {operation} it" for each in todo[operation]]
    if any(each.type.startswith("kubernetes:") for each in todo["create"]):
        lines.append(
            f"with         {PATCH_FORCE}=true, once, where it finds objects in the cluster that it made before"
        )
    return lines or ["nothing"]


def told(found: Findings, *, changed: bool) -> list[str]:
    """A line for each finding."""
    adopted, removed = ("taken in    ", "removed     ") if changed else ("to take in  ", "to remove   ")
    lines = [f"{adopted} {_thing(a)}: it exists, and the state does not know it" for a in found.adoptions]
    for extra in found.extras:
        why = (
            "there beside the one that the state knows"
            if extra.kind.adoptable
            else "whoever made it never learned its secret"
        )
        if extra.removable:
            lines.append(f"{removed} {_thing(extra)}: {why}")
        elif extra.found.in_use and not extra.kind.adoptable:
            lines.append(f"look at      {_thing(extra)}: {_SERVES}")
        else:
            lines.append(f"look at      {_thing(extra)}: {why}, and in use or not to be removed by a machine")
    return lines + [f"not ours     {_foreign(each)}" for each in found.foreign]


def _foreign(each: Foreign) -> str:
    return (
        f"{each.kind.noun} {each.found.id} has the name that {each.resource.name} is to have, and says of itself "
        f"{each.found.description!r}: it must be renamed, or the next update is refused. Fix: rename it, or choose another "
        "name in the settings; where it is ours, take it in: docs/runbooks/import-existing-resources.md"
    )


def _thing(finding: Adoption | Extra) -> str:
    made = f", made {finding.found.made}" if finding.found.made else ""
    return f"{finding.kind.noun} {finding.found.id}{made} ({finding.resource.name})"


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _question(resource: Resource, kind: Kind) -> tuple[str, ...]:
    """What is the same for all resources that are looked for by the same."""
    return (resource.type, *(str(resource.inputs.get(name)) for name in kind.needs))


def _listed(services: Services, resource: Resource, kind: Kind) -> list[Found]:
    return list(kind.find(services, resource.inputs))


def _is_over(holder: Holder) -> bool:
    """Whether the process that holds a lock is known to have ended: only of this machine's can that be told."""
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is another user's, and runs
    return False
