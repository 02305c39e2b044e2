"""GitLab CI variables: none is a cloud credential, and other secrets are kept from logs and unprotected branches."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .base import UNKNOWN, Properties, Resource, ResourceRule, StackRule, Violation, named, problem
from .secret_values import API_KEY, CLUSTER, SECRET_VERSION, UUID, credential_in, secrets_of, taken_from

PROJECT_VARIABLE = "gitlab:index/projectVariable:ProjectVariable"
GROUP_VARIABLE = "gitlab:index/groupVariable:GroupVariable"
INSTANCE_VARIABLE = "gitlab:index/instanceVariable:InstanceVariable"
SCHEDULE_VARIABLE = "gitlab:index/pipelineScheduleVariable:PipelineScheduleVariable"
_TYPES = (PROJECT_VARIABLE, GROUP_VARIABLE, INSTANCE_VARIABLE, SCHEDULE_VARIABLE)

_CREDENTIAL_NAME = re.compile(
    r"ACCESS_?KEY|SECRET_?KEY|SECRET_ACCESS|API_?KEY|SESSION_TOKEN|KUBE_?CONFIG|CREDENTIALS", re.I
)
_NEAR_A_SECRET = re.compile(r"(SECRET|KEY|TOKEN|PASSWORD|CREDENTIAL)(?!.*_ID$)", re.I)
_PATH_NAME, _PATH = re.compile(r"_(FILE|PATH)$", re.I), re.compile(r"/[\w./-]+")
_SECRET_NAME = re.compile(r"TOKEN|PASSWORD|SECRET", re.I)

_MUST_NOT = "no cloud credential may be in GitLab"
_LEAKS = "every job that sees the variable can use it outside the cloud's control"
_MOUNT = "remove the variable; jobs find their key as a file that Kubernetes mounts"


def hold_no_credential(props: Properties) -> Iterator[str]:
    """By the variable's name, and by the shape of its value. The value is never shown."""
    key, value = props.get("key"), props.get("value")
    variable = named("CI variable", key)
    name = key if isinstance(key, str) else ""
    if _CREDENTIAL_NAME.search(name) and not _is_path(name, value):
        yield problem(f"{variable} is named like a cloud credential", _MUST_NOT, _LEAKS, _MOUNT)
    if not isinstance(value, str):
        return
    if found := credential_in(value):
        yield problem(f"{variable} holds {found}", _MUST_NOT, _LEAKS, _MOUNT)
    elif UUID.fullmatch(value.strip()) and _NEAR_A_SECRET.search(name):
        yield problem(f"{variable} holds what looks like a Scaleway secret key", _MUST_NOT, _LEAKS, _MOUNT)


def _is_path(name: str, value: Any) -> bool:
    """A variable that says where a credential is, such as AWS_SHARED_CREDENTIALS_FILE, holds none."""
    if not _PATH_NAME.search(name):
        return False
    return value is UNKNOWN or (isinstance(value, str) and _PATH.fullmatch(value) is not None)


def come_from_no_credential(resources: Sequence[Resource]) -> Iterator[Violation]:
    """By origin: the value is, or depends on, an API key, a version in Secret Manager, or a cluster's kubeconfigs.

    A dependency names a resource and not which of its outputs. Keys and versions have no other use, so any dependency on
    them is refused. A cluster also has an address and a name: its dependents are refused when their value is a secret of
    it, or unknown.
    """
    by_urn = {r.urn: r for r in resources}
    secrets = list(secrets_of(resources, (API_KEY, SECRET_VERSION, CLUSTER)))
    for variable in (r for r in resources if r.type in _TYPES):
        value = variable.props.get("value")
        origins = [by_urn[urn] for urn in variable.dependencies.get("value", ()) if urn in by_urn]
        name = named("CI variable", variable.props.get("key"))
        if isinstance(value, str) and (secret := taken_from(value, secrets)):
            yield Violation(variable.urn, problem(f"{name} holds {secret}", _MUST_NOT, _LEAKS, _MOUNT))
        elif found := next((o for o in origins if o.type in (API_KEY, SECRET_VERSION)), None):
            yield Violation(variable.urn, problem(f"{name} is made from {found.name}", _MUST_NOT, _LEAKS, _MOUNT))
        elif value is UNKNOWN and (found := next((o for o in origins if o.type == CLUSTER), None)):
            what = f"{name} is made from the new cluster {found.name} and may be its kubeconfig"
            fix = f"{_MOUNT}; for the cluster's address, create the cluster first: pulumi up --target '{found.urn}'"
            yield Violation(variable.urn, problem(what, _MUST_NOT, _LEAKS, fix))


def secrets_are_kept(props: Properties) -> Iterator[str]:
    """Missing flags are false, as GitLab has it. A hidden variable is masked, whatever `masked` says."""
    key = props.get("key")
    if not isinstance(key, str) or not _SECRET_NAME.search(key) or _is_path(key, props.get("value")):
        return
    for flag, consequence in (
        ("hidden", "a job's log or the settings page shows it"),
        ("protected", "a job of any branch can read it"),
    ):
        if props.get(flag) is not UNKNOWN and props.get(flag) is not True:
            yield problem(
                f"CI variable {key} is named like a secret and not {flag}",
                "it must be masked, hidden and protected",
                consequence,
                f"set {'masked=True, ' if flag == 'hidden' else ''}{flag}=True, or rename a variable that is no secret",
            )


RULES = (
    ResourceRule(
        name="ci-variables-hold-no-credential",
        description="No GitLab CI variable is named like a cloud credential or holds one.",
        types=_TYPES,
        check=hold_no_credential,
    ),
    StackRule(
        name="ci-variables-come-from-no-credential",
        description="No GitLab CI variable takes its value from an API key, Secret Manager or a kubeconfig.",
        check=come_from_no_credential,
    ),
    ResourceRule(
        name="secret-ci-variables-are-kept",
        description="CI variables named TOKEN, PASSWORD or SECRET are masked, hidden and protected.",
        types=(PROJECT_VARIABLE, GROUP_VARIABLE),
        check=secrets_are_kept,
    ),
)
