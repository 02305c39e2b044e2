"""Scheduled pipelines of the project that runs this program: rotation and drift detection."""

from dataclasses import dataclass

import pulumi
import pulumi_gitlab as gitlab

from sections.gitlab import DriftScheduleSettings, RotationScheduleSettings, SchedulesSettings
from settings import Settings

TASK_VARIABLE = "KAPSULE_DEVOPS_TASK"


@dataclass(frozen=True, kw_only=True)
class SchedulesArgs:
    """`project` is a path; `branch` is the environment's branch there."""

    settings: SchedulesSettings
    project: str
    branch: str
    environment: str


class Schedules(pulumi.ComponentResource):
    """When GitLab starts a pipeline on the environment's branch, and the variable that tells the pipeline what for.

    Owns: a schedule for each task that is enabled, with the variable KAPSULE_DEVOPS_TASK (`rotation` or `drift`). Does not
    own what the pipeline does: `.gitlab-ci.yml` of the project decides by that variable. Nothing secret.
    Source: GitLab, "Pipeline schedules API": the ref in full, and only a schedule's owner may change it.
    """

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:Schedules", name, None, opts)
        self._args = args
        self._schedule(name, "rotation", args.settings.rotation)
        self._schedule(name, "drift", args.settings.drift)
        self.register_outputs({})

    def _schedule(self, name: str, task: str, settings: RotationScheduleSettings | DriftScheduleSettings) -> None:
        if not settings.enabled:
            return
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        schedule = gitlab.PipelineSchedule(
            f"{name}-{task}",
            project=args.project,
            description=f"{task} of {args.environment}",
            ref=f"refs/heads/{args.branch}",
            cron=settings.cron,
            cron_timezone=settings.timezone,
            # Whoever runs the program may change what somebody else has made with it.
            take_ownership=True,
            opts=child,
        )
        gitlab.PipelineScheduleVariable(
            f"{name}-{task}-task",
            project=args.project,
            pipeline_schedule_id=schedule.pipeline_schedule_id,
            key=TASK_VARIABLE,
            value=task,
            opts=child,
        )


def declare_schedules(environment: Settings) -> list[Schedules]:
    """The schedules, where a project for them is set."""
    if environment.gitlab.operations_project is None:
        return []
    args = SchedulesArgs(
        settings=environment.gitlab.schedules,
        project=environment.gitlab.operations_project,
        branch=environment.gitlab.branch.name,
        environment=environment.environment,
    )
    return [Schedules("schedules", args)]
