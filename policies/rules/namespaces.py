"""Namespaces: Pod Security is enforced in each."""

from collections.abc import Iterator

from .base import UNKNOWN, Properties, ResourceRule, at, named, problem

LABEL = "pod-security.kubernetes.io/enforce"
LEVELS = ("baseline", "restricted")


def enforce_pod_security(props: Properties) -> Iterator[str]:
    """Without the label Kubernetes lets everything in, as with `privileged`."""
    level = at(props, "metadata", "labels", LABEL)
    if level is UNKNOWN or level in LEVELS:
        return
    yield problem(
        f"{named('namespace', at(props, 'metadata', 'name'))} enforces "
        f"{f'the Pod Security level {level!r}' if level else 'no Pod Security level'}",
        f"label {LABEL} must be {' or '.join(LEVELS)}",
        "a pod there can take over its node",
        f"set metadata.labels[{LABEL!r}] to {LEVELS[0]!r}",
    )


RULES = (
    ResourceRule(
        name="namespaces-enforce-pod-security",
        description="Every namespace enforces the Pod Security level baseline or restricted.",
        types=("kubernetes:core/v1:Namespace",),
        check=enforce_pod_security,
    ),
)
