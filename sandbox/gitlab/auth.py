"""Tokens of the GitLab stand-in: how they are made and kept, and what a request's token says about its caller.

Owns the table `gitlab.tokens` and its rules of expiry, revocation and scopes. Only a digest of a token is kept, as GitLab
does: whoever reads the store learns no token that was given out by the API.

Does not own the routes for project access tokens (`tokens`) nor what a role may do (each route says that).
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date

from sandbox.gitlab.common import USERS, Caller, now, today
from sandbox.store import Record, Store
from sandbox.web import ApiError, Call

TOKENS = "gitlab.tokens"
JOB_TOKENS = "gitlab.job_tokens"

# Operations that the real API allows with a job's own token; anywhere else such a token is as good as none.
_WITH_JOB_TOKEN = frozenset(
    {"gitlab.Environments.list", "gitlab.Environments.get", "gitlab.Environments.stop", "gitlab.Runners.verify"}
)
# What every token may do, whatever its scopes: GitLab lets it look at itself.
_ANY_SCOPE = frozenset({"gitlab.PersonalAccessTokens.get"})
# What a token without `api` may still do.
_BY_SCOPE = {
    "create_runner": frozenset({"gitlab.Runners.create"}),
    "manage_runner": frozenset({"gitlab.Runners.get", "gitlab.Runners.update", "gitlab.Runners.delete"}),
    "self_rotate": frozenset({"gitlab.ProjectAccessTokens.rotate"}),
    "read_user": frozenset({"gitlab.Users.current", "gitlab.Users.get", "gitlab.Users.list"}),
}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_secret(prefix: str) -> str:
    """A token in GitLab's form: the prefix names its kind."""
    return prefix + secrets.token_urlsafe(20)


def add_token(
    store: Store,
    user_id: int,
    token: str,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: date | None,
    **more: object,
) -> Record:
    number = store.next_id("gitlab.token")
    return store.put(
        TOKENS,
        number,
        {
            "id": number,
            "user_id": user_id,
            "digest": digest(token),
            "name": name,
            "scopes": list(scopes),
            "expires_at": expires_at.isoformat() if expires_at else None,
            "revoked": False,
            "created_at": now(),
            "description": None,
            **more,
        },
    )


def issue_job_token(store: Store, user_id: int) -> str:
    """A token such as a running job has in CI_JOB_TOKEN."""
    token = new_secret("glcbt-64_")
    store.put(JOB_TOKENS, digest(token), {"user_id": user_id})
    return token


def authenticate(call: Call) -> Caller:
    """The caller of a route that is not public, or 401; 403 where the token's scopes do not reach that far."""
    job_token = call.headers.get("JOB-TOKEN")
    if job_token:
        return _job_caller(call, job_token)
    scheme, _, bearer = call.headers.get("Authorization", "").partition(" ")
    token = call.headers.get("PRIVATE-TOKEN") or (bearer.strip() if scheme.lower() == "bearer" else "")
    if not token:
        raise ApiError(401, {"message": "401 Unauthorized"})
    record = next(iter(call.store.all(TOKENS, digest=digest(token))), None)
    if record is None:
        raise ApiError(401, {"message": "401 Unauthorized"})
    if record["revoked"]:
        _invalid_token("Token was revoked. You have to re-authorize from the user.")
    if record["expires_at"] and date.fromisoformat(record["expires_at"]) <= today():
        _invalid_token("Token is expired. You can either do re-authorization or token refresh.")
    user = call.store.get(USERS, record["user_id"])
    if user is None or user["state"] != "active":
        raise ApiError(401, {"message": "401 Unauthorized"})
    who = Caller(user=user, scopes=frozenset(record["scopes"]), token_id=record["id"])
    _check_scopes(call, who)
    return who


def _job_caller(call: Call, token: str) -> Caller:
    record = call.store.get(JOB_TOKENS, digest(token))
    user = record and call.store.get(USERS, record["user_id"])
    if user is None or call.operation not in _WITH_JOB_TOKEN:
        raise ApiError(401, {"message": "401 Unauthorized"})
    return Caller(user=user, scopes=frozenset({"api"}), token_id=0)


def _check_scopes(call: Call, who: Caller) -> None:
    if call.operation in _ANY_SCOPE:
        return
    if "api" in who.scopes or ("read_api" in who.scopes and call.method == "GET"):
        return
    if any(call.operation in _BY_SCOPE.get(scope, ()) for scope in who.scopes):
        return
    raise ApiError(
        403,
        {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": "api" if call.method != "GET" else "api read_api",
        },
    )


def _invalid_token(description: str) -> None:
    raise ApiError(401, {"error": "invalid_token", "error_description": description})
