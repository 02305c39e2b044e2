"""Users of the GitLab stand-in: the caller, a list by name, one by number. The seed and project tokens make them."""

from sandbox.gitlab.common import USERS, caller, not_found, paged, params, path_number, user_summary, with_web_url
from sandbox.store import Record, Store
from sandbox.web import Call, Reply, Routes

routes = Routes()


def add_user(store: Store, username: str, name: str, *, admin: bool = False, bot: bool = False) -> Record:
    number = store.next_id("gitlab.user")
    return store.put(
        USERS,
        number,
        {
            "id": number,
            "username": username,
            "name": name,
            "state": "active",
            "locked": False,
            "avatar_url": None,
            "web_url": f"/{username}",
            "email": f"{username}@noreply.example.com",
            "public_email": "",
            "created_at": "2026-01-01T00:00:00.000Z",
            "bot": bot,
            "external": False,
            "is_admin": admin,
            "can_create_group": admin,
            "can_create_project": not bot,
            "projects_limit": 0 if bot else 100000,
            "two_factor_enabled": False,
            "namespace_id": None if bot else 1000 + number,
        },
    )


def _public(call: Call, user: Record) -> Record:
    summary = user_summary(call, user) or {}
    return summary | {k: user[k] for k in ("created_at", "bot")}


def _shown(call: Call, user: Record) -> Record:
    """All of it for administrators and for oneself; the public part for others."""
    who = caller(call)
    return with_web_url(call, user) if who.is_admin or who.id == user["id"] else _public(call, user)


@routes.get("/api/v4/user", "gitlab.Users.current")
def current(call: Call) -> Record:
    return _shown(call, caller(call).user)


@routes.get("/api/v4/users", "gitlab.Users.list")
def list_users(call: Call) -> Reply:
    given = params(call)
    users = call.store.all(USERS)
    if given.get("username"):
        users = [u for u in users if u["username"].lower() == str(given["username"]).lower()]
    if given.get("search"):
        wanted = str(given["search"]).lower()
        users = [
            u for u in users if wanted in (u["username"].lower(), u["email"].lower()) or wanted in u["name"].lower()
        ]
    # The basic form for who is no administrator, even of itself.
    shown = _shown if caller(call).is_admin else user_summary
    return paged(call, [shown(call, u) for u in users])


@routes.get("/api/v4/users/<user_id>", "gitlab.Users.get")
def get_user(call: Call) -> Record:
    user = call.store.get(USERS, path_number(call, "user_id"))
    if user is None:
        not_found("User")
    return _shown(call, user)
