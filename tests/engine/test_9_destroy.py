"""Last: everything goes, and nothing of it stays."""

from sandbox.gitlab.branches import PROTECTED_BRANCHES
from sandbox.gitlab.environments import ENVIRONMENTS as ENVIRONMENTS_OF_PROJECTS
from sandbox.gitlab.runners import RUNNERS
from sandbox.gitlab.schedules import SCHEDULES
from sandbox.gitlab.tags import PROTECTED_TAGS
from sandbox.gitlab.variables import VARIABLES
from sandbox.scaleway.common import API_KEYS, APPLICATIONS, CLUSTERS, PRIVATE_NETWORKS, PROJECTS, SECRETS
from sandbox.scaleway.iam_policies import POLICIES
from sandbox.scaleway.k8s_nodes import NODES
from sandbox.scaleway.k8s_state import POOLS
from tests.engine.estate import ENVIRONMENTS, Estate, Up


def test_destroying_one_leaves_the_others(estate: Estate, environments: dict[str, Up]) -> None:
    result = estate.sandbox("down", "preprod")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the sandbox goes on: dev, prod is up" in result.stdout
    assert estate.changes("dev") == {}
    assert estate.changes("prod") == {}


def test_down_empties_both_stand_ins_and_stops(estate: Estate, environments: dict[str, Up]) -> None:
    process, stack_file = estate.process, estate.checkout / "Pulumi.prod.yaml"
    assert process is not None
    settings = stack_file.read_text()
    result = estate.sandbox("down")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "prod is protected: that is lifted, in the sandbox only" in result.stdout
    assert stack_file.read_text() == settings
    assert "sandbox stopped" in result.stdout
    assert process.wait(60) == 0
    for table in (CLUSTERS, POOLS, NODES, APPLICATIONS):
        assert estate.records(table) == [], table
    for table in (POLICIES, PRIVATE_NETWORKS):
        assert estate.records(table) == [], table
    assert [p["name"] for p in estate.records(PROJECTS)] == ["default"]
    assert [k for k in estate.records(API_KEYS) if k.get("application_id")] == []
    assert [s for s in estate.records(SECRETS) if not s.get("deletion_requested_at")] == []
    for table in (RUNNERS, VARIABLES, PROTECTED_BRANCHES, PROTECTED_TAGS, ENVIRONMENTS_OF_PROJECTS, SCHEDULES):
        assert estate.records(table) == [], table
    assert list((estate.folder / "clusters").iterdir()) == []
    assert [f for f in (estate.folder / "state" / ".pulumi" / "stacks").rglob("*.json") if f.stem in ENVIRONMENTS] == []
    assert estate.processes() == []
