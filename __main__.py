"""One environment: settings → account → components → outputs. Wiring only."""

import sdks  # noqa: F401 - before all else: it says how the others import

# isort: split
import account_check
import outputs
import settings
from components.cluster_place import declare_cluster, guard
from components.gitlab_project import declare_projects, look_up_projects
from components.isolation import ReservedPool, ReservedPoolArgs
from components.namespace import ManagersNamespace, ManagersNamespaceArgs
from components.naming import MAIN_RUNNER, EnvironmentNames, RunnerNames
from components.projects import Projects, ProjectsArgs
from components.runner import declare_runners
from components.runner_pool import RunnerPool, RunnerPoolArgs
from components.schedules import declare_schedules

config = settings.load()
# Asked before the account, so that the providers of both start at the same time; it changes nothing.
found = look_up_projects(config)
account_check.check(config)
names, main = EnvironmentNames(config.environment), RunnerNames(config.environment, MAIN_RUNNER)

projects = Projects(
    "projects",
    ProjectsArgs(settings=config.projects, environment=config.environment, protected=config.protection),
)
cluster = declare_cluster(config, projects)
pool = RunnerPool(
    "runner-pool",
    RunnerPoolArgs(settings=config.runner_pool, location=config.scaleway, names=names, cluster_id=cluster.cluster_id),
)
managers = ManagersNamespace(
    "managers", ManagersNamespaceArgs(names=names, settings=config.kubernetes, provider=cluster.provider)
)
served = declare_projects(config, found)
schedules = declare_schedules(config)
runners = declare_runners(config, projects, managers, cluster.provider, served)
reserved = ReservedPool(
    "reserved-pool",
    ReservedPoolArgs(
        names=names,
        namespaces=[RunnerNames(config.environment, each.name).jobs_namespace for each in config.runners],
        provider=cluster.provider,
    ),
)

guard(config, cluster, managers, [projects, pool, managers, *served, *schedules, *runners, reserved])

outputs.export(
    outputs.EnvironmentOutputs(
        environment=config.environment,
        region=config.scaleway.region,
        zone=config.scaleway.zone,
        devops_project_id=cluster.devops_project_id,
        target_project_id=projects.target_id,
        credentials_project_id=projects.credentials_id,
        private_network_id=cluster.private_network_id,
        cluster_mode=config.cluster.mode,
        cluster_id=cluster.cluster_id,
        cluster_name=cluster.name,
        cluster_version=cluster.version,
        api_server_url=cluster.api_server_url,
        runner_pool_id=pool.pool_id,
        runner_pool_taint=names.taint.text,
        runner_pool_selector=dict([names.pool_label]),
        namespace=main.jobs_namespace,
        service_account=config.kubernetes.service_account,
        gitlab_project_id=served[0].project_id,
        branch=served[0].branch,
        runners=[runner.summary for runner in runners],
    )
)
