"""Job pods as the runner's Kubernetes executor makes them from config.toml: what the article's setup is for.

The runner itself is not run: kubelets are simulated, so no container starts. What matters here is what its pods ask of
the cluster, and that is decided by the real API server and the real scheduler.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightkube import Client, KubeConfig
from lightkube.config.models import User
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.core_v1 import (
    Container,
    KeyToPath,
    PodSpec,
    ResourceRequirements,
    SecretVolumeSource,
    SecurityContext,
    Toleration,
    Volume,
    VolumeMount,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Pod, ServiceAccountToken

AUDIENCE = "https://kubernetes.default.svc"

CONTAINERS = ("build", "helper", "svc-0")


@contextmanager
def as_account(admin: Client, account: str, namespace: str) -> Iterator[Client]:
    """A client with a token of that service account, as a pod of it has."""
    wanted = ServiceAccountToken(metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=[AUDIENCE]))
    issued = admin.create(wanted, account, namespace=namespace)
    assert issued.status is not None
    config = KubeConfig.from_one(cluster=admin.config.cluster, user=User(token=issued.status.token))
    with Client(config=config, trust_env=False) as client:
        yield client


def executor_config(client: Client, environment: str, release: str | None = None) -> dict[str, Any]:
    """`[runners.kubernetes]` of the config.toml that a release (the deploy runner's) gave its manager."""
    release = release or f"app-{environment}-runner"
    rendered = client.get(ConfigMap, release, namespace=f"{environment}-runners")
    (runner,) = tomllib.loads((rendered.data or {})["config.template.toml"])["runners"]
    kubernetes: dict[str, Any] = runner["kubernetes"]
    return kubernetes


def job_pod(config: dict[str, Any], name: str, *, tolerations: bool = True) -> Pod:
    """The pod of a job with one service."""
    secrets = config["volumes"]["secret"]
    mounts = [VolumeMount(name=s["name"], mountPath=s["mount_path"], readOnly=s["read_only"]) for s in secrets]
    prefixes = {"build": "", "helper": "helper_", "svc-0": "service_"}
    containers = [
        Container(
            name=each,
            image=config["helper_image" if each == "helper" else "image"],
            volumeMounts=mounts,
            resources=ResourceRequirements(
                requests={
                    "cpu": config[f"{prefixes[each]}cpu_request"],
                    "memory": config[f"{prefixes[each]}memory_request"],
                }
            ),
            securityContext=SecurityContext(
                privileged=config["privileged"], allowPrivilegeEscalation=config["allow_privilege_escalation"]
            ),
        )
        for each in CONTAINERS
    ]
    wanted = []
    for key_and_value, effect in config["node_tolerations"].items():
        key, _, value = key_and_value.partition("=")
        wanted.append(Toleration(key=key, operator="Equal", value=value, effect=effect))
    return Pod(
        metadata=ObjectMeta(name=name, namespace=config["namespace"]),
        spec=PodSpec(
            containers=containers,
            serviceAccountName=config["service_account"],
            automountServiceAccountToken=config["automount_service_account_token"],
            nodeSelector=config["node_selector"],
            tolerations=wanted if tolerations else [],
            restartPolicy="Never",
            volumes=[
                Volume(
                    name=s["name"],
                    secret=SecretVolumeSource(
                        secretName=s["name"], items=[KeyToPath(key=k, path=p) for k, p in s["items"].items()]
                    ),
                )
                for s in secrets
            ],
        ),
    )
