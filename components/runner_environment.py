"""What an environment needs in a cluster that exists, as one component for other Pulumi programs (`plugin/`)."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NotRequired, TypedDict

import pulumi
from pulumi.errors import InputPropertiesError

from components import arguments
from components.cluster import provider_of
from components.gitlab_project import declare_projects, found_projects, look_up_projects
from components.isolation import ReservedPool, ReservedPoolArgs
from components.namespace import ManagersNamespace, ManagersNamespaceArgs
from components.naming import EnvironmentNames, RunnerNames
from components.projects import TakenProjects
from components.runner import Runner, declare_runners
from config_error import Problem, as_argument, key_of, remove_command
from sections.base import Section
from sections.gitlab import GitlabSettings
from settings import Settings, checked

# Sections of an environment that this component does not own.
_WITHOUT: Final = ("projects", "runnerPool")
# What may be known only when something else is made; all other arguments are settings.
_INPUTS: Final = ("clusterId", "kubeconfig", "targetProjectId", "credentialsProjectId")
# The section of GitLab asks for them, and nothing but the protections reads them.
_FOR_PROTECTIONS: Final = {"branch": {"name": "main"}, "mailingListUserId": 1}


class ArgumentsError(InputPropertiesError):
    """Arguments are wrong: all problems, in the wording of the settings. Nothing of the component was declared.

    Told as one message, and not by property: there the engine would show values, and one could be a credential.
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        count = "1 argument is" if len(problems) == 1 else f"{len(problems)} arguments are"
        told = (replace(each, fix=as_argument(each.fix)).text(f"RunnerEnvironment {name}") for each in problems)
        super().__init__(
            f"{count} wrong; nothing of RunnerEnvironment {name} was created or changed.\n\n" + "\n".join(told) + "\n",
            [],  # not None, with which the SDK fails
        )


class RunnerEnvironmentArgs(TypedDict):
    """Arguments by the names of the schema and, where they are settings, of the stack file: there `docs/configuration.md`
    has the rules. What is no `Input` must be known before anything is made.
    """

    environment: str
    """Name of the environment, which every other name is made of: letters and digits, at most 20."""
    clusterId: pulumi.Input[str]
    """Regional id of the cluster. While it stays, a new kubeconfig replaces nothing in the cluster."""
    kubeconfig: pulumi.Input[str]
    """Kubeconfig of an administrator of the cluster; kept as a secret."""
    targetProjectId: pulumi.Input[str]
    """Scaleway project (UUID) that the runners' keys may change."""
    credentialsProjectId: pulumi.Input[str]
    """Scaleway project (UUID) of the keys' copies in Secret Manager."""
    gitlab: arguments.Gitlab
    """The GitLab projects that the runners serve, and how they are protected."""
    protections: NotRequired[bool]
    """Whether branch protection, environment, CI variables and promotion token are made in GitLab. Default: true."""
    runners: NotRequired[Sequence[arguments.Runner]]
    """Runners. Default: `deploy`, for protected branches, and `preview`, which only reads."""
    scaleway: NotRequired[arguments.Scaleway]
    """Where keys' copies are, and what jobs find as their region and zone."""
    kubernetes: NotRequired[arguments.Kubernetes]
    """What jobs find in the cluster."""
    rotation: NotRequired[arguments.Rotation]
    """When keys change: with the first `pulumi up` after that."""
    appCluster: NotRequired[arguments.AppCluster]
    """Cluster that pipelines deploy to, for runners with `appClusterRules`."""
    stateBackend: NotRequired[arguments.StateBackend]
    """Pulumi's state in Object Storage, for pipelines."""
    runnerChart: NotRequired[arguments.RunnerChart]
    """The Helm chart of the runner."""
    protection: NotRequired[bool]
    """Whether the secrets in Secret Manager are protected from deletion. Default: false."""


