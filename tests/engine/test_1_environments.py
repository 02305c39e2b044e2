"""Each environment on the real engine: it comes up, and then nothing differs from what was declared."""

from pathlib import Path

from sandbox.gitlab.branches import PROTECTED_BRANCHES
from sandbox.gitlab.runners import RUNNERS
from sandbox.scaleway.common import CLUSTERS
from sandbox.scaleway.k8s_state import POOLS
from tests.engine.estate import ENVIRONMENTS, Estate, Up
from tests.quick_yaml import quick_yaml

ROOT = Path(__file__).parents[2]


def test_up_says_what_exists_and_where_to_look(environment: str, environments: dict[str, Up]) -> None:
    printed = environments[environment].printed
    assert f"{environment} is up: cluster kapsule-devops (1.35), pool with taint" in printed
    assert f"k8s-{environment}-runner" in printed
    assert "Where to look next:" in printed
    assert "Policies:" in printed
    assert "kapsule-devops@v" in printed
    assert "Traceback" not in printed
    assert "warning" not in printed.lower()


def test_three_that_were_brought_up_at_the_same_time_are_all_there(estate: Estate, environments: dict[str, Up]) -> None:
    """`environments` brings them up at once; here is what that leaves."""
    assert {name: up.code for name, up in environments.items()} == dict.fromkeys(ENVIRONMENTS, 0)
    state = estate.folder / "state" / ".pulumi"
    assert sorted(file.stem for file in (state / "stacks").rglob("*.json")) == sorted(ENVIRONMENTS)
    assert list((state / "locks").rglob("*.json")) == []


def test_neither_refresh_nor_preview_shows_a_change(environment: str, estate: Estate) -> None:
    estate.pulumi(f"refresh --yes --skip-preview --expect-no-changes --stack {environment}")
    estate.pulumi(f"preview --expect-no-changes --stack {environment}")


def test_outputs_are_the_contract(environment: str, estate: Estate) -> None:
    expected = quick_yaml((ROOT / "tests" / "program" / "expected" / f"{environment}.yaml").read_text())["outputs"]
    outputs = estate.outputs(environment)
    assert outputs.keys() == expected.keys()
    assert {k: type(v) for k, v in outputs.items()} == {k: type(v) for k, v in expected.items()}
    assert outputs["environment"] == outputs["namespace"] == environment


def test_make_preview_and_the_stack_files_stay_as_they_are(environment: str, estate: Estate) -> None:
    name = f"Pulumi.{environment}.yaml"
    assert (estate.checkout / name).read_text() == (ROOT / name).read_text()


def test_every_resource_is_there(environment: str, estate: Estate) -> None:
    clusters = [c for c in estate.records(CLUSTERS) if environment in c["tags"]]
    assert [(c["name"], c["status"], c["cni"], c["type"]) for c in clusters] == [
        ("kapsule-devops", "ready", "cilium", "kapsule")
    ]
    pools = {p["name"]: p for p in estate.records(POOLS) if p["cluster_id"] == clusters[0]["id"]}
    assert pools.keys() == {"system", environment}
    assert pools["system"]["taints"] == []
    taint = {"key": f"gitlab-runner-jobs-{environment}-reserved", "value": "true", "effect": "NoSchedule"}
    assert pools[environment]["taints"] == [taint]
    assert (pools[environment]["node_type"], pools[environment]["size"]) == ("gp1_xs", 2)
    branch = {"dev": "main", "preprod": "preprod", "prod": "prod"}[environment]
    protected = [b for b in estate.records(PROTECTED_BRANCHES) if b["name"] == branch]
    assert [b["allow_force_push"] for b in protected] == [False, False]
    runners = [r for r in estate.records(RUNNERS) if r["tag_list"] == [f"k8s-{environment}-runner"]]
    assert [(r["locked"], r["run_untagged"], r["access_level"]) for r in runners] == [
        (True, False, "ref_protected")
    ] * 2
