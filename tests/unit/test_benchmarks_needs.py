"""Which dependencies are true: by values that are held, by what a service refuses, and what is only declared."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.needs import HELD, ONLY_DECLARED, REFUSED, Need, kind, logical, needs

PROVIDER = "pulumi:providers:kubernetes"
SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def urn(kind: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::kapsule-devops::kapsule-devops:x:Component${kind}::{name}"


def resource(kind: str, name: str = "it", **fields: Any) -> dict[str, Any]:
    return {"urn": urn(kind, name), "type": kind, "custom": True, "inputs": {}, "outputs": {}} | fields


def by(inputs: dict[str, Any], on: dict[str, Any], kind: str = "a:b:C") -> dict[str, Any]:
    """Depends on `on` by each of its inputs."""
    return resource(kind, "of", inputs=inputs, propertyDependencies={name: [on["urn"]] for name in inputs})


def only(*resources: dict[str, Any]) -> Need:
    (need,) = needs(resources)
    return need


CLUSTER = resource(
    "scaleway:kubernetes/cluster:Cluster",
    "cluster",
    inputs={"name": "kapsule", "version": "1.35"},
    id="fr-par/0b1",
    outputs={
        "name": "kapsule",
        "version": "1.35",
        "secret": SECRET_MARK | {"plaintext": '"a-long-token"'},
        "number": 4711,
    },
)


@pytest.mark.parametrize(
    "value",
    [
        "fr-par/0b1",
        "id is fr-par/0b1",
        ["x", {"y": "a-long-token"}],
        SECRET_MARK | {"plaintext": '"token: a-long-token"'},
        base64.b64encode(b"token: a-long-token").decode(),
        hashlib.sha256(b"a-long-token").hexdigest()[:16],
        4711,
    ],
)
def test_what_holds_a_value_that_the_others_making_gave_needs_it(value: Any) -> None:
    assert only(CLUSTER, by({"text": value}, CLUSTER)) == Need(
        of=urn("a:b:C", "of"), on=CLUSTER["urn"], how=HELD, why="in text"
    )


@pytest.mark.parametrize("value", ["kapsule", "1.35", "something else", 47, None, True, {}])
def test_what_was_known_before_is_no_need(value: Any) -> None:
    assert only(CLUSTER, by({"text": value}, CLUSTER)).how == ONLY_DECLARED


def test_a_value_counts_only_where_the_dependency_comes_from() -> None:
    of = resource("a:b:C", "of", inputs={"text": "fr-par/0b1"}, dependencies=[CLUSTER["urn"]])
    assert only(CLUSTER, of).how == ONLY_DECLARED


NAMESPACE = resource("kubernetes:core/v1:Namespace", "dev", inputs={"metadata": {"name": "dev"}})
POOL = resource("scaleway:kubernetes/pool:Pool", "system")
TOKENS = resource(
    "kubernetes:core/v1:Secret", "tokens", inputs={"metadata": {"name": "tokens", "namespace": "dev-runners"}}
)
QUOTA = resource("kubernetes:core/v1:ResourceQuota", "quota", inputs={"metadata": {"name": "q", "namespace": "dev"}})
RELEASE = {"namespace": "dev-runners", "values": {"runners": {"secret": "tokens"}}}


@pytest.mark.parametrize(
    ("of", "on", "how", "why"),
    [
        (
            ("kubernetes:core/v1:Pod", {"metadata": {"namespace": "dev"}}),
            NAMESPACE,
            REFUSED,
            "the API server answers 404",
        ),
        (("kubernetes:core/v1:Pod", {"metadata": {"namespace": "other"}}), NAMESPACE, ONLY_DECLARED, ""),
        (("kubernetes:core/v1:Pod", {}), resource(PROVIDER), ONLY_DECLARED, ""),
        (
            (PROVIDER, {}),
            POOL,
            REFUSED,
            "the name of the API server resolves only once the cluster has a pool",
        ),
        (("kubernetes:helm.sh/v3:Release", RELEASE), TOKENS, REFUSED, "its pod mounts it"),
        (
            ("kubernetes:helm.sh/v3:Release", RELEASE),
            QUOTA,
            ONLY_DECLARED,
            "no manager takes a job before what keeps it in its place",
        ),
        (
            ("scaleway:iam/apiKey:ApiKey", {}),
            resource("scaleway:iam/policy:Policy"),
            ONLY_DECLARED,
            "nobody holds a key before it can do its work",
        ),
        (("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", {}), QUOTA, ONLY_DECLARED, ""),
    ],
)
def test_what_a_service_refuses_is_a_need_and_what_is_wanted_is_said(
    of: tuple[str, dict[str, Any]], on: dict[str, Any], how: str, why: str
) -> None:
    found = only(on, resource(of[0], "of", inputs=of[1], dependencies=[on["urn"]]))
    assert (found.how, found.why, found.true) == (how, why, how != ONLY_DECLARED)


def test_a_provider_and_a_parent_are_depended_on_and_components_are_not() -> None:
    provider = resource(PROVIDER)
    component = resource("kapsule-devops:x:Component") | {"custom": False}
    pod = resource(
        "kubernetes:core/v1:Pod",
        "of",
        provider=f"{provider['urn']}::0b1",
        parent=component["urn"],
        dependencies=[component["urn"], "urn:pulumi:dev::other::a:b:C::gone"],
        deletedWith=CLUSTER["urn"],
    )
    assert [(logical(n.of), kind(n.on), n.why) for n in needs([provider, component, CLUSTER, pod])] == [
        ("of", PROVIDER, "nothing else speaks to the service")
    ]


@given(st.text(st.characters(codec="utf-8"), min_size=8), st.text(max_size=5), st.text(max_size=5))
def test_a_long_value_is_found_wherever_it_stands(token: str, before: str, after: str) -> None:
    on = resource("a:b:On", "on", outputs={"token": token})
    for value in (before + token + after, base64.b64encode((before + token + after).encode()).decode()):
        assert only(on, by({"text": value}, on)).how == HELD