class RunnerEnvironment(pulumi.ComponentResource):
    """GitLab runners of one environment in a Kapsule cluster that exists.

    Owns: the managers' namespace, the admission rule that keeps others off the environment's pool, each runner with its
    credential, namespace, isolation, secrets, registrations and Helm releases, and (`protections`) what the environment
    needs in each GitLab project. Does not own the cluster, its pools, its network, the Scaleway projects and the GitLab
    projects: their ids come as arguments. The pool of the jobs must carry `runnerPoolTaint` and `runnerPoolSelector`, or
    every job stays pending.

    Nothing of the outputs is secret: keys, tokens and kubeconfig stay inside. Raises ArgumentsError.
    """

    managers_namespace: pulumi.Output[str]
    """Namespace of the runners' managers, with tokens that jobs must not read."""
    namespaces: pulumi.Output[Mapping[str, str]]
    """Namespace of the job pods, by runner."""
    tags: pulumi.Output[Mapping[str, str]]
    """What a job names in `tags:`, by runner."""
    api_key_secrets: pulumi.Output[Mapping[str, str]]
    """Name of the Kubernetes secret that jobs mount, by runner."""
    runner_pool_taint: pulumi.Output[str]
    """Taint that the pool of the jobs must have, `key=value:effect`."""
    runner_pool_selector: pulumi.Output[Mapping[str, str]]
    """Node labels that the pool of the jobs must have."""

    def __init__(self, name: str, args: RunnerEnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:index:RunnerEnvironment", name, None, opts)
        config, child = settings_of(name, args, pulumi.get_stack()), pulumi.ResourceOptions(parent=self)
        names = EnvironmentNames(config.environment)
        provider = provider_of(
            f"{name}-provider", pulumi.Output.secret(args["kubeconfig"]), args["clusterId"], opts=child
        )
        managers = ManagersNamespace(
            f"{name}-managers",
            ManagersNamespaceArgs(names=names, settings=config.kubernetes, provider=provider),
            opts=child,
        )
        found = look_up_projects(config, self)
        served = declare_projects(config, found, self) if _protects(args) else found_projects(config, found)
        projects = TakenProjects(target_id=args["targetProjectId"], credentials_id=args["credentialsProjectId"])
        runners = declare_runners(config, projects, managers, provider, served, self)
        jobs = {each.name: RunnerNames(config.environment, each.name, each.tag) for each in config.runners}
        ReservedPool(
            f"{name}-reserved-pool",
            ReservedPoolArgs(
                names=names, namespaces=[each.jobs_namespace for each in jobs.values()], provider=provider
            ),
            opts=child,
        )
        self.managers_namespace = managers.namespace
        self.namespaces = _by_runner(runners, "namespace")
        self.tags = pulumi.Output.from_input({runner: each.tag for runner, each in jobs.items()})
        self.api_key_secrets = _by_runner(runners, "apiKeySecret")
        self.runner_pool_taint = pulumi.Output.from_input(names.taint.text)
        self.runner_pool_selector = pulumi.Output.from_input(dict([names.pool_label]))
        self.register_outputs(
            {
                "managersNamespace": self.managers_namespace,
                "namespaces": self.namespaces,
                "tags": self.tags,
                "apiKeySecrets": self.api_key_secrets,
                "runnerPoolTaint": self.runner_pool_taint,
                "runnerPoolSelector": self.runner_pool_selector,
            }
        )


# The schema takes it as it is, and whether it is indented depends on Python's version.
RunnerEnvironment.__doc__ = inspect.getdoc(RunnerEnvironment)


def _by_runner(runners: Sequence[Runner], key: str) -> pulumi.Output[Mapping[str, str]]:
    named: Any = {each.summary["name"]: each.summary[key] for each in runners}
    return pulumi.Output.from_input(named)


def settings_of(name: str, args: Mapping[str, Any], stack: str) -> Settings:
    """The settings that the component called `name` is given; sections that it does not own are not there. Pure.

    Raises: ArgumentsError with all that is wrong.
    """
    given = {key: value for key, value in args.items() if key not in _INPUTS}
    if later := list(_known_later(given)):
        raise ArgumentsError(name, later)
    values, wrong = _whole_numbers({key: value for key, value in given.items() if key != "protections"}), []
    for *section, key in _settings_of_others(values):
        path = key_of((*section, key))
        wrong.append(
            Problem(
                key=path,
                rule="must not be given: it belongs to what this component does not own",
                consequence="it would be silently ignored",
                fix=remove_command(path),
            )
        )
        del (values[section[0]] if section else values)[key]
    if not _protects(args) and isinstance(values.get("gitlab"), dict):
        values["gitlab"] = {**_FOR_PROTECTIONS, **values["gitlab"]}
    settings, problems = checked(values, stack, without=_WITHOUT)
    if wrong := [*wrong, *problems]:
        raise ArgumentsError(name, wrong)
    return settings


def _protects(args: Mapping[str, Any]) -> bool:
    """Only a plain no takes protections away."""
    return args.get("protections") is not False


def _settings_of_others(given: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The paths of settings of the whole program that are no arguments here; what is no setting `settings.py` tells."""
    found = [(key,) for key in _keys(Settings) & set(given) - set(RunnerEnvironmentArgs.__annotations__)]
    if isinstance(gitlab := given.get("gitlab"), dict):
        others = _keys(GitlabSettings) & set(gitlab) - set(arguments.Gitlab.__annotations__)
        return sorted([*found, *(("gitlab", key) for key in others)])
    return sorted(found)


def _keys(model: type[Section]) -> set[str]:
    return {str(field.alias) for field in model.model_fields.values()}


def _known_later(value: object, path: tuple[int | str, ...] = ()) -> Iterator[Problem]:
    """A problem for each output among what names are made of and rules are asked about."""
    if isinstance(value, pulumi.Output):
        yield Problem(
            key=key_of(path),
            rule="must be known before anything is made, and no secret",
            consequence="no name can be made of it, and no rule be checked",
            fix="write the value, and not the output of a resource",
        )
    for part, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _known_later(each, (*path, part))


def _whole_numbers(value: Any) -> Any:
    """The engine hands every number over as one with a fraction."""
    if isinstance(value, dict):
        return {key: _whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
