"""The cloud credential of one runner: who it is, what it may do, its key, and the copy in Secret Manager."""

from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway
import yaml

from components.naming import RunnerNames
from settings_sections import ScalewaySettings


@dataclass(frozen=True, kw_only=True)
class CredentialsArgs:
    """`permission_sets` apply to `target_project_id` and nowhere else; the copy lies in `credentials_project_id`."""

    names: RunnerNames
    permission_sets: tuple[str, ...]
    location: ScalewaySettings
    target_project_id: pulumi.Input[str]
    credentials_project_id: pulumi.Input[str]


class Credentials(pulumi.ComponentResource):
    """An IAM application with a policy for one project, its API key, and the key as Scaleway's `config.yaml`.

    Owns: application, policy, key, and a secret with its version in Secret Manager. Does not own where the key is mounted
    (`Secrets`): no GitLab variable ever holds it.

    Outputs: `application_id`, `access_key` (an identifier, not secret), `secret_manager_id` (regional id);
    `config_yaml` (**secret**), valid for Scaleway's command line and SDKs as ~/.config/scw/config.yaml.
    Source: Scaleway, "IAM" and "Configuration file of the CLI".
    """

    application_id: pulumi.Output[str]
    access_key: pulumi.Output[str]
    secret_manager_id: pulumi.Output[str]
    config_yaml: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:Credentials", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        environment = args.names.environment
        application = scaleway.iam.Application(
            f"{name}-application",
            name=args.names.application,
            description=f"GitLab runner {args.names.purpose} of {environment}",
            tags=["gitlab-ci", environment],
            opts=child,
        )
        policy = scaleway.iam.Policy(
            f"{name}-policy",
            name=args.names.application,
            description=f"What jobs of runner {args.names.purpose} of {environment} may do",
            application_id=application.id,
            rules=[
                scaleway.iam.PolicyRuleArgs(
                    project_ids=[args.target_project_id], permission_set_names=list(args.permission_sets)
                )
            ],
            opts=child,
        )
        key = scaleway.iam.ApiKey(
            f"{name}-key",
            application_id=application.id,
            description=f"Mounted into job pods of runner {args.names.purpose} of {environment}",
            default_project_id=args.target_project_id,
            # Nobody holds the key before it can do its work.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.config_yaml = pulumi.Output.secret(
            pulumi.Output.all(
                access_key=key.access_key,
                secret_key=key.secret_key,
                default_organization_id=application.organization_id,
                default_project_id=args.target_project_id,
                default_region=args.location.region,
                default_zone=args.location.zone,
            ).apply(lambda profile: yaml.safe_dump(dict(profile), sort_keys=False))
        )
        secret = scaleway.secrets.Secret(
            f"{name}-copy",
            name=args.names.api_key_secret,
            description=f"config.yaml of {args.names.application}",
            project_id=args.credentials_project_id,
            region=args.location.region,
            type="opaque",
            tags=["gitlab-ci", environment],
            opts=child,
        )
        scaleway.secrets.Version(
            f"{name}-copy-version",
            secret_id=secret.id,
            data=self.config_yaml,  # the provider encodes it
            description=key.access_key.apply(lambda access_key: f"key {access_key}"),
            region=args.location.region,
            opts=child,
        )
        self.application_id, self.access_key, self.secret_manager_id = application.id, key.access_key, secret.id
        self.register_outputs(
            {
                "applicationId": self.application_id,
                "accessKey": self.access_key,
                "secretManagerId": self.secret_manager_id,
                "configYaml": self.config_yaml,
            }
        )
