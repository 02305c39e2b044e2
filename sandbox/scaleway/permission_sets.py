"""Scaleway's permission sets: which there are, and what each allows.

Owns their names and scope types, as Scaleway's list of permission sets has them, and the permissions that each holds. An
unknown name is refused, as the real API does. A permission is `product:resource:action`; `operations` says which one an
operation needs. Sets of products that the stand-in does not have are known, and allow nothing here; the single ones of
Instances (InstancesServerRead …) are left out.

Scaleway describes a set in one sentence. What is a guess beyond that sentence:

- `…ReadOnly` is to list and to read; it does not open secrets (said so for SecretManagerReadOnly, guessed for
  AllProductsReadOnly).
- Kubernetes sets include the list of server types and the kubeconfig. Scaleway's CLI reads a kubeconfig with the
  read-only set.
- VPC sets are for VPCs with their routes and access rules, PrivateNetworks sets for the networks in them; neither includes
  the other, nor IPAM's addresses.
  To attach a cluster to a private network takes no right on the network, nor to have it deleted along with the cluster.
- IAMApplicationManager and IAMUserManager do not reach API keys: the stand-in has one permission for all keys, and one
  for the keys of applications only is not told apart.
- OrganizationReadOnly allows nothing here: the stand-in has no route for an organization.
"""

import uuid
from collections.abc import Iterator

_READ = ("list", "read")
_ALL = ("*",)

# By the first part of the names …FullAccess and …ReadOnly: what both are about.
_PROJECT_PRODUCTS: dict[str, tuple[str, ...]] = {
    "AllProducts": ("instance:*", "ipam:*", "k8s:*", "registry:*", "secret_manager:*", "vpc:*"),
    "ContainerRegistry": ("registry:*",),
    "IPAM": ("ipam:*",),
    "Instances": ("instance:*",),
    "Kubernetes": ("k8s:*", "instance:server_type"),
    "PrivateNetworks": ("vpc:private_network",),
    "SecretManager": ("secret_manager:*",),
    "SSHKeys": ("iam:ssh_key",),
    "VPC": ("vpc:vpc", "vpc:route", "vpc:acl"),
}
_OTHER_PROJECT_PRODUCTS = (
    "AppleSilicon",
    "Autoscaling",
    "BlockStorage",
    "Containers",
    "DataWarehouse",
    "Dedibox",
    "DistributedDataLab",
    "DomainsDNS",
    "EdgeServices",
    "ElasticMetal",
    "FileStorage",
    "Functions",
    "Inference",
    "Interlink",
    "InterlinkPartner",
    "IoT",
    "KafkaCluster",
    "KeyManager",
    "LoadBalancers",
    "Mailbox",
    "MessagingAndQueuing",
    "MongoDB",
    "ObjectStorage",
    "Observability",
    "QaaS",
    "Redis",
    "RelationalDatabases",
    "SearchDB",
    "ServerlessJobs",
    "ServerlessSQLDatabase",
    "SiteToSiteVPN",
    "TransactionalEmail",
    "TransactionalEmailBlocklist",
    "TransactionalEmailDomain",
    "TransactionalEmailEmail",
    "TransactionalEmailOfferSubscription",
    "TransactionalEmailProjectSettings",
    "TransactionalEmailWebhook",
    "VPCGateway",
    "WebHosting",
)
_PROJECT_EXTRAS: dict[str, tuple[str, ...]] = {
    "SecretManagerSecretAccess": ("secret_manager:secret:access",),
    "SecretManagerSecretCreate": ("secret_manager:secret:create",),
    "SecretManagerSecretDelete": ("secret_manager:secret:delete",),
    "SecretManagerSecretRestore": ("secret_manager:secret:restore",),
    "SecretManagerSecretWrite": ("secret_manager:secret:write",),
}
_OTHER_PROJECT_EXTRAS = (
    "ContainersPrivateAccess",
    "DediboxConsoleFullAccess",
    "FunctionsPrivateAccess",
    "GenerativeApisFullAccess",
    "GenerativeApisModelAccess",
    "KeyManagerKeyCreate",
    "KeyManagerKeyDecrypt",
    "KeyManagerKeyDelete",
    "KeyManagerKeyEncrypt",
    "KeyManagerKeyRestore",
    "KeyManagerKeySign",
    "KeyManagerKeyVerify",
    "KeyManagerKeyWrite",
    "KubernetesExternalNodeRegister",
    "KubernetesSystemMastersGroupAccess",
    "ObjectStorageBucketPolicyFullAccess",
    "ObjectStorageBucketsDelete",
    "ObjectStorageBucketsRead",
    "ObjectStorageBucketsWrite",
    "ObjectStorageObjectsDelete",
    "ObjectStorageObjectsRead",
    "ObjectStorageObjectsWrite",
    "ObservabilityGrafanaEditor",
    "ServerlessSQLDatabaseDataReadWrite",
    "ServerlessSQLDatabaseReadWrite",
    "TransactionalEmailEmailApiCreate",
    "TransactionalEmailEmailSmtpCreate",
    "TransactionalEmailPoolReadOnly",
)

