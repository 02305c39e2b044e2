"""Kubernetes secrets: none holds the kubeconfig of a cluster's administrator."""

from collections.abc import Iterator, Sequence
from typing import Any

from .base import UNKNOWN, Properties, Resource, ResourceRule, StackRule, Violation, at, items, leaves, named, problem
from .secret_values import CLUSTER, decoded, kubeconfig_of, secrets_of, taken_from

SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type
_RULE = "no secret may hold an administrator's kubeconfig"
_CONSEQUENCE = "every pod that mounts it administers the cluster and reads all keys in it"
_FIX = "make a kubeconfig for a service account with a role of its own"


def are_not_the_administrators(props: Properties) -> Iterator[str]:
    """By the name of a user in it. What a token may do cannot be told from its text."""
    secret = named("secret", at(props, "metadata", "name"))
    for key, text in _texts(props):
        for user in _users(text):
            if user == "admin" or user.endswith(("-admin", ":admin")):
                yield problem(f"key {key} of {secret} is the kubeconfig of user {user}", _RULE, _CONSEQUENCE, _FIX)


def come_from_no_cluster(resources: Sequence[Resource]) -> Iterator[Violation]:
    """By origin: data that is a secret of a Kapsule cluster, or depends on a cluster and is not known yet."""
    by_urn = {r.urn: r for r in resources}
    secrets = list(secrets_of(resources, (CLUSTER,)))
    for resource in (r for r in resources if r.type == SECRET):
        secret = named("secret", at(resource.props, "metadata", "name"))
        for key, text in _texts(resource.props):
            if found := taken_from(text, secrets):
                message = problem(f"key {key} of {secret} holds {found}", _RULE, _CONSEQUENCE, _FIX)
                yield Violation(resource.urn, message)
        for field in ("data", "stringData"):
            origins = [by_urn[urn] for urn in resource.dependencies.get(field, ()) if urn in by_urn]
            unknown = any(value is UNKNOWN for _, value in leaves(resource.props.get(field)))
            if unknown and (cluster := next((o for o in origins if o.type == CLUSTER), None)):
                message = problem(
                    f"{field} of {secret} is made from the new cluster {cluster.name} and may be its kubeconfig",
                    _RULE,
                    _CONSEQUENCE,
                    f"{_FIX}; for the cluster's address, create the cluster first: pulumi up --target '{cluster.urn}'",
                )
                yield Violation(resource.urn, message)


def _texts(props: Properties) -> Iterator[tuple[str, str]]:
    """Each key that is known with its text; `data` has it in base64. The provider may tell both."""
    plain = {k: v for k, v in leaves(props.get("stringData") or {}) if isinstance(v, str)}
    for key, value in leaves(props.get("data") or {}):
        if isinstance(value, str) and (text := decoded(value)) is not None:
            plain.setdefault(key, text)
    yield from plain.items()


def _users(text: str) -> Iterator[str]:
    config: Any = kubeconfig_of(text) or {}
    for user in items(config, "users"):
        if isinstance(name := at(user, "name"), str):
            yield name


RULES = (
    ResourceRule(
        name="secrets-hold-no-admin-kubeconfig",
        description="No Kubernetes secret holds a kubeconfig whose user is an administrator.",
        types=(SECRET,),
        check=are_not_the_administrators,
    ),
    StackRule(
        name="secrets-come-from-no-cluster",
        description="No Kubernetes secret takes its data from a Kapsule cluster's kubeconfigs.",
        check=come_from_no_cluster,
    ),
)
