"""Project access tokens of the GitLab stand-in, and what any token says of itself.

Owns their life: created with a bot user that is a member of the project, rotated (the old one dies at once and is shown as
revoked, the new one has another number), revoked (the bot goes with it, and so do all its tokens). The token itself is only
in the answers to creation and rotation.

Does not own what a request with such a token may do (`auth` and each route).
"""

from datetime import date, timedelta
from typing import Any

from sandbox.gitlab.auth import TOKENS, add_token, new_secret
from sandbox.gitlab.common import (
    MAINTAINER,
    MEMBERS,
    USERS,
    access_level,
    bad_parameter,
    bad_request,
    caller,
    created,
    day,
    not_found,
    now,
    number,
    one_of,
    paged,
    params,
    path_number,
    project_of,
    required,
    today,
    unauthorized,
)
from sandbox.gitlab.users import add_user
from sandbox.store import Record
from sandbox.web import Call, Reply, Routes

MAX_DAYS = 365
SELF = "self"  # in a path: the token that the request is sent with
ROTATED_DAYS = 7  # the life of a rotated token where the request does not say
SCOPES = frozenset(
    {
        "api", "read_api", "read_registry", "write_registry", "read_repository", "write_repository", "create_runner",
        "manage_runner", "ai_features", "k8s_proxy", "read_observability", "write_observability", "self_rotate",
    }
)  # fmt: skip
_LEVELS = (5, 10, 15, 20, 25, 30, 40, 50)

routes = Routes()


def _personal(token: Record) -> Record:
    """What every token has. One whose `expires_at` is None lasts."""
    active = not token["revoked"] and (token["expires_at"] is None or date.fromisoformat(token["expires_at"]) > today())
    names = ("id", "name", "description", "revoked", "created_at", "scopes", "user_id", "expires_at")
    return {k: token.get(k) for k in names} | {"last_used_at": None, "last_used_ips": [], "active": active}


def _shown(token: Record) -> Record:
    place = {"resource_type": "project", "resource_id": token["project_id"], "access_level": token["access_level"]}
    return _personal(token) | place


def _expiry(given: dict[str, Any], default_days: int) -> date:
    expires_at = day(given, "expires_at") or today() + timedelta(days=default_days)
    limit = today() + timedelta(days=MAX_DAYS)
    if expires_at > limit:
        bad_request(f"Expiration date must be before {limit + timedelta(days=1)}")
    if expires_at <= today():
        bad_request("Expiration date must be in the future")
    return expires_at


def _may_manage(call: Call, project: Record) -> bool:
    return access_level(call.store, caller(call), project) >= MAINTAINER


def _readable_project(call: Call) -> Record:
    """The project, for who may see its tokens. Others get a 401, not a 403, as if they had shown no token."""
    project = project_of(call)
    if not _may_manage(call, project):
        unauthorized()
    return project


def _found(call: Call, project: Record) -> Record | None:
    itself = call.args["token_id"] == SELF
    token = call.store.get(TOKENS, caller(call).token_id if itself else path_number(call, "token_id"))
    return token if token and token.get("project_id") == project["id"] and _has_bot(call, token) else None


def _has_bot(call: Call, token: Record) -> bool:
    return (call.store.get(USERS, token["user_id"]) or {}).get("state") == "active"


def _token(call: Call, project: Record) -> Record:
    token = _found(call, project)
    if token is None:
        not_found("project Access Token")
    return token


@routes.get("/api/v4/personal_access_tokens/self", "gitlab.PersonalAccessTokens.get")
def get_own_token(call: Call) -> Record:
    """Of whatever kind the token of the request is; its number is not served, which is an administrator's question."""
    return _personal(call.store.get(TOKENS, caller(call).token_id) or {})


