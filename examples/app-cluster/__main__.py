"""What a job on the runner `deploy` makes: the cluster `kapsule-<stack>` with the pool `apps`, in the target project.

Owns: a private network, the cluster and the pool. Does not own access to it: the environment's stack reads `clusterId`
(its setting `appCluster.stack`), makes an account with a role there, and mounts its kubeconfig into later jobs. Nobody
takes the administrator's kubeconfig anywhere. `deploy.sh` makes the same with Scaleway's command line.

Outputs (none secret): `clusterId` (regional id), `clusterName`.
"""

import pulumi
import pulumiverse_scaleway as scaleway

config, name = pulumi.Config(), f"kapsule-{pulumi.get_stack()}"

network = scaleway.network.PrivateNetwork("network", name=name)
cluster = scaleway.kubernetes.Cluster(
    "cluster",
    name=name,
    version="1.35",
    cni="cilium",
    private_network_id=network.id,
    delete_additional_resources=True,
    auto_upgrade=scaleway.kubernetes.ClusterAutoUpgradeArgs(
        enable=True, maintenance_window_day="any", maintenance_window_start_hour=3
    ),
)
scaleway.kubernetes.Pool(
    "apps",
    name="apps",
    cluster_id=cluster.id,
    node_type=config.require("nodeType"),
    size=config.require_int("size"),
    autohealing=True,
    wait_for_pool_ready=True,
)

pulumi.export("clusterId", cluster.id)
pulumi.export("clusterName", cluster.name)
