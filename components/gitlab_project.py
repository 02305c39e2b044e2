"""What an environment needs of each GitLab project: protections, the environment itself, CI variables, promotion token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_gitlab as gitlab

from components.merge_settings import warn_of_merge_settings
from components.naming import MAIN_RUNNER, RunnerNames, inside
from components.runner_config import SCALEWAY_CONFIG_FOLDER
from components.secrets import AWS_FILE
from sections.base import slug
from sections.cloud import ScalewaySettings
from sections.gitlab import BranchSettings, GitlabSettings, PromotionTokenSettings
from sections.jobs import StateBackendSettings
from settings import Settings


class ServedProject(Protocol):
    """What a runner needs to know of a project that it serves; `GitlabProject` tells what each is."""

    @property
    def path(self) -> str: ...

    @property
    def further_path(self) -> str | None: ...

    @property
    def suffix(self) -> str: ...

    @property
    def project_id(self) -> pulumi.Output[int]: ...


@dataclass(frozen=True, kw_only=True)
class FoundProject:
    """A project that is served as it is, in the place of `GitlabProject`: somebody else protects it."""

    path: str
    further_path: str | None
    suffix: str
    project_id: pulumi.Output[int]


@dataclass(frozen=True, kw_only=True)
class GitlabProjectArgs:
    """`path` is one of the projects that `settings` name, `found` what GitLab says of it; `suffix` ends the logical names of
    what is made for a further one, and is empty for the main one. `namespace` is the jobs' namespace, `stack` the stack's
    name; both become CI variables.
    """

    path: str
    found: pulumi.Output[gitlab.GetProjectResult]
    suffix: str
    settings: GitlabSettings
    location: ScalewaySettings
    environment: str
    namespace: str
    stack: str
    state_backend: StateBackendSettings | None


class GitlabProject(pulumi.ComponentResource):
    """Branch protection, the environment in GitLab, and CI variables that only its jobs see.

    Owns: the protection of the environment's branch, the environment and (with Premium) who may deploy to it, protected
    release tags, its variables, and, unless settings say otherwise, a project access token for promotions. Does not own the
    project or the branch, which exist before, nor runners (`Runner`). No variable holds a cloud key: settings refuse one.

    Outputs (none secret): `project_id` (integer), `branch`; known at once are `path`, `further_path` (the path again, and
    None for the main project) and `suffix`. The token leaves only as the masked, hidden and protected variable
    PRIVATE_TOKEN.
    Source: GitLab, "Protected branches API" (Enterprise and Community differ), "CI/CD variables".
    """

    path: str
    further_path: str | None
    suffix: str
    project_id: pulumi.Output[int]
    branch: pulumi.Output[str]

    def __init__(self, name: str, args: GitlabProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:GitlabProject", name, None, opts)
        self.path, self.suffix = args.path, args.suffix
        self.further_path = args.path if args.suffix else None
        self._environment, self._project = args.environment, args.path
        self.project_id = args.found.id.apply(int)
        warn_of_merge_settings(args.path, args.found, args.settings.url, self)
        self.branch = self._protection(f"{name}-branch", args.settings.branch, args.settings.enterprise)
        self._deployments(name, args.settings)
        plain = {
            "GITLAB_USER_MAILINGLIST_ID": str(args.settings.mailing_list_user_id),
            "KUBE_NAMESPACE": args.namespace,
            "PULUMI_STACK": args.stack,
            "SCW_DEFAULT_REGION": args.location.region,
            "SCW_DEFAULT_ZONE": args.location.zone,
        }
        if args.state_backend is not None:
            plain["PULUMI_BACKEND_URL"] = args.state_backend.url
            # A path and no key: the file is mounted with the key.
            plain["AWS_SHARED_CREDENTIALS_FILE"] = f"{SCALEWAY_CONFIG_FOLDER}/{AWS_FILE}"
        for key, value in {**plain, **args.settings.variables}.items():
            self._variable(name, key, value)
        if args.settings.promotion_token.enabled:
            token = self._token(f"{name}-promotion-token", args.settings.promotion_token)
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

    def _deployments(self, name: str, settings: GitlabSettings) -> None:
        """The environment in GitLab, who may deploy to it where the licence knows that, and protected release tags."""
        environment = gitlab.ProjectEnvironment(
            f"{name}-environment",
            project=self._project,
            name=self._environment,
            tier=settings.deployment.kind,
            stop_before_destroy=True,  # GitLab deletes stopped environments only
            opts=self._child(),
        )
        if settings.premium:
            who, approvals = settings.deployment.deploy_access_level, settings.deployment.required_approvals
            gitlab.ProjectProtectedEnvironment(
                f"{name}-deployments",
                project=self._project,
                environment=environment.name,
                deploy_access_levels_attributes=[
                    gitlab.ProjectProtectedEnvironmentDeployAccessLevelsAttributeArgs(access_level=who)
                ],
                # Where it is left out, the provider keeps the rules that are there: an empty list removes them.
                approval_rules=[
                    gitlab.ProjectProtectedEnvironmentApprovalRuleArgs(
                        access_level="maintainer", required_approvals=approvals
                    )
                ]
                if approvals
                else [],
                opts=self._child(),
            )
        if settings.release_tags is not None:
            gitlab.TagProtection(
                f"{name}-release-tags",
                project=self._project,
                tag=settings.release_tags,
                create_access_level="maintainer",
                opts=self._child(),
            )

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


def look_up_projects(
    environment: Settings, parent: pulumi.Resource | None = None
) -> dict[str, pulumi.Output[gitlab.GetProjectResult]]:
    """What GitLab says of every project of the environment, by path: asked for at once, and there when it is needed."""
    opts = pulumi.InvokeOutputOptions(parent=parent)
    return {
        path: gitlab.get_project_output(path_with_namespace=path, opts=opts) for path in environment.gitlab.projects
    }


def declare_projects(
    environment: Settings,
    found: Mapping[str, pulumi.Output[gitlab.GetProjectResult]],
    parent: pulumi.Resource | None = None,
) -> list[GitlabProject]:
    """Every GitLab project of the environment, the main one first; `found` is what `look_up_projects` has asked for."""
    suffixes = _suffixes(environment)
    return [
        GitlabProject(
            f"{inside(parent)}gitlab{suffixes[path]}",
            GitlabProjectArgs(
                path=path,
                found=found[path],
                suffix=suffixes[path],
                settings=environment.gitlab,
                location=environment.scaleway,
                environment=environment.environment,
                namespace=RunnerNames(environment.environment, MAIN_RUNNER).jobs_namespace,
                stack=pulumi.get_stack(),
                state_backend=environment.state_backend,
            ),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for path in environment.gitlab.projects
    ]


def found_projects(
    environment: Settings, found: Mapping[str, pulumi.Output[gitlab.GetProjectResult]]
) -> list[FoundProject]:
    """The same projects, of which nothing is declared."""
    return [
        FoundProject(
            path=path, further_path=path if suffix else None, suffix=suffix, project_id=found[path].id.apply(int)
        )
        for path, suffix in _suffixes(environment).items()
    ]


def _suffixes(environment: Settings) -> dict[str, str]:
    """By path, the main project's first. No purpose of a runner and no CI variable holds an @, so that logical names of two
    projects never meet.
    """
    return {environment.gitlab.project: ""} | {path: f"@{slug(path)}" for path in environment.gitlab.further_projects}
