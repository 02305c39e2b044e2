"""What keeps pods in their place: quota, limits, network policies, and admission rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components import admission
from components.naming import EnvironmentNames, RunnerNames
from components.network_policies import policies
from sections.jobs import KubernetesSettings


@dataclass(frozen=True, kw_only=True)
class IsolationArgs:
    """`namespace` is that of one runner's jobs; `concurrent` is how many of them run at a time, of all projects."""

    settings: KubernetesSettings
    names: RunnerNames
    namespace: pulumi.Input[str]
    concurrent: int
    provider: kubernetes.Provider


class Isolation(pulumi.ComponentResource):
    """Quota, limits, network policies and admission rules of one runner's job namespace.

    Owns: those objects. Does not own the namespace nor its Pod Security labels (`JobsNamespace`). Nothing secret.
    Source: Kubernetes, "Resource Quotas", "Limit Ranges", "Network Policies", "Validating Admission Policy".
    """

    def __init__(self, name: str, args: IsolationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:Isolation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        metadata = {"name": "jobs", "namespace": args.namespace}
        # A pod that has ended counts until it is gone, so there is room for as many again.
        hard = {"pods": 2 * args.concurrent, "services": 2 * args.concurrent}
        never = dict.fromkeys(("services.nodeports", "services.loadbalancers", "persistentvolumeclaims"), 0)
        kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata=metadata,
            spec={"hard": {resource: str(count) for resource, count in {**hard, **never}.items()}},
            opts=child,
        )
        memory = {"memory": args.settings.container_memory_limit}
        requests = {"cpu": "100m", "memory": "128Mi"}
        kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata=metadata,
            spec={"limits": [{"type": "Container", "default": memory, "defaultRequest": requests, "max": memory}]},
            opts=child,
        )
        declare_network_policies(name, args.namespace, args.settings, child)
        declare_admission(
            name,
            args.names.policy,
            admission.job_pod(args.names.api_key_secret, args.settings.service_account),
            {"matchLabels": {"kubernetes.io/metadata.name": args.names.jobs_namespace}},
            child,
            variables=admission.job_pod_variables(args.names.api_key_secret),
        )
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class ReservedPoolArgs:
    """`namespaces` are those whose pods may use the environment's pool."""

    names: EnvironmentNames
    namespaces: Sequence[str]
    provider: kubernetes.Provider


class ReservedPool(pulumi.ComponentResource):
    """An admission rule that keeps every other namespace's pods off the environment's tainted pool.

    Owns: the policy and its binding. A taint alone keeps off only pods that do not tolerate it, and anybody who may make a
    pod may write a toleration. Nothing secret.
    """

    def __init__(self, name: str, args: ReservedPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:ReservedPool", name, None, opts)
        allowed = [*admission.SYSTEM_NAMESPACES, *args.namespaces]
        declare_admission(
            name,
            args.names.taint.key,
            admission.reserved_pool(args.namespaces, args.names.taint.key, args.names.pool_label),
            {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": allowed}]},
            pulumi.ResourceOptions(parent=self, provider=args.provider),
        )
        self.register_outputs({})


def declare_network_policies(
    name: str, namespace: pulumi.Input[str], settings: KubernetesSettings, opts: pulumi.ResourceOptions
) -> None:
    """The namespace's network policies."""
    for policy, spec in policies(settings.egress_ports, settings.egress_blocked_cidrs).items():
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-{policy}", metadata={"name": policy, "namespace": namespace}, spec=spec, opts=opts
        )


def declare_admission(
    name: str,
    policy: str,
    rules: Sequence[admission.Rule],
    namespaces: dict[str, object],
    opts: pulumi.ResourceOptions,
    variables: Sequence[tuple[str, str]] = (),
) -> None:
    """A policy called `policy` for the creation and change of pods in the selected namespaces, and its binding.

    Neither waits for the other: the API server takes a binding to a policy that is not there yet.
    """
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
        "scope": "*",
    }
    kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        f"{name}-admission",
        metadata={"name": policy},
        spec={
            "failurePolicy": "Fail",
            # With all that the API server would add: they are one value to it, and another's value cannot be taken over
            # where a state was lost.
            "matchConstraints": {
                "namespaceSelector": namespaces,
                "objectSelector": {},
                "resourceRules": [pods],
                "matchPolicy": "Equivalent",
            },
            # No empty list: the API server drops it, so an update could not keep to the plan of its preview.
            **({"variables": [{"name": n, "expression": e} for n, e in variables]} if variables else {}),
            "validations": [{"expression": r.expression, "message": r.message} for r in rules],
        },
        opts=opts,
    )
    kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        f"{name}-admission-binding",
        metadata={"name": policy},
        spec={"policyName": policy, "validationActions": ["Deny"]},
        opts=opts,
    )
