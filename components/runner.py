"""A GitLab runner: one identity in the cloud and in the cluster, registered with each project of the environment."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.app_cluster import AppCluster, AppClusterArgs
from components.credentials import Credentials, CredentialsArgs
from components.gitlab_project import ServedProject
from components.isolation import Isolation, IsolationArgs
from components.namespace import JobsNamespace, JobsNamespaceArgs, ManagersNamespace
from components.naming import RunnerNames, inside
from components.projects import Projects, TakenProjects
from components.registration import Registration, RegistrationArgs
from components.rotation import Keys, Rotation, keys_at
from components.secrets import JobSecrets, JobSecretsArgs
from sections.jobs import RunnerSettings
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class RunnerArgs:
    """`settings` is the runner's own section of `environment`; of `served`, the main project comes first."""

    settings: RunnerSettings
    environment: Settings
    served: Sequence[ServedProject]
    projects: Projects | TakenProjects
    managers: ManagersNamespace
    keys: Keys
    app_kubeconfig: pulumi.Input[str] | None
    provider: kubernetes.Provider


class Runner(pulumi.ComponentResource):
    """One runner with its own identity in the cloud, which the projects that it serves share.

    Owns: its credential (unless the key is given), its jobs' namespace and what isolates it, the key's Kubernetes secret,
    and a `Registration` for each project. Does not own the pool that its jobs run on, nor the managers' namespace. GitLab
    and IAM do not wait for the cluster.

    Outputs: `summary`, what other teams learn of it (nothing secret). The key stays inside.
    """

    summary: dict[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:Runner", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, environment = args.settings, args.environment
        names = RunnerNames(environment.environment, settings.name, settings.tag)
        served = [each for each in args.served if not settings.projects or each.path in settings.projects]
        credentials = None if settings.given_key else self._credentials(f"{name}-credentials", names, args)
        jobs = JobsNamespace(
            f"{name}-jobs",
            JobsNamespaceArgs(names=names, settings=environment.kubernetes, provider=args.provider),
            opts=child,
        )
        isolation = Isolation(
            f"{name}-isolation",
            IsolationArgs(
                settings=environment.kubernetes,
                names=names,
                namespace=jobs.namespace,
                concurrent=settings.concurrent * len(served),  # it is each manager's own limit
                provider=args.provider,
            ),
            opts=child,
        )
        secret = JobSecrets(
            f"{name}-secrets",
            JobSecretsArgs(
                names=names,
                namespace=jobs.namespace,
                config_yaml=credentials.config_yaml if credentials else None,
                aws_credentials=credentials.aws_credentials if credentials and environment.state_backend else None,
                app_kubeconfig=args.app_kubeconfig,
                provider=args.provider,
            ),
            opts=child,
        )
        registrations = [
            Registration(
                f"{name}-gitlab{project.suffix}",
                RegistrationArgs(
                    settings=settings,
                    environment=environment,
                    project=project,
                    managers_namespace=args.managers.namespace,
                    needs=[secret, isolation],
                    provider=args.provider,
                ),
                opts=child,
            )
            for project in served
        ]
        self.summary = {
            "name": settings.name,
            "tag": names.tag,
            "protected": settings.protected,
            "namespace": jobs.namespace,
            "serviceAccount": jobs.service_account,
            "runnerId": registrations[0].summary["runnerId"],
            "applicationId": credentials.application_id if credentials else None,
            "apiKeySecret": secret.api_key,
            "secretManagerId": credentials.secret_manager_id if credentials else None,
            "projects": [each.summary for each in registrations],
        }
        self.register_outputs({"summary": self.summary})

    def _credentials(self, name: str, names: RunnerNames, args: RunnerArgs) -> Credentials:
        return Credentials(
            name,
            CredentialsArgs(
                names=names,
                permission_sets=args.settings.permission_sets,
                condition=args.settings.condition,
                state_backend=args.environment.state_backend,
                keys=args.keys,
                location=args.environment.scaleway,
                target_project_id=args.projects.target_id,
                credentials_project_id=args.projects.credentials_id,
                protected=args.environment.protection,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def declare_runners(
    environment: Settings,
    projects: Projects | TakenProjects,
    managers: ManagersNamespace,
    provider: kubernetes.Provider,
    served: Sequence[ServedProject],
    parent: pulumi.Resource | None = None,
) -> list[Runner]:
    """Every runner of the environment, in the order of the settings. All keys change at the same time."""
    rotation = Rotation(
        timedelta(days=environment.rotation.days),
        timedelta(days=environment.rotation.overlap_days),
        environment.rotation.serial,
    )
    keys = keys_at(now(), rotation)
    kubeconfigs = declare_app_cluster(environment, keys, parent)
    return [
        Runner(
            f"{inside(parent)}runner-{each.name}",
            RunnerArgs(
                settings=each,
                environment=environment,
                served=served,
                projects=projects,
                managers=managers,
                keys=keys,
                app_kubeconfig=kubeconfigs.get(each.name),
                provider=provider,
            ),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for each in environment.runners
    ]


def declare_app_cluster(
    environment: Settings, keys: Keys, parent: pulumi.Resource | None = None
) -> dict[str, pulumi.Output[str]]:
    """The kubeconfigs (secret) for the cluster that pipelines deploy to, by runner; none without `appCluster`."""
    if environment.app_cluster is None:
        return {}
    access = AppCluster(
        f"{inside(parent)}app-cluster",
        AppClusterArgs(
            settings=environment.app_cluster,
            environment=environment.environment,
            runners=environment.runners,
            keys=keys,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return access.kubeconfigs


def now() -> datetime:
    """The time by which keys rotate: $KAPSULE_DEVOPS_NOW (ISO 8601, UTC unless it says, for drills), else the clock's.

    Raises pulumi.RunError, which the engine shows without a traceback: it is no time.
    """
    told = os.environ.get("KAPSULE_DEVOPS_NOW")
    if not told:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        raise pulumi.RunError(
            f"KAPSULE_DEVOPS_NOW = {told!r}: must be a time in ISO 8601, such as 2026-12-01T00:00:00Z, or it is not known "
            "which keys are due. Fix: unset KAPSULE_DEVOPS_NOW"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
