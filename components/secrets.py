"""A runner's Kubernetes secrets: the key and the kubeconfig that its jobs mount, and the token that its manager uses."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.naming import RunnerNames

CONFIG_FILE = "config.yaml"
AWS_FILE = "credentials"
KUBECONFIG_FILE = "config"


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """`config_yaml`, `aws_credentials` (None without a state backend), `app_kubeconfig` (None where the runner has no rules
    in an application cluster) and `runner_token` are secret.
    """

    names: RunnerNames
    jobs_namespace: pulumi.Input[str]
    managers_namespace: pulumi.Input[str]
    config_yaml: pulumi.Input[str]
    aws_credentials: pulumi.Input[str] | None
    app_kubeconfig: pulumi.Input[str] | None
    runner_token: pulumi.Input[str]
    provider: kubernetes.Provider


class Secrets(pulumi.ComponentResource):
    """API key and kubeconfig in the jobs' namespace, and the runner token in the managers', where no job can read it.

    Owns: these Kubernetes secrets. Does not own their contents (`Credentials`, `AppCluster`, `Runner`), nor how they are
    mounted (`runner_config.py`).

    Outputs (none secret): `api_key`, `tokens` (names of the secrets).
    Source: chart gitlab-runner, `runners.secret`: both keys must be there, the registration token empty.
    """

    api_key: pulumi.Output[str]
    tokens: pulumi.Output[str]

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:kubernetes:Secrets", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=args.provider)
        api_key = kubernetes.core.v1.Secret(
            f"{name}-api-key",
            metadata={"name": args.names.api_key_secret, "namespace": args.jobs_namespace},
            string_data={
                CONFIG_FILE: args.config_yaml,
                **({AWS_FILE: args.aws_credentials} if args.aws_credentials is not None else {}),
            },
            opts=child,
        )
        if args.app_kubeconfig is not None:
            kubernetes.core.v1.Secret(
                f"{name}-app-kubeconfig",
                metadata={"name": args.names.app_kubeconfig_secret, "namespace": args.jobs_namespace},
                string_data={KUBECONFIG_FILE: args.app_kubeconfig},
                opts=child,
            )
        tokens = kubernetes.core.v1.Secret(
            f"{name}-tokens",
            metadata={"name": args.names.tokens_secret, "namespace": args.managers_namespace},
            string_data={"runner-token": args.runner_token, "runner-registration-token": ""},
            opts=child,
        )
        self.api_key, self.tokens = api_key.metadata.name, tokens.metadata.name
        self.register_outputs({"apiKey": self.api_key, "tokens": self.tokens})
