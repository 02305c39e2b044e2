"""A changed setting changes what it should, and nothing else."""

import json

import pytest
from lightkube.resources.core_v1 import ConfigMap, Node, ResourceQuota

from sandbox.gitlab.branches import PROTECTED_BRANCHES
from tests.engine.estate import Estate, eventually

pytestmark = pytest.mark.usefixtures("dev_as_declared")

PROTECTIONS = ("gitlab-branch", "gitlab@acme-platform-branch")


def test_a_larger_pool_is_one_update_and_more_nodes(estate: Estate) -> None:
    estate.set("dev", "runnerPool.size", "3")
    assert estate.update("dev") == {"runner-pool-pool": "update"}
    with estate.kubernetes("dev") as client:

        def nodes() -> list[Node]:
            return list(client.list(Node, labels={"gitlab-runner-jobs": "dev"}))

        assert len(eventually(nodes, lambda found: len(found) == 3)) == 3
        for node in nodes():
            assert node.spec is not None
            assert [t.key for t in node.spec.taints or []] == ["gitlab-runner-jobs-dev-reserved"]


def test_a_new_concurrency_is_a_new_release_for_each_project(estate: Estate) -> None:
    estate.set("dev", "runners[0].concurrent", "4")
    quota = "runner-deploy-isolation-quota"
    releases = dict.fromkeys(("runner-deploy-gitlab-release", "runner-deploy-gitlab@acme-platform-release"), "update")
    assert estate.update("dev") == {**releases, quota: "update"}
    with estate.kubernetes("dev") as client:
        rendered = client.get(ConfigMap, "app-dev-runner", namespace="dev-runners")
    assert rendered.data is not None
    assert "concurrent = 4" in rendered.data["config.toml"]


def test_another_merge_level_is_one_protection_in_each_project(estate: Estate) -> None:
    estate.set("dev", "gitlab.branch.mergeAccessLevel", "maintainer")
    assert estate.update("dev") == dict.fromkeys(PROTECTIONS, "update")
    found = [b["merge_access_levels"] for b in estate.records(PROTECTED_BRANCHES) if b["name"] == "main"]
    assert [[level["access_level"] for level in levels] for levels in found] == [[40], [40]]


def test_another_permission_is_one_policy(estate: Estate) -> None:
    estate.set("dev", "runners[0].permissionSets[0]", "KubernetesReadOnly")
    assert estate.changes("dev") == {"runner-deploy-credentials-policy": "update"}


def test_a_thing_deleted_by_hand_is_seen_and_comes_back(estate: Estate) -> None:
    with estate.kubernetes("dev") as client:
        client.delete(ResourceQuota, "jobs", namespace="dev")
        assert "expected" in estate.pulumi("preview --refresh --expect-no-changes --stack dev", code=None)
        estate.pulumi("up --yes --skip-preview --refresh --stack dev")
        assert client.get(ResourceQuota, "jobs", namespace="dev").spec is not None


def test_what_a_release_made_and_somebody_deleted_comes_back_by_replacing_the_release(estate: Estate) -> None:
    """The provider compares a release's values and not its objects: their loss is seen in the cluster, not in a preview."""
    with estate.kubernetes("dev") as client:
        client.delete(ConfigMap, "app-dev-runner", namespace="dev-runners")
        estate.pulumi("preview --refresh --expect-no-changes --stack dev")
        resources = json.loads(estate.shell("pulumi stack export --stack dev").stdout)["deployment"]["resources"]
        (urn,) = (r["urn"] for r in resources if r["urn"].endswith("::runner-deploy-gitlab-release"))
        estate.pulumi(f"up --yes --skip-preview --replace '{urn}' --stack dev")
        assert client.get(ConfigMap, "app-dev-runner", namespace="dev-runners").data


def test_wrong_settings_change_nothing_and_tell_all_at_once(estate: Estate) -> None:
    estate.set("dev", "runnerPool.size", "-1")
    estate.set("dev", "gitlab.branch.nmae", "x")
    before = estate.ask("scaleway", "/_sandbox/state")
    printed = estate.pulumi("up --yes --skip-preview --stack dev", code=None)
    assert "2 settings are wrong; nothing was created or changed." in printed
    assert "runnerPool.size = -1 (Pulumi.dev.yaml): must be at least 0, or no job can run." in printed
    assert "gitlab.branch.nmae (Pulumi.dev.yaml): is not a setting; did you mean name?" in printed
    assert "Fix: pulumi config set --path runnerPool.size 0" in printed
    assert "Traceback" not in printed
    assert estate.ask("scaleway", "/_sandbox/state") == before


def test_a_community_gitlab_is_served_by_a_setting(estate: Estate) -> None:
    """With the wrong kind the provider says so before anything changes; with the right one the branch is protected."""
    (estate.checkout / "edition.py").write_text(
        "import sys\nfrom sandbox.folder import Folder\nfrom sandbox.gitlab import set_enterprise\n"
        "from sandbox.store import Store\n"
        "set_enterprise(Store(Folder.default().records), sys.argv[1] == 'enterprise')\n"
    )

    def become(edition: str) -> None:
        result = estate.shell(f"'{estate.checkout}/.venv/bin/python' edition.py {edition}")
        assert result.returncode == 0, result.stderr

    try:
        become("community")
        estate.set("dev", "gitlab.branch.mergeAccessLevel", "maintainer")
        assert "Use mergeAccessLevel instead" in estate.pulumi("preview --stack dev", code=None)
        estate.set("dev", "gitlab.enterprise", "false")
        assert estate.update("dev").keys() == set(PROTECTIONS)
        estate.pulumi("preview --refresh --expect-no-changes --stack dev")
        found = [b for b in estate.records(PROTECTED_BRANCHES) if b["name"] == "main"]
        assert [[level["access_level"] for level in b["merge_access_levels"]] for b in found] == [[40], [40]]
        assert [[level["access_level"] for level in b["push_access_levels"]] for b in found] == [[0], [0]]
    finally:
        become("enterprise")


def test_the_steps_of_the_sdks_are_told_to_who_asks_for_them(estate: Estate) -> None:
    step = "registering resource: ty=kapsule-devops:"
    assert step not in estate.pulumi("preview --stack dev --debug")
    assert step in estate.pulumi("preview --stack dev", PULUMI_OPTION_DEBUG="true")
