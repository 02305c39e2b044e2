"""One environment: settings → components → outputs. Wiring only."""

import pulumi

import outputs
import settings
from components.cluster import Cluster, ClusterArgs
from components.gitlab_project import GitlabProject, GitlabProjectArgs
from components.isolation import ReservedPool, ReservedPoolArgs
from components.namespace import ManagersNamespace, ManagersNamespaceArgs
from components.naming import MAIN_RUNNER, EnvironmentNames, RunnerNames
from components.network import Network, NetworkArgs
from components.projects import Projects, ProjectsArgs
from components.runner import declare_runners
from components.runner_pool import RunnerPool, RunnerPoolArgs

config = settings.load()
names, main = EnvironmentNames(config.environment), RunnerNames(config.environment, MAIN_RUNNER)

projects = Projects("projects", ProjectsArgs(settings=config.projects, environment=config.environment))
network = Network(
    "network",
    NetworkArgs(
        settings=config.network,
        location=config.scaleway,
        environment=config.environment,
        project_id=projects.devops_id,
    ),
)
cluster = Cluster(
    "cluster",
    ClusterArgs(
        settings=config.cluster,
        system_pool=config.system_pool,
        location=config.scaleway,
        environment=config.environment,
        project_id=projects.devops_id,
        private_network_id=network.private_network_id,
    ),
)
pool = RunnerPool(
    "runner-pool",
    RunnerPoolArgs(settings=config.runner_pool, location=config.scaleway, names=names, cluster_id=cluster.cluster_id),
)
managers = ManagersNamespace(
    "managers", ManagersNamespaceArgs(names=names, settings=config.kubernetes, provider=cluster.provider)
)
project = GitlabProject(
    "gitlab",
    GitlabProjectArgs(
        settings=config.gitlab,
        location=config.scaleway,
        environment=config.environment,
        namespace=main.jobs_namespace,
        stack=pulumi.get_stack(),
        state_backend=config.state_backend,
    ),
)
runners = declare_runners(config, projects, managers, cluster.provider, project.project_id)
ReservedPool(
    "reserved-pool",
    ReservedPoolArgs(
        names=names,
        namespaces=[RunnerNames(config.environment, each.name).jobs_namespace for each in config.runners],
        provider=cluster.provider,
    ),
)

outputs.export(
    outputs.EnvironmentOutputs(
        environment=config.environment,
        region=config.scaleway.region,
        zone=config.scaleway.zone,
        devops_project_id=projects.devops_id,
        target_project_id=projects.target_id,
        credentials_project_id=projects.credentials_id,
        private_network_id=network.private_network_id,
        cluster_id=cluster.cluster_id,
        cluster_name=config.cluster.name,
        cluster_version=config.cluster.version,
        api_server_url=cluster.api_server_url,
        runner_pool_id=pool.pool_id,
        runner_pool_taint=f"{names.taint_key}=true:NoSchedule",
        runner_pool_selector=dict([names.pool_label]),
        namespace=main.jobs_namespace,
        service_account=config.kubernetes.service_account,
        gitlab_project_id=project.project_id,
        branch=project.branch,
        runners=[runner.summary for runner in runners],
    )
)
