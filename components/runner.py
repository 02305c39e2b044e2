"""A GitLab runner: registered in GitLab by code, run in the cluster by its Helm chart."""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pulumi_gitlab as gitlab
import pulumi_kubernetes as kubernetes

from components.app_cluster import AppCluster, AppClusterArgs
from components.credentials import Credentials, CredentialsArgs
from components.isolation import Isolation, IsolationArgs
from components.namespace import JobsNamespace, JobsNamespaceArgs, ManagersNamespace
from components.naming import EnvironmentNames, RunnerNames
from components.projects import Projects
from components.rotation import Keys, Rotation, keys_at
from components.runner_config import (
    KUBECONFIG_FOLDER,
    SCALEWAY_CONFIG_FOLDER,
    ChartValues,
    ConfigToml,
    KubernetesExecutor,
    Runners,
    SecretVolume,
    ServiceAccount,
    Volumes,
)
from components.runner_config import Runner as RunnerToml
from components.secrets import AWS_FILE, CONFIG_FILE, KUBECONFIG_FILE, Secrets, SecretsArgs
from sections.jobs import RunnerSettings
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class RunnerArgs:
    """`settings` is the runner's own section of `environment`; `project_id` is GitLab's (integer)."""

    settings: RunnerSettings
    environment: Settings
    project_id: pulumi.Input[int]
    projects: Projects
    managers: ManagersNamespace
    keys: Keys
    app_kubeconfig: pulumi.Input[str] | None
    provider: kubernetes.Provider


class Runner(pulumi.ComponentResource):
    """One runner with its own identity in GitLab and in the cloud.

    Owns: the user runner, its credential, its jobs' namespace and what isolates it, both Kubernetes secrets, the release.
    Does not own the pool that its jobs run on, nor the managers' namespace. GitLab and IAM do not wait for the cluster.

    Outputs: `summary`, what other teams learn of it (nothing secret). Key and runner token (`glrt-…`) stay inside.
    Source: chart gitlab-runner; with a `glrt-` token GitLab owns tags, lock, protection and timeout.
    """

    summary: dict[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:Runner", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, environment = args.settings, args.environment
        names = RunnerNames(environment.environment, settings.name)
        credentials = Credentials(
            f"{name}-credentials",
            CredentialsArgs(
                names=names,
                permission_sets=settings.permission_sets,
                condition=settings.condition,
                state_backend=environment.state_backend,
                keys=args.keys,
                location=environment.scaleway,
                target_project_id=args.projects.target_id,
                credentials_project_id=args.projects.credentials_id,
                protected=environment.protection,
            ),
            opts=child,
        )
        user_runner = gitlab.UserRunner(
            f"{name}-registration",
            runner_type="project_type",
            project_id=args.project_id,
            description=f"{names.release} on {environment.cluster.name}",
            tag_lists=[names.tag],
            untagged=False,
            locked=True,
            access_level="ref_protected" if settings.protected else "not_protected",
            maximum_timeout=settings.job_timeout_seconds,
            opts=child,
        )
        token: pulumi.Output[str] = pulumi.Output.secret(user_runner.token)
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
                concurrent=settings.concurrent,
                provider=args.provider,
            ),
            opts=child,
        )
        secrets = Secrets(
            f"{name}-secrets",
            SecretsArgs(
                names=names,
                jobs_namespace=jobs.namespace,
                managers_namespace=args.managers.namespace,
                config_yaml=credentials.config_yaml,
                aws_credentials=credentials.aws_credentials if environment.state_backend else None,
                app_kubeconfig=args.app_kubeconfig,
                runner_token=token,
                provider=args.provider,
            ),
            opts=child,
        )
        values = chart_values(environment, settings)
        kubernetes.helm.v3.Release(
            f"{name}-release",
            name=names.release,
            chart="gitlab-runner",
            version=environment.runner_chart.version,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=chart_repository(environment)),
            namespace=args.managers.namespace,
            values={
                **values.values(),
                # The chart's pod does not roll when the token's secret changes; this annotation makes it.
                "podAnnotations": {"kapsule-devops/token-sha256": pulumi.Output.unsecret(token.apply(_fingerprint))},
            },
            # A failed installation leaves nothing behind that would block the next one.
            atomic=True,
            opts=pulumi.ResourceOptions(parent=self, provider=args.provider, depends_on=[secrets, isolation]),
        )
        self.summary = {
            "name": settings.name,
            "tag": names.tag,
            "protected": settings.protected,
            "namespace": jobs.namespace,
            "serviceAccount": jobs.service_account,
            "runnerId": user_runner.id,
            "applicationId": credentials.application_id,
            "apiKeySecret": secrets.api_key,
            "secretManagerId": credentials.secret_manager_id,
        }
        self.register_outputs({"summary": self.summary})


