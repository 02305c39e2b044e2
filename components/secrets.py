"""A runner's two Kubernetes secrets: the key that its jobs mount, and the token that its manager registers with."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.naming import RunnerNames

CONFIG_FILE = "config.yaml"
AWS_FILE = "credentials"


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """`config_yaml`, `aws_credentials` (None without a state backend) and `runner_token` are secret."""

    names: RunnerNames
    jobs_namespace: pulumi.Input[str]
    managers_namespace: pulumi.Input[str]
    config_yaml: pulumi.Input[str]
    aws_credentials: pulumi.Input[str] | None
    runner_token: pulumi.Input[str]
    provider: kubernetes.Provider


class Secrets(pulumi.ComponentResource):
    """The API key in the jobs' namespace, and the runner token in the managers', where no job can read it.

    Owns: both Kubernetes secrets. Does not own their contents (`Credentials`, `Runner`), nor how they are mounted
    (`runner_config.py`).

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
        tokens = kubernetes.core.v1.Secret(
            f"{name}-tokens",
            metadata={"name": args.names.tokens_secret, "namespace": args.managers_namespace},
            string_data={"runner-token": args.runner_token, "runner-registration-token": ""},
            opts=child,
        )
        self.api_key, self.tokens = api_key.metadata.name, tokens.metadata.name
        self.register_outputs({"apiKey": self.api_key, "tokens": self.tokens})
