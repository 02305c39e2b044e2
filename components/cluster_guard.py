"""What keeps an environment's cluster from being destroyed while other environments live in it."""

import base64
import http.client
import json
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.naming import ENVIRONMENT_LABEL

_TIMEOUT_SECONDS = 30


class ClusterInUseError(Exception):
    """Other environments live in the cluster; the message names them and says what to do."""


class UnreachableError(Exception):
    """The API server does not answer, or not as one does, or the kubeconfig does not say where it is."""


def guests(kubeconfig: str, environment: str) -> dict[str, list[str]]:
    """The namespaces of other environments in a cluster, by environment. Raises UnreachableError."""
    try:
        found: dict[str, list[str]] = {}
        for item in _namespaces(yaml.safe_load(kubeconfig)):
            owner = item["metadata"]["labels"][ENVIRONMENT_LABEL]
            if owner != environment:
                found.setdefault(owner, []).append(item["metadata"]["name"])
        return found
    except OSError as error:  # URLError and TLS errors among them
        raise UnreachableError(str(error)) from None
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException) as error:
        # Without the error's text: that of a YAML error quotes the kubeconfig.
        raise UnreachableError(f"its kubeconfig or its answer is not understood ({type(error).__name__})") from None


def refusal(environment: str, found: Mapping[str, Sequence[str]]) -> str:
    """What is told when `guests` finds some."""
    names = "; ".join(f"{guest} (namespaces {', '.join(spaces)})" for guest, spaces in sorted(found.items()))
    return (
        f"the cluster of {environment} is in use by {names}: they must go first, or their runners and secrets are lost.\n"
        f"Fix: {' && '.join(f'pulumi destroy --stack {guest}' for guest in sorted(found))}"
    )


def hook(environment: str, kubeconfig: pulumi.Output[str] | None = None) -> pulumi.ResourceHook:
    """A before-delete hook that fails while the cluster has guests.

    `kubeconfig` is how to ask; without it, it is that of the provider which is about to be deleted. Where the cluster does
    not answer the hook only warns: then nothing inside it can be deleted anyway, or it is gone already.
    """

    async def refuse_while_in_use(args: pulumi.ResourceHookArgs) -> None:
        source = kubeconfig if kubeconfig is not None else (args.old_inputs or {}).get("kubeconfig")
        text = await source.future() if isinstance(source, pulumi.Output) else source
        if not text:
            return
        try:
            found = guests(text, environment)
        except UnreachableError as error:
            pulumi.log.warn(f"cannot tell whether other environments use the cluster of {environment}: {error}")
            return
        if found:
            raise ClusterInUseError(refusal(environment, found))

    return pulumi.ResourceHook(f"cluster-in-use-{'early' if kubeconfig is not None else 'late'}", refuse_while_in_use)


@dataclass(frozen=True, kw_only=True)
class ClusterGuardArgs:
    """`kubeconfig` is secret; `namespace` is where the guard's record lies; `after` is everything that it guards.

    `protected` protects the record: since it goes first, a destroy that skips its preview fails before it deletes anything.
    """

    environment: str
    stack: str
    namespace: pulumi.Input[str]
    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider
    protected: bool
    after: Sequence[pulumi.Resource]


class ClusterGuard(pulumi.ComponentResource):
    """Refuses the destruction of an environment whose cluster others have joined, before anything of it is deleted.

    Owns: a ConfigMap that says whose the cluster is. It depends on all that the environment has, so it goes first, and its
    before-delete hook looks whether namespaces of other environments are there. The provider has the same hook, which comes
    last and still stands before the cluster where only the cluster is replaced. Nothing secret.
    Source: Pulumi, "Resource hooks": with a delete hook `pulumi destroy` needs `--run-program`, and refuses without it.
    """

    def __init__(self, name: str, args: ClusterGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:ClusterGuard", name, None, opts)
        kubernetes.core.v1.ConfigMap(
            f"{name}-owner",
            metadata={"name": "kapsule-devops-owner", "namespace": args.namespace},
            data={"environment": args.environment, "stack": args.stack},
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=args.provider,
                depends_on=list(args.after),
                protect=args.protected or None,
                hooks=pulumi.ResourceHookBinding(before_delete=[hook(args.environment, args.kubeconfig)]),
            ),
        )
        self.register_outputs({})


def _namespaces(kubeconfig: Mapping[str, Any]) -> list[dict[str, Any]]:
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    request = urllib.request.Request(  # noqa: S310 - the scheme is that of the cluster's own kubeconfig
        f"{cluster['server']}/api/v1/namespaces?labelSelector={quote(ENVIRONMENT_LABEL)}",
        headers={"Authorization": f"Bearer {user['token']}", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310 - the cluster's own address
        items: list[dict[str, Any]] = json.loads(answer.read())["items"]
    return items
