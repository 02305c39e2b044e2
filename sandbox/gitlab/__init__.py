"""The GitLab stand-in: the part of GitLab's REST API (v4) that the program, its provider and its pipeline tools call.

A stand-in, because a real GitLab needs gigabytes and minutes and cannot run beside every commit. Rules, errors and shapes
follow GitLab's API documentation; what is not there answers 501 and says so.

Owns the service and its first content. Each topic has a module with its routes; `common` and `auth` hold what they share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from sandbox.gitlab import (
    branches,
    commits,
    environments,
    history,
    jobs,
    merge_requests,
    metadata,
    pipelines,
    projects,
    runners,
    schedules,
    tags,
    tokens,
    users,
    variables,
)
from sandbox.gitlab.auth import add_token, authenticate, new_secret
from sandbox.gitlab.common import DEVELOPER, MAINTAINER, MEMBERS, SETTINGS
from sandbox.requests import RequestLog
from sandbox.store import Record, Store
from sandbox.web import Route, Service

SEED = "gitlab.seed"
BRANCHES = ("main", "preprod", "prod")
_MODULES = (
    branches, commits, environments, jobs, merge_requests, metadata, pipelines, projects, runners, schedules, tags,
    tokens, users, variables,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who to be in a fresh stand-in: the administrator's token (secret) and what the seed has made."""

    token: str = field(repr=False)
    project_id: int
    group_id: int
    admin_id: int
    alice_id: int
    bob_id: int


def make_service(store: Store, requests: RequestLog, extra: Iterable[Route] = ()) -> Service:
    """The stand-in as a WSGI application. `extra` are routes beside the API, such as the chart repository's."""
    routes = [route for module in _MODULES for route in module.routes]
    return Service("gitlab", store, [*routes, *extra], authenticate=authenticate, requests=requests)


def set_enterprise(store: Store, enterprise: bool, *, premium: bool = True) -> None:
    """Makes the instance an Enterprise Edition (GitLab.com is one), with a licence or without, or a Community Edition."""
    store.put(SETTINGS, "instance", {"enterprise": enterprise, "premium": enterprise and premium})


def seed(store: Store, *, enterprise: bool = True) -> Account:
    """The first content, made once: users root, alice (maintainer) and bob (developer), their project `acme/app`, alice's
    `acme/platform`, each with the branches of the environments, and an API token.

    The token stays the same over a restart, and over a reset that keeps the table `gitlab.seed`. So it is kept as it is, in
    a file that only its owner can read.
    """
    with store.transaction():
        known = store.get(SETTINGS, "account")
        if known is None:
            known = store.put(SETTINGS, "account", _first_content(store))
            set_enterprise(store, enterprise)
    return Account(**{each.name: known[each.name] for each in fields(Account)})  # an older sandbox has stored more


def _first_content(store: Store) -> dict[str, str | int]:
    root = users.add_user(store, "root", "Administrator", admin=True)
    alice = users.add_user(store, "alice", "Alice")
    bob = users.add_user(store, "bob", "Bob")
    group = projects.add_group(store, "acme")
    project = _project(store, group, "app", {alice["id"]: MAINTAINER, bob["id"]: DEVELOPER})
    _project(store, group, "platform", {alice["id"]: MAINTAINER})
    token = (store.get(SEED, "root") or store.put(SEED, "root", {"token": new_secret("glpat-")}))["token"]
    add_token(store, root["id"], token, name="sandbox", scopes=["api"], expires_at=None)
    return {
        "token": token,
        "project_id": project["id"],
        "group_id": group["id"],
        "admin_id": root["id"],
        "alice_id": alice["id"],
        "bob_id": bob["id"],
    }


def _project(store: Store, group: Record, name: str, members: Mapping[int, int]) -> Record:
    """A project with the branches of the environments, and its members by user and access level."""
    project = projects.add_project(store, group, name, BRANCHES[0])
    for branch in BRANCHES:
        history.add_branch(store, project, branch)
    source = f"project:{project['id']}"
    for user, level in members.items():
        member = {"user_id": user, "source": source, "access_level": level}
        store.put(MEMBERS, f"{source}:{user}", member)
    return project
