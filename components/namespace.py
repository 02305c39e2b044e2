"""The environment's namespaces and the account of its job pods."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.naming import EnvironmentNames


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """`service_account` (DNS label) is the account that job pods run as."""

    names: EnvironmentNames
    service_account: str
    provider: kubernetes.Provider


class Namespaces(pulumi.ComponentResource):
    """Two namespaces: one for job pods, one for the runners' managers and the tokens that jobs must not read.

    Owns: both, and the service account of job pods. Does not own secrets (`Secrets`), nor the manager's account and role,
    which the chart makes.

    Outputs (none secret): `jobs`, `managers` (namespace names), `service_account` (name).
    """

    jobs: pulumi.Output[str]
    managers: pulumi.Output[str]
    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:Namespaces", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        labels = {"app.kubernetes.io/managed-by": "pulumi", "kapsule-devops/environment": args.names.environment}
        self.jobs = _namespace(f"{name}-jobs", args.names.namespace, labels, child)
        self.managers = _namespace(f"{name}-managers", args.names.manager_namespace, labels, child)
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata={"name": args.service_account, "namespace": self.jobs},
            # A pod that needs the API asks for a token; none is mounted unasked.
            automount_service_account_token=False,
            opts=child,
        )
        self.service_account = account.metadata.name
        self.register_outputs({"jobs": self.jobs, "managers": self.managers, "serviceAccount": self.service_account})


def _namespace(name: str, namespace: str, labels: dict[str, str], opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    made = kubernetes.core.v1.Namespace(name, metadata={"name": namespace, "labels": labels}, opts=opts)
    return made.metadata.name
