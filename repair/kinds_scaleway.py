"""How what a stack makes at Scaleway is found by name, through Scaleway's own SDK.

Source: Scaleway's API reference. Names are unique per organization for projects, applications and policies, per project for
secrets, per VPC by range for private networks; of VPCs, clusters, pools and keys there can be several of one name.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from scaleway.account.v3 import AccountV3ProjectAPI
from scaleway.iam.v1alpha1 import IamV1Alpha1API
from scaleway.k8s.v1 import K8SV1API
from scaleway.secret.v1beta1 import SecretV1Beta1API, SecretVersionStatus
from scaleway.vpc.v2 import VpcV2API

from repair.kinds import Found, Kind
from repair.resources import Inputs
from repair.services import Services

_THERE = (SecretVersionStatus.ENABLED, SecretVersionStatus.DISABLED)


def _made(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else ""


def _bare(id_: Any) -> str:
    """Without region."""
    return str(id_).rpartition("/")[2]


def _projects(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in AccountV3ProjectAPI(services.scaleway).list_projects_all(name=inputs["name"]):
        if each.name == inputs["name"]:
            yield Found(id=each.id, description=each.description, made=_made(each.created_at))


def _vpcs(services: Services, inputs: Inputs) -> Iterator[Found]:
    api = VpcV2API(services.scaleway)
    for each in api.list_vp_cs_all(region=inputs["region"], name=inputs["name"], project_id=inputs["projectId"]):
        if each.name == inputs["name"]:
            id_ = f"{each.region}/{each.id}"
            # A project's default VPC, which Scaleway makes, can be renamed and not be deleted.
            in_use = each.is_default or each.private_network_count > 0
            yield Found(id=id_, made=_made(each.created_at), in_use=in_use)


def _remove_vpc(services: Services, inputs: Inputs, id_: str) -> None:
    VpcV2API(services.scaleway).delete_vpc(vpc_id=_bare(id_), region=inputs["region"])


def _private_networks(services: Services, inputs: Inputs) -> Iterator[Found]:
    api = VpcV2API(services.scaleway)
    # By its project, too: the SDK would look in the credentials' own.
    given = {"region": inputs["region"], "name": inputs["name"], "project_id": inputs["projectId"]}
    for each in api.list_private_networks_all(vpc_id=_bare(inputs["vpcId"]), **given):
        if each.name == inputs["name"]:
            yield Found(id=f"{each.region}/{each.id}", made=_made(each.created_at))


def _clusters(services: Services, inputs: Inputs) -> Iterator[Found]:
    api = K8SV1API(services.scaleway)
    given = {"region": inputs["region"], "name": inputs["name"], "project_id": inputs["projectId"]}
    for each in api.list_clusters_all(**given):
        if each.name == inputs["name"] and each.status not in ("deleting", "deleted"):
            pools = api.list_pools_all(cluster_id=each.id, region=each.region)
            yield Found(id=f"{each.region}/{each.id}", made=_made(each.created_at), in_use=bool(pools))


def _remove_cluster(services: Services, inputs: Inputs, id_: str) -> None:
    K8SV1API(services.scaleway).delete_cluster(
        cluster_id=_bare(id_), region=inputs["region"], with_additional_resources=False
    )


def _pools(services: Services, inputs: Inputs) -> Iterator[Found]:
    api = K8SV1API(services.scaleway)
    given = {"region": inputs["region"], "cluster_id": _bare(inputs["clusterId"]), "name": inputs["name"]}
    for each in api.list_pools_all(**given):
        if each.name == inputs["name"] and each.status not in ("deleting", "deleted"):
            yield Found(id=f"{each.region}/{each.id}", made=_made(each.created_at))


def _remove_pool(services: Services, inputs: Inputs, id_: str) -> None:
    K8SV1API(services.scaleway).delete_pool(pool_id=_bare(id_), region=inputs["region"])


def _applications(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in IamV1Alpha1API(services.scaleway).list_applications_all(name=inputs["name"]):
        if each.name == inputs["name"]:
            yield Found(id=each.id, description=each.description, made=_made(each.created_at))


def _policies(services: Services, inputs: Inputs) -> Iterator[Found]:
    for each in IamV1Alpha1API(services.scaleway).list_policies_all(policy_name=inputs["name"]):
        if each.name == inputs["name"]:
            yield Found(id=each.id, description=each.description, made=_made(each.created_at))


def _api_keys(services: Services, inputs: Inputs) -> Iterator[Found]:
    """Every key of the application: nobody but the program makes any there."""
    for each in IamV1Alpha1API(services.scaleway).list_api_keys_all(bearer_id=inputs["applicationId"]):
        yield Found(id=each.access_key, made=_made(each.created_at))


def _remove_api_key(services: Services, inputs: Inputs, id_: str) -> None:
    IamV1Alpha1API(services.scaleway).delete_api_key(access_key=id_)


def _secrets(services: Services, inputs: Inputs) -> Iterator[Found]:
    api = SecretV1Beta1API(services.scaleway)
    given = {"region": inputs["region"], "name": inputs["name"], "project_id": inputs["projectId"]}
    for each in api.list_secrets_all(scheduled_for_deletion=False, **given):
        if each.name == inputs["name"] and each.path == inputs.get("path", "/"):
            yield Found(id=f"{each.region}/{each.id}", description=each.description or "", made=_made(each.created_at))


def _versions(services: Services, inputs: Inputs) -> Iterator[Found]:
    """Every version of the secret that could still be read."""
    secret, region = _bare(inputs["secretId"]), inputs["region"]
    for each in SecretV1Beta1API(services.scaleway).list_secret_versions_all(secret_id=secret, region=region):
        if each.status in _THERE:
            yield Found(id=f"{region}/{secret}/{each.revision}", made=_made(each.created_at))


def _remove_version(services: Services, inputs: Inputs, id_: str) -> None:
    region, secret, revision = id_.split("/")
    SecretV1Beta1API(services.scaleway).delete_secret_version(secret_id=secret, revision=revision, region=region)


KINDS = {
    "scaleway:account/project:Project": Kind(noun="project", needs=("name",), find=_projects),
    "scaleway:network/vpc:Vpc": Kind(noun="VPC", needs=("name", "projectId", "region"), find=_vpcs, remove=_remove_vpc),
    "scaleway:network/privateNetwork:PrivateNetwork": Kind(
        noun="private network", needs=("name", "vpcId", "projectId", "region"), find=_private_networks
    ),
    "scaleway:kubernetes/cluster:Cluster": Kind(
        noun="cluster", needs=("name", "projectId", "region"), find=_clusters, remove=_remove_cluster
    ),
    "scaleway:kubernetes/pool:Pool": Kind(
        noun="node pool", needs=("name", "clusterId", "region"), find=_pools, remove=_remove_pool
    ),
    "scaleway:iam/application:Application": Kind(noun="IAM application", needs=("name",), find=_applications),
    "scaleway:iam/policy:Policy": Kind(noun="IAM policy", needs=("name",), find=_policies),
    "scaleway:iam/apiKey:ApiKey": Kind(
        noun="API key", needs=("applicationId",), find=_api_keys, remove=_remove_api_key, adoptable=False
    ),
    "scaleway:secrets/secret:Secret": Kind(
        noun="secret of Secret Manager", needs=("name", "projectId", "region"), find=_secrets
    ),
    "scaleway:secrets/version:Version": Kind(
        noun="secret version",
        needs=("secretId", "region"),
        find=_versions,
        remove=_remove_version,
        adoptable=False,
    ),
}
