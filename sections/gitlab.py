"""Settings of the GitLab project."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sections.base import Section, cron_expression, daily_cron_expression, setting

# With its groups.
ProjectPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$")]
AccessLevel = Literal["no one", "developer", "maintainer"]


class BranchSettings(Section):
    """The environment's branch and who may change it."""

    name: str = setting(
        about="Branch that this environment follows.",
        consequence="nothing is protected",
        example="main",
        pattern=r"^[\w][\w./-]*$",
    )
    merge_access_level: AccessLevel = setting(
        "maintainer", about="Who may merge to it.", consequence="GitLab refuses the protection"
    )
    push_access_level: AccessLevel = setting(
        "no one", about="Who may push to it past a merge request.", consequence="GitLab refuses the protection"
    )


class DeploymentSettings(Section):
    """The environment in GitLab, which jobs deploy to, and who may let them."""

    kind: Literal["development", "testing", "staging", "production", "other"] = setting(
        "development", about="What GitLab calls its tier.", consequence="GitLab refuses the environment"
    )
    deploy_access_level: Literal["developer", "maintainer"] = setting(
        "maintainer", about="Who may deploy (GitLab Premium).", consequence="GitLab refuses the protection"
    )
    required_approvals: int = setting(
        0,
        about="Approvals that a deployment needs (GitLab Premium).",
        consequence="GitLab refuses the rule",
        ge=0,
        le=5,
    )


class PromotionTokenSettings(Section):
    """The project access token with which a pipeline opens the next merge request."""

    enabled: bool = setting(
        True,
        about="Whether the program makes it, and the variable PRIVATE_TOKEN of it. GitLab.com gives project access tokens "
        "to groups with Premium or Ultimate only; a self-managed GitLab to all.",
        consequence="GitLab refuses the token",
    )
    access_level: Literal["developer", "maintainer"] = setting(
        "developer", about="Its role.", consequence="GitLab refuses it"
    )
    expiration_days: int = setting(90, about="Life of the token (days).", consequence="GitLab refuses it", ge=7, le=365)
    rotate_before_days: int = setting(
        30,
        about="How long before its end `pulumi up` renews it (days).",
        consequence="it ends between two runs",
        ge=1,
        le=180,
    )


class ScheduleSettings(Section):
    """When GitLab starts a pipeline by itself."""

    enabled: bool = setting(True, about="Whether it does.", consequence="nothing starts it")
    timezone: str = setting(
        "UTC",
        about="Time zone of `cron`.",
        consequence="GitLab refuses the schedule",
        example="Europe/Paris",
        pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
    )


class RotationScheduleSettings(ScheduleSettings):
    """A pipeline that runs `pulumi up`, by which keys and tokens change in time."""

    cron: Annotated[str, AfterValidator(daily_cron_expression)] = setting(
        "23 2 * * *",
        about="When, on every day.",
        consequence="no run falls into the overlap, and jobs in flight lose their key",
    )


class DriftScheduleSettings(ScheduleSettings):
    """A pipeline that compares what exists with what is declared."""

    cron: Annotated[str, AfterValidator(cron_expression)] = setting(
        "23 4 * * *", about="When.", consequence="GitLab refuses the schedule"
    )


class SchedulesSettings(Section):
    """Pipelines of `operationsProject` on the environment's branch, each with the variable KAPSULE_DEVOPS_TASK."""

    rotation: RotationScheduleSettings = setting(
        RotationScheduleSettings(),
        about="Pipeline that is to run `pulumi up`: KAPSULE_DEVOPS_TASK is `rotation`.",
        consequence="keys and tokens end, and nothing renews them",
    )
    drift: DriftScheduleSettings = setting(
        DriftScheduleSettings(),
        about="Pipeline that is to run `pulumi preview --refresh --expect-no-changes`: KAPSULE_DEVOPS_TASK is `drift`.",
        consequence="what is changed by hand stays unseen",
    )


class GitlabSettings(Section):
    """The GitLab projects that this environment serves."""

    project: ProjectPath = setting(
        about="Path of the main project, with its groups.",
        consequence="GitLab finds no project",
        example="acme/app",
    )
    further_projects: tuple[ProjectPath, ...] = setting(
        (),
        about="Paths of more projects with the same branches. The environment's runners, with their keys, serve each of "
        "them; each costs a manager per runner (50m CPU, 64 Mi) in the system pool.",
        consequence="their jobs find no runner",
        example=("acme/platform",),
        max_length=50,
    )
    operations_project: ProjectPath | None = setting(
        None,
        about="Path of the project whose pipeline runs this program, `project` or one of `furtherProjects`: "
        "`schedules` are made there, and nowhere unless it is set.",
        consequence="nothing runs `pulumi up` in time",
        example="acme/platform",
    )
    schedules: SchedulesSettings = setting(
        SchedulesSettings(), about="Scheduled pipelines.", consequence="nothing runs `pulumi up` in time"
    )
    enterprise: bool = setting(
        True,
        about="Whether GitLab is the Enterprise distribution (GitLab.com is, on the Free tier too): protections differ.",
        consequence="GitLab's provider refuses the branch protection",
    )
    premium: bool = setting(
        False,
        about="Whether the GitLab licence is Premium or Ultimate: deployments are then protected, with approvals.",
        consequence="GitLab refuses the protected environment",
    )
    deployment: DeploymentSettings = setting(
        DeploymentSettings(), about="The environment in GitLab.", consequence="deployments are not recorded"
    )
    release_tags: str | None = setting(
        None,
        about="Protected tags, by wildcard, which only maintainers create. Set it in one environment only.",
        consequence="anybody who may push makes a release",
        example="v*",
        pattern=r"^[A-Za-z0-9_.*/-]+$",
    )
    url: str = setting(
        "https://gitlab.com/",
        about="Address that runners register at.",
        consequence="runners find no GitLab",
        pattern=r"^https?://[^\s]+/$",
    )
    branch: BranchSettings = setting(about="The environment's branch.", consequence="nothing is protected")
    mailing_list_user_id: int = setting(
        about="Id of the user who is assigned promotion requests.", consequence="nobody hears of them", ge=1, example=2
    )
    promotion_token: PromotionTokenSettings = setting(
        PromotionTokenSettings(), about="The promotion token.", consequence="no promotion opens"
    )
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = setting(
        {}, about="Further CI variables of the environment; never a credential.", consequence="GitLab refuses them"
    )

    @property
    def projects(self) -> tuple[str, ...]:
        """Every project, the main one first."""
        return (self.project, *self.further_projects)
