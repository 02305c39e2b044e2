"""Scaleway IAM: keys end, and may do little, in one project."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from .base import UNKNOWN, Properties, ResourceRule, at, items, named, problem
from .secret_values import API_KEY

POLICY = "scaleway:iam/policy:Policy"
DEFAULT_DAYS = 183
# What manages people, keys, projects or money, or everything.
_ADMINISTRATIVE = re.compile(r"(IAM|Organization|Project|Billing|AllProducts)(?!.*ReadOnly$)")


def keys_expire(props: Properties, *, max_key_days: float = DEFAULT_DAYS, now: datetime | None = None) -> Iterator[str]:
    """`expiresAt` is RFC 3339. `now` is the clock's unless told."""
    expiry = props.get("expiresAt")
    if expiry is UNKNOWN:
        return
    key = named("API key", props.get("description"))
    days = f"{max_key_days:g} days"
    rule, forever = f"keys must end within {days}", "a key that leaked is good for long"
    fix = f"set expiresAt to a time (RFC 3339) within {days}"
    try:
        end = datetime.fromisoformat(expiry) if isinstance(expiry, str) and expiry else None
    except ValueError:
        yield problem(f"{key} has an end that is no time, {expiry!r}", rule, forever, fix)
        return
    if end is None:
        yield problem(f"{key} never ends", rule, forever, fix)
        return
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    if end - (now or datetime.now(UTC)) > timedelta(days=max_key_days):
        yield problem(f"{key} ends at {expiry}", rule, forever, fix)


def policies_are_for_projects(props: Properties) -> Iterator[str]:
    """A policy without rules allows nothing, which is well."""
    policy = named("IAM policy", props.get("name"))
    for index, rule in enumerate(items(props, "rules")):
        organization, projects = at(rule, "organizationId"), at(rule, "projectIds")
        if isinstance(organization, str) and organization:
            yield problem(
                f"rule {index} of {policy} is for the whole organization",
                "rules must be for projects",
                "one leaked key opens every environment",
                "replace organizationId with projectIds",
            )
        elif UNKNOWN not in (rule, organization, projects) and not projects:
            yield problem(
                f"rule {index} of {policy} names no project",
                "rules must be for projects",
                "what the key may reach is not said here",
                "set projectIds",
            )
        for name in items(rule, "permissionSetNames"):
            if isinstance(name, str) and _ADMINISTRATIVE.match(name):
                yield problem(
                    f"rule {index} of {policy} gives {name}",
                    "no pipeline may manage access, projects, billing or everything",
                    "a job can give itself any right",
                    "name the permission sets of the products that jobs deploy",
                )


RULES = (
    ResourceRule(
        name="api-keys-expire",
        description="Scaleway API keys end, and soon.",
        types=(API_KEY,),
        check=keys_expire,
        config={
            "maxKeyDays": {
                "type": "integer",
                "minimum": 1,
                "default": DEFAULT_DAYS,
                "description": "Longest life that is left to a key (days).",
            }
        },
    ),
    ResourceRule(
        name="iam-policies-are-for-projects",
        description="IAM policies are scoped to projects and give no administrative permission set.",
        types=(POLICY,),
        check=policies_are_for_projects,
    ),
)
