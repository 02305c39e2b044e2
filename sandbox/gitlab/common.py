"""What the modules of the GitLab stand-in share: access levels, who calls, errors in GitLab's words, parameters and paging.

Owns no route and no table but the settings and the members, which decide what a caller may do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn
from urllib.parse import urlencode

from sandbox.store import Record, Store
from sandbox.web import ApiError, Call, Reply

NO_ACCESS, GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER, ADMIN = 0, 10, 20, 30, 40, 50, 60
LEVEL_TEXTS = {
    NO_ACCESS: "No one",
    DEVELOPER: "Developers + Maintainers",
    MAINTAINER: "Maintainers",
    OWNER: "Owners",
    ADMIN: "Administrators",
}

SETTINGS = "gitlab.settings"
PROJECTS = "gitlab.projects"
GROUPS = "gitlab.groups"
USERS = "gitlab.users"
MEMBERS = "gitlab.members"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sent the request, and what the token may be used for."""

    user: Record
    scopes: frozenset[str]
    token_id: int

    @property
    def id(self) -> int:
        return int(self.user["id"])

    @property
    def is_admin(self) -> bool:
        return bool(self.user.get("is_admin"))


def caller(call: Call) -> Caller:
    assert isinstance(call.caller, Caller)
    return call.caller


def enterprise(store: Store) -> bool:
    """Whether the instance is an Enterprise Edition, or a Community Edition."""
    return bool((store.get(SETTINGS, "instance") or {}).get("enterprise"))


def premium(store: Store) -> bool:
    """Whether it is an Enterprise Edition with a licence; without one (GitLab.com's Free tier) it lacks paid features."""
    return enterprise(store) and bool((store.get(SETTINGS, "instance") or {}).get("premium", True))


# --- errors -----------------------------------------------------------------------------------------------------------


def not_found(what: str = "") -> NoReturn:
    raise ApiError(404, {"message": f"404 {what} Not Found" if what else "404 Not Found"})


def no_record() -> NoReturn:
    """What a lookup by number or name answers where there is no such record; its words are others than `not_found`'s."""
    raise ApiError(404, {"message": "404 Not found"})


def unauthorized() -> NoReturn:
    raise ApiError(401, {"message": "401 Unauthorized"})


def forbidden() -> NoReturn:
    raise ApiError(403, {"message": "403 Forbidden"})


def bad_request(reason: str) -> NoReturn:
    raise ApiError(400, {"message": f"400 Bad request - {reason}"})


def invalid(field: str, *reasons: str) -> NoReturn:
    """What a record's own validation answers."""
    raise ApiError(400, {"message": {field: list(reasons)}})


def unprocessable(*reasons: str) -> NoReturn:
    """What some routes answer for a record that is not valid: whole sentences."""
    raise ApiError(422, {"message": list(reasons)})


def bad_parameter(reason: str) -> NoReturn:
    """What the parameter check in front of a route answers, such as `name is missing`."""
    raise ApiError(400, {"error": reason})


def conflict(message: Any) -> NoReturn:
    raise ApiError(409, {"message": message})


# --- parameters -------------------------------------------------------------------------------------------------------


def params(call: Call) -> dict[str, Any]:
    """Query and body as one, as GitLab reads them; `filter[x]=y` of the query becomes `{"filter": {"x": "y"}}`."""
    merged: dict[str, Any] = {}
    for name, value in call.query.items():
        outer, bracket, inner = name.partition("[")
        if bracket:
            merged.setdefault(outer, {})[inner.removesuffix("]")] = value
        else:
            merged[name] = value
    if not isinstance(call.body, dict):
        bad_parameter("the body must be an object")
    return merged | call.body


def required(given: Mapping[str, Any], *names: str) -> None:
    missing = [n for n in names if given.get(n) is None]
    if missing:
        bad_parameter(", ".join(f"{n} is missing" for n in missing))
    empty = [n for n in names if given[n] == ""]
    if empty:
        bad_parameter(", ".join(f"{n} is empty" for n in empty))


def one_of(given: Mapping[str, Any], name: str, allowed: Sequence[Any], default: Any = None) -> Any:
    value = given.get(name)
    if value is None:
        return default
    if value not in allowed:
        bad_parameter(f"{name} does not have a valid value")
    return value


