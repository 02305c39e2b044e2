"""The cluster that pipelines deploy to: made with the mounted key, reached with a kubeconfig that allows what settings say.

`examples/app-cluster` is the pipeline's own program. Its cluster is a second real control plane.
"""

import base64
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.authorization_v1 import ResourceAttributes, SelfSubjectAccessReviewSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.authorization_v1 import SelfSubjectAccessReview
from lightkube.resources.core_v1 import ConfigMap
from lightkube.resources.core_v1 import Secret as KubernetesSecret

from sandbox.scaleway.common import CLUSTERS
from tests.engine.estate import Estate, eventually

WRITE = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "get", "patch"]}
READ = {"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["get", "list"]}
STACK = "organization/app-cluster/dev"


@dataclass(frozen=True)
class App:
    """`estate` with the application cluster up and dev's runners allowed into it."""

    estate: Estate
    folder: Path
    key_file: Path

    def pulumi(self, arguments: str) -> str:
        """As a job has it: the file that is mounted now, and no key in the environment."""
        (deploy,) = (r for r in self.estate.outputs("dev")["runners"] if r["name"] == "deploy")
        self.key_file.write_text(self.estate.mounted("dev", deploy)["config.yaml"])
        unset = "unset SCW_ACCESS_KEY SCW_SECRET_KEY SCW_DEFAULT_ORGANIZATION_ID SCW_DEFAULT_PROJECT_ID"
        folder, key = shlex.quote(str(self.folder)), shlex.quote(str(self.key_file))
        script = f"{unset}\nexport SCW_CONFIG_PATH={key}\ncd {folder}\npulumi {arguments} 2>&1"
        result = self.estate.shell(script)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def kubeconfig(self, namespace: str, secret: str) -> dict[str, Any]:
        """What jobs of that namespace find in /root/.kube/config."""
        with self.estate.kubernetes("dev") as client:
            found = client.get(KubernetesSecret, secret, namespace=namespace)
        parsed: dict[str, Any] = yaml.safe_load(base64.b64decode((found.data or {})["config"]))
        return parsed

    def client(self, runner: str) -> Client:
        namespace = {"deploy": "dev", "preview": "dev-preview"}[runner]
        return Client(
            config=KubeConfig.from_dict(self.kubeconfig(namespace, f"{namespace}-kapsule-config")), trust_env=False
        )


@pytest.fixture(scope="module")
def app(estate: Estate, dev: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    before = (estate.checkout / "Pulumi.dev.yaml").read_text()
    key = tmp_path_factory.mktemp("mounted") / "config.yaml"
    key.touch(mode=0o600)
    app = App(estate, estate.checkout / "examples" / "app-cluster", key)
    app.pulumi("stack init dev")
    app.pulumi("up --yes --skip-preview --stack dev")
    estate.set("dev", "appCluster.stack", STACK)
    for number, rule in enumerate((WRITE, READ)):
        for key_, values in rule.items():
            for index, value in enumerate(values):
                estate.set("dev", f"runners[{number}].appClusterRules[0].{key_}[{index}]", value)
    up = estate.up("dev")  # with the policies
    assert up.code == 0, up.printed
    yield app
    (estate.checkout / "Pulumi.dev.yaml").write_text(before)
    estate.pulumi("up --yes --skip-preview --stack dev")
    assert estate.changes("dev") == {}
    app.pulumi("destroy --yes --skip-preview --stack dev --remove")
    assert {c["name"] for c in estate.records(CLUSTERS)} == {"kapsule-devops"}


def may(client: Client, verb: str, resource: str, namespace: str | None, group: str = "") -> bool:
    asked = ResourceAttributes(verb=verb, resource=resource, namespace=namespace, group=group)
    answer = client.create(SelfSubjectAccessReview(spec=SelfSubjectAccessReviewSpec(resourceAttributes=asked)))
    assert answer.status is not None
    return answer.status.allowed


def test_the_pipelines_cluster_is_in_the_target_project(app: App) -> None:
    (made,) = (c for c in app.estate.records(CLUSTERS) if c["name"] == "kapsule-dev")
    assert made["project_id"] == app.estate.outputs("dev")["targetProjectId"]
    assert json.loads(app.pulumi("stack output --json --stack dev"))["clusterId"].endswith(made["id"])


@pytest.mark.parametrize(
    ("runner", "verb", "group", "resource", "namespace", "allowed"),
    [
        ("deploy", "create", "apps", "deployments", "apps", True),
        ("deploy", "patch", "apps", "deployments", "apps", True),
        ("deploy", "delete", "apps", "deployments", "apps", False),
        ("deploy", "create", "apps", "deployments", "default", False),
        ("deploy", "get", "", "secrets", "apps", False),
        ("deploy", "get", "", "secrets", "dev-runners", False),
        ("deploy", "create", "", "serviceaccounts/token", "dev-runners", False),
        ("deploy", "create", "rbac.authorization.k8s.io", "rolebindings", "apps", False),
        ("deploy", "list", "", "nodes", None, False),
        ("deploy", "*", "*", "*", None, False),
        ("preview", "list", "", "pods", "apps", True),
        ("preview", "get", "apps", "deployments", "apps", True),
        ("preview", "create", "apps", "deployments", "apps", False),
        ("preview", "get", "", "secrets", "apps", False),
        ("preview", "list", "", "pods", "kube-system", False),
    ],
)
def test_the_kubeconfig_allows_what_the_settings_say_and_no_more(
    app: App, runner: str, verb: str, group: str, resource: str, namespace: str | None, allowed: bool
) -> None:
    with app.client(runner) as client:
        assert may(client, verb, resource, namespace, group) is allowed


def deployment(name: str) -> Deployment:
    labels = {"app": name}
    pod = PodTemplateSpec(
        metadata=ObjectMeta(labels=labels), spec=PodSpec(containers=[Container(name=name, image="nginx")])
    )
    spec = DeploymentSpec(selector=LabelSelector(matchLabels=labels), template=pod)
    return Deployment(metadata=ObjectMeta(name=name), spec=spec)


def test_it_works_and_is_refused_for_real(app: App) -> None:
    with app.client("deploy") as client:
        assert client.namespace == "apps", "so that kubectl needs no -n"
        client.create(deployment("web"))
        with pytest.raises(ApiError, match="cannot delete"):
            client.delete(Deployment, "web")
    with app.client("preview") as client:
        assert [d.metadata.name for d in client.list(Deployment) if d.metadata] == ["web"]
        with pytest.raises(ApiError, match="cannot create"):
            client.create(deployment("other"))


def test_it_is_mounted_read_only_where_kubectl_looks(app: App) -> None:
    with app.estate.kubernetes("dev") as client:
        rendered = client.get(ConfigMap, "app-dev-runner", namespace="dev-runners")
    assert (
        'name = "dev-kapsule-config"\nmount_path = "/root/.kube"\nread_only = true'
        in (rendered.data or {})["config.template.toml"]
    )


def test_the_cluster_may_be_given_by_its_id_instead(app: App) -> None:
    file = app.estate.checkout / "Pulumi.dev.yaml"
    before = file.read_text()
    given = json.loads(app.pulumi("stack output --json --stack dev"))["clusterId"]
    app.estate.set("dev", "appCluster.clusterId", given)
    app.estate.pulumi("config rm --stack dev --path appCluster.stack")
    changes = app.estate.changes("dev")
    assert changes.keys() <= {"app-cluster-owner"}, "only the reference to the other stack goes"
    file.write_text(before)


def test_a_leak_ends_the_old_token_in_the_same_run(app: App) -> None:
    old = app.kubeconfig("dev", "dev-kapsule-config")
    app.estate.set("dev", "rotation.serial", "1")
    app.estate.pulumi("up --yes --skip-preview --stack dev")
    assert app.kubeconfig("dev", "dev-kapsule-config")["users"][0]["user"] != old["users"][0]["user"]
    with Client(config=KubeConfig.from_dict(old), trust_env=False) as client:

        def refused() -> bool:
            try:
                may(client, "get", "pods", "apps")
            except ApiError as error:
                return error.status.code == 401
            return False

        assert eventually(refused, bool)
    with app.client("deploy") as client:
        assert may(client, "create", "deployments", "apps", "apps")
    assert app.estate.changes("dev") == {}
