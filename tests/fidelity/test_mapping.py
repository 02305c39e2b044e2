"""Which id and name of the stand-in's is sent where the recording has its own."""

import json
from datetime import UTC, date, datetime, timedelta

from tests.fidelity.made_up import CLUSTER, POOL, VPC
from tests.fidelity.mapping import Ids, Leaf, ids_in

OURS = "dddddddd-0000-4000-8000-000000000001"


def test_ids_are_put_in_everywhere() -> None:
    ids = Ids()
    ids.learn([Leaf("cluster_url", f"https://{CLUSTER}.api:6443", f"https://{OURS}.api:6443")])
    assert (
        ids.path(f"/k8s/v1/regions/fr-par/clusters/{CLUSTER}/pools") == f"/k8s/v1/regions/fr-par/clusters/{OURS}/pools"
    )
    assert ids.query([("cluster_id", CLUSTER), ("page", "1")]) == [("cluster_id", OURS), ("page", "1")]
    sent = json.loads(ids.body(json.dumps({"deep": [{"id": f"fr-par/{CLUSTER}"}], "n": 1, CLUSTER: None}), ""))
    assert sent == {"deep": [{"id": f"fr-par/{OURS}"}], "n": 1, OURS: None}
    assert ids.body(f"--part\r\n{CLUSTER}", "multipart/form-data") == f"--part\r\n{OURS}"
    assert ids.body(f"id={CLUSTER}&x=", "application/x-www-form-urlencoded") == f"id={OURS}&x="
    assert ids.path(f"/vpcs/{VPC}") == f"/vpcs/{VPC}", "an unknown id stays"


def test_what_was_made_counts_more_than_what_looked_alike() -> None:
    ids = Ids()
    ids.learn([Leaf("id", POOL, VPC)])
    ids.learn([Leaf("id", POOL, CLUSTER)])
    assert ids.known(POOL) == VPC
    ids.learn([], made=(POOL, OURS))
    assert (ids.known(POOL), ids.stands(OURS), ids.stands(CLUSTER)) == (OURS, True, False)


def test_access_keys_are_ids_and_secrets_are_not_learnt() -> None:
    key, other = "SCWABCDEFGHIJKLMNOPQ", "SCW12345678901234567"
    ids = Ids()
    ids.learn([Leaf("access_key", key, other), Leaf("secret_key", VPC, OURS)])
    assert ids.path(f"/iam/v1alpha1/api-keys/{key}") == f"/iam/v1alpha1/api-keys/{other}"
    assert ids.known(VPC) is None
    assert ids_in("00000000-0000-0000-0000-000000000000") == [], "recordings write it in the place of a secret"


def test_generated_names_and_addresses_are_sent_back_as_the_stand_in_gave_them() -> None:
    ids = Ids()
    ids.body(json.dumps({"name": "chosen"}), "application/json")
    ids.learn(
        [
            Leaf("name", "scw-a-pool-018701", "scw-a-pool-9f2c11"),
            Leaf("name", "chosen", "changed"),
            Leaf("address", "172.16.0.2/22", "172.16.4.2/22"),
            Leaf("description", "one", "two"),
        ]
    )
    assert ids.query([("resource_name", "scw-a-pool-018701")]) == [("resource_name", "scw-a-pool-9f2c11")]
    assert [ids.text(t) for t in ("chosen", "172.16.0.2/22", "one")] == ["chosen", "172.16.4.2/22", "one"]


def test_a_version_may_stand_for_another() -> None:
    ids = Ids()
    ids.assume("1.35.0", "1.35.3")
    assert json.loads(ids.body('{"version": "1.35.0"}', "")) == {"version": "1.35.3"}
    assert ids.path("/k8s/v1/regions/fr-par/versions/1.35.0").endswith("/1.35.3")


def test_what_lay_ahead_lies_ahead() -> None:
    ids, day = Ids(), date(2024, 2, 28)
    asked = {"expires_at": "2024-03-01T12:00:00Z", "since": "2023-01-01T00:00:00Z", "text": "2024-03-01"}
    sent = json.loads(ids.body(json.dumps(asked), "application/json", day))
    ahead = datetime.fromisoformat(sent.pop("expires_at")).date() - datetime.now(UTC).date()
    assert timedelta(days=1) <= ahead <= timedelta(days=2)
    assert sent == {"since": "2023-01-01T00:00:00Z", "text": "2024-03-01"}
    assert json.loads(ids.body(json.dumps(asked), "application/json")) == asked
