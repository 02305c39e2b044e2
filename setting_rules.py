"""The rules between settings: each a function whose docstring is its documentation, told with all that is wrong.

Owns these rules, but those about clusters (`cluster_rules.py`). Does not own the rules of one key (`sections/`), nor how an
error is worded (`config_error.py`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from cluster_rules import app_cluster_checks, cluster_checks, pool_checks
from config_error import Problem, remove_command, set_command
from sections.base import slug
from sections.cloud import ProjectsSettings, ScalewaySettings
from sections.gitlab import GitlabSettings
from sections.jobs import KubernetesSettings, RotationSettings, RunnerSettings

# A variable with one of these words in its name, or a value of this shape, is a way for a cloud key into GitLab.
CREDENTIAL_NAMES = re.compile(
    r"ACCESS_?KEY|SECRET_?KEY|SECRET_ACCESS|API_?KEY|SESSION_TOKEN|KUBECONFIG|CREDENTIALS", re.I
)
CREDENTIAL_VALUES = re.compile(r"\bSCW[A-Z0-9]{17}\b|\bAKIA[A-Z0-9]{16}\b|secret_key|BEGIN [A-Z ]*PRIVATE KEY")

METADATA_SERVICE = IPv4Network("169.254.0.0/16")  # of the nodes: link-local addresses

# Set by the program itself; see components/gitlab_project.py and schedules.py.
OWN_VARIABLES = (
    "AWS_SHARED_CREDENTIALS_FILE",
    "GITLAB_USER_MAILINGLIST_ID",
    "KAPSULE_DEVOPS_TASK",
    "KUBE_NAMESPACE",
    "PRIVATE_TOKEN",
    "PULUMI_BACKEND_URL",
    "PULUMI_STACK",
    "SCW_DEFAULT_REGION",
    "SCW_DEFAULT_ZONE",
)


def cross_checks(settings: BaseModel, stack: str) -> Iterator[Problem]:
    """The rules that need more than one setting. Each is about one section; one that is missing, as a wrong one is, is
    passed over, and so is what needs to know another that is missing.
    """
    environment = getattr(settings, "environment", "dev")
    mode = getattr(getattr(settings, "cluster", None), "mode", None)  # None: not known
    system_pool = getattr(getattr(settings, "system_pool", None), "name", None) if mode == "dedicated" else None
    set_here = settings.model_fields_set
    checks: dict[str, Callable[[Any], Iterable[Problem]]] = {
        "environment": _environment_checks,
        "projects": lambda projects: _projects_checks(projects, environment, mode),
        "scaleway": _scaleway_checks,
        "cluster": lambda cluster: cluster_checks(cluster, stack, set_here),
        "runner_pool": lambda pool: pool_checks(pool, system_pool),
        "kubernetes": _kubernetes_checks,
        "gitlab": _gitlab_checks,
        "runners": lambda runners: (
            *_runners_checks(runners),
            *_reach_checks(runners, getattr(settings, "gitlab", None)),
        ),
        "rotation": _rotation_checks,
    }
    for name, check in checks.items():
        if (section := getattr(settings, name, None)) is not None:
            yield from check(section)
    app_cluster, runners = getattr(settings, "app_cluster", None), getattr(settings, "runners", None)
    yield from app_cluster_checks(app_cluster, runners, is_known=hasattr(settings, "app_cluster"))


def _environment_checks(environment: str) -> Iterator[Problem]:
    """`environment` is not `default` or `kube`, whose namespaces are Kubernetes' own, and has no hyphen: in names a hyphen
    comes between it and a runner.
    """
    # With its purpose after it, `kube` is a namespace, too: a runner called `system` would have its jobs in kube-system.
    taken = ("default", "kube")
    if environment in taken:
        yield Problem(
            key="environment",
            value=environment,
            rule=f"must not be {' or '.join(taken)}",
            consequence="jobs would share a namespace with Kubernetes itself",
            fix=set_command("environment", "dev"),
        )
    if "-" in environment:
        first, _, rest = environment.partition("-")
        joined = environment.replace("-", "")
        yield Problem(
            key="environment",
            value=environment,
            rule="must not hold a hyphen",
            consequence=f"its tags and names would be those of a runner {rest} in an environment {first}",
            fix=set_command("environment", "dev" if joined in taken else joined),
        )


def _projects_checks(projects: ProjectsSettings, environment: str, mode: str | None) -> Iterator[Problem]:
    """Each of `projects` has exactly one of `name` (it is created) and `id` (it is taken); `projects.devops` is set where
    `cluster.mode` is dedicated, and is the owner's, so not set, where it is shared.
    """
    for name in ("devops", "target", "credentials"):
        key, project = f"projects.{name}", getattr(projects, name)
        if name == "devops" and mode is None:
            continue
        if name == "devops" and mode == "shared":
            if project is not None:
                yield Problem(
                    key=key,
                    rule="must not be set where cluster.mode is shared",
                    consequence="a project is made in which nothing is",
                    fix=remove_command(key),
                )
        elif project is None:
            yield Problem(
                key=key,
                rule="must be set where cluster.mode is dedicated",
                consequence="the cluster has no place",
                fix=set_command(f"{key}.name", f"{name}-{environment}"),
            )
        elif (project.name is None) == (project.id is None):
            yield Problem(
                key=key,
                rule="must have exactly one of name and id",
                consequence="it is not clear whether the project is created or taken",
                fix=remove_command(f"{key}.name")
                if project.name
                else set_command(f"{key}.name", f"{name}-{environment}"),
            )


def _scaleway_checks(scaleway: ScalewaySettings) -> Iterator[Problem]:
    """`scaleway.zone` is in `scaleway.region`."""
    if not scaleway.zone.startswith(scaleway.region + "-"):
        yield Problem(
            key="scaleway.zone",
            value=scaleway.zone,
            rule=f"must be in the region {scaleway.region}",
            consequence="pools and cluster are apart, which Scaleway refuses",
            fix=set_command("scaleway.zone", f"{scaleway.region}-1"),
        )


def _runners_checks(runners: Sequence[RunnerSettings]) -> Iterator[Problem]:
    """Of `runners`, each has its own `name`, none is called `runners` (the managers' namespace), and one with a
    permission set that does not end in `ReadOnly` is `protected`.
    """
    names = [r.name for r in runners]
    for index, name in enumerate(names):
        if name in names[:index]:
            free = next(f for n in range(2, len(names) + 2) if (f := f"{name[:16]}-{n}") not in names)
            yield Problem(
                key=f"runners[{index}].name",
                value=name,
                rule="must be unique",
                consequence="two runners would share one credential",
                fix=set_command(f"runners[{index}].name", free),
            )
    for index, runner in enumerate(runners):
        if runner.name == "runners":
            yield Problem(
                key=f"runners[{index}].name",
                value=runner.name,
                rule="must not be runners",
                consequence="its jobs would share the managers' namespace, and read their tokens",
                fix=set_command(f"runners[{index}].name", "jobs"),
            )
        made = () if runner.given_key else runner.permission_sets  # of a given key, its maker says what it may do
        if not runner.protected and any(not name.endswith("ReadOnly") for name in made):
            yield Problem(
                key=f"runners[{index}].protected",
                value=runner.protected,
                rule="must be true where a permission set does more than read",
                consequence="whoever may push a branch may change the cloud",
                fix=set_command(f"runners[{index}].protected", "true"),
            )


def _reach_checks(runners: Sequence[RunnerSettings], gitlab: GitlabSettings | None) -> Iterator[Problem]:
    """Of `runners`, each of `projects` is one that `gitlab` names; one with `givenKey` names its `projects`, and has neither
    `permissionSets` nor `condition`; two that serve the same project have not the same `tag`.
    """
    for index, runner in enumerate(runners):
        key = f"runners[{index}]"
        for number, path in enumerate(runner.projects):
            if gitlab is not None and path not in gitlab.projects:
                yield Problem(
                    key=f"{key}.projects[{number}]",
                    value=path,
                    rule="must be gitlab.project or one of gitlab.furtherProjects",
                    consequence="the runner is registered nowhere",
                    fix=remove_command(f"{key}.projects[{number}]"),
                )
        if runner.given_key and not runner.projects:
            yield Problem(
                key=f"{key}.projects",
                rule="must name the projects where givenKey is true",
                consequence="every project's jobs may use a key that reaches beyond one project",
                fix=set_command(f"{key}.projects[0]", "acme/platform"),
            )
        for field in ("permission_sets", "condition"):
            if runner.given_key and field in runner.model_fields_set:
                yield Problem(
                    key=f"{key}.{to_camel(field)}",
                    rule="must not be set where givenKey is true: whoever makes the key says what it may do",
                    consequence="what is written here does nothing",
                    fix=remove_command(f"{key}.{to_camel(field)}"),
                )
        for other in runners[:index]:
            meet = not runner.projects or not other.projects or set(runner.projects) & set(other.projects)
            if runner.tag is not None and runner.tag == other.tag and meet:
                yield Problem(
                    key=f"{key}.tag",
                    value=runner.tag,
                    rule=f"must not be that of runner {other.name}, which serves the same project",
                    consequence="it is chance whose key a job finds",
                    fix=remove_command(f"{key}.tag"),
                )


def _rotation_checks(rotation: RotationSettings) -> Iterator[Problem]:
    """`rotation.overlapDays` is less than `rotation.days`."""
    if rotation.overlap_days >= rotation.days:
        yield Problem(
            key="rotation.overlapDays",
            value=rotation.overlap_days,
            rule=f"must be less than days {rotation.days}",
            consequence="keys would pile up",
            fix=set_command("rotation.overlapDays", max(1, rotation.days // 10)),
        )


def _kubernetes_checks(kubernetes: KubernetesSettings) -> Iterator[Problem]:
    """`kubernetes.egressBlockedCidrs` holds `169.254.0.0/16`, with the nodes' metadata service, or a range around it; it
    does not hold `0.0.0.0/0`: Kubernetes takes ranges inside it, and not it.
    """
    for index, cidr in enumerate(kubernetes.egress_blocked_cidrs):
        if cidr == "0.0.0.0/0":
            key = f"kubernetes.egressBlockedCidrs[{index}]"
            yield Problem(
                key=key,
                value=cidr,
                rule="must not be 0.0.0.0/0",
                consequence="Kubernetes refuses the network policies",
                fix=set_command(key, str(METADATA_SERVICE)),
            )
    if not any(METADATA_SERVICE.subnet_of(IPv4Network(cidr)) for cidr in kubernetes.egress_blocked_cidrs):
        yield Problem(
            key="kubernetes.egressBlockedCidrs",
            rule=f"must hold {METADATA_SERVICE} or a range around it",
            consequence="a job reads its node's credentials",
            fix=set_command(
                f"kubernetes.egressBlockedCidrs[{len(kubernetes.egress_blocked_cidrs)}]", str(METADATA_SERVICE)
            ),
        )


def _gitlab_checks(gitlab: GitlabSettings) -> Iterator[Problem]:
    """`gitlab.premium` is false where `gitlab.enterprise` is; `gitlab.deployment.requiredApprovals` is 0 without
    `gitlab.premium`; `gitlab.promotionToken.rotateBeforeDays` is less than its `expirationDays`; `gitlab.variables` has
    none that the program sets itself, and none that is named like a cloud credential, or holds one.
    """
    yield from _served_projects_checks(gitlab)
    if gitlab.premium and not gitlab.enterprise:
        yield Problem(
            key="gitlab.premium",
            value=gitlab.premium,
            rule="must be false where enterprise is false",
            consequence="GitLab has no protected environments",
            fix=set_command("gitlab.premium", "false"),
        )
    if gitlab.deployment.required_approvals and not gitlab.premium:
        yield Problem(
            key="gitlab.deployment.requiredApprovals",
            value=gitlab.deployment.required_approvals,
            rule="must be 0 where premium is false",
            consequence="nobody is asked, though the settings say so",
            fix=set_command("gitlab.deployment.requiredApprovals", 0),
        )
    token = gitlab.promotion_token
    if token.rotate_before_days >= token.expiration_days:
        yield Problem(
            key="gitlab.promotionToken.rotateBeforeDays",
            value=token.rotate_before_days,
            rule=f"must be less than expirationDays {token.expiration_days}",
            consequence="every run renews the token",
            fix=set_command("gitlab.promotionToken.rotateBeforeDays", token.expiration_days // 3),
        )
    for name, value in gitlab.variables.items():
        key = f"gitlab.variables.{name}"
        if name in OWN_VARIABLES:
            yield Problem(
                key=key,
                rule="must not be set here: the program sets it",
                consequence="two values would compete",
                fix=remove_command(key),
            )
        elif CREDENTIAL_NAMES.search(name) or CREDENTIAL_VALUES.search(value):
            # The value is not shown: it may be the credential.
            yield Problem(
                key=key,
                rule="must not be, or hold, a credential",
                consequence="it leaks, never expires and is used outside the cloud's control",
                fix=remove_command(key) + "   # and revoke it, if it was one",
            )


def _served_projects_checks(gitlab: GitlabSettings) -> Iterator[Problem]:
    """`gitlab.project` and each of `gitlab.furtherProjects` differ by more than case and punctuation, of which names have
    none; `gitlab.operationsProject` is one of them.
    """
    served = [gitlab.project]
    for index, path in enumerate(gitlab.further_projects):
        key = f"gitlab.furtherProjects[{index}]"
        if slug(path) in map(slug, served):
            yield Problem(
                key=key,
                value=path,
                rule="must differ from every other project by more than case and punctuation",
                consequence="two would share the names that are made of it",
                fix=remove_command(key),
            )
        served.append(path)
    operations = gitlab.operations_project
    if operations is not None and operations.lower() not in [path.lower() for path in served]:
        yield Problem(
            key="gitlab.furtherProjects",
            rule=f"must name operationsProject {operations}, which is not project either",
            consequence="no runner of this environment takes its scheduled jobs",
            fix=set_command(f"gitlab.furtherProjects[{len(gitlab.further_projects)}]", operations),
        )
