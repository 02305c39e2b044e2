"""The contract that other teams' stacks read by StackReference: names, types, meaning. No key is among them.

Owns what is exported and under which name. An output is added freely; one that is renamed, removed or changes its type
raises CONTRACT_VERSION, which a reader checks first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import pulumi
from pydantic.alias_generators import to_camel

CONTRACT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class EnvironmentOutputs:
    """What an environment tells. Exported in camelCase; ids are as Scaleway's provider has them (`region/uuid`)."""

    environment: Annotated[pulumi.Input[str], "Name of the environment."]
    region: Annotated[pulumi.Input[str], "Scaleway region of everything regional."]
    zone: Annotated[pulumi.Input[str], "Scaleway zone of the node pools."]
    devops_project_id: Annotated[pulumi.Input[str], "Project of the runners' cluster (UUID)."]
    target_project_id: Annotated[pulumi.Input[str], "Project that the pipeline's key may change (UUID)."]
    credentials_project_id: Annotated[pulumi.Input[str], "Project of the keys' copies in Secret Manager (UUID)."]
    private_network_id: Annotated[pulumi.Input[str], "Private network of the cluster (regional id)."]
    cluster_mode: Annotated[pulumi.Input[str], "`dedicated`: the environment's own cluster; `shared`: another's."]
    cluster_id: Annotated[pulumi.Input[str], "Kapsule cluster (regional id)."]
    cluster_name: Annotated[pulumi.Input[str], "Name of the cluster."]
    cluster_version: Annotated[pulumi.Input[str], "Kubernetes version as it was asked for."]
    api_server_url: Annotated[pulumi.Input[str], "Address of the cluster's API server."]
    runner_pool_id: Annotated[pulumi.Input[str], "Tainted pool of job pods (regional id)."]
    runner_pool_taint: Annotated[pulumi.Input[str], "Its taint, `key=value:effect`."]
    runner_pool_selector: Annotated[pulumi.Input[Mapping[str, str]], "Node labels that job pods select."]
    namespace: Annotated[pulumi.Input[str], "Namespace of the deploy runner's job pods."]
    service_account: Annotated[pulumi.Input[str], "Service account of job pods."]
    gitlab_project_id: Annotated[pulumi.Input[int], "Id of the main GitLab project."]
    branch: Annotated[pulumi.Input[str], "Protected branch that the environment follows."]
    runners: Annotated[
        Sequence[Mapping[str, pulumi.Input[Any]]],
        "Each runner: name, tag (for `tags:` of a job), protected, namespace, serviceAccount, runnerId (of the first "
        "project), applicationId (null where its key is given), apiKeySecret, secretManagerId (null as well), projects "
        "(each GitLab project that it serves, the main one first: project, which is its path, projectId, runnerId, "
        "release).",
    ]


def export(outputs: EnvironmentOutputs) -> None:
    """Exports each field, and `contractVersion`, as a stack output."""
    pulumi.export("contractVersion", CONTRACT_VERSION)
    for each in fields(outputs):
        pulumi.export(to_camel(each.name), getattr(outputs, each.name))
