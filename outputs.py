"""The contract that other teams' stacks read by StackReference: names, types, meaning. No key is among them.

Owns what is exported and under which name. An output is added freely; one that is renamed, removed or changes its type
raises CONTRACT_VERSION, which a reader checks first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

import pulumi
from pydantic.alias_generators import to_camel

CONTRACT_VERSION = 1

# How long a reader may keep what he has read.
FIXED: Final = "as long as the environment exists"
SETTING: Final = "until a setting changes it"
RESOURCE: Final = "until what it names is replaced"


@dataclass(frozen=True, kw_only=True)
class EnvironmentOutputs:
    """What an environment tells. Exported in camelCase; ids are as Scaleway's provider has them (`region/uuid`)."""

    environment: Annotated[pulumi.Input[str], "Name of the environment.", FIXED]
    region: Annotated[pulumi.Input[str], "Scaleway region of everything regional.", SETTING]
    zone: Annotated[pulumi.Input[str], "Scaleway zone of the node pools.", SETTING]
    devops_project_id: Annotated[pulumi.Input[str], "Project of the runners' cluster (UUID).", RESOURCE]
    target_project_id: Annotated[pulumi.Input[str], "Project that the pipeline's key may change (UUID).", RESOURCE]
    credentials_project_id: Annotated[
        pulumi.Input[str], "Project of the keys' copies in Secret Manager (UUID).", RESOURCE
    ]
    private_network_id: Annotated[pulumi.Input[str], "Private network of the cluster (regional id).", RESOURCE]
    cluster_mode: Annotated[
        pulumi.Input[str], "`dedicated`: the environment's own cluster; `shared`: another's.", SETTING
    ]
    cluster_id: Annotated[pulumi.Input[str], "Kapsule cluster (regional id).", RESOURCE]
    cluster_name: Annotated[pulumi.Input[str], "Name of the cluster.", SETTING]
    cluster_version: Annotated[pulumi.Input[str], "Kubernetes version as it was asked for.", SETTING]
    api_server_url: Annotated[pulumi.Input[str], "Address of the cluster's API server.", RESOURCE]
    runner_pool_id: Annotated[pulumi.Input[str], "Tainted pool of job pods (regional id).", RESOURCE]
    runner_pool_taint: Annotated[pulumi.Input[str], "Its taint, `key=value:effect`.", FIXED]
    runner_pool_selector: Annotated[pulumi.Input[Mapping[str, str]], "Node labels that job pods select.", FIXED]
    namespace: Annotated[pulumi.Input[str], "Namespace of the deploy runner's job pods.", FIXED]
    service_account: Annotated[pulumi.Input[str], "Service account of job pods.", SETTING]
    gitlab_project_id: Annotated[pulumi.Input[int], "Id of the main GitLab project.", SETTING]
    branch: Annotated[pulumi.Input[str], "Protected branch that the environment follows.", SETTING]
    runners: Annotated[
        Sequence[Mapping[str, pulumi.Input[Any]]],
        "Each runner: name, tag (for `tags:` of a job), protected, namespace, serviceAccount, runnerId (of the first "
        "project), applicationId (null where its key is given), apiKeySecret, secretManagerId (null as well), projects "
        "(each GitLab project that it serves, the main one first: project, which is its path, projectId, runnerId, "
        "release).",
        RESOURCE,
    ]


def export(outputs: EnvironmentOutputs) -> None:
    """Exports each field, and `contractVersion`, as a stack output."""
    pulumi.export("contractVersion", CONTRACT_VERSION)
    for each in fields(outputs):
        pulumi.export(to_camel(each.name), getattr(outputs, each.name))
