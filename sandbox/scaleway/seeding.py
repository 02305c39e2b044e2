"""What is there before anybody asked for it: the organization, its default project, its owner, and the owner's API key.

Owns the table `SEED`, which says who the account is. Does not own which account is wanted: the sandbox's commands read that
from the stack files (`sandbox.stack_files`).
"""

from dataclasses import dataclass, field

from sandbox.scaleway import account, iam, iam_users
from sandbox.scaleway.common import API_KEYS, APPLICATIONS, CLUSTERS, PRIVATE_NETWORKS, PROJECTS, USERS, new_id
from sandbox.store import Record, Store

SEED = "scaleway.sandbox.account"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which account it should be: None is any. `projects` are ids of further projects that should exist."""

    organization_id: str | None = None
    project_id: str | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a customer gets from Scaleway: an organization, and its owner's API key with that key's default project."""

    organization_id: str
    project_id: str
    access_key: str
    secret_key: str = field(repr=False)

    def meets(self, wanted: Wanted) -> bool:
        return wanted.organization_id in (None, self.organization_id) and wanted.project_id in (None, self.project_id)


def seed(store: Store, wanted: Wanted | None = None) -> Account:
    """The account. What of it is missing is put back, with the same ids and key.

    A reset that keeps the table `SEED` therefore leaves everybody's credentials valid. An account in which nothing was made
    yet becomes another where another is wanted; one that is in use stays (see `Account.meets`).
    """
    wanted = wanted or Wanted()
    with store.transaction():
        known = store.get(SEED, "account")
        if known is not None and not _account(known).meets(wanted) and not _in_use(store):
            store.clear(keep=tuple(table for table in store.tables() if not table.startswith("scaleway.")))
            known = None
        if known is None:
            known = store.put(SEED, "account", _new(wanted))
        found = _account(known)
        _put_back(store, known, found)
        for project_id in wanted.projects if found.meets(wanted) else ():
            _project(store, found, project_id)
    return found


def _new(wanted: Wanted) -> Record:
    # On the real platform the default project's id is the organization's.
    organization_id = wanted.organization_id or wanted.project_id or new_id()
    owner_id = new_id()
    key = iam.new_api_key(
        organization_id=organization_id,
        default_project_id=wanted.project_id or organization_id,
        bearer={"user_id": owner_id},
    )
    return {"organization_id": organization_id, "owner_id": owner_id, **key}


def _account(known: Record) -> Account:
    return Account(
        organization_id=known["organization_id"],
        project_id=known["default_project_id"],
        access_key=known["access_key"],
        secret_key=known["secret_key"],
    )


def _put_back(store: Store, known: Record, found: Account) -> None:
    for project_id in (found.organization_id, found.project_id):
        _project(store, found, project_id)
    if store.get(USERS, known["owner_id"]) is None:
        store.put(USERS, known["owner_id"], iam_users.new_owner(found.organization_id, known["owner_id"]))
    if store.get(API_KEYS, known["access_key"]) is None:
        key = {name: value for name, value in known.items() if name not in ("organization_id", "owner_id")}
        store.put(API_KEYS, known["access_key"], key)


def _project(store: Store, found: Account, project_id: str) -> None:
    if store.get(PROJECTS, project_id) is None:
        name = "default" if project_id == found.organization_id else f"project-{project_id}"
        project = account.new_project(
            store, organization_id=found.organization_id, project_id=project_id, name=name, description=""
        )
        store.put(PROJECTS, project_id, project | {"_seeded": True})


def _in_use(store: Store) -> bool:
    """Whether there is anything that a stack begins with; a default project of an older sandbox has no mark."""
    made = [p for p in store.all(PROJECTS) if not p.get("_seeded") and p["id"] != p["organization_id"]]
    return bool(made or any(store.all(table) for table in (APPLICATIONS, CLUSTERS, PRIVATE_NETWORKS)))
