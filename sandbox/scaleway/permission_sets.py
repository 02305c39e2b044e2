"""The names that a policy's rule may use.

Owns Scaleway's permission sets: their names and whether they are for projects or for the organization. A stand-in knows
the sets of the products that a program around Kapsule meets; an unknown name is refused, as the real API does.
"""

import uuid

_PROJECT = {
    "Instances",
    "Kubernetes",
    "PrivateNetworks",
    "VPC",
    "VPCGateway",
    "IPAM",
    "ContainerRegistry",
    "ObjectStorage",
    "SecretManager",
    "KeyManager",
    "BlockStorage",
    "FileStorage",
    "LoadBalancers",
    "RelationalDatabases",
    "Redis",
    "MongoDB",
    "ServerlessFunctions",
    "ServerlessContainers",
    "ServerlessJobs",
    "ServerlessSQLDatabase",
    "Observability",
    "DomainsDNS",
    "ElasticMetal",
    "AppleSilicon",
    "MessagingAndQueuing",
    "TransactionalEmail",
    "EdgeServices",
    "InterLink",
    "AutoScaling",
    "GenerativeApis",
    "Inference",
    "WebHosting",
    "IoTHub",
    "AllProducts",
    "SSHKeys",
}
_ORGANIZATION = {"IAM", "Project", "Organization", "Billing", "AuditTrail", "CostManager", "SupportTicket"}
_EXTRA_PROJECT = {
    "KubernetesExternalNodeRegister",
    "KubernetesSystemMastersGroupAccess",
    "ObjectStorageBucketPolicyFullAccess",
    "ObjectStorageBucketsRead",
    "ObjectStorageBucketsWrite",
    "ObjectStorageBucketsDelete",
    "ObjectStorageObjectsRead",
    "ObjectStorageObjectsWrite",
    "ObjectStorageObjectsDelete",
    "SecretManagerSecretAccess",
    "SecretManagerSecretCreate",
    "SecretManagerSecretWrite",
    "SecretManagerSecretDelete",
    "KeyManagerCryptoOperations",
}
_EXTRA_ORGANIZATION = {"IAMManager", "ProjectManager", "OrganizationManager", "BillingManager", "IAMApiKeysManager"}

# The id is made from the name, so that it stays the same without a record.
_NAMESPACE = uuid.UUID("b0a44dd8-4a57-4c2f-9b0c-5f0e6b0f7a51")


def _scopes() -> dict[str, str]:
    scopes = {f"{product}{access}": "projects" for product in _PROJECT for access in ("FullAccess", "ReadOnly")}
    scopes |= {f"{area}{access}": "organization" for area in _ORGANIZATION for access in ("FullAccess", "ReadOnly")}
    scopes |= dict.fromkeys(_EXTRA_PROJECT, "projects")
    return scopes | dict.fromkeys(_EXTRA_ORGANIZATION, "organization")


SCOPES = dict(sorted(_scopes().items()))


def shown(name: str) -> dict[str, object]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, name)),
        "name": name,
        "scope_type": SCOPES[name],
        "description": "",
        "categories": [],
    }
