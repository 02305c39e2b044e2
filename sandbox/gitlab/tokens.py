"""Project access tokens of the GitLab stand-in.

Owns their life: created with a bot user that is a member of the project, rotated (the old one dies at once, the new one has
another number), revoked (the bot goes with it). The token itself is only in the answers to creation and rotation.

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


def _shown(token: Record) -> Record:
    active = not token["revoked"] and date.fromisoformat(token["expires_at"]) > today()
    names = ("id", "name", "description", "revoked", "created_at", "scopes", "user_id", "expires_at", "access_level")
    return {k: token[k] for k in names} | {"last_used_at": None, "active": active}


def _expiry(given: dict[str, Any], default_days: int) -> date:
    expires_at = day(given, "expires_at") or today() + timedelta(days=default_days)
    limit = today() + timedelta(days=MAX_DAYS)
    if expires_at > limit:
        bad_request(f"Expiration date must be before {limit + timedelta(days=1)}")
    if expires_at <= today():
        bad_request("Expiration date must be in the future")
    return expires_at


def _token(call: Call, project: Record) -> Record:
    itself = call.args["token_id"] == SELF
    token = call.store.get(TOKENS, caller(call).token_id if itself else path_number(call, "token_id"))
    if token is None or token.get("project_id") != project["id"] or token["revoked"]:
        not_found()
    return token


@routes.get("/api/v4/projects/<id>/access_tokens", "gitlab.ProjectAccessTokens.list")
def list_tokens(call: Call) -> Reply:
    project = project_of(call, MAINTAINER)
    return paged(call, [_shown(t) for t in call.store.all(TOKENS, project_id=project["id"], revoked=False)])


@routes.post("/api/v4/projects/<id>/access_tokens", "gitlab.ProjectAccessTokens.create")
def create_token(call: Call) -> Reply:
    project, given, who = project_of(call, MAINTAINER), params(call), caller(call)
    required(given, "name", "scopes")
    scopes = given["scopes"]
    if not isinstance(scopes, list) or not scopes or not SCOPES.issuperset(scopes):
        bad_parameter("scopes does not have a valid value")
    level = number({"level": one_of(given, "access_level", _LEVELS, MAINTAINER)}, "level") or 0
    if who.user["bot"] or level > access_level(call.store, who, project):
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
    return _shown(_token(call, project_of(call, MAINTAINER)))


@routes.post("/api/v4/projects/<id>/access_tokens/<token_id>/rotate", "gitlab.ProjectAccessTokens.rotate")
def rotate_token(call: Call) -> Record:
    itself = call.args["token_id"] == SELF
    old = _token(call, project_of(call, 0 if itself else MAINTAINER))
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
    project = project_of(call, MAINTAINER)
    token = _token(call, project)
    call.store.put(TOKENS, token["id"], token | {"revoked": True})
    bot = call.store.get(USERS, token["user_id"]) or {}
    call.store.put(USERS, token["user_id"], bot | {"state": "blocked"})
    call.store.delete(MEMBERS, f"project:{project['id']}:{token['user_id']}")
