"""Access of jobs to the cluster that they deploy to: an account, a role and a kubeconfig for each runner that has rules."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumiverse_scaleway as scaleway
import yaml

from components.cluster import kubernetes_provider
from components.namespace import JOBS_LEVEL, declare_namespace, declare_role
from components.naming import EnvironmentNames, RunnerNames
from components.rotation import Key, Keys
from sections.jobs import AppClusterSettings, RunnerSettings

_NO_OUTPUT = (
    "stack {stack} has no output clusterId: appCluster.stack must name a stack that is up and exports it, or there is no "
    "cluster to make a kubeconfig for. Fix: pulumi up --stack {stack}"
)


@dataclass(frozen=True, kw_only=True)
class AppClusterArgs:
    """`runners` are those of the environment; ones without `app_cluster_rules` get nothing. `keys` say which tokens live."""

    settings: AppClusterSettings
    environment: str
    runners: Sequence[RunnerSettings]
    keys: Keys


class AppCluster(pulumi.ComponentResource):
    """What runners may do in the cluster that they deploy to.

    Owns: in that cluster a namespace for the application, one for the accounts (so that no role in the first reads their
    tokens), and for each runner with rules an account, a role, its binding and its tokens, which change when keys do. Does
    not own the cluster (another stack does), nor the secret that jobs mount (`JobSecrets`).

    Outputs: `kubeconfigs` by runner name (**secret**): for the account, never the administrator's.
    Raises: pulumi.RunError where `appCluster.stack` has no output `clusterId`.
    Source: Kubernetes, "Using RBAC Authorization", "Manually create a long-lived API token for a ServiceAccount".
    """

    kubeconfigs: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AppClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:AppCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster = scaleway.kubernetes.Cluster.get(f"{name}-kapsule", id=self._cluster_id(name, args), opts=child)
        provider = kubernetes_provider(f"{name}-provider", cluster, child, may_vanish=True)
        inside = pulumi.ResourceOptions(parent=self, provider=provider)
        both = {"level": JOBS_LEVEL, "warn": "restricted"}
        namespace = EnvironmentNames(args.environment).manager_namespace
        application = declare_namespace(
            f"{name}-namespace", args.settings.namespace, args.environment, opts=inside, **both
        )
        accounts = declare_namespace(f"{name}-accounts", namespace, args.environment, opts=inside, **both)
        self.kubeconfigs = {}
        for runner in args.runners:
            if not runner.app_cluster_rules:
                continue
            account = _account(f"{name}-{runner.name}", runner, args.environment, application, accounts, inside)
            tokens = {
                key: _token(f"{name}-{runner.name}-token-{key.name}", key, account, accounts, inside)
                for key in args.keys.all
            }
            self.kubeconfigs[runner.name] = pulumi.Output.secret(
                pulumi.Output.all(
                    cluster=cluster.name,
                    server=cluster.kubeconfigs.apply(lambda found: found[0].host),
                    authority=cluster.kubeconfigs.apply(lambda found: found[0].cluster_ca_certificate),
                    account=account,
                    token=tokens[args.keys.current].data.apply(lambda data: base64.b64decode(data["token"]).decode()),
                    namespace=args.settings.namespace,
                ).apply(lambda parts: restricted_kubeconfig(**parts))
            )
        self.register_outputs({})

    def _cluster_id(self, name: str, args: AppClusterArgs) -> pulumi.Output[str]:
        stack = args.settings.stack
        if stack is None:
            return pulumi.Output.from_input(str(args.settings.cluster_id))
        reference = pulumi.StackReference(f"{name}-owner", stack_name=stack, opts=pulumi.ResourceOptions(parent=self))

        def there(found: Any) -> str:
            if not found:
                raise pulumi.RunError(_NO_OUTPUT.format(stack=stack))
            return str(found)

        return reference.get_output("clusterId").apply(there)


def restricted_kubeconfig(
    *, cluster: str, server: str, authority: str, account: str, token: str, namespace: str
) -> str:
    """A kubeconfig (YAML) for a service account. `authority` is the cluster's certificate in base64. Pure."""
    document: Mapping[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": account, "user": {"token": token}}],
        "contexts": [
            {"name": cluster, "context": {"cluster": cluster, "user": account, "namespace": namespace}},
        ],
        "current-context": cluster,
    }
    return str(yaml.safe_dump(document, sort_keys=False))


def _account(
    name: str,
    runner: RunnerSettings,
    environment: str,
    application: pulumi.Output[str],
    accounts: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The runner's account, and its role in the application's namespace; the account's name."""
    account = RunnerNames(environment, runner.name).app_account
    made = kubernetes.core.v1.ServiceAccount(
        f"{name}-account",
        metadata={"name": account, "namespace": accounts},
        automount_service_account_token=False,
        opts=opts,
    )
    declare_role(name, account, application, runner.app_cluster_rules, account, accounts, opts)
    return made.metadata.name


def _token(
    name: str,
    key: Key,
    account: pulumi.Output[str],
    accounts: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> kubernetes.core.v1.Secret:
    """A token of the account, which dies with this secret: one for each key that lives, so that it changes when keys do."""
    return kubernetes.core.v1.Secret(
        name,
        metadata={
            "name": account.apply(lambda found: f"{found}-{key.number}-{key.serial}"),
            "namespace": accounts,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        type="kubernetes.io/service-account-token",
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=True, additional_secret_outputs=["data"])
        ),
    )
