"""What counts as a difference between two answers."""

from typing import Any

import pytest

from tests.fidelity.compare import compare
from tests.fidelity.made_up import DATE, NETWORK, POOL, VPC
from tests.fidelity.mapping import Ids, Leaf

OURS = "dddddddd-0000-4000-8000-000000000001"


def told(recorded: Any, answered: Any, **known: Any) -> list[str]:
    ids = Ids()
    ids.learn([], made=(POOL, OURS))
    return [str(d) for d in compare(recorded, answered, ids, **known).differences]


@pytest.mark.parametrize(
    ("recorded", "answered", "said"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": 0.5}, {"a": 1}, []),
        ({"a": 1}, {}, ["a: recorded number, stand-in no such key"]),
        ({}, {"a": None}, ["a: recorded no such key, stand-in null"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b: recorded number, stand-in no such key"]),
        ({"a": None}, {"a": ""}, ["a: recorded null, stand-in string"]),
        ({"a": "1"}, {"a": 1}, ["a: recorded string, stand-in number"]),
        ({"a": 0}, {"a": False}, ["a: recorded number, stand-in false"]),
        ({"a": []}, {"a": None}, ["a: recorded list, stand-in null"]),
        ({"a": {}}, {"a": []}, ["a: recorded object, stand-in list"]),
        (
            {"a": ["x"]},
            {"a": [1, 2]},
            ["a[0]: recorded string, stand-in number", "a[]: recorded string, stand-in number"],
        ),
        ({"a": DATE}, {"a": "yesterday"}, ['a: recorded an RFC 3339 date, stand-in "yesterday"']),
        ({"a": DATE}, {"a": "2020-01-01T00:00:00+00:00"}, []),
        ({"a": VPC}, {"a": "x"}, ['a: recorded an id, stand-in "x"']),
        ({"a": VPC}, {"a": ""}, []),
        ({"status": "ready"}, {"status": "ok"}, ["status: recorded ready, stand-in ok"]),
        ({"type": "not_found"}, {"type": "gone"}, ["type: recorded not_found, stand-in gone"]),
        ([1], {"a": 1}, ["body: recorded list, stand-in object"]),
    ],
)
def test_values(recorded: Any, answered: Any, said: list[str]) -> None:
    assert told(recorded, answered) == said


def test_keys_of_a_map_are_data() -> None:
    assert told({"labels": {"a": "b"}}, {"labels": {}}) == []
    assert told({"labels": {"a": "b"}}, {"labels": {"c": 1}}) != []
    one, other = {"arch": "arm64"}, {"arch": "arm64", "gpu": 0}
    assert told({"servers": {"A": one}}, {"servers": {"B": one, "C": one}}) == []
    assert told({"servers": {"A": one}}, {"servers": {"B": other}}) != []


def test_elements_are_paired_by_id_then_by_likeness() -> None:
    recorded = [{"id": POOL, "ip": "1.2.3.4"}, {"id": VPC, "ranges": True}]
    answered = [{"id": NETWORK, "ranges": False}, {"id": OURS, "ip": "4.3.2.1"}]
    assert told({"rules": recorded}, {"rules": answered}) == []
    found = compare({"rules": recorded}, {"rules": answered}, Ids()).leaves
    assert Leaf("id", VPC, NETWORK) in found
    assert Leaf("id", POOL, OURS) in found


def test_what_was_made_before_must_be_listed_and_nothing_else_of_it() -> None:
    listed, other = {"things": [{"id": POOL}], "total_count": 1}, {"things": [{"id": NETWORK}], "total_count": 1}
    assert told(listed, other, others=True) == [f"things[0]: recorded {POOL}, made before, stand-in not listed"]
    assert told({"things": []}, {"things": [{"id": OURS}]}, others=True) != []
    assert told({"things": [{"id": VPC}]}, {"things": [{"id": NETWORK}, {"id": OURS}]}, others=True) != []
    assert told(listed, other, others=True, partial=True) == []


def test_what_else_an_account_has_is_its_own_business() -> None:
    assert told({"things": [{"id": VPC}]}, {"things": []}, others=True) == []
    assert told({"things": [{"id": VPC}]}, {"things": []}) == ["things[]: recorded 1 elements, stand-in an empty list"]
    assert told({"a": {"things": []}}, {"a": {"things": [{"id": VPC}]}}) != []
    assert told({"users": [{"id": VPC, "last": None}]}, {"users": [{"id": NETWORK, "last": DATE}]}, others=True) == []
    assert told({"users": [{"id": VPC, "last": None}]}, {"users": [{"id": NETWORK, "last": DATE}]}) != []
    more = [{"id": VPC, "tags": []}, {"id": NETWORK, "tags": ["x"]}]
    assert told({"things": more}, {"things": more[:1]}, others=True) == []


def test_each_element_must_look_like_one_of_the_other_side() -> None:
    plain, odd = {"id": VPC, "a": 1}, {"id": NETWORK, "a": "1"}
    assert told({"things": [plain]}, {"things": [plain, odd]}) == ["things[].a: recorded number, stand-in string"]
    assert told({"things": [plain, odd]}, {"things": [plain]}) == ["things[1].a: recorded string, stand-in number"]
