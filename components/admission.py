"""Admission rules in CEL, evaluated by the API server: who may use the reserved pool, and what a job pod may be. Pure.

Owns the expressions and their messages. Does not own how they are installed (`isolation.py`).
Source: Kubernetes, "Validating Admission Policy"; a NoSchedule taint binds the scheduler only, so a pod that names its node
itself has to be refused here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Kapsule's own agents run on every node and tolerate everything.
SYSTEM_NAMESPACES = ("kube-system", "kube-node-lease", "kube-public")

_CONTAINERS = (
    "object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])"
)


@dataclass(frozen=True)
class Rule:
    """A CEL expression that must hold, and what is said when it does not."""

    expression: str
    message: str


def reserved_pool(namespaces: Sequence[str], taint_key: str, pool_label: tuple[str, str]) -> list[Rule]:
    """For pods outside `namespaces` (and outside Kubernetes' own): keep off the pool."""
    label, value = pool_label
    where = ", ".join(sorted(namespaces))
    return [
        Rule(
            "object.spec.?tolerations.orValue([]).all(t,"
            f" !(t.?key.orValue('') == '{taint_key}' || (t.?key.orValue('') == '' && t.?operator.orValue('') == 'Exists')))",
            f"the pool with taint {taint_key} is reserved for job pods in {where}: remove the toleration",
        ),
        Rule(
            f"object.spec.?nodeSelector.orValue({{}}).all(k, !(k == '{label}' && object.spec.nodeSelector[k] == '{value}'))",
            f"nodes labelled {label}={value} are reserved for job pods in {where}: remove the node selector",
        ),
        Rule(
            # The scheduler sets it; from then on a pod has it, whatever else of the pod is changed.
            "oldObject != null || object.spec.?nodeName.orValue('') == ''",
            "a pod that names its node goes past the scheduler and every taint: remove nodeName",
        ),
    ]


def job_pod(key_secret: str, service_account: str) -> list[Rule]:
    """For pods in a namespace of jobs: what could reach beyond the job is refused."""
    return [
        Rule(
            "variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
            "a job pod must not be privileged: it could read the node's other pods",
        ),
        Rule(
            "variables.containers.all(c, !c.?securityContext.?allowPrivilegeEscalation.orValue(true))",
            "a job pod must set allowPrivilegeEscalation to false",
        ),
        Rule(
            "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false)"
            " && !object.spec.?hostIPC.orValue(false)"
            " && object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
            "a job pod must not use the host's network, processes, memory or files",
        ),
        Rule(
            f"object.spec.?serviceAccountName.orValue('default') == '{service_account}'",
            f"a job pod must run as service account {service_account}",
        ),
        Rule(
            "!object.spec.?automountServiceAccountToken.orValue(true)",
            "a job pod must not mount a service account token",
        ),
        Rule(
            "variables.keyVolumes.all(v, variables.containers.all(c, c.?volumeMounts.orValue([]).all(m,"
            " m.name != v || m.?readOnly.orValue(false))))",
            f"secret {key_secret} must be mounted read-only",
        ),
    ]


def job_pod_variables(key_secret: str) -> list[tuple[str, str]]:
    """Names that the rules of a job pod use, with their CEL expressions."""
    return [
        ("containers", _CONTAINERS),
        (
            "keyVolumes",
            "object.spec.?volumes.orValue([]).filter(v, v.?secret.?secretName.orValue('') == "
            f"'{key_secret}' || v.?projected.?sources.orValue([]).exists(s, s.?secret.?name.orValue('') == "
            f"'{key_secret}')).map(v, v.name)",
        ),
    ]
