"""What of GitLab must be as the program needs it, of records that GitLab has answered. Pure.

Owns the rules. Does not own what is asked (`gitlab_area`). A record may hold anything: what cannot be read is unknown.
Source: GitLab, REST API: "Personal access tokens", "Projects", "Metadata", "Namespaces"; "Roles and permissions"; "Project
access tokens".
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ci.gitlab_transport import origin
from config_error import set_command
from doctor.expiry import expiry_check
from doctor.verdicts import Check, ok, unknown, warning, wrong

Record = Mapping[str, Any]
MAINTAINER: Final = 40
OLDEST: Final = (16, 0)  # runners are registered by authentication tokens from there on
_ROLES: Final = {
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
}
RENEW: Final = "make a token with the scope api (Settings > Access tokens), and export GITLAB_TOKEN=…"


def usable_address(url: str) -> bool:
    """Whether requests can be sent there: http(s)://HOST, with nothing of a user in it."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises when it is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None


def runners_address_check(wanted: str, asked: str, stack: str) -> Check | None:
    """Whether runners register (`wanted`, the setting gitlab.url) where they are made (`asked`, the API's address).

    None where the API is on this machine: then it is a sandbox's, or a tunnel's, and says nothing of the runners' way.
    """
    parts = urlsplit(asked)
    if parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return None
    shown = f"{parts.scheme}://{parts.netloc}/"
    if origin(wanted) == origin(asked):
        return ok(f"runners register at {shown}, as gitlab.url says")
    return warning(
        f"gitlab.url = {wanted} (Pulumi.{stack}.yaml): should be {shown}, which GITLAB_BASE_URL names, or runners find no "
        "GitLab; unless that is what the cluster calls it",
        f"{set_command('gitlab.url', shown)} --stack {stack}",
    )


def gives_tokens_by_plan(url: str) -> bool:
    """Whether it is GitLab.com, where a project access token depends on the group's plan; else every GitLab has them."""
    return urlsplit(url).hostname == "gitlab.com"


def promotion_token_check(path: str, namespace: Record | None, stack: str) -> Check:
    """`namespace` is that of a project on GitLab.com; only its owners are told its plan."""
    plan = (namespace or {}).get("plan")
    if not isinstance(plan, str):
        return unknown(
            f"project {path}: the group's plan, which must be Premium or Ultimate, or GitLab.com refuses the promotion "
            "token; only owners are told"
        )
    if plan != "free":
        return ok(f"project {path}: the group's plan is {plan[:40]}, which has project access tokens")
    return wrong(
        f"project {path}: the group's plan is free, and gitlab.promotionToken.enabled is true (Pulumi.{stack}.yaml): must "
        "be false, or GitLab.com refuses the token, which it gives to Premium and Ultimate",
        f"{set_command('gitlab.promotionToken.enabled', 'false')} --stack {stack}",
    )


def scope_check(token: Record) -> Check:
    scopes = token.get("scopes")
    if not isinstance(scopes, list):
        return unknown("the token's scopes: GitLab does not tell them")
    if "api" in scopes:
        return ok("the token has the scope api")
    has = ", ".join(map(str, scopes)) or "none"
    return wrong(f"the token's scopes are {has}: api must be one, or GitLab refuses changes", RENEW)


def may_read(token: Record) -> bool:
    """Whether the token may read what the other checks are about."""
    scopes = token.get("scopes")
    return not isinstance(scopes, list) or not {"api", "read_api"}.isdisjoint(map(str, scopes))


def token_expiry_check(token: Record, now: datetime) -> Check:
    """The day of `expires_at` is the first on which the token is refused."""
    said = token.get("expires_at")
    try:
        ends = None if said is None else datetime.fromisoformat(str(said)[:10]).replace(tzinfo=UTC)
    except ValueError:
        return unknown("how long the token lasts: GitLab does not tell a day")
    return expiry_check("the token", ends, now, RENEW, soon_is_wrong=True)


def version_check(metadata: Record) -> Check:
    found = re.match(r"(\d+)\.(\d+)", str(metadata.get("version")))
    if found is None:
        return unknown("GitLab's version: it does not tell one")
    shown = str(metadata["version"])[:40]
    if (int(found[1]), int(found[2])) >= OLDEST:
        return ok(f"GitLab {shown}")
    oldest = ".".join(map(str, OLDEST))
    return wrong(
        f"GitLab {shown}: must be {oldest} or newer, or it knows no runners with authentication tokens",
        "upgrade it: https://docs.gitlab.com/update/",
    )


def edition_check(metadata: Record, wanted: bool, stack: str) -> Check:
    """`wanted` is the setting gitlab.enterprise."""
    enterprise = metadata.get("enterprise")
    if not isinstance(enterprise, bool):
        return unknown("whether it is an Enterprise or a Community Edition: it does not tell")
    kind = "an Enterprise" if enterprise else "a Community"
    if enterprise == wanted:
        return ok(f"{kind} Edition, as gitlab.enterprise says")
    return wrong(
        f"gitlab.enterprise = {str(wanted).lower()} (Pulumi.{stack}.yaml): must be {str(enterprise).lower()}, because "
        f"GitLab is {kind} Edition, or its provider refuses the branch protection",
        f"{set_command('gitlab.enterprise', str(enterprise).lower())} --stack {stack}",
    )


def project_check(path: str, project: Record | None, *, administrator: bool) -> Check:
    """`project` None: GitLab shows the token no such project."""
    if project is None:
        return wrong(
            f"project {path}: must exist, and the token have a role in it, or nothing of it can be set up",
            f"make it, or make the token's user a Maintainer of {path}; where the setting is wrong, edit gitlab.project, "
            "gitlab.furtherProjects or gitlab.operationsProject",
        )
    if administrator:
        return ok(f"project {path}: administrator")
    level = _level(project)
    if level is None:
        return unknown(
            f"project {path}: the role, which must be Maintainer or more; it is none of the project or its group",
            f"see {path} > Manage > Members",
        )
    role = _ROLES.get(level, str(level))
    if level >= MAINTAINER:
        return ok(f"project {path}: {role}")
    return wrong(
        f"project {path}: the token's role is {role}, and must be Maintainer or more, or GitLab refuses changes",
        f"{path} > Manage > Members, or a token with the role Maintainer",
    )


def _level(project: Record) -> int | None:
    """The higher of the roles in the project and in its group; None where it has neither, or they are shared ones."""
    permissions = project.get("permissions")
    found = (
        [permissions.get(name) for name in ("project_access", "group_access")] if isinstance(permissions, dict) else []
    )
    levels = [each.get("access_level") for each in found if isinstance(each, dict)]
    return max((level for level in levels if isinstance(level, int)), default=None)


def branch_check(path: str, branch: str, found: Record | None) -> Check:
    if found is not None:
        return ok(f"project {path}: branch {branch}")
    return wrong(
        f"project {path} has no branch {branch}: must have it, or no pipeline of the environment runs",
        f"in a clone of {path}: git push origin HEAD:refs/heads/{branch}",
    )


def user_check(number: int, user: Record | None, stack: str) -> Check:
    if user is not None:
        return ok(f"user {number} is assigned promotion requests: @{user.get('username')}")
    return wrong(
        f"gitlab.mailingListUserId = {number} (Pulumi.{stack}.yaml): must be the id of a user, or nobody hears of "
        "promotions",
        f"{set_command('gitlab.mailingListUserId', 'ID')} --stack {stack}, with the ID of that person's profile",
    )
