"""The rules as policies of Pulumi: the one place that knows the engine's types."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from . import (
    branches,
    ci_variables,
    iam,
    kubeconfigs,
    namespaces,
    outputs,
    pools,
    privileges,
    releases,
    runners,
)
from .base import UNKNOWN, Resource, ResourceRule, StackRule

RULES: tuple[ResourceRule | StackRule, ...] = (
    *ci_variables.RULES,
    *outputs.RULES,
    *pools.RULES,
    *runners.RULES,
    *iam.RULES,
    *releases.RULES,
    *privileges.RULES,
    *branches.RULES,
    *namespaces.RULES,
    *kubeconfigs.RULES,
)


def policies() -> list[Policy]:
    """Every rule as a policy."""
    return [_resource_policy(rule) if isinstance(rule, ResourceRule) else _stack_policy(rule) for rule in RULES]


def plain(value: Any) -> Any:
    """The engine's view of properties as dicts and lists, with UNKNOWN where reading raises."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def _resource_policy(rule: ResourceRule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in rule.types:
            for message in rule.check(plain(args.props), **_arguments(args.get_config())):
                report(message, None)

    schema = PolicyConfigSchema(properties=dict(rule.config)) if rule.config else None
    return ResourceValidationPolicy(rule.name, rule.description, validate, config_schema=schema)


def _stack_policy(rule: StackRule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for violation in rule.check([_resource(each) for each in args.resources]):
            report(violation.message, violation.urn)

    return StackValidationPolicy(rule.name, rule.description, validate)


def _resource(given: PolicyResource) -> Resource:
    return Resource(
        type=given.resource_type,
        name=given.name,
        urn=given.urn,
        props=plain(given.props),
        parent=given.parent.urn if given.parent else "",
        dependencies={name: [each.urn for each in found] for name, found in given.property_dependencies.items()},
        secret_outputs=list(given.opts.additional_secret_outputs),
    )


def _arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """`maxKeyDays` as the function's `max_key_days`."""
    return {re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", key): value for key, value in config.items()}
