"""What a recording takes for granted."""

from pathlib import Path

from tests.fidelity.given import given, on_offer
from tests.fidelity.made_up import CLUSTER, CLUSTERS, ORGANIZATION, PROJECT, VPC, interaction, recording, vpc_life

USER, OTHER = "eeeeeeee-0000-4000-8000-000000000001", "eeeeeeee-0000-4000-8000-000000000002"


def test_the_account(tmp_path: Path) -> None:
    found = given(recording(tmp_path, *vpc_life()))
    assert (found.organization_id, found.project_id, found.projects) == (ORGANIZATION, PROJECT, ())
    assert (found.users, found.access_key, found.versions) == ((), None, ())


def test_what_the_recording_makes_was_not_there_before(tmp_path: Path) -> None:
    made = interaction("POST", "/account/v3/projects", {"id": VPC, "organization_id": ORGANIZATION})
    used = interaction("POST", CLUSTERS, {"id": CLUSTER}, asked={"project_id": VPC, "version": "1.32.1"})
    rules = interaction("PUT", "/iam/v1alpha1/rules", {}, asked={"rules": [{"project_ids": [VPC, OTHER]}]})
    key = interaction("POST", "/iam/v1alpha1/api-keys", {}, asked={"user_id": USER})
    own = interaction("GET", "/iam/v1alpha1/api-keys/SCWABCDEFGHIJKLMNOPQ", {})
    found = given(recording(tmp_path, made, used, rules, key, own))
    assert (found.project_id, found.projects, found.users) == (OTHER, (), (USER,))
    assert (found.access_key, found.versions) == ("SCWABCDEFGHIJKLMNOPQ", ("1.32.1",))


def test_nothing_need_be_named(tmp_path: Path) -> None:
    found = given(recording(tmp_path, interaction("GET", f"{CLUSTERS}/{CLUSTER}", code=404)))
    assert (found.organization_id, found.project_id) == (None, None)


def test_versions_that_are_on_offer_no_more() -> None:
    offered = ["1.35.3", "1.34.6", "1.33.10"]
    assert on_offer(["1.35.0", "1.34.6"], offered) == {"1.35.0": "1.35.3"}
    upgrade = on_offer(["1.31.2", "1.32.0"], offered)
    assert upgrade == {"1.32.0": "1.35.3", "1.31.2": "1.34.6"}, "what was an upgrade stays one"
    assert on_offer(["1.34.1", "1.33.2", "1.32.3", "1.31.9"], offered)["1.31.9"] == "1.33.10"
    assert on_offer(["1.35.0"], []) == {}
