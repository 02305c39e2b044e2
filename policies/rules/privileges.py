"""Nothing runs privileged: no chart, no job, no pod of the program's own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .base import UNKNOWN, Properties, ResourceRule, at, items, leaves, named, problem
from .releases import CHARTS, UnreadableConfigError, config_toml

WORKLOADS = (
    "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:PodTemplate",
    "kubernetes:core/v1:ReplicationController",
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:ReplicaSet",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
)
_FLAGS = ("privileged", "allowPrivilegeEscalation", "allow_privilege_escalation")
_RULE, _CONSEQUENCE = "nothing may run privileged", "what runs there can read its node's other pods, with their keys"


def nothing_is_privileged(props: Properties) -> Iterator[str]:
    """For Helm: the values and the config.toml among them. For pods: every container, which must say so itself.

    Missing `privileged` is false. Missing privilege escalation is allowed by Kubernetes, so containers and runners must
    forbid it; a chart's values need not, for what their defaults are is the chart's affair.
    """
    if "spec" in props or "template" in props:
        yield from _of_pods(props)
    else:
        yield from _of_releases(props)


def _of_releases(props: Properties) -> Iterator[str]:
    release = named("Helm release", props.get("name"))
    if props.get("valueYamlFiles"):
        yield problem(
            f"{release} takes values from files",
            "what a chart is told must be in `values`",
            "no rule sees what it runs",
            "move the values from valueYamlFiles to values",
        )
    yield from _raised(props.get("values", {}), f"values of {release}")
    try:
        config = config_toml(props)
    except UnreadableConfigError as error:
        yield problem(
            f"config.toml of {release} cannot be read ({error})", _RULE, "no rule sees what it runs", "write it as TOML"
        )
        return
    yield from _raised(config, f"config.toml of {release}")
    for index, runner in enumerate(items(config, "runners")):
        kubernetes = (at(runner, "executor") or "kubernetes") == "kubernetes"
        if kubernetes and at(runner, "kubernetes", "allow_privilege_escalation") is None:
            yield problem(
                f"config.toml of {release} does not say runners[{index}].kubernetes.allow_privilege_escalation",
                "it must be false",
                _CONSEQUENCE,
                "set allow_privilege_escalation = false in [runners.kubernetes]",
            )


def _raised(value: Any, where: str) -> Iterator[str]:
    """A flag that is true, or the text `true`, anywhere."""
    for path, flag in leaves(value):
        if path.rpartition(".")[2] in _FLAGS and str(flag).lower() == "true":
            yield problem(f"{path} is true in {where}", _RULE, _CONSEQUENCE, f"set {path} to false")


def _of_pods(props: Properties) -> Iterator[str]:
    workload = named(f"{props.get('kind', 'workload')}", at(props, "metadata", "name"))
    for container in _containers(props):
        name = named("container", at(container, "name"))
        context = at(container, "securityContext")
        for flag, allowed in (("privileged", (False, None, UNKNOWN)), ("allowPrivilegeEscalation", (False, UNKNOWN))):
            value = at(context, flag)
            if not any(value is each for each in allowed):
                shown = "not said" if value is None else "true"
                what = f"{flag} is {shown} for {name} of {workload}"
                yield problem(what, _RULE, _CONSEQUENCE, f"set securityContext.{flag} to false")


def _containers(value: Any) -> Iterator[Any]:
    """The containers of the pod that is somewhere in a workload."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("containers", "initContainers", "ephemeralContainers"):
                yield from (each for each in items(value, key) if each is not UNKNOWN)
            else:
                yield from _containers(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _containers(inner)


RULES = (
    ResourceRule(
        name="nothing-is-privileged",
        description="No Helm chart, CI job or pod runs privileged or may become so.",
        types=(*CHARTS, *WORKLOADS),
        check=nothing_is_privileged,
    ),
)
