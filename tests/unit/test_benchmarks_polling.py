"""How long a thing was there unseen, out of the request log."""

from typing import Any

from benchmarks.polling import unseen


def asked(time: float, status: str | None, *, thing: str = "c", operation: str = "k8s.GetCluster") -> dict[str, Any]:
    reply = None if status is None else {"id": thing, "status": status}
    return {"time": time, "operation": operation, "reply": reply}


def test_it_counts_from_when_the_thing_was_there_to_the_first_answer_that_says_so() -> None:
    log = [asked(5, "creating"), asked(10, "pool_required"), asked(11, "creating"), asked(15, "ready")]
    assert unseen(log, {"c": 7}) == {"c": 3}


def test_a_thing_that_was_not_there_at_its_time_counts_from_the_last_answer_that_said_so() -> None:
    assert unseen([asked(5, "creating"), asked(10, "creating"), asked(15, "ready")], {"c": 2}) == {"c": 5}


def test_other_things_and_other_requests_count_nothing() -> None:
    log = [
        asked(1, "ready", thing="unknown"),
        asked(2, "ready", thing="p", operation="k8s.ListPools"),
        asked(3, None, operation="k8s.GetPool"),
        asked(4, "pool_required", thing="p", operation="k8s.GetPool"),
        asked(6, "ready", thing="p", operation="k8s.GetPool"),
    ]
    assert unseen(log, {"p": 0, "never": 0}) == {"p": 2}
