"""Namespaces: one of the runners' managers, and one of each runner's jobs."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.isolation import declare_network_policies
from components.naming import ENVIRONMENT_LABEL, EnvironmentNames, RunnerNames
from sections.jobs import KubernetesSettings, RoleRuleSettings

# What Pod Security enforces. Images of jobs commonly run as root, which `restricted` refuses; managers need not.
JOBS_LEVEL, MANAGERS_LEVEL = "baseline", "restricted"


@dataclass(frozen=True, kw_only=True)
class ManagersNamespaceArgs:
    """`settings` say what managers may reach."""

    names: EnvironmentNames
    settings: KubernetesSettings
    provider: kubernetes.Provider


class ManagersNamespace(pulumi.ComponentResource):
    """Where the runners' managers run, with the tokens that jobs must not read.

    Owns: the namespace with its Pod Security labels and its network policies. Does not own the managers' accounts, which
    the chart makes.

    Outputs (not secret): `namespace` (name).
    """

    namespace: pulumi.Output[str]

    def __init__(self, name: str, args: ManagersNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:ManagersNamespace", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        self.namespace = declare_namespace(
            f"{name}-namespace", args.names.manager_namespace, args.names.environment, MANAGERS_LEVEL, child
        )
        declare_network_policies(name, self.namespace, args.settings, child)
        self.register_outputs({"namespace": self.namespace})


@dataclass(frozen=True, kw_only=True)
class JobsNamespaceArgs:
    """`settings` names the service account of job pods and what it may do."""

    names: RunnerNames
    settings: KubernetesSettings
    provider: kubernetes.Provider


class JobsNamespace(pulumi.ComponentResource):
    """Where one runner's job pods run.

    Owns: the namespace with its Pod Security labels, the service account of job pods, and its role where settings give
    rules. Does not own secrets (`JobSecrets`), nor what limits pods (`Isolation`).

    Outputs (none secret): `namespace`, `service_account` (names).
    """

    namespace: pulumi.Output[str]
    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: JobsNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:JobsNamespace", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        self.namespace = declare_namespace(
            f"{name}-namespace", args.names.jobs_namespace, args.names.environment, JOBS_LEVEL, child
        )
        metadata = {"name": args.settings.service_account, "namespace": self.namespace}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata=metadata,
            # A pod that needs the API asks for a token; none is mounted unasked.
            automount_service_account_token=False,
            opts=child,
        )
        if args.settings.deployer_rules:
            same = args.settings.service_account
            declare_role(name, same, self.namespace, args.settings.deployer_rules, same, self.namespace, child)
        self.service_account = account.metadata.name
        self.register_outputs({"namespace": self.namespace, "serviceAccount": self.service_account})


def declare_namespace(
    name: str,
    namespace: str,
    environment: str,
    level: str,
    opts: pulumi.ResourceOptions,
    *,
    warn: str | None = None,
) -> pulumi.Output[str]:
    """A namespace of the environment with Pod Security at `level`, which is also what it warns of unless `warn` says."""
    security = "pod-security.kubernetes.io"
    labels = {
        "app.kubernetes.io/managed-by": "pulumi",
        ENVIRONMENT_LABEL: environment,
        f"{security}/enforce": level,
        f"{security}/audit": "restricted",
        f"{security}/warn": warn or level,
    }
    made = kubernetes.core.v1.Namespace(name, metadata={"name": namespace, "labels": labels}, opts=opts)
    return made.metadata.name


def declare_role(
    name: str,
    role: str,
    namespace: pulumi.Input[str],
    rules: Sequence[RoleRuleSettings],
    account: str,
    account_namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """The role called `role` with these rules in `namespace`, bound to a service account of `account_namespace`.

    The binding does not wait for the role: an administrator may bind one that is not there yet.
    """
    metadata = {"name": role, "namespace": namespace}
    kubernetes.rbac.v1.Role(
        f"{name}-role",
        metadata=metadata,
        rules=[
            {"apiGroups": list(r.api_groups), "resources": list(r.resources), "verbs": list(r.verbs)} for r in rules
        ],
        opts=opts,
    )
    kubernetes.rbac.v1.RoleBinding(
        f"{name}-role-binding",
        metadata=metadata,
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
        opts=opts,
    )
