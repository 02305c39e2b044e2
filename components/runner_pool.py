"""The tainted node pool that only an environment's job pods may use."""

from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway

from components.naming import EnvironmentNames
from sections.cloud import RunnerPoolSettings, ScalewaySettings


@dataclass(frozen=True, kw_only=True)
class RunnerPoolArgs:
    """`cluster_id` is the regional id of the cluster that the pool belongs to."""

    settings: RunnerPoolSettings
    location: ScalewaySettings
    names: EnvironmentNames
    cluster_id: pulumi.Input[str]


class RunnerPool(pulumi.ComponentResource):
    """Nodes with the taint `gitlab-runner-jobs-<environment>-reserved=true:NoSchedule` and a label that jobs select.

    Owns: the pool. The taint is one of the pool's own, so replaced and added nodes carry it too; a taint set with
    kubectl would not survive them. Does not own who tolerates it (`runner_config.py`).

    Outputs (none secret): `pool_id` (regional id).
    Source: Scaleway, "Managing taints and labels of a pool".
    """

    pool_id: pulumi.Output[str]

    def __init__(self, name: str, args: RunnerPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:RunnerPool", name, None, opts)
        settings = args.settings
        (label, value), taint = args.names.pool_label, args.names.taint
        pool = scaleway.kubernetes.Pool(
            f"{name}-pool",
            name=settings.name,
            cluster_id=args.cluster_id,
            node_type=settings.node_type,
            size=settings.size,
            autoscaling=settings.autoscaling,
            min_size=settings.min_size if settings.autoscaling else None,
            max_size=settings.max_size if settings.autoscaling else None,
            autohealing=settings.autohealing,
            root_volume_size_in_gb=settings.root_volume_size_gb,
            taints=[scaleway.kubernetes.PoolTaintArgs(key=taint.key, value=taint.value, effect=taint.effect)],
            labels={label: value},
            region=args.location.region,
            zone=args.location.zone,
            wait_for_pool_ready=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The autoscaler owns the size once the pool exists.
                ignore_changes=["size"] if settings.autoscaling else None,
            ),
        )
        self.pool_id = pool.id
        self.register_outputs({"poolId": self.pool_id})
