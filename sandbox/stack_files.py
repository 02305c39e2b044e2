"""What the stack files name that must exist before the program runs: the account, and projects that are taken by id.

Owns reading just that, so that the sandbox plays the account which a user's files name, and the same files serve both.
Whether the settings are right the program says: what is not as expected here counts as not named.
"""

import re
from typing import Any, Final

import yaml

from sandbox.folder import CHECKOUT
from sandbox.scaleway import Wanted

MAX_BYTES: Final = 1_000_000  # of a stack file: the settings in it have a tenth of that
MAX_MERGED_KEYS: Final = 1_000  # of one object, with those that `<<` adds: a few lines could add millions
_PREFIX = "kapsule-devops:"  # the project's name in Pulumi.yaml
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def stacks() -> list[str]:
    """The environments that have a stack file, in the order of their names."""
    return sorted(file.name.split(".")[1] for file in CHECKOUT.glob("Pulumi.*.yaml"))


def wanted(stack: str) -> Wanted:
    """What the stack's file names."""
    account, projects = _section(stack, "account"), _section(stack, "projects")
    taken = (_id(project, "id") for project in projects.values())
    return Wanted(
        organization_id=_id(account, "organizationId"),
        project_id=_id(account, "projectId"),
        projects=tuple(project_id for project_id in taken if project_id),
    )


def wanted_by_all() -> Wanted:
    """What all stack files name together. Where they name different accounts: none, `up` chooses its stack's."""
    each = [wanted(stack) for stack in stacks()]
    organizations = {w.organization_id for w in each if w.organization_id}
    defaults = {w.project_id for w in each if w.project_id}
    if len(organizations) > 1 or len(defaults) > 1:
        return Wanted()
    return Wanted(
        organization_id=next(iter(organizations), None),
        project_id=next(iter(defaults), None),
        projects=tuple(project_id for w in each for project_id in w.projects),
    )


def _section(stack: str, name: str) -> dict[str, Any]:
    try:
        path = CHECKOUT / f"Pulumi.{stack}.yaml"
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return {}
        file = _object(_parsed(path.read_text()))
        section = _object(file.get("config")).get(_PREFIX + name)
        return _object(_parsed(section) if isinstance(section, str) else section)  # text is JSON, which YAML reads
    except (OSError, yaml.YAMLError, UnicodeError):
        return {}


class _Loader(yaml.SafeLoader):
    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MAX_MERGED_KEYS:
            raise yaml.YAMLError(f"an object has more than {MAX_MERGED_KEYS} keys")


def _parsed(text: str) -> Any:
    """What YAML says. Raises yaml.YAMLError, and nothing else."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        raise
    except Exception as error:  # a value that Python cannot hold fails as it does there: `!!bool x` by a KeyError
        raise yaml.YAMLError(f"{type(error).__name__} in a value") from None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(section: Any, key: str) -> str | None:
    value = _object(section).get(key)
    return value if isinstance(value, str) and _UUID.fullmatch(value) else None
