"""Reads what an environment of kapsule-devops tells other stacks, with types. Made to be copied into a project of yours.

Owns the names and types that your stack counts on: delete the fields that you do not use, and what becomes of them is no
concern of yours. Does not own the outputs: docs/outputs.md of kapsule-devops has each one's meaning. None is secret.

    environment = kapsule_devops_outputs.read("organization/kapsule-devops/dev")
    region = environment.apply(lambda found: found.region)    # pulumi.Output[str]
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pulumi

CONTRACT_VERSION = 1  # the `contractVersion` that this file was written for

_CONTRACT = "contractVersion"
_KINDS: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}


@dataclass(frozen=True, kw_only=True)
class RunnerProject:
    """A GitLab project that a runner serves; `project` is its path."""

    project: str
    project_id: int
    runner_id: str
    release: str


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner: jobs name its `tag`. The two ids are None where a person made its key."""

    name: str
    tag: str
    protected: bool
    namespace: str
    service_account: str
    runner_id: str
    application_id: str | None
    api_key_secret: str
    secret_manager_id: str | None
    projects: tuple[RunnerProject, ...]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment. Ids that a region has are `region/uuid`, those of projects plain UUIDs."""

    environment: str
    region: str
    zone: str
    devops_project_id: str
    target_project_id: str
    credentials_project_id: str
    private_network_id: str
    cluster_mode: str
    cluster_id: str
    cluster_name: str
    cluster_version: str
    api_server_url: str
    runner_pool_id: str
    runner_pool_taint: str
    runner_pool_selector: Mapping[str, str]
    namespace: str
    service_account: str
    gitlab_project_id: int
    branch: str
    runners: tuple[Runner, ...]

    def runner(self, name: str) -> Runner:
        """The runner of that name. Raises: pulumi.RunError where the environment has none."""
        for each in self.runners:
            if each.name == name:
                return each
        raise pulumi.RunError(
            f"environment {self.environment} has no runner {name}: it must be one of "
            f"{', '.join(each.name for each in self.runners)}, or no job finds its tag. "
            f"Fix: pulumi config set --path 'runners[{len(self.runners)}].name' {name}, in kapsule-devops, or name another"
        )


class ContractError(pulumi.RunError):
    """The stack does not tell what this file counts on. Pulumi prints the message without a traceback."""


def read(stack: str) -> pulumi.Output[Environment]:
    """What the environment of that stack (`organization/project/stack`) tells. Fails with a `ContractError`; of a stack that
    the backend does not know, Pulumi itself says `unknown stack`.

    What is made from it waits for it, so where the contract does not hold nothing of that is made or changed.
    """
    reference = pulumi.StackReference(stack)
    names = [_CONTRACT, *(_camel(each.name) for each in fields(Environment))]
    found = pulumi.Output.all(**{name: reference.get_output(name) for name in names})
    return found.apply(lambda outputs: environment_of(stack, outputs))


def environment_of(stack: str, outputs: Mapping[str, Any]) -> Environment:
    """The outputs of a stack, checked and typed; None counts as missing. Pure.

    Raises: ContractError, with all that is wrong.
    """
    if all(value is None for value in outputs.values()):
        raise ContractError(
            f"stack {stack} tells nothing: it must be an environment of kapsule-devops that is up, or there is nothing to "
            f"build on. Fix: pulumi up --stack {stack}, in kapsule-devops, or name another stack"
        )
    version = _whole(outputs.get(_CONTRACT))
    if isinstance(version, bool) or version != CONTRACT_VERSION:
        raise ContractError(_other_version(stack, version))
    wrong: list[str] = []
    made = _object(Environment, outputs, "", wrong)
    if wrong:
        count = "1 value" if len(wrong) == 1 else f"{len(wrong)} values"
        raise ContractError(
            f"{count} of stack {stack} cannot be read, so nothing is built on it.\n\n"
            + "\n".join(f"  {line}" for line in wrong)
            + f"\n  Fix: pulumi up --stack {stack}, in the kapsule-devops that this file is of\n"
        )
    return Environment(**made)


def _other_version(stack: str, version: Any) -> str:
    shown = f"that is {_kind(version)}"
    fix = f"pulumi up --stack {stack}, in a kapsule-devops where it is {CONTRACT_VERSION}"
    if type(version) is int:
        shown = str(version)
        if version > CONTRACT_VERSION:
            fix = "cp KAPSULE_DEVOPS/examples/consumer/kapsule_devops_outputs.py . (docs/outputs.md has the new names)"
    return (
        f"stack {stack} has {_CONTRACT} {shown}: it must be {CONTRACT_VERSION}, which kapsule_devops_outputs.py reads, or "
        f"an output means something else than is thought. Nothing is built on it. Fix: {fix}"
    )


def _object(kind: type, found: Any, path: str, wrong: list[str]) -> dict[str, Any]:
    """The fields of a dataclass; a name that it lacks is none of its concern, because outputs are added freely."""
    hints = get_type_hints(kind)
    made = {}
    for each in fields(kind):
        key = _camel(each.name)
        made[each.name] = _value(hints[each.name], found.get(key), f"{path}{key}", wrong)
    return made


def _value(kind: Any, found: Any, path: str, wrong: list[str]) -> Any:
    """`found` as that type, or a line in `wrong`."""
    if get_origin(kind) is UnionType:  # X | None
        if found is None:
            return None
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if found is None:
        wrong.append(f"{path} is missing.")
        return None
    found = _whole(found)
    whole = {tuple: list, Mapping: dict}.get(get_origin(kind), dict if is_dataclass(kind) else kind)
    if type(found) is not whole:
        wrong.append(f"{path} is {_kind(found)}: it must be {_KINDS[whole]}.")
        return None
    if is_dataclass(kind) and isinstance(kind, type):
        inside: list[str] = []
        made = _object(kind, found, f"{path}.", inside)
        wrong += inside
        return None if inside else kind(**made)
    if whole is list:
        return tuple(_value(get_args(kind)[0], each, f"{path}[{index}]", wrong) for index, each in enumerate(found))
    if whole is dict:
        return {key: _value(get_args(kind)[1], each, f"{path}.{key}", wrong) for key, each in found.items()}
    return found


def _whole(found: Any) -> Any:
    """On the wire every number is a float."""
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _kind(value: Any) -> str:
    """What a message says of a value: its kind only, because another stack's output may be secret."""
    return "a number" if isinstance(value, float) else _KINDS.get(type(value), "nothing")
