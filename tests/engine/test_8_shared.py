"""Three environments in one cluster: apart, gone one by one, and the owner only when the others are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from lightkube.core.exceptions import ApiError
from lightkube.resources.core_v1 import ConfigMap, Namespace, Node, Pod, Secret

from sandbox.scaleway.common import CLUSTERS, PROJECTS
from sandbox.scaleway.k8s_state import POOLS
from tests.engine.estate import ENVIRONMENTS, Estate
from tests.engine.job_pod import executor_config, job_pod

GUESTS = ("preprod", "prod")


def join(checkout: Path, guest: str, owner: str) -> None:
    """Edits a stack file as its team would."""
    file = checkout / f"Pulumi.{guest}.yaml"
    document = yaml.safe_load(file.read_text())
    settings = document["config"]
    settings["kapsule-devops:cluster"] = {"mode": "shared", "ownerStack": owner}
    del settings["kapsule-devops:projects"]["devops"]
    settings.pop("kapsule-devops:systemPool", None)
    file.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """dev owns the cluster that preprod and prod join."""
    estate = Estate(tmp_path_factory.mktemp("shared"), logs=False)
    for guest in GUESTS:
        join(estate.checkout, guest, "dev")
    estate.start()
    try:
        assert 'unknown stack "dev"' in estate.up("preprod").printed
        estate.pulumi("stack init dev --no-select")
        early = estate.pulumi("up --yes --skip-preview --stack preprod", code=None)
        assert "stack dev has no output environment, region" in early
        assert "Fix: pulumi up --stack dev" in early
        assert "Traceback" not in early
        assert estate.records(CLUSTERS) == []
        for name in ENVIRONMENTS:
            up = estate.up(name)
            assert up.code == 0, up.printed
        yield estate
    finally:
        estate.stop()
    assert estate.processes() == []


def test_there_is_one_control_plane_and_a_pool_for_each(shared: Estate) -> None:
    assert [c["name"] for c in shared.records(CLUSTERS)] == ["kapsule-devops"]
    assert sorted(p["name"] for p in shared.records(POOLS)) == ["dev", "preprod", "prod", "system"]
    assert "devops-preprod" not in {p["name"] for p in shared.records(PROJECTS)}
    told = {name: shared.outputs(name) for name in ENVIRONMENTS}
    for output in ("clusterId", "clusterName", "clusterVersion", "apiServerUrl", "devopsProjectId", "privateNetworkId"):
        assert len({str(t[output]) for t in told.values()}) == 1, output
    assert {name: t["clusterMode"] for name, t in told.items()} == {
        "dev": "dedicated",
        "preprod": "shared",
        "prod": "shared",
    }
    for name in ENVIRONMENTS:
        shared.pulumi(f"preview --refresh --expect-no-changes --stack {name}")


def test_taints_and_labels_keep_their_nodes_apart(shared: Estate) -> None:
    with shared.kubernetes("dev") as client:
        for name in ENVIRONMENTS:
            nodes = list(client.list(Node, labels={"gitlab-runner-jobs": name}))
            assert nodes
            for node in nodes:
                assert node.spec is not None
                assert [t.key for t in node.spec.taints or []] == [f"gitlab-runner-jobs-{name}-reserved"]


def test_admission_keeps_each_pool_for_its_own_jobs(shared: Estate) -> None:
    with shared.kubernetes("dev") as client:
        own, other = executor_config(client, "preprod"), executor_config(client, "prod")
        client.create(job_pod(own, "own"))
        client.delete(Pod, "own", namespace="preprod", grace_period=0)
        for part in ("node_selector", "node_tolerations"):
            with pytest.raises(ApiError, match="gitlab-runner-jobs-prod-reserved"):
                client.create(job_pod({**own, part: other[part]}, "stranger"))


def test_an_owner_in_use_stays_whole(shared: Estate) -> None:
    before = shared.records(CLUSTERS)
    refused = shared.sandbox("down", "dev")
    assert refused.returncode == 1
    assert (
        "dev stays: its cluster is in use by preprod (namespaces preprod, preprod-preview, preprod-runners); prod"
        in (refused.stderr)
    )
    assert "Fix: make down ENV=preprod && make down ENV=prod && make down ENV=dev" in refused.stderr
    assert "--run-program" in shared.pulumi("destroy --yes --skip-preview --stack dev", code=None)
    hooked = shared.pulumi("destroy --yes --skip-preview --run-program --stack dev", code=None)
    assert 'before hook "cluster-in-use-early" failed: the cluster of dev is in use by preprod' in hooked
    assert "Fix: pulumi destroy --stack preprod && pulumi destroy --stack prod" in hooked
    assert shared.records(CLUSTERS) == before
    shared.pulumi("preview --refresh --expect-no-changes --stack dev")  # and nothing of it is gone


def test_destroying_a_guest_leaves_the_owner_untouched(shared: Estate) -> None:
    result = shared.sandbox("down", "preprod")
    assert result.returncode == 0, result.stdout + result.stderr
    assert [c["name"] for c in shared.records(CLUSTERS)] == ["kapsule-devops"]
    with shared.kubernetes("dev") as client:
        spaces = {str(n.metadata.name) for n in client.list(Namespace) if n.metadata}
        assert not {n for n in spaces if n.startswith("preprod")}
        assert {"dev", "dev-preview", "dev-runners", "prod", "prod-preview", "prod-runners"} <= spaces
        assert client.get(Secret, "dev-api-key", namespace="dev").metadata is not None
        assert client.get(ConfigMap, "kapsule-devops-owner", namespace="dev-runners").data == {
            "environment": "dev",
            "stack": "dev",
        }
    for name in ("dev", "prod"):
        shared.pulumi(f"preview --refresh --expect-no-changes --stack {name}")


def test_down_takes_guests_before_their_owner(shared: Estate) -> None:
    result = shared.sandbox("down")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "sandbox stopped" in result.stdout
    assert shared.records(CLUSTERS) == []
