"""A program that breaks every rule of the policy pack. Only ever previewed; see tests/engine/test_7_policies.py.

$CLUSTER is the path of a kubeconfig.
"""

import os
from pathlib import Path

import pulumi
import pulumi_gitlab as gitlab
import pulumi_kubernetes as kubernetes
import pulumiverse_scaleway as scaleway

PROJECT = "acme/app"
ADMIN_KUBECONFIG = """\
apiVersion: v1
kind: Config
users: [{name: kapsule-admin, user: {token: worth-nothing}}]
"""
RUNNER_CONFIG = """\
[[runners]]
[runners.kubernetes]
allow_privilege_escalation = true
[[runners.kubernetes.volumes.secret]]
name = "key"
mount_path = "/key"
"""

application = scaleway.iam.Application("application", name="violations")
scaleway.iam.Policy(
    "policy",
    name="everything",
    application_id=application.id,
    rules=[
        scaleway.iam.PolicyRuleArgs(
            organization_id=os.environ["SCW_DEFAULT_ORGANIZATION_ID"], permission_set_names=["IAMManager"]
        )
    ],
)
key = scaleway.iam.ApiKey("key", application_id=application.id, description="eternal")
cluster = scaleway.kubernetes.Cluster(
    "cluster",
    name="violations",
    type="kapsule",
    version="1.35.3",
    cni="cilium",
    private_network_id="fr-par/11111111-2222-3333-4444-555555555555",
    delete_additional_resources=True,
)
scaleway.kubernetes.Pool(
    "pool",
    name="open",
    cluster_id=cluster.id,
    node_type="GP1-XS",
    size=1,
    startup_taints=[scaleway.kubernetes.PoolStartupTaintArgs(key="k", value="v", effect="NoSchedule")],
)

gitlab.UserRunner(
    "runner",
    runner_type="instance_type",
    description="loose",
    locked=False,
    untagged=True,
    access_level="not_protected",
)
gitlab.ProjectVariable("named", project=PROJECT, key="SCW_SECRET_KEY", value="of no worth")
gitlab.ProjectVariable("shaped", project=PROJECT, key="STEP", value="SCW" + 17 * "X")
gitlab.ProjectVariable("made", project=PROJECT, key="DEPLOY", value=key.secret_key)
gitlab.ProjectVariable("shown", project=PROJECT, key="PROMOTION_TOKEN", value="glpat-of-no-worth")
gitlab.BranchProtection(
    "branch",
    project=PROJECT,
    branch="main",
    allow_force_push=True,
    allowed_to_pushes=[gitlab.BranchProtectionAllowedToPushArgs(access_level="developer")],
)

in_cluster = pulumi.ResourceOptions(
    provider=kubernetes.Provider("kubernetes", kubeconfig=Path(os.environ["CLUSTER"]).read_text())
)
kubernetes.core.v1.Namespace("namespace", metadata={"name": "open"}, opts=in_cluster)
kubernetes.core.v1.Secret(
    "admin",
    metadata={"name": "admin", "namespace": "default"},
    string_data={"config": ADMIN_KUBECONFIG},
    opts=in_cluster,
)
kubernetes.core.v1.Secret(
    "taken",
    metadata={"name": "taken", "namespace": "default"},
    string_data={"config": cluster.kubeconfigs.apply(lambda found: str(found[0].config_file))},
    opts=in_cluster,
)
kubernetes.core.v1.Pod(
    "pod",
    metadata={"name": "mighty", "namespace": "default"},
    spec={"containers": [{"name": "main", "image": "alpine:3.22"}]},
    opts=in_cluster,
)
kubernetes.helm.v3.Release(
    "release",
    name="floating",
    chart="gitlab-runner",
    repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=os.environ["GITLAB_RUNNER_CHART_REPOSITORY"]),
    namespace="default",
    values={
        "gitlabUrl": "https://gitlab.com/",
        "securityContext": {"privileged": True},
        # Unknown: the provider has not looked the chart up yet, so the rule sees that no version is given.
        "podAnnotations": {"application": application.id},
        "runners": {"config": RUNNER_CONFIG, "secret": "tokens", "name": "floating", "executor": "kubernetes"},
    },
    opts=in_cluster,
)
kubernetes.helm.v3.Release(
    "resolved",
    name="resolved",
    chart="gitlab-runner",
    repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=os.environ["GITLAB_RUNNER_CHART_REPOSITORY"]),
    namespace="default",
    values={"gitlabUrl": "https://gitlab.com/"},
    opts=in_cluster,
)
pulumi.export("deployKubeconfig", ADMIN_KUBECONFIG)