def declare_runners(
    environment: Settings,
    projects: Projects,
    managers: ManagersNamespace,
    provider: kubernetes.Provider,
    project_id: pulumi.Input[int],
) -> list[Runner]:
    """Every runner of the environment, in the order of the settings. All keys change at the same time."""
    rotation = Rotation(
        timedelta(days=environment.rotation.days),
        timedelta(days=environment.rotation.overlap_days),
        environment.rotation.serial,
    )
    keys = keys_at(now(), rotation)
    kubeconfigs = declare_app_cluster(environment, keys)
    return [
        Runner(
            f"runner-{each.name}",
            RunnerArgs(
                settings=each,
                environment=environment,
                project_id=project_id,
                projects=projects,
                managers=managers,
                keys=keys,
                app_kubeconfig=kubeconfigs.get(each.name),
                provider=provider,
            ),
        )
        for each in environment.runners
    ]


def declare_app_cluster(environment: Settings, keys: Keys) -> dict[str, pulumi.Output[str]]:
    """The kubeconfigs (secret) for the cluster that pipelines deploy to, by runner; none without `appCluster`."""
    if environment.app_cluster is None:
        return {}
    access = AppCluster(
        "app-cluster",
        AppClusterArgs(
            settings=environment.app_cluster,
            environment=environment.environment,
            runners=environment.runners,
            keys=keys,
        ),
    )
    return access.kubeconfigs


def now() -> datetime:
    """The time by which keys rotate: $KAPSULE_DEVOPS_NOW (ISO 8601, UTC unless it says, for drills), else the clock's."""
    told = os.environ.get("KAPSULE_DEVOPS_NOW")
    if not told:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def chart_repository(environment: Settings) -> str:
    """$GITLAB_RUNNER_CHART_REPOSITORY, as the providers' own addresses come from the environment, else the setting."""
    return os.environ.get("GITLAB_RUNNER_CHART_REPOSITORY") or environment.runner_chart.repository


def chart_values(environment: Settings, settings: RunnerSettings) -> ChartValues:
    """The chart's values of one runner, config.toml included. Pure."""
    names = RunnerNames(environment.environment, settings.name)
    shared = EnvironmentNames(environment.environment)
    label, value = shared.pool_label
    files = (CONFIG_FILE, AWS_FILE) if environment.state_backend else (CONFIG_FILE,)
    mounts = [
        SecretVolume(name=names.api_key_secret, mount_path=SCALEWAY_CONFIG_FOLDER, items={file: file for file in files})
    ]
    if settings.app_cluster_rules:
        only = {KUBECONFIG_FILE: KUBECONFIG_FILE}
        mounts.append(SecretVolume(name=names.app_kubeconfig_secret, mount_path=KUBECONFIG_FOLDER, items=only))
    executor = KubernetesExecutor(
        namespace=names.jobs_namespace,
        image=settings.image,
        helper_image=settings.helper_image,
        service_account=environment.kubernetes.service_account,
        node_selector={label: value},
        node_tolerations={f"{shared.taint_key}=true": "NoSchedule"},
        cpu_request=settings.cpu_request,
        memory_request=settings.memory_request,
        service_cpu_request=settings.service_cpu_request,
        service_memory_request=settings.service_memory_request,
        helper_cpu_request=settings.helper_cpu_request,
        helper_memory_request=settings.helper_memory_request,
        poll_timeout=settings.poll_timeout_seconds,
        volumes=Volumes(secret=tuple(mounts)),
    )
    return ChartValues(
        gitlab_url=environment.gitlab.url,
        concurrent=settings.concurrent,
        termination_grace_period_seconds=settings.job_timeout_seconds,
        fullname_override=names.release,
        service_account=ServiceAccount(name=names.release),
        runners=Runners(
            name=names.release,
            secret=names.tokens_secret,
            config=ConfigToml(runners=(RunnerToml(kubernetes=executor),)).render(),
            job_namespace=names.jobs_namespace,
        ),
    )


def _fingerprint(token: str) -> str:
    """Changes with the token and says nothing of it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]
