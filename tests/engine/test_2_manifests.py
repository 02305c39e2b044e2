"""The sandbox's Kubernetes provider, of which the build changes one file, makes resources of manifests all the same."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.estate import Estate, Up

PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes

provider = kubernetes.Provider("cluster", kubeconfig=pulumi.Config().require("kubeconfig"))
objects = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"key": "value"}},
    {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "two"}, "data": {"a": 1}, "revision": 1},
    {
        "apiVersion": "v1",
        "kind": "ConfigMapList",
        "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "three"}}],
    },
]
kubernetes.yaml.v2.ConfigGroup("group", objs=objects, opts=pulumi.ResourceOptions(provider=provider))
"""


@pytest.fixture
def program(estate: Estate, environments: dict[str, Up], tmp_path: Path) -> Iterator[Path]:
    """A project with a state of its own, on dev's cluster; what it made is gone afterwards."""
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: manifests\nruntime: {{name: python, options: {{virtualenv: {json.dumps(sys.prefix)}}}}}\n"
    )
    (tmp_path / "__main__.py").write_text(PROGRAM)
    cluster = estate.outputs("dev")["clusterId"].rpartition("/")[2]
    kubeconfig = estate.folder / "clusters" / cluster / "admin.kubeconfig"
    (tmp_path / "state").mkdir()
    own = f"cd '{tmp_path}'; export PULUMI_BACKEND_URL='file://{tmp_path}/state'"
    begun = estate.shell(f"{own}; pulumi stack init s; pulumi config set --secret kubeconfig < '{kubeconfig}'")
    assert begun.returncode == 0, begun.stderr
    yield tmp_path
    ended = estate.shell(f"{own}; pulumi destroy --yes --skip-preview --stack s")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_each_manifest_is_a_resource_of_its_own_type(estate: Estate, program: Path) -> None:
    own = f"cd '{program}'; export PULUMI_BACKEND_URL='file://{program}/state'"
    up = estate.shell(f"{own}; pulumi up --yes --skip-preview --stack s")
    assert up.returncode == 0, up.stdout + up.stderr
    exported = estate.shell(f"{own}; pulumi preview --expect-no-changes --stack s >&2; pulumi stack export --stack s")
    assert exported.returncode == 0, exported.stderr
    resources = json.loads(exported.stdout)["deployment"]["resources"]
    assert {(r["type"], r["id"]) for r in resources if r.get("id") and r["type"].startswith("kubernetes:")} == {
        ("kubernetes:core/v1:ConfigMap", "default/one"),
        ("kubernetes:apps/v1:ControllerRevision", "default/two"),
        ("kubernetes:core/v1:ConfigMap", "default/three"),
    }
