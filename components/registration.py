"""A runner's registration with one GitLab project, and the manager that asks that project for jobs."""

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gitlab as gitlab
import pulumi_kubernetes as kubernetes

from components.gitlab_project import ServedProject
from components.naming import EnvironmentNames, RegistrationNames, RunnerNames
from components.runner_config import (
    KUBECONFIG_FOLDER,
    SCALEWAY_CONFIG_FOLDER,
    ChartValues,
    ConfigToml,
    KubernetesExecutor,
    Runner,
    Runners,
    SecretVolume,
    ServiceAccount,
    Volumes,
)
from components.secrets import AWS_FILE, CONFIG_FILE, KUBECONFIG_FILE, secret_data
from sections.jobs import RunnerSettings
from settings import Settings

GIVEN_KEY_READS = "Its key is made by a person and only reads."


@dataclass(frozen=True, kw_only=True)
class RegistrationArgs:
    """`settings` is the runner's own section of `environment`. The manager waits for `needs`, which its jobs need."""

    settings: RunnerSettings
    environment: Settings
    project: ServedProject
    managers_namespace: pulumi.Input[str]
    needs: list[pulumi.Resource]
    provider: kubernetes.Provider


class Registration(pulumi.ComponentResource):
    """A runner in one GitLab project: a manager serves exactly one registration, so each project has its own.

    Owns: the user runner, its token's Kubernetes secret in the managers' namespace, the Helm release. Does not own what
    the runner has once for all projects (`Runner`): where jobs run, with which key, and what isolates them.

    Outputs: `summary`, what other teams learn of it (nothing secret). The runner token (`glrt-…`) stays inside.
    Source: chart gitlab-runner (of `runners.secret` both keys must be there, the registration token empty); with a `glrt-`
    token GitLab owns tags, lock, protection and timeout.
    """

    summary: dict[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: RegistrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:gitlab:Registration", name, None, opts)
        settings, environment, project = args.settings, args.environment, args.project
        names = RegistrationNames(environment.environment, settings.name, project.further_path)
        user_runner = gitlab.UserRunner(
            f"{name}-registration",
            runner_type="project_type",
            project_id=project.project_id,
            description=f"{names.release}: jobs of environment {environment.environment}",
            tag_lists=[RunnerNames(environment.environment, settings.name, settings.tag).tag],
            untagged=False,
            locked=True,
            access_level="ref_protected" if settings.protected else "not_protected",
            maximum_timeout=settings.job_timeout_seconds,
            # What GitLab shows to whoever looks at the runner, and what the policies take as somebody's word.
            maintenance_note=GIVEN_KEY_READS if settings.given_key and not settings.protected else None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        token: pulumi.Output[str] = pulumi.Output.secret(user_runner.token)
        tokens = kubernetes.core.v1.Secret(
            f"{name}-tokens",
            metadata={"name": names.tokens_secret, "namespace": args.managers_namespace},
            data=secret_data({"runner-token": token, "runner-registration-token": ""}),
            opts=pulumi.ResourceOptions(parent=self, provider=args.provider),
        )
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name=names.release,
            chart="gitlab-runner",
            version=environment.runner_chart.version,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=chart_repository(environment)),
            namespace=args.managers_namespace,
            values={
                **chart_values(environment, settings, project.further_path).values(),
                # The chart's pod does not roll when the token's secret changes; this annotation makes it.
                "podAnnotations": {"kapsule-devops/token-sha256": pulumi.Output.unsecret(token.apply(_fingerprint))},
            },
            # A failed installation leaves nothing behind that would block the next one.
            atomic=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=args.provider,
                depends_on=[tokens, *args.needs],
                delete_before_replace=True,  # its name is fixed, and Helm takes none twice
            ),
        )
        self.summary = {
            "project": project.path,
            "projectId": project.project_id,
            "runnerId": user_runner.id,
            "release": release.name,
        }
        self.register_outputs({"summary": self.summary})


def chart_repository(environment: Settings) -> str:
    """$GITLAB_RUNNER_CHART_REPOSITORY, as the providers' own addresses come from the environment, else the setting."""
    return os.environ.get("GITLAB_RUNNER_CHART_REPOSITORY") or environment.runner_chart.repository


def chart_values(environment: Settings, settings: RunnerSettings, project: str | None = None) -> ChartValues:
    """The chart's values of one runner's manager for a further project, or the main one; config.toml included. Pure."""
    names = RunnerNames(environment.environment, settings.name)
    own = RegistrationNames(environment.environment, settings.name, project)
    shared = EnvironmentNames(environment.environment)
    label, value = shared.pool_label
    files = (CONFIG_FILE, AWS_FILE) if environment.state_backend else (CONFIG_FILE,)
    # Of a secret that somebody else makes, all files: who made it knows what the jobs need.
    items = None if settings.given_key else {file: file for file in files}
    mounts = [SecretVolume(name=names.api_key_secret, mount_path=SCALEWAY_CONFIG_FOLDER, items=items)]
    if settings.app_cluster_rules:
        only = {KUBECONFIG_FILE: KUBECONFIG_FILE}
        mounts.append(SecretVolume(name=names.app_kubeconfig_secret, mount_path=KUBECONFIG_FOLDER, items=only))
    executor = KubernetesExecutor(
        namespace=names.jobs_namespace,
        image=settings.image,
        helper_image=settings.helper_image,
        service_account=environment.kubernetes.service_account,
        node_selector={label: value},
        node_tolerations={f"{shared.taint.key}={shared.taint.value}": shared.taint.effect},
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
        fullname_override=own.release,
        service_account=ServiceAccount(name=own.release),
        runners=Runners(
            name=own.release,
            secret=own.tokens_secret,
            config=ConfigToml(runners=(Runner(kubernetes=executor),)).render(),
            job_namespace=names.jobs_namespace,
        ),
    )


def _fingerprint(token: str) -> str:
    """Changes with the token and says nothing of it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]
