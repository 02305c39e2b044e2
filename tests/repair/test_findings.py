"""What is found beside what the state knows, and what is to be done with it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repair.findings import Findings, compare
from repair.kinds import Found, Kind
from repair.resources import Resource
from tests.repair.things import KEY, KINDS, UNKNOWN, resource


def found(*resources: Resource, exist: Sequence[Found]) -> Findings:
    return compare(resources, KINDS, lambda _resource, _kind: exist)


def test_what_the_state_knows_is_nothing_to_mend() -> None:
    assert not found(resource("vpc", id_="fr-par/1"), exist=[Found(id="fr-par/1")])


def test_what_is_still_to_be_made_and_exists_is_taken_in() -> None:
    (adoption,) = found(resource("vpc"), exist=[Found(id="fr-par/1")]).adoptions
    assert (adoption.resource.name, adoption.found.id) == ("vpc", "fr-par/1")


def test_of_two_that_exist_the_first_is_taken_in_and_the_other_removed() -> None:
    exist = [Found(id="late", made="2026-02-01T00:00:00Z"), Found(id="early", made="2026-01-01T00:00:00Z")]
    findings = found(resource("vpc"), exist=exist)
    assert [a.found.id for a in findings.adoptions] == ["early"]
    assert [(e.found.id, e.removable) for e in findings.extras] == [("late", True)]


def test_what_something_lives_in_is_taken_in_before_what_was_made_first() -> None:
    exist = [Found(id="early", made="2026-01-01T00:00:00Z"), Found(id="used", made="2026-02-01T00:00:00Z", in_use=True)]
    findings = found(resource("vpc"), exist=exist)
    assert [a.found.id for a in findings.adoptions] == ["used"]
    assert [e.found.id for e in findings.extras] == ["early"]


def test_one_beside_the_one_that_the_state_knows_is_removed_unless_something_lives_in_it() -> None:
    exist = [Found(id="known"), Found(id="empty"), Found(id="used", in_use=True)]
    findings = found(resource("vpc", id_="known"), exist=exist)
    assert not findings.adoptions
    assert {e.found.id: e.removable for e in findings.extras} == {"empty": True, "used": False}


def test_of_what_tells_its_secret_once_nothing_is_taken_in() -> None:
    findings = found(resource("key-b", KEY), exist=[Found(id="SCW1")])
    assert not findings.adoptions
    assert [e.found.id for e in findings.extras] == ["SCW1"]


def test_a_thing_that_two_resources_could_be_is_told_once() -> None:
    findings = found(resource("key-a", KEY, "SCW1"), resource("key-b", KEY, "SCW2"), exist=[Found(id="SCW3")])
    assert [e.found.id for e in findings.extras] == ["SCW3"]


def test_a_namesake_that_says_it_is_something_else_is_left_alone() -> None:
    exist = [Found(id="other", description="of another team")]
    findings = found(resource("vpc", description="ours"), exist=exist)
    assert not findings.adoptions
    assert not findings.extras
    assert [f.found.id for f in findings.foreign] == ["other"]
    assert not found(resource("vpc", id_="known", description="ours"), exist=exist)


@pytest.mark.parametrize("value", ["", None, UNKNOWN, "[secret]"])
def test_nothing_is_looked_for_by_what_is_not_known_yet(value: str | None) -> None:
    assert not found(resource("vpc", projectId=value), exist=[Found(id="fr-par/1")])


def test_a_kind_that_nobody_knows_is_passed_over() -> None:
    assert not found(resource("map", "kubernetes:core/v1:ConfigMap"), exist=[Found(id="x")])


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.booleans(),
)
def test_each_thing_is_known_taken_in_or_extra_and_never_two_of_these(
    known: list[str], exist: list[str], new: bool
) -> None:
    resources = [resource(f"vpc-{id_}", id_=id_) for id_ in known] + ([resource("vpc-new")] if new else [])

    def look(_resource: Resource, _kind: Kind) -> list[Found]:
        return [Found(id=id_) for id_ in exist]

    findings = compare(resources, KINDS, look)
    taken, extra = [a.found.id for a in findings.adoptions], [e.found.id for e in findings.extras]
    assert len(taken) == (1 if new and set(exist) - set(known) else 0)
    assert sorted(taken + extra) == (sorted(set(exist) - set(known)) if resources else [])