@routes.get("/api/v4/projects/<id>/access_tokens", "gitlab.ProjectAccessTokens.list")
def list_tokens(call: Call) -> Reply:
    project = _readable_project(call)
    state = one_of(params(call), "state", ("active", "inactive"))
    tokens = [_shown(t) for t in call.store.all(TOKENS, project_id=project["id"]) if _has_bot(call, t)]
    return paged(call, [t for t in tokens if state is None or t["active"] == (state == "active")])


@routes.post("/api/v4/projects/<id>/access_tokens", "gitlab.ProjectAccessTokens.create")
def create_token(call: Call) -> Reply:
    project, given, who = project_of(call), params(call), caller(call)
    required(given, "name", "scopes")
    scopes = given["scopes"]
    if not isinstance(scopes, list) or not scopes or not SCOPES.issuperset(scopes):
        bad_parameter("scopes does not have a valid value")
    level = number({"level": one_of(given, "access_level", _LEVELS, MAINTAINER)}, "level") or 0
    if who.user["bot"] or not _may_manage(call, project) or level > access_level(call.store, who, project):
        bad_request("User does not have permission to create project access token")
    expires_at = _expiry(given, MAX_DAYS)
    bot = add_user(call.store, f"project_{project['id']}_bot_{new_secret('')[:8].lower()}", given["name"], bot=True)
    member = {"user_id": bot["id"], "source": f"project:{project['id']}", "access_level": level}
    call.store.put(MEMBERS, f"project:{project['id']}:{bot['id']}", member)
    secret = new_secret("glpat-")
    token = add_token(
        call.store,
        bot["id"],
        secret,
        name=given["name"],
        scopes=scopes,
        expires_at=expires_at,
        project_id=project["id"],
        access_level=level,
        description=given.get("description"),
        created_at=now(),
    )
    return created(_shown(token) | {"token": secret})


@routes.get("/api/v4/projects/<id>/access_tokens/<token_id>", "gitlab.ProjectAccessTokens.get")
def get_token(call: Call) -> Record:
    return _shown(_token(call, _readable_project(call)))


def _revoke_all(call: Call, token: Record) -> None:
    """Revokes every token of the same bot: who rotates a revoked one has it from somewhere."""
    for each in call.store.all(TOKENS, user_id=token["user_id"]):
        call.store.put(TOKENS, each["id"], each | {"revoked": True})


@routes.post("/api/v4/projects/<id>/access_tokens/<token_id>/rotate", "gitlab.ProjectAccessTokens.rotate")
def rotate_token(call: Call) -> Record | Reply:
    project = project_of(call)
    may = call.args["token_id"] == SELF or _may_manage(call, project)
    old = _found(call, project) if may else None
    if old is None:
        if caller(call).is_admin:
            not_found()
        unauthorized()
    if old["revoked"]:
        _revoke_all(call, old)
        return Reply(status=400, body={"message": "400 Bad request - token already revoked"})
    expires_at = _expiry(params(call), ROTATED_DAYS)
    secret = new_secret("glpat-")
    kept = {k: old[k] for k in ("project_id", "access_level", "description")}
    new = add_token(
        call.store,
        old["user_id"],
        secret,
        name=old["name"],
        scopes=old["scopes"],
        expires_at=expires_at,
        created_at=now(),
        **kept,
    )
    call.store.put(TOKENS, old["id"], old | {"revoked": True})
    return _shown(new) | {"token": secret}


@routes.delete("/api/v4/projects/<id>/access_tokens/<token_id>", "gitlab.ProjectAccessTokens.revoke")
def revoke_token(call: Call) -> None:
    project = project_of(call)
    token = _token(call, project)
    if not _may_manage(call, project):
        bad_request(f"{caller(call).user['name']} cannot delete {token['name']}")
    _revoke_all(call, token)
    bot = call.store.get(USERS, token["user_id"]) or {}
    call.store.put(USERS, token["user_id"], bot | {"state": "blocked"})
    call.store.delete(MEMBERS, f"project:{project['id']}:{token['user_id']}")
