"""Last: everything goes, and nothing of it stays."""

from doctor.scaleway_permissions import PROJECT_SETS
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
from sandbox.scaleway.operations import OPERATIONS
from sandbox.scaleway.permission_sets import allows
from tests.engine.estate import ENVIRONMENTS, Estate, Up

FIRST_SET = "IAMManager"  # of the organization; includes ProjectManager


def test_destroying_one_leaves_the_others(estate: Estate, environments: dict[str, Up]) -> None:
    result = estate.sandbox("down", "preprod")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the sandbox goes on: dev, prod is up" in result.stdout
    assert estate.changes("dev") == {}
    assert estate.changes("prod") == {}


def test_the_first_key_needs_the_sets_that_are_named_and_no_others(estate: Estate, environments: dict[str, Up]) -> None:
    """Of nothing, an environment is made, looked at and removed with a key that has what the documents say."""
    iam, organization = "/iam/v1alpha1", estate.variables()["SCW_DEFAULT_ORGANIZATION_ID"]
    in_projects = sorted(name for names in PROJECT_SETS.values() for name in names)
    sets = [[FIRST_SET], in_projects]
    application = estate.cloud("POST", f"{iam}/applications", name="kapsule-devops-setup")["id"]
    rules = [{"organization_id": organization, "permission_set_names": names} for names in sets]
    policy = estate.cloud("POST", f"{iam}/policies", name="setup", application_id=application, rules=rules)["id"]
    key = estate.cloud("POST", f"{iam}/api-keys", application_id=application)
    mine = {"FIRST_ACCESS": key["access_key"], "FIRST_SECRET": key["secret_key"]}
    (*_, last) = estate.ask("scaleway", "/_sandbox/requests")
    for command in (
        "stack init preprod",
        "up --yes --skip-preview --stack preprod",
        "preview --refresh --expect-no-changes --stack preprod",
        "destroy --yes --skip-preview --run-program --stack preprod",
        "stack rm --yes --preserve-config preprod",
    ):
        as_first = f"export SCW_ACCESS_KEY=$FIRST_ACCESS SCW_SECRET_KEY=$FIRST_SECRET; pulumi {command} 2>&1"
        result = estate.shell(as_first, **mine)
        assert result.returncode == 0, result.stdout
    asked = {r["operation"] for r in estate.ask("scaleway", f"/_sandbox/requests?after={last['n']}")}
    needed = {OPERATIONS[operation][0] for operation in asked if operation in OPERATIONS}
    for name in (FIRST_SET, *in_projects):
        others = {FIRST_SET, *in_projects} - {name}
        assert [p for p in needed if not any(allows(other, p) for other in others)], f"{name} is not needed"
    for kind, id_ in (("policies", policy), ("api-keys", key["access_key"]), ("applications", application)):
        estate.cloud("DELETE", f"{iam}/{kind}/{id_}")


def test_down_empties_both_stand_ins_and_stops(estate: Estate, environments: dict[str, Up]) -> None:
    process, stack_file = estate.process, estate.checkout / "Pulumi.prod.yaml"
    assert process is not None
    settings = stack_file.read_text()
    estate.pulumi("stack init preprod")  # nothing was made in it: it goes all the same
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
