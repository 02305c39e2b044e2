"""What an environment needs of its GitLab project: a protected branch, CI variables, and the promotion token."""

from dataclasses import dataclass

import pulumi
import pulumi_gitlab as gitlab

from settings_sections import BranchSettings, GitlabSettings, PromotionTokenSettings, ScalewaySettings


@dataclass(frozen=True, kw_only=True)
class GitlabProjectArgs:
    """`namespace` is the jobs' namespace, `stack` the stack's name; both become CI variables."""

    settings: GitlabSettings
    location: ScalewaySettings
    environment: str
    namespace: str
    stack: str


class GitlabProject(pulumi.ComponentResource):
    """Branch protection, and CI variables that only jobs of this environment see.

    Owns: the protection of the environment's branch, its variables, and a project access token for promotions. Does not
    own the project or the branch, which exist before, nor runners (`Runner`). No variable holds a cloud key: the
    settings refuse one.

    Outputs (none secret): `project_id` (integer), `branch`. The token leaves only as the masked, hidden and protected
    variable PRIVATE_TOKEN.
    Source: GitLab, "Protected branches API" (Enterprise and Community differ), "CI/CD variables".
    """

    project_id: pulumi.Output[int]
    branch: pulumi.Output[str]

    def __init__(self, name: str, args: GitlabProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:GitlabProject", name, None, opts)
        self._environment, self._project = args.environment, args.settings.project
        found = gitlab.get_project_output(
            path_with_namespace=args.settings.project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.project_id = found.id.apply(int)
        self.branch = self._protection(f"{name}-branch", args.settings.branch, args.settings.enterprise)
        token = self._token(f"{name}-promotion-token", args.settings.promotion_token)
        plain = {
            "GITLAB_USER_MAILINGLIST_ID": str(args.settings.mailing_list_user_id),
            "KUBE_NAMESPACE": args.namespace,
            "PULUMI_STACK": args.stack,
            "SCW_DEFAULT_REGION": args.location.region,
            "SCW_DEFAULT_ZONE": args.location.zone,
        }
        for key, value in {**plain, **args.settings.variables}.items():
            self._variable(name, key, value)
        self._variable(name, "PRIVATE_TOKEN", pulumi.Output.secret(token.token), secret=True)
        self.register_outputs({"projectId": self.project_id, "branch": self.branch})

    def _protection(self, name: str, branch: BranchSettings, enterprise: bool) -> pulumi.Output[str]:
        """Enterprise names levels in `allowedTo…`, Community in `…AccessLevel`; each refuses the other's form."""
        if enterprise:
            levels = gitlab.BranchProtectionArgs(
                project=self._project,
                branch=branch.name,
                allow_force_push=False,
                allowed_to_pushes=[gitlab.BranchProtectionAllowedToPushArgs(access_level=branch.push_access_level)],
                allowed_to_merges=[gitlab.BranchProtectionAllowedToMergeArgs(access_level=branch.merge_access_level)],
            )
        else:
            levels = gitlab.BranchProtectionArgs(
                project=self._project,
                branch=branch.name,
                allow_force_push=False,
                push_access_level=branch.push_access_level,
                merge_access_level=branch.merge_access_level,
            )
        protection = gitlab.BranchProtection(name, levels, opts=self._child())
        return protection.branch

    def _token(self, name: str, settings: PromotionTokenSettings) -> gitlab.ProjectAccessToken:
        return gitlab.ProjectAccessToken(
            name,
            project=self._project,
            name=f"promotion-{self._environment}",
            access_level=settings.access_level,
            scopes=["api"],
            rotation_configuration=gitlab.ProjectAccessTokenRotationConfigurationArgs(
                expiration_days=settings.expiration_days, rotate_before_days=settings.rotate_before_days
            ),
            opts=self._child(),
        )

    def _variable(self, name: str, key: str, value: pulumi.Input[str], *, secret: bool = False) -> None:
        """A variable that jobs of this environment see; a secret one only on protected branches, and never in a log."""
        gitlab.ProjectVariable(
            f"{name}-{key.lower().replace('_', '-')}",
            project=self._project,
            key=key,
            value=value,
            environment_scope=self._environment,
            raw=True,  # a `$` in a value is a `$`
            protected=secret,
            masked=secret,
            hidden=secret,
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
