"""The steps of a repair and what is said of each, on an engine and services that are made up."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from ci.errors import CiError
from repair import managers, releases, scheduled
from repair.kinds import Found, Kind
from repair.resources import Inputs, Resource, State
from repair.services import Services
from repair.stack import PATCH_FORCE, Holder, LockedError, Refreshed, Stack
from repair.steps import MOST_ROUNDS, Repair, next_update
from tests.repair.things import KEY, NETWORK, URN, VPC, resource

HERE = socket.gethostname()


class World:
    """What exists at the services, by type, and what the state holds."""

    def __init__(self, declared: Sequence[Resource], exist: dict[str, list[Found]]) -> None:
        self.declared, self.exist, self.removed = list(declared), exist, list[str]()
        self.kinds = {
            VPC: Kind(noun="VPC", needs=("name", "projectId"), find=self._find(VPC), remove=self._remove(VPC)),
            KEY: Kind(
                noun="API key",
                needs=("applicationId",),
                find=self._find(KEY),
                remove=self._remove(KEY),
                adoptable=False,
            ),
        }

    def _find(self, type_: str) -> Any:
        return lambda _services, _inputs: list(self.exist.get(type_, []))

    def _remove(self, type_: str) -> Any:
        def remove(_services: Services, _inputs: Inputs, id_: str) -> None:
            self.exist[type_] = [f for f in self.exist[type_] if f.id != id_]
            self.removed.append(id_)

        return remove


class PlayedStack(Stack):
    """An engine that takes in what it is told to."""

    world: World
    holders: tuple[Holder, ...] | None
    pending: tuple[str, ...]
    cancelled: int

    def export(self) -> State:
        return State(resources=tuple(r for r in self.world.declared if r.made or not r.custom), pending=self.pending)

    def declared(self) -> list[Resource]:
        return list(self.world.declared)

    def looked_up(self) -> tuple[list[Resource], list[str]]:
        return self.declared(), []

    def last_change(self) -> str:
        return ""

    def refresh(self) -> Refreshed:
        if self.holders is not None:
            raise LockedError(self.name, self.holders)
        return Refreshed()

    def cancel(self) -> None:
        object.__setattr__(self, "holders", None)
        object.__setattr__(self, "cancelled", self.cancelled + 1)

    def take(self, file: Mapping[str, Any]) -> None:
        ids = {entry["name"]: entry["id"] for entry in file["resources"] if "id" in entry}
        self.world.declared = [
            replace(r, id=ids[r.name], operation="same") if r.name in ids else r for r in self.world.declared
        ]


@pytest.fixture(autouse=True)
def no_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_services: Services, _resources: Sequence[Resource]) -> Iterable[Any]:
        return iter(())

    monkeypatch.setattr(releases, "blocked", none)
    monkeypatch.setattr(managers, "leftover", none)
    monkeypatch.setattr(scheduled, "scheduled", none)


def played(
    world: World, *, holders: tuple[Holder, ...] | None = None, pending: tuple[str, ...] = (), **given: Any
) -> tuple[Repair, list[str], PlayedStack]:
    stack = PlayedStack(name="dev", environment={})
    for name, value in {"world": world, "holders": holders, "pending": pending, "cancelled": 0}.items():
        object.__setattr__(stack, name, value)
    said: list[str] = []
    services = Services(environment={}, _open=ExitStack())
    return Repair(stack=stack, services=services, kinds=world.kinds, say=said.append, **given), said, stack


def _world() -> World:
    exist = {
        VPC: [Found(id="fr-par/1", made="2026-01-01T00:00:00Z"), Found(id="fr-par/2", made="2026-01-02T00:00:00Z")],
        KEY: [Found(id="SCW1")],
    }
    return World([NETWORK, resource("vpc"), resource("key-b", KEY)], exist)


def test_what_exists_is_taken_in_and_the_rest_removed() -> None:
    world = _world()
    repair, said, _ = played(world, change=True)
    repair.run()
    assert [r.id for r in world.declared if r.custom] == ["fr-par/1", ""]
    assert world.removed == ["SCW1", "fr-par/2"]
    assert (
        "   taken in     VPC fr-par/1, made 2026-01-01T00:00:00Z (vpc): it exists, and the state does not know it"
        in said
    )
    assert "   removed      API key SCW1 (key-b): whoever made it never learned its secret" in said
    assert said[-1] == "   to make      1"


@pytest.mark.parametrize("change", [True, False])
def test_a_secret_that_is_to_be_deleted_is_restored_before_anything_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, change: bool
) -> None:
    leaving, restored = resource("copy", scheduled.SECRET, "fr-par/1"), list[str]()
    monkeypatch.setattr(scheduled, "scheduled", lambda *_: iter([leaving]))
    monkeypatch.setattr(scheduled, "restore", lambda _, each: restored.append(each.id))
    repair, said, _ = played(World([NETWORK], {}), change=change)
    if change:
        repair.run()
        assert restored == ["fr-par/1"]
        assert said[1] == "   restored     secret copy: Scaleway was to delete it, and the state still has it"
        assert "   all of it is as the state has it" not in said
    else:
        assert not repair.explain()
        assert restored == []
        assert said == ["   to restore   secret copy: Scaleway was to delete it, and the state still has it"]


def test_a_second_repair_does_nothing() -> None:
    world = _world()
    played(world, change=True)[0].run()
    world.removed.clear()
    repair, said, _ = played(world, change=True)
    repair.run()
    assert world.removed == []
    assert "   nothing" in said


def test_without_yes_it_only_tells() -> None:
    world = _world()
    repair, said, _ = played(world, change=False, pending=(f"{URN}{VPC}::vpc",))
    assert repair.explain() is False
    assert world.removed == []
    assert not any(r.made for r in world.declared)
    assert said[0].startswith("   unfinished   vpc: ")
    assert [line.split()[:2] for line in said[1:]] == [["to", "take"], ["to", "remove"], ["to", "remove"]]


def test_the_check_sees_what_is_there_beside_what_the_state_knows() -> None:
    world = World([resource("vpc", id_="fr-par/1")], {VPC: [Found(id="fr-par/1")]})
    assert played(world, change=False)[0].check() is True
    world.exist[VPC].append(Found(id="fr-par/2"))
    repair, said, _ = played(world, change=False)
    assert repair.check() is False
    assert said == ["   to remove    VPC fr-par/2 (vpc): there beside the one that the state knows"]


def test_what_something_lives_in_is_left_for_a_person_and_the_repair_ends() -> None:
    world = World([resource("vpc", id_="fr-par/1")], {VPC: [Found(id="fr-par/1"), Found(id="fr-par/2", in_use=True)]})
    repair, said, _ = played(world, change=True)
    repair.run()
    assert world.removed == []
    assert any(line.startswith("   look at      VPC fr-par/2") for line in said)


def test_what_somebody_holds_the_secret_of_is_left_for_a_person() -> None:
    world = World([resource("key-b", KEY)], {KEY: [Found(id="SCW1", in_use=True), Found(id="SCW2")]})
    repair, said, _ = played(world, change=True)
    repair.run()
    assert world.removed == ["SCW2"]
    (told,) = [line for line in said if "SCW1" in line]
    assert told.startswith("   look at      API key SCW1 (key-b): in use, so somebody holds its secret, ")


def test_a_namesake_of_somebody_else_is_an_error_at_the_end() -> None:
    world = World([resource("vpc", description="ours")], {VPC: [Found(id="fr-par/9", description="theirs")]})
    repair, _, _ = played(world, change=True)
    told = r"VPC fr-par/9 has the name that vpc is to have, and says of itself 'theirs'.*import-existing-resources\.md"
    with pytest.raises(CiError, match=told):
        repair.run()
    assert world.removed == []


def test_what_can_never_be_taken_in_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = _world()
    monkeypatch.setattr(PlayedStack, "take", lambda *_: None)
    repair, _, _ = played(world, change=True)
    with pytest.raises(CiError, match=f"after {MOST_ROUNDS} rounds"):
        repair.run()


# --- the lock ---------------------------------------------------------------------------------------------------------


def _ended() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def _holder(host: str = HERE, pid: int | None = None) -> Holder:
    return Holder(user="root", host=host, pid=pid or _ended(), since="2026-11-24T00:00:00Z")


def test_the_lock_of_a_process_that_has_ended_is_taken_away() -> None:
    repair, said, stack = played(_world(), change=True, holders=(_holder(),))
    repair.run()
    assert stack.cancelled == 1
    assert any(line.startswith("   unlocked     the lock of root@") for line in said)


@pytest.mark.parametrize("holders", [(_holder(pid=os.getpid()),), (_holder(host="elsewhere"),), ()])
def test_the_lock_of_one_that_may_run_is_left_unless_told_otherwise(holders: tuple[Holder, ...]) -> None:
    repair, _, stack = played(_world(), change=True, holders=holders)
    with pytest.raises(CiError, match=r"the stack dev is locked by .*--unlock"):
        repair.run()
    assert stack.cancelled == 0
    repair, _, stack = played(_world(), change=True, holders=holders, unlock=True)
    repair.run()
    assert stack.cancelled == 1


# --- what is left to do -----------------------------------------------------------------------------------------------


def test_what_the_next_update_would_replace_or_delete_is_named() -> None:
    resources = [
        replace(resource("network", id_="1"), operation="replace"),
        replace(resource("old", id_="2"), operation="delete"),
        replace(resource("map", "kubernetes:core/v1:ConfigMap"), operation="create"),
        resource("kept", id_="3"),
    ]
    assert next_update(resources) == [
        "to make      1",
        "to replace   1",
        "to delete    1",
        "look at      network: pulumi up would replace it",
        "look at      old: pulumi up would delete it",
        f"with         {PATCH_FORCE}=true, once, where it finds objects in the cluster that it made before",
    ]
