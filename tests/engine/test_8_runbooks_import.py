"""What a team had made by hand before its first `pulumi up`, taken over by the runbook's own commands.

A cluster with its network and pools, a branch protection, CI variables, an access token and runners, all otherwise than the
program makes them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.scaleway.common import CLUSTERS, PRIVATE_NETWORKS, VPCS
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.scaleway.k8s_state import POOLS
from sandbox.store import Record
from tests.engine import runbook
from tests.engine.estate import Estate, eventually
from tests.engine.managers import contact, held_token
from tests.reliability.life import STACK, small_estate

RUNBOOK = "import-existing-resources"
BY_HAND, SERVED = "A cluster and a project that were set up by hand", "The runner that served until now"
OURS = "app-dev-runner: jobs of environment dev"  # as the program describes its own
APP = "projects/acme%2Fapp"
K8S, VPC = "/k8s/v1/regions/fr-par/clusters", "/vpc/v2/regions/fr-par"


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """Ids. Of the runners, `elsewhere` and `namesake` were in contact with GitLab, `lost` never was."""

    project: str
    vpc: str
    network: str
    cluster: str
    pools: dict[str, str]
    nodes: frozenset[str]
    elsewhere: int
    namesake: int
    lost: int
    access_token: int


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """In the place of the one that other modules have: no stack is up here."""
    with small_estate(tmp_path_factory.mktemp("by-hand")) as estate:
        yield estate
    assert estate.processes() == []


@pytest.fixture(scope="module")
def by_hand(small: Estate) -> ByHand:
    """A cluster as Scaleway's console makes it, in the default VPC of its project; GitLab as its pages set it up."""
    project = small.cloud("POST", "/account/v3/projects", name="ci")["id"]
    (vpc,) = small.cloud("GET", f"{VPC}/vpcs?project_id={project}&is_default=true")["vpcs"]
    network = small.cloud(
        "POST", f"{VPC}/private-networks", name="pn-ci", project_id=project, subnets=["192.168.16.0/22"]
    )
    pools = [
        {"name": "default", "node_type": "play2_nano", "size": 1},
        {"name": "jobs", "node_type": "gp1_xs", "size": 1},
    ]
    given = {"project_id": project, "private_network_id": network["id"], "feature_gates": ["HPAScaleToZero"]}
    cluster = small.cloud("POST", K8S, name="ci", version="1.35.3", pools=pools, **given)
    eventually(lambda: small.cloud("GET", f"{K8S}/{cluster['id']}")["status"], lambda status: status == "ready")
    small.gitlab("POST", f"{APP}/protected_branches", name="main", push_access_level=40, allow_force_push=True)
    for key, scope in (("SCW_DEFAULT_REGION", STACK), ("PRIVATE_TOKEN", STACK), ("KUBE_NAMESPACE", "*")):
        small.gitlab("POST", f"{APP}/variables", key=key, value="made by hand", environment_scope=scope, protected=True)
    runners = [register(small, description) for description in ("jobs of the team", OURS, OURS)]
    for runner in runners[:2]:
        contact(small, runner["token"])
    token = {"name": "promotion-dev", "scopes": ["api"], "access_level": 40}
    return ByHand(
        project=project,
        vpc=vpc["id"],
        network=network["id"],
        cluster=cluster["id"],
        pools={pool["name"]: pool["id"] for pool in small.records(POOLS)},
        nodes=frozenset(node["id"] for node in small.records(NODES)),
        elsewhere=runners[0]["id"],
        namesake=runners[1]["id"],
        lost=runners[2]["id"],
        access_token=small.gitlab("POST", f"{APP}/access_tokens", **token)["id"],
    )


@pytest.fixture(scope="module")
def taken_over(small: Estate, by_hand: ByHand) -> str:
    """What the runbook's commands have printed."""
    given = {"CI_PROJECT": by_hand.project, "CI_VPC": by_hand.vpc, "CI_NETWORK": by_hand.network}
    return runbook.follow(small, RUNBOOK, BY_HAND, **given)


def register(estate: Estate, description: str) -> dict[str, Any]:
    project = estate.gitlab("GET", APP)["id"]
    body = {"runner_type": "project_type", "project_id": project, "description": description, "tag_list": "k8s"}
    made: dict[str, Any] = estate.gitlab("POST", "user/runners", **body)
    return made


def runners(estate: Estate) -> dict[int, Record]:
    return {r["id"]: r for r in estate.gitlab("GET", f"{APP}/runners?type=project_type")}


def variable(estate: Estate, key: str, scope: str = STACK) -> Record:
    found: Record = estate.gitlab("GET", f"{APP}/variables/{key}?filter%5Benvironment_scope%5D={scope}")
    return found


@pytest.mark.usefixtures("taken_over")
def test_cluster_network_and_pools_are_the_same_ones(small: Estate, by_hand: ByHand) -> None:
    assert [cluster["id"] for cluster in small.records(CLUSTERS)] == [by_hand.cluster]
    assert {pool["name"]: pool["id"] for pool in small.records(POOLS)} == by_hand.pools
    assert by_hand.nodes < {node["id"] for node in small.records(NODES)}, "the pool has grown, and lost no node"
    assert [network["id"] for network in small.records(PRIVATE_NETWORKS)] == [by_hand.network]
    assert [vpc["id"] for vpc in small.records(VPCS) if vpc["name"] == "devops-dev"] == [by_hand.vpc]
    assert [vpc for vpc in small.records(VPCS) if not vpc["is_default"]] == []


