"""Faults: which request meets which, how often, and what the wire shows of it."""

import http.client
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.faults import Fault, FaultError, Faults, parse_fault
from tests.sandbox.core.test_web import Web, web

__all__ = ["web"]

NAMES = ("k8s.CreateCluster", "k8s.GetCluster", "iam.CreateApiKey")


def ask_for(web: Web, **fault: Any) -> Any:
    return web.ask("POST", "/_sandbox/fault", fault)


def test_a_fault_is_met_as_often_as_it_says_after_those_that_pass() -> None:
    faults = Faults()
    faults.add(Fault(operation="k8s.*", skip=1, times=2, status=500))
    met = [faults.meet(name) is not None for name in ("k8s.GetCluster", "iam.X", "k8s.A", "k8s.B", "k8s.C")]
    assert met == [False, False, True, True, False]
    assert faults.listed() == []


def test_a_fault_without_a_number_stays_until_it_is_cleared() -> None:
    faults = Faults()
    faults.add(Fault(operation="*", times=None, delay=1.0))
    assert all(faults.meet("a") for _ in range(100))
    assert faults.listed()[0]["met"] == 100
    faults.clear()
    assert faults.meet("a") is None


def test_what_is_late_is_let_go_on_when_the_faults_are_cleared() -> None:
    faults = Faults()
    late = [threading.Thread(target=faults.be_late, args=(Fault(operation="*", delay=600.0),)) for _ in range(2)]
    for thread in late:
        thread.start()
    while any(thread.is_alive() for thread in late):  # each clearing is for those that wait just then
        faults.clear()


def test_the_fault_that_was_asked_for_first_is_met_first() -> None:
    faults = Faults()
    faults.add(Fault(operation="a", status=500))
    faults.add(Fault(operation="*", status=429))
    assert [f.status for f in (faults.meet("a"), faults.meet("a")) if f] == [500, 429]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"operation": "nothing", "status": 500}, "operation 'nothing' names no operation"),
        ({"status": 500}, "operation None names no operation"),
        ({"operation": "k8s.*"}, "nothing would go wrong: give one of status, drop, malformed, fields, delay"),
        ({"operation": "k8s.*", "status": 200}, "status 200 must be a whole number of at least 400"),
        ({"operation": "k8s.*", "status": 600}, "status 600 must be at most 599"),
        ({"operation": "k8s.*", "status": 500, "times": 0}, "times 0 must be a whole number of at least 1"),
        ({"operation": "k8s.*", "delay": -1}, "delay -1 must be 0 to 600 seconds"),
        ({"operation": "k8s.*", "delay": 601}, "delay 601 must be 0 to 600 seconds"),
        ({"operation": "k8s.*", "drop": "maybe"}, "drop 'maybe' must be one of before, after"),
        ({"operation": "k8s.*", "statsu": 500, "status": 500}, "statsu is no part of a fault"),
        (
            {"operation": "k8s.*", "status": 500, "drop": "after"},
            "status and drop are different faults: ask for one after the other",
        ),
        (
            {"operation": "x", "skip": -1, "delay": 1},
            "operation 'x' names no operation; skip -1 must be a whole number of at least 0",
        ),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_all_that_is_wrong(fault: dict[str, Any], problem: str) -> None:
    with pytest.raises(FaultError) as refused:
        parse_fault(fault, NAMES)
    assert str(refused.value) == problem


JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from([*Fault.__dataclass_fields__, "other"]), JSON))
def test_any_request_for_a_fault_is_a_fault_or_refused(asked: dict[str, Any]) -> None:
    try:
        fault = parse_fault({"operation": "k8s.*"} | asked, NAMES)
    except FaultError:
        return
    assert 0 <= fault.delay <= 600
    assert fault.delay or fault.status or fault.drop or fault.malformed or fault.fields


# --- on the wire --------------------------------------------------------------------------------------------------------


def test_an_error_is_answered_and_nothing_is_done(web: Web) -> None:
    assert ask_for(web, operation="put", status=429, retry_after=2).status == 201
    answer = web.ask("PUT", "/things/1", {"a": 1})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert answer.body == {"message": "429 Too Many Requests"}
    assert web.store.all("web.things") == []
    assert web.ask("PUT", "/things/1", {"a": 1}).status == 200
    assert [e.get("fault") for e in web.log.entries()] == ["put", None]


@pytest.mark.parametrize(("drop", "kept"), [("before", []), ("after", [{"a": 1}])])
def test_a_connection_is_dropped_before_or_after_the_work(web: Web, drop: str, kept: list[Any]) -> None:
    ask_for(web, operation="put", drop=drop)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        web.ask("PUT", "/things/1", {"a": 1})
    assert web.store.all("web.things") == kept
    web.connection.close()
    assert web.ask("PUT", "/things/1", {"a": 1}).status == 200


def test_half_an_answer_is_no_json(web: Web) -> None:
    ask_for(web, operation="put", malformed=True)
    with pytest.raises(json.JSONDecodeError):
        web.ask("PUT", "/things/1", {"a": 1})
    assert web.store.all("web.things") == [{"a": 1}]


def test_a_state_stays_while_its_fault_does(web: Web) -> None:
    ask_for(web, operation="put", fields={"status": "creating"}, times=None)
    assert web.ask("PUT", "/things/1", {"status": "ready"}).body == {"status": "creating"}
    assert web.ask("DELETE", "/_sandbox/fault").body == []
    assert web.ask("PUT", "/things/1", {"status": "ready"}).body == {"status": "ready"}


def test_the_sandboxs_own_routes_never_fail(web: Web) -> None:
    ask_for(web, operation="*", status=500, times=None)
    assert web.ask("GET", "/echo").status == 500
    (listed,) = web.ask("GET", "/_sandbox/fault").body
    assert (listed["operation"], listed["met"]) == ("*", 1)
    assert "put" in web.ask("GET", "/_sandbox/operations").body
    assert web.ask("GET", "/_sandbox/health").status == 200


def test_a_fault_that_cannot_be_is_not_added(web: Web) -> None:
    answer = ask_for(web, operation="nowhere", status=500)
    assert (answer.status, answer.body) == (400, {"message": "operation 'nowhere' names no operation"})
    assert web.ask("GET", "/_sandbox/fault").body == []
