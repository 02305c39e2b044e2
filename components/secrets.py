"""The Kubernetes secrets that a runner's jobs mount: its key, and a kubeconfig for what they deploy to."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.naming import RunnerNames

CONFIG_FILE = "config.yaml"
AWS_FILE = "credentials"
KUBECONFIG_FILE = "config"


def secret_data(texts: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Output[str]]:
    """What a Kubernetes secret takes as `data`; each value stays as secret as its text.

    Not `stringData`: from that the provider makes `data` once the texts are known, so an update that makes or rotates a key
    could never keep to the plan of its preview.
    """
    return {
        key: pulumi.Output.from_input(text).apply(lambda known: base64.b64encode(known.encode()).decode())
        for key, text in texts.items()
    }


@dataclass(frozen=True, kw_only=True)
class JobSecretsArgs:
    """`namespace` is that of the jobs. `config_yaml` (None where the key is given), `aws_credentials` (None without a state
    backend) and `app_kubeconfig` (None where the runner has no rules in an application cluster) are secret.
    """

    names: RunnerNames
    namespace: pulumi.Input[str]
    config_yaml: pulumi.Input[str] | None
    aws_credentials: pulumi.Input[str] | None
    app_kubeconfig: pulumi.Input[str] | None
    provider: kubernetes.Provider


class JobSecrets(pulumi.ComponentResource):
    """API key and kubeconfig in the jobs' namespace; a runner has one of each, whichever project a job is of.

    Owns: these Kubernetes secrets. Does not own their contents (`Credentials`, `AppCluster`), nor how they are mounted
    (`runner_config.py`), nor the managers' tokens (`Registration`).

    Outputs (not secret): `api_key` (name of the secret).
    """

    api_key: pulumi.Output[str]

    def __init__(self, name: str, args: JobSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:JobSecrets", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        self.api_key = pulumi.Output.from_input(args.names.api_key_secret)
        if args.config_yaml is not None:
            api_key = kubernetes.core.v1.Secret(
                f"{name}-api-key",
                metadata={"name": args.names.api_key_secret, "namespace": args.namespace},
                data=secret_data(
                    {CONFIG_FILE: args.config_yaml}
                    | ({AWS_FILE: args.aws_credentials} if args.aws_credentials is not None else {})
                ),
                opts=child,
            )
            self.api_key = api_key.metadata.name
        if args.app_kubeconfig is not None:
            kubernetes.core.v1.Secret(
                f"{name}-app-kubeconfig",
                metadata={"name": args.names.app_kubeconfig_secret, "namespace": args.namespace},
                data=secret_data({KUBECONFIG_FILE: args.app_kubeconfig}),
                opts=child,
            )
        self.register_outputs({"apiKey": self.api_key})
