"""The cloud credential of one runner: who it is, what it may do, its key, and the copy in Secret Manager."""

from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway
import yaml

from components.naming import RunnerNames
from components.rotation import Key, Keys
from sections.cloud import ScalewaySettings
from sections.jobs import StateBackendSettings


@dataclass(frozen=True, kw_only=True)
class CredentialsArgs:
    """`permission_sets` apply to `target_project_id` and nowhere else, under `condition` (CEL) where there is one.

    `state_backend` adds a rule for the state bucket's project: to read it, or to write it where the key writes at all.

    `keys` are those that must exist now; the copies lie in `credentials_project_id`, in a secret that is not deleted where
    it is `protected`: the engine refuses to. Keys and copies come and go all the same.
    """

    names: RunnerNames
    permission_sets: tuple[str, ...]
    condition: str | None
    state_backend: StateBackendSettings | None
    keys: Keys
    location: ScalewaySettings
    target_project_id: pulumi.Input[str]
    credentials_project_id: pulumi.Input[str]
    protected: bool


class Credentials(pulumi.ComponentResource):
    """An IAM application with a policy for one project, its rotated API keys, and the current one as `config.yaml`.

    Owns: application, policy, keys, and in Secret Manager a secret with a version per key. Does not own when keys change
    (`rotation.py`), nor where the key is mounted (`JobSecrets`): no GitLab variable ever holds it.

    Outputs: `application_id`, `access_key` (an identifier, not secret), `secret_manager_id` (regional id);
    `config_yaml` (**secret**), valid for Scaleway's command line and SDKs as ~/.config/scw/config.yaml;
    `aws_credentials` (**secret**), the same key in AWS's shared-credentials format, for a state backend in Object Storage.
    Source: Scaleway, "IAM", "Configuration file of the CLI", "Using IAM API keys with Object Storage".
    """

    application_id: pulumi.Output[str]
    access_key: pulumi.Output[str]
    secret_manager_id: pulumi.Output[str]
    config_yaml: pulumi.Output[str]
    aws_credentials: pulumi.Output[str]

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
                    project_ids=[args.target_project_id],
                    permission_set_names=list(args.permission_sets),
                    condition=args.condition,
                ),
                *_state_rules(args),
            ],
            opts=child,
        )
        copy = scaleway.secrets.Secret(
            f"{name}-copy",
            name=args.names.api_key_secret,
            description=f"config.yaml of {args.names.application}",
            project_id=args.credentials_project_id,
            region=args.location.region,
            type="opaque",
            tags=["gitlab-ci", environment],
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected, retain_on_delete=args.protected),
        )
        self._args, self._application, self._policy, self._copy = args, application, policy, copy
        if args.keys.retiring is not None:
            self._key(name, args.keys.retiring)
        key = self._key(name, args.keys.current)
        self.config_yaml = self._config_yaml(key)
        self.aws_credentials = self._aws_credentials(key)
        self.application_id, self.access_key, self.secret_manager_id = application.id, key.access_key, copy.id
        self.register_outputs(  # none that is secret: the SDK writes them, as they are, into the engine's event log
            {
                "applicationId": self.application_id,
                "accessKey": self.access_key,
                "secretManagerId": self.secret_manager_id,
            }
        )

    def _key(self, name: str, key: Key) -> scaleway.iam.ApiKey:
        """One key and its copy. In its slot the old one goes first, so that there are never three."""
        args = self._args
        made = scaleway.iam.ApiKey(
            f"{name}-key-{key.name}",
            application_id=self._application.id,
            description=f"Runner {args.names.purpose} of {args.names.environment}, period {key.number}",
            default_project_id=args.target_project_id,
            expires_at=key.expiry,
            # Nobody holds the key before it can do its work.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._policy], delete_before_replace=True),
        )
        scaleway.secrets.Version(
            f"{name}-copy-{key.name}",
            secret_id=self._copy.id,
            data=self._config_yaml(made),  # the provider encodes it
            description=made.access_key.apply(lambda access_key: f"key {access_key}, until {key.expiry}"),
            region=args.location.region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return made

    def _config_yaml(self, key: scaleway.iam.ApiKey) -> pulumi.Output[str]:
        args = self._args
        profile = pulumi.Output.all(
            access_key=key.access_key,
            secret_key=key.secret_key,
            default_organization_id=self._application.organization_id,
            default_project_id=args.target_project_id,
            default_region=args.location.region,
            default_zone=args.location.zone,
        )
        text: pulumi.Output[str] = pulumi.Output.secret(
            profile.apply(lambda found: str(yaml.safe_dump(dict(found), sort_keys=False)))
        )
        return text

    def _aws_credentials(self, key: scaleway.iam.ApiKey) -> pulumi.Output[str]:
        """Object Storage takes a key for its default project, the target; the bucket's is named behind the access key."""
        backend = self._args.state_backend
        project = f"@{backend.project_id}" if backend else ""
        text: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.all(key.access_key, key.secret_key).apply(
                lambda pair: f"[default]\naws_access_key_id = {pair[0]}{project}\naws_secret_access_key = {pair[1]}\n"
            )
        )
        return text


def _state_rules(args: CredentialsArgs) -> list[scaleway.iam.PolicyRuleArgs]:
    if args.state_backend is None:
        return []
    reads_only = all(name.endswith("ReadOnly") for name in args.permission_sets)
    sets = ["ObjectStorageBucketsRead", "ObjectStorageObjectsRead"]
    if not reads_only:
        sets += ["ObjectStorageObjectsDelete", "ObjectStorageObjectsWrite"]
    return [
        scaleway.iam.PolicyRuleArgs(
            project_ids=[args.state_backend.project_id], permission_set_names=sets, condition=args.condition
        )
    ]