def flag(given: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false", "1", "0"):
        bad_parameter(f"{name} is invalid")
    return str(value).lower() in ("true", "1")


def number(given: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    value = given.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        bad_parameter(f"{name} is invalid")


def day(given: Mapping[str, Any], name: str) -> date | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        bad_parameter(f"{name} is invalid")


def moment(given: Mapping[str, Any], name: str) -> datetime | None:
    """A time in ISO 8601; without a zone it is UTC."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        bad_parameter(f"{name} is invalid")
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def path_number(call: Call, name: str) -> int:
    """A number of the route; anything else is refused as the real parameter check does."""
    try:
        return int(call.args[name])
    except ValueError:
        bad_parameter(f"{name} is invalid")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def today() -> date:
    return datetime.now(UTC).date()


# --- what a caller may reach ------------------------------------------------------------------------------------------


def access_level(store: Store, who: Caller, project: Record) -> int:
    """The caller's highest level in a project: its own membership or that of its group."""
    if who.is_admin:
        return ADMIN
    sources = (f"project:{project['id']}", f"group:{project['namespace']['id']}")
    return max((m["access_level"] for s in sources for m in store.all(MEMBERS, user_id=who.id, source=s)), default=0)


def group_level(store: Store, who: Caller, group: Record) -> int:
    if who.is_admin:
        return ADMIN
    members = store.all(MEMBERS, user_id=who.id, source=f"group:{group['id']}")
    return max((m["access_level"] for m in members), default=0)


def find_by_path(store: Store, table: str, path_field: str, wanted: str) -> Record | None:
    """A record by its number or by its full path, in whatever case."""
    if wanted.isdecimal():
        return store.get(table, wanted)
    if exactly := store.all(table, **{path_field: wanted}):
        return exactly[0]
    return next((r for r in store.all(table) if r[path_field].lower() == wanted.lower()), None)


def project_of(call: Call, level: int = GUEST) -> Record:
    """The project that the route names. 404 for who is not a member (it is private), 403 below the level that is needed."""
    project = find_by_path(call.store, PROJECTS, "path_with_namespace", call.args["id"])
    if project is None:
        not_found("Project")
    have = access_level(call.store, caller(call), project)
    if have < GUEST:
        not_found("Project")
    if have < level:
        forbidden()
    return project


def group_of(call: Call, level: int = GUEST) -> Record:
    group = find_by_path(call.store, GROUPS, "full_path", call.args["id"])
    if group is None:
        not_found("Group")
    have = group_level(call.store, caller(call), group)
    if have < GUEST:
        not_found("Group")
    if have < level:
        forbidden()
    return group


def enterprise_only(call: Call) -> None:
    """Routes that a Community Edition does not have."""
    if not enterprise(call.store):
        raise ApiError(404, {"error": "404 Not Found"})


def premium_only(call: Call) -> None:
    """Routes of a paid feature: a Community Edition does not have them, and without a licence nobody may."""
    enterprise_only(call)
    if not premium(call.store):
        forbidden()


# --- answers ----------------------------------------------------------------------------------------------------------


def created(body: Any) -> Reply:
    return Reply(status=201, body=body)


def with_web_url(call: Call, record: Record) -> Record:
    """The record with its page's address on the host that was asked: clients compare it with their own."""
    return record | {"web_url": call.base_url + record["web_url"]}


def user_summary(call: Call, user: Record | None) -> Record | None:
    if user is None:
        return None
    names = ("id", "username", "public_email", "name", "state", "locked", "avatar_url", "web_url")
    return with_web_url(call, {name: user[name] for name in names})


def paged(call: Call, items: Sequence[Any]) -> Reply:
    """One page of a list with GitLab's paging headers: 20 by default, 100 at most. Beyond the last one a page is empty."""
    given = params(call)
    if given.get("pagination") == "keyset":
        raise ApiError(501, {"message": "the sandbox's gitlab pages by offset only", "type": "not_implemented"})
    page, per_page = number(given, "page", 1), number(given, "per_page", 20)
    assert page is not None
    assert per_page is not None
    if per_page == 0:
        bad_parameter("per_page has a value not allowed")
    for name, value in (("page", page), ("per_page", per_page)):
        if value < 1:
            bad_parameter(f"{name} does not have a valid value")
    per_page = min(per_page, 100)
    pages = max(1, -(-len(items) // per_page))
    asked = [(name, value) for name, value in call.query.items(multi=True) if name not in ("page", "per_page")]

    def link(n: int) -> str:
        return f"{call.base_url}{call.path}?" + urlencode([*asked, ("page", n), ("per_page", per_page)])

    links = {}
    if 1 < page <= pages:
        links["prev"] = page - 1
    if page < pages:
        links["next"] = page + 1
    links |= {"first": 1, "last": pages}
    headers = {
        "X-Total": str(len(items)),
        "X-Total-Pages": str(pages),
        "X-Page": str(page),
        "X-Per-Page": str(per_page),
        "X-Next-Page": str(links.get("next", "")),
        "X-Prev-Page": str(links.get("prev", "")),
        "Link": ", ".join(f'<{link(n)}>; rel="{rel}"' for rel, n in links.items()),
    }
    return Reply(body=list(items[(page - 1) * per_page : page * per_page]), headers=headers)
