"""The Kapsule cluster of the runners, its system pool, and the Kubernetes provider that speaks to it."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumiverse_scaleway as scaleway

from components import cluster_guard
from sections.cloud import ClusterSettings, ScalewaySettings, SystemPoolSettings


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """`project_id` (UUID) and `private_network_id` (regional id) say where the cluster is made.

    A `protected` cluster is not deleted: the engine refuses to.
    """

    settings: ClusterSettings
    system_pool: SystemPoolSettings
    location: ScalewaySettings
    environment: str
    project_id: pulumi.Input[str]
    private_network_id: pulumi.Input[str]
    protected: bool


class Cluster(pulumi.ComponentResource):
    """A Kapsule cluster that can run system pods.

    Owns: the cluster, who may reach its API server, a pool without taints (DNS, network plugin, metrics and runner managers
    have no toleration), and the provider. Does not own the pools of job pods (`RunnerPool`), nor what is inside the cluster.

    Outputs: `cluster_id` (regional id), `api_server_url`, `version` (none secret); `provider`, made from the admin
    `kubeconfig`, which is **secret** and for the guard alone (`ClusterGuard`).
    Source: Scaleway, "Kubernetes Kapsule"; the API server's name resolves only once the cluster has a pool, so the
    provider waits for the system pool.
    """

    cluster_id: pulumi.Output[str]
    api_server_url: pulumi.Output[str]
    version: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:Cluster", name, None, opts)
        settings, child = args.settings, pulumi.ResourceOptions(parent=self)
        cluster = scaleway.kubernetes.Cluster(
            f"{name}-kapsule",
            name=settings.name,
            description=f"GitLab runners of {args.environment}",
            type=settings.type,
            version=settings.version,
            cni=settings.cni,
            project_id=args.project_id,
            private_network_id=args.private_network_id,
            region=args.location.region,
            delete_additional_resources=settings.delete_additional_resources,
            auto_upgrade=scaleway.kubernetes.ClusterAutoUpgradeArgs(
                enable=settings.auto_upgrade.enabled,
                maintenance_window_day=settings.auto_upgrade.day,
                maintenance_window_start_hour=settings.auto_upgrade.start_hour,
            ),
            autoscaler_config=scaleway.kubernetes.ClusterAutoscalerConfigArgs(
                scale_down_delay_after_add=settings.autoscaler.scale_down_delay_after_add,
                scale_down_unneeded_time=settings.autoscaler.scale_down_unneeded_time,
                scale_down_utilization_threshold=settings.autoscaler.scale_down_utilization_threshold,
                max_graceful_termination_sec=settings.autoscaler.max_graceful_termination_sec,
                expander=settings.autoscaler.expander,
            ),
            tags=["gitlab-ci", args.environment],
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected, retain_on_delete=args.protected),
        )
        system_pool = scaleway.kubernetes.Pool(
            f"{name}-system-pool",
            name=args.system_pool.name,
            cluster_id=cluster.id,
            node_type=args.system_pool.node_type,
            size=args.system_pool.size,
            autohealing=args.system_pool.autohealing,
            autoscaling=False,
            region=args.location.region,
            zone=args.location.zone,
            wait_for_pool_ready=True,
            opts=child,
        )
        if settings.api_allowed_cidrs:
            scaleway.kubernetes.Acl(
                f"{name}-api-access",
                cluster_id=cluster.id,
                region=args.location.region,
                acl_rules=[
                    *(scaleway.kubernetes.AclAclRuleArgs(ip=cidr) for cidr in settings.api_allowed_cidrs),
                    # Nodes and Scaleway's own controllers come from these.
                    scaleway.kubernetes.AclAclRuleArgs(scaleway_ranges=True),
                ],
                opts=child,
            )
        self.kubeconfig = admin_kubeconfig(cluster)
        self.provider = kubernetes_provider(
            f"{name}-provider",
            cluster,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[system_pool],
                hooks=pulumi.ResourceHookBinding(before_delete=[cluster_guard.hook(args.environment)]),
            ),
        )
        self.cluster_id = cluster.id
        self.api_server_url = cluster.apiserver_url
        self.version = cluster.version
        self.register_outputs(
            {"clusterId": self.cluster_id, "apiServerUrl": self.api_server_url, "version": self.version}
        )


def admin_kubeconfig(cluster: scaleway.kubernetes.Cluster) -> pulumi.Output[str]:
    """Secret: whoever holds it administers the cluster."""
    return pulumi.Output.secret(cluster.kubeconfigs.apply(lambda found: str(found[0].config_file)))


def kubernetes_provider(
    name: str, cluster: scaleway.kubernetes.Cluster, opts: pulumi.ResourceOptions, *, may_vanish: bool = False
) -> kubernetes.Provider:
    """The provider for what is inside a cluster. `may_vanish`: others may delete the cluster, and all in it is gone then."""
    return provider_of(name, admin_kubeconfig(cluster), cluster.id, opts, may_vanish=may_vanish)


def provider_of(
    name: str,
    kubeconfig: pulumi.Input[str],
    cluster_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    *,
    may_vanish: bool = False,
) -> kubernetes.Provider:
    """The same of a cluster that is known by its kubeconfig (secret) and its id."""
    return kubernetes.Provider(
        name,
        kubeconfig=kubeconfig,
        # A renewed token or a moved endpoint is the same cluster: nothing inside it is to be replaced.
        cluster_identifier=cluster_id,
        enable_server_side_apply=True,
        # Otherwise a changed secret is deleted and made anew, and a job that starts in between finds none.
        enable_secret_mutable=True,
        delete_unreachable=may_vanish or None,
        opts=opts,
    )
