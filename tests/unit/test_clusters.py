"""Joining a cluster, guarding one, and the kubeconfig for one: the parts that need no engine."""

import asyncio
import io
from typing import Any
from urllib.error import URLError

import pulumi
import pytest
import yaml

from components import cluster_guard
from components.app_cluster import restricted_kubeconfig
from components.cluster_guard import ClusterInUseError, UnreachableError, guests, hook, refusal
from components.shared_cluster import JoinError, SharedClusterArgs, checked

OWNER = {
    "environment": "dev",
    "region": "fr-par",
    "clusterMode": "dedicated",
    "clusterId": "fr-par/c",
    "clusterName": "kapsule-devops",
    "clusterVersion": "1.35",
    "apiServerUrl": "https://c.example",
    "devopsProjectId": "p",
    "privateNetworkId": "fr-par/n",
}
ARGS = SharedClusterArgs(owner_stack="dev", environment="preprod", region="fr-par")


def test_an_owner_that_is_up_can_be_joined() -> None:
    assert checked(OWNER, ARGS) == OWNER


@pytest.mark.parametrize("key", OWNER)
def test_an_owner_without_an_output_cannot(key: str) -> None:
    with pytest.raises(JoinError) as told:
        checked({**OWNER, key: None}, ARGS)
    assert str(told.value) == (
        f"stack dev has no output {key}: cluster.ownerStack must name an environment that is up, or there is no cluster to "
        "join. Fix: pulumi up --stack dev"
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"clusterMode": "shared"}, "it joins another's cluster itself (its mode is shared)"),
        ({"environment": "preprod"}, "it is the environment preprod, too, so that their namespaces would be the same"),
        ({"region": "nl-ams"}, "it is in nl-ams, and scaleway.region here is fr-par: a pool lives with its cluster"),
    ],
)
def test_an_owner_that_does_not_fit_cannot(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(JoinError) as told:
        checked({**OWNER, **wrong}, ARGS)
    assert str(told.value).startswith(
        f"stack dev cannot be joined: {words}. Fix: pulumi config set --path cluster.owner"
    )


def test_all_that_does_not_fit_is_told_at_once() -> None:
    with pytest.raises(JoinError, match=r"it joins .*; it is the environment .*; it is in nl-ams"):
        checked({**OWNER, "clusterMode": "shared", "environment": "preprod", "region": "nl-ams"}, ARGS)


def namespace(name: str, environment: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"kapsule-devops/environment": environment}}}


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The labelled namespaces of the cluster whose kubeconfig is `{}`."""
    found = [namespace("dev", "dev"), namespace("dev-runners", "dev")]
    monkeypatch.setattr(cluster_guard, "_namespaces", lambda kubeconfig: found if kubeconfig == {} else None)
    return found


def call(the_hook: pulumi.ResourceHook, **inputs: Any) -> None:
    args = pulumi.ResourceHookArgs("urn", "id", "name", "type", old_inputs=inputs)
    result = the_hook.callback(args)
    assert result is not None
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(result)
    finally:
        loop.close()


def make_hook(monkeypatch: pytest.MonkeyPatch) -> pulumi.ResourceHook:
    monkeypatch.setattr(pulumi.ResourceHook, "__init__", lambda self, name, func: self.__dict__.update(callback=func))
    return hook("dev")


def test_guests_are_the_namespaces_of_others(inside: list[dict[str, Any]]) -> None:
    assert guests("{}", "dev") == {}
    inside += [namespace("prod", "prod"), namespace("prod-runners", "prod"), namespace("preprod", "preprod")]
    assert guests("{}", "dev") == {"prod": ["prod", "prod-runners"], "preprod": ["preprod"]}
    assert refusal("dev", guests("{}", "dev")) == (
        "the cluster of dev is in use by preprod (namespaces preprod); prod (namespaces prod, prod-runners): they must go "
        "first, or their runners and secrets are lost.\nFix: pulumi destroy --stack preprod && pulumi destroy --stack prod"
    )


def test_the_hook_refuses_while_there_are_guests(inside: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_hook(monkeypatch)
    call(made, kubeconfig="{}")
    inside.append(namespace("preprod", "preprod"))
    with pytest.raises(ClusterInUseError, match="in use by preprod"):
        call(made, kubeconfig="{}")


def test_a_cluster_that_does_not_answer_is_told_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)

    def gone(_: object) -> None:
        raise UnreachableError("connection refused")

    monkeypatch.setattr(cluster_guard, "_namespaces", gone)
    call(make_hook(monkeypatch), kubeconfig="{}")
    assert warned == ["cannot tell whether other environments use the cluster of dev: connection refused"]


def test_every_way_not_to_be_reached_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = restricted_kubeconfig(
        cluster="c", server="https://127.0.0.1:1", authority="", account="a", token="t", namespace="n"
    )
    monkeypatch.setattr("ssl.create_default_context", lambda **_: None)
    for error in (URLError("no route"), TimeoutError("timed out"), ConnectionResetError("reset")):

        def fail(*_: object, error: OSError = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("urllib.request.urlopen", fail)
        with pytest.raises(UnreachableError, match=r"no route|timed out|reset"):
            guests(kubeconfig, "dev")


@pytest.mark.parametrize("kubeconfig", ["", "{}", "clusters: []", "a: [TOKEN", "!!int TOKEN", "clusters: {0: 1}"])
def test_a_kubeconfig_that_is_none_is_told_without_quoting_it(kubeconfig: str) -> None:
    with pytest.raises(UnreachableError, match="is not understood") as told:
        guests(kubeconfig, "dev")
    assert "TOKEN" not in str(told.value)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"items": null}', b'{"items": [{"metadata": {}}]}'])
def test_an_answer_that_is_none_is_one_that_cannot_be_told(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = restricted_kubeconfig(
        cluster="c", server="https://127.0.0.1:1", authority="", account="a", token="t", namespace="n"
    )
    monkeypatch.setattr("ssl.create_default_context", lambda **_: None)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(answer))
    with pytest.raises(UnreachableError, match="is not understood"):
        guests(kubeconfig, "dev")


def test_the_kubeconfig_is_an_accounts_in_one_namespace() -> None:
    text = restricted_kubeconfig(
        cluster="kapsule-dev",
        server="https://c.example:6443",
        authority="Q0E=",
        account="gitlab-runner-dev",
        token="TOKEN",
        namespace="apps",
    )
    found = yaml.safe_load(text)
    assert found["users"] == [{"name": "gitlab-runner-dev", "user": {"token": "TOKEN"}}]
    assert found["contexts"] == [
        {
            "name": "kapsule-dev",
            "context": {"cluster": "kapsule-dev", "user": "gitlab-runner-dev", "namespace": "apps"},
        }
    ]
    assert found["current-context"] == "kapsule-dev"
    assert found["clusters"][0]["cluster"] == {
        "server": "https://c.example:6443",
        "certificate-authority-data": "Q0E=",
    }