@pytest.mark.usefixtures("taken_over")
def test_they_are_as_the_settings_say(small: Estate, by_hand: ByHand) -> None:
    cluster = small.cloud("GET", f"{K8S}/{by_hand.cluster}")
    assert (cluster["description"], cluster["tags"]) == ("GitLab runners of dev", ["gitlab-ci", "dev"])
    assert (cluster["auto_upgrade"]["enabled"], cluster["feature_gates"]) == (True, [])
    (jobs,) = (pool for pool in small.records(POOLS) if pool["name"] == "jobs")
    assert (jobs["size"], jobs["labels"]) == (2, {"gitlab-runner-jobs": "dev"})
    assert [taint["key"] for taint in jobs["taints"]] == ["gitlab-runner-jobs-dev-reserved"]


@pytest.mark.usefixtures("taken_over")
def test_protection_and_variables_are_as_the_settings_say(small: Estate) -> None:
    (protection,) = small.gitlab("GET", f"{APP}/protected_branches")
    levels = [[each["access_level"] for each in protection[f"{what}_access_levels"]] for what in ("push", "merge")]
    assert (levels, protection["allow_force_push"]) == ([[0], [30]], False)
    region, token = variable(small, "SCW_DEFAULT_REGION"), variable(small, "PRIVATE_TOKEN")
    assert (region["value"], region["protected"]) == ("fr-par", False)
    assert (token["value"], token["hidden"], token["protected"]) == (None, True, True)
    scopes = {scope: variable(small, "KUBE_NAMESPACE", scope)["value"] for scope in ("*", STACK)}
    assert scopes == {"*": "made by hand", STACK: "dev"}


def test_only_what_gitlab_cannot_change_is_made_anew(small: Estate, taken_over: str) -> None:
    told = [line.split() for line in taken_over.splitlines() if "pulumi up would" in line]
    assert told == [["look", "at", "gitlab-private-token:", "pulumi", "up", "would", "replace", "it"]]
    history = json.loads(small.pulumi(f"stack history --json --stack {STACK}"))
    assert [update["resourceChanges"].get("replace") for update in history if update["kind"] == "update"] == [1]


def test_a_runner_that_serves_is_there_until_a_person_deletes_it(
    small: Estate, by_hand: ByHand, taken_over: str
) -> None:
    new = int(small.outputs(STACK)["runners"][0]["runnerId"])
    assert set(runners(small)) == {by_hand.elsewhere, by_hand.namesake, new}
    assert f"look at runner {by_hand.namesake}, " in " ".join(taken_over.split())
    assert f"removed runner {by_hand.lost}, " in " ".join(taken_over.split())
    with small.kubernetes(STACK) as client:
        contact(small, held_token(client))
    runbook.follow(small, RUNBOOK, SERVED, OLD_RUNNER=str(by_hand.namesake))
    assert {id_: runner["status"] for id_, runner in runners(small).items()} == {
        by_hand.elsewhere: "online",
        new: "online",
    }


@pytest.mark.usefixtures("taken_over")
def test_an_access_token_of_the_programs_name_is_another_one(small: Estate, by_hand: ByHand) -> None:
    active = [token["id"] for token in small.gitlab("GET", f"{APP}/access_tokens?state=active")]
    assert len(active) == 1
    assert by_hand.access_token not in active


@pytest.mark.usefixtures("taken_over")
def test_nothing_is_left_to_do(small: Estate) -> None:
    said = runbook.follow(small, RUNBOOK, "It worked")
    assert "to take in" not in said
    assert runbook.run(small, f"python -m repair --stack {STACK} --check") == ""


@pytest.mark.usefixtures("taken_over")
@pytest.mark.parametrize(
    ("key", "value", "replaced"),
    [
        ("runnerPool.nodeType", "GP1-S", {"runner-pool-pool"}),
        ("network.ipv4Subnet", "172.16.0.0/22", {"network-private", "cluster-kapsule"}),
    ],
)
def test_what_the_settings_say_otherwise_is_replaced(small: Estate, key: str, value: str, replaced: set[str]) -> None:
    """As the runbook's table says, and only shown: nothing is done."""
    before = (small.checkout / f"Pulumi.{STACK}.yaml").read_text()
    small.set(STACK, key, value)
    found = small.changes(STACK)
    (small.checkout / f"Pulumi.{STACK}.yaml").write_text(before)
    assert replaced <= {name for name, operation in found.items() if "replace" in operation}


@pytest.mark.usefixtures("taken_over")
def test_a_default_vpc_is_what_stays_of_a_destruction(small: Estate, by_hand: ByHand) -> None:
    destroy = f"destroy --yes --skip-preview --run-program --stack {STACK}"
    assert "a default VPC cannot be deleted" in small.pulumi(destroy, code=None)
    held = json.loads(small.pulumi(f"stack export --stack {STACK}"))["deployment"]["resources"]
    (vpc,) = (each for each in held if each.get("id") == f"fr-par/{by_hand.vpc}")
    small.pulumi(f"state delete --yes --stack {STACK} '{vpc['urn']}'")
    small.pulumi(destroy)
    assert small.cloud("GET", f"{VPC}/vpcs/{by_hand.vpc}")["name"] == "devops-dev"
    assert set(runners(small)) == {by_hand.elsewhere}