# By the first part of the names …Manager and …ReadOnly.
_ORGANIZATION_AREAS: dict[str, tuple[str, ...]] = {
    "IAMApplication": ("iam:application",),
    "IAMGroup": ("iam:group",),
    "IAMPolicy": ("iam:policy", "iam:permission_set"),
    "IAMUser": ("iam:user",),
    "Project": ("account:project",),
}
_ORGANIZATION_EXTRAS: dict[str, tuple[str, ...]] = {
    "IAMManager": ("iam:*:*", "account:project:*"),
    "IAMReadOnly": ("iam:*:list", "iam:*:read"),
    "OrganizationManager": ("iam:*:*", "account:project:*"),
}
_OTHER_ORGANIZATION = (
    "AbuseTicketManager",
    "AuditTrailExportDelete",
    "AuditTrailExportRead",
    "AuditTrailFullAccess",
    "AuditTrailReadOnly",
    "BillingManager",
    "BillingReadOnly",
    "EnvironmentalImpactReadOnly",
    "NotificationManagerFullAccess",
    "NotificationManagerReadOnly",
    "OrganizationReadOnly",
    "SupportTicketManager",
    "SupportTicketReadOnly",
)

# The id is made from the name, so that it stays the same without a record.
_NAMESPACE = uuid.UUID("b0a44dd8-4a57-4c2f-9b0c-5f0e6b0f7a51")


def _of_projects() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _OTHER_PROJECT_PRODUCTS:
        yield from ((f"{name}FullAccess", ()), (f"{name}ReadOnly", ()))
    for name, about in _PROJECT_PRODUCTS.items():
        yield f"{name}FullAccess", _patterns(about, _ALL)
        yield f"{name}ReadOnly", _patterns(about, _READ)
    yield from ((name, ()) for name in _OTHER_PROJECT_EXTRAS)
    yield from _PROJECT_EXTRAS.items()


def _of_the_organization() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, about in _ORGANIZATION_AREAS.items():
        yield f"{name}Manager", _patterns(about, _ALL)
        yield f"{name}ReadOnly", _patterns(about, _READ)
    yield from ((name, ()) for name in _OTHER_ORGANIZATION)
    yield from _ORGANIZATION_EXTRAS.items()


def _patterns(about: tuple[str, ...], actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{part}:{action}" for part in about for action in actions)


_OF_PROJECTS, _OF_THE_ORGANIZATION = dict(_of_projects()), dict(_of_the_organization())
_PERMISSIONS = _OF_PROJECTS | _OF_THE_ORGANIZATION

SCOPES = {name: "projects" if name in _OF_PROJECTS else "organization" for name in sorted(_PERMISSIONS)}


def allows(name: str, permission: str) -> bool:
    """Whether the set holds the permission. A name that is no longer known allows nothing."""
    wanted = permission.split(":")
    return any(
        all(part in ("*", want) for part, want in zip(pattern.split(":"), wanted, strict=True))
        for pattern in _PERMISSIONS.get(name, ())
    )


def shown(name: str) -> dict[str, object]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, name)),
        "name": name,
        "scope_type": SCOPES[name],
        "description": "",
        "categories": [],
    }
