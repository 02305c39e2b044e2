"""The harness on recordings of the stand-in itself: unchanged they match, and each change is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fidelity.allowed import Allowed
from tests.fidelity.made_up import (
    CLUSTERS,
    ORGANIZATION,
    PROJECT,
    VPC,
    VPCS,
    interaction,
    not_found,
    recording,
    vpc,
    vpc_life,
)
from tests.fidelity.recorder import Recorder, cluster_life, recorder
from tests.fidelity.replay import Outcome, replay

Change = Callable[[dict[str, Any]], None]


def told(outcomes: list[Outcome]) -> dict[int, list[str]]:
    return {o.interaction.number: [str(d) for d in o.wrong] for o in outcomes if o.wrong}


@pytest.fixture(scope="module")
def recorded_cluster() -> list[dict[str, Any]]:
    with recorder() as recorded:
        cluster_life(recorded, polls=2)
    return recorded.interactions


def changed(interactions: list[dict[str, Any]], change: Change) -> list[dict[str, Any]]:
    """The interactions with each answer changed."""
    copy: list[dict[str, Any]] = json.loads(json.dumps(interactions))
    for one in copy:
        if one["response"]["body"]:
            answer = json.loads(one["response"]["body"])
            change(answer)
            one["response"]["body"] = json.dumps(answer)
    return copy


def test_a_recording_of_other_ids_and_an_account_with_more_matches(tmp_path: Path) -> None:
    assert told(replay(recording(tmp_path, *vpc_life()))) == {}


def test_each_difference_is_told_where_it_is(tmp_path: Path) -> None:
    life = vpc_life()
    life[0]["response"]["body"] = json.dumps(vpc(color="red"))
    life[1]["response"]["body"] = json.dumps({k: v for k, v in vpc(tags=None).items() if k != "region"})
    life[3]["response"]["code"] = 200
    life[4]["response"]["body"] = json.dumps(not_found("vpc", VPC) | {"type": "forgotten"})
    assert told(replay(recording(tmp_path, *life))) == {
        0: ["color: recorded string, stand-in no such key"],
        1: ["tags: recorded null, stand-in list", "region: recorded no such key, stand-in string"],
        3: ["status code: recorded 200, stand-in 204"],
        4: ["type: recorded forgotten, stand-in not_found"],
    }


def test_what_the_stand_in_lacks_is_told(tmp_path: Path) -> None:
    lamps = interaction("GET", "/lamp/v1/lamps", {"lamps": []})
    bucket = interaction("GET", "https://s3.fr-par.scw.cloud/bucket", {})
    assert told(replay(recording(tmp_path, lamps, bucket))) == {
        0: ["status code: recorded 200, stand-in 501 (the sandbox's scaleway has no route GET /lamp/v1/lamps)"],
        1: ["host: recorded s3.fr-par.scw.cloud, stand-in is Scaleway's API only, not asked"],
    }


def test_an_allowed_difference_is_counted_apart(tmp_path: Path) -> None:
    life = changed(vpc_life(), lambda answer: answer.pop("transitivity_enabled", None))
    entry = Allowed(operation="* /vpc/v2/*/vpcs*", field="*transitivity_enabled", what="extra", reason="newer")
    outcomes = replay(recording(tmp_path, *life[:2]), [entry])
    assert [o.verdict for o in outcomes] == ["allowed", "allowed"]
    life[1]["response"]["body"] = json.dumps(vpc(tags={}))
    outcomes = replay(recording(tmp_path, *life[:2]), [entry])
    assert [o.verdict for o in outcomes] == ["allowed", "wrong"]


@pytest.mark.parametrize("polls", [1, 3])
def test_how_often_a_state_is_seen_does_not_matter(tmp_path: Path, polls: int) -> None:
    with recorder() as recorded:
        cluster_life(recorded, polls)
    assert told(replay(recording(tmp_path, *recorded.interactions))) == {}


def test_states_that_the_recording_never_looked_at_may_pass(tmp_path: Path, recorded_cluster: Any) -> None:
    """Only what was read last of each thing before it changed: the stand-in is asked until it comes to that."""
    reads = [i for i in recorded_cluster if i["request"]["method"] == "GET"]
    once = [
        one
        for one, following in zip(recorded_cluster, [*recorded_cluster[1:], None], strict=True)
        if one not in reads or following is None or following["request"]["url"] != one["request"]["url"]
    ]
    assert len(once) < len(recorded_cluster) - 5
    assert told(replay(recording(tmp_path, *once))) == {}


@pytest.mark.parametrize(("state", "other"), [("ready", "warning"), ("scaling", "creating"), ("updating", "upgrading")])
def test_another_state_is_wrong(tmp_path: Path, recorded_cluster: Any, state: str, other: str) -> None:
    def rename(answer: dict[str, Any]) -> None:
        if answer.get("status") == state:
            answer["status"] = other

    found = told(replay(recording(tmp_path, *changed(recorded_cluster, rename))))
    assert found
    assert all("status: recorded " + other in text for texts in found.values() for text in texts)


def test_a_state_that_is_never_shown_is_wrong(tmp_path: Path) -> None:
    life = vpc_life()
    life[1:2] = [
        interaction("GET", f"{VPCS}/{VPC}", code=404, answer=not_found("vpc", VPC)),
        interaction("GET", f"{VPCS}/{VPC}", vpc()),
    ]
    assert list(told(replay(recording(tmp_path, *life)))) == [1], "the stand-in has it at once"


def test_what_was_tried_again_may_succeed_at_once(tmp_path: Path) -> None:
    life = vpc_life()
    busy = interaction("DELETE", f"{VPCS}/{VPC}", {"message": "x", "type": "transient_state"}, code=409)
    broken = interaction("POST", VPCS, {"message": "x"}, code=503, asked=json.loads(life[0]["request"]["body"]))
    assert told(replay(recording(tmp_path, broken, *life[:3], busy, *life[3:]))) == {}
    assert list(told(replay(recording(tmp_path, *life[:3], busy)))) == [3], "a refusal that lasts is none of the moment"


def test_what_the_recording_waited_for_unseen_is_waited_for(tmp_path: Path) -> None:
    with recorder() as recorded:
        cluster_life(recorded)
    *life, refused, gone, deleted = recorded.interactions
    assert (refused["response"]["code"], deleted["response"]["code"]) == (412, 204)
    assert gone["response"]["code"] == 404
    assert told(replay(recording(tmp_path, *life, deleted))) == {}


def test_versions_and_node_names_of_another_time(tmp_path: Path, recorded_cluster: Any) -> None:
    text = json.dumps(recorded_cluster).replace("1.35.3", "1.31.1").replace("scw-c-p-", "scw-old-")
    assert told(replay(recording(tmp_path, *json.loads(text)))) == {}


def test_keys_are_told_from_secrets_and_users_are_taken_for_granted(tmp_path: Path) -> None:
    def keys(recorded: Recorder) -> None:
        base = "/iam/v1alpha1"
        user = recorded.get(f"{base}/users?organization_id={ORGANIZATION}")["users"][0]["id"]
        for asked in ({"user_id": user}, {"application_id": None, "user_id": user, "default_project_id": PROJECT}):
            key = recorded.ask("POST", f"{base}/api-keys", asked)["access_key"]
            recorded.get(f"{base}/api-keys/{key}")
            recorded.ask("DELETE", f"{base}/api-keys/{key}")
            recorded.get(f"{base}/api-keys/{key}")

    with recorder() as recorded:
        keys(recorded)
    assert [i["response"]["code"] for i in recorded.interactions] == [200, *[200, 200, 204, 404] * 2]
    assert told(replay(recording(tmp_path, *recorded.interactions))) == {}


def test_a_body_that_is_no_json_is_compared_by_whether_it_is_there(tmp_path: Path) -> None:
    page = interaction("GET", f"{CLUSTERS}/x")
    page["response"] |= {"body": "<html>", "code": 404}
    assert told(replay(recording(tmp_path, page))) == {0: ["body: recorded text, stand-in JSON"]}
