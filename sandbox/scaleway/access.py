"""Who is calling, and whether they may: the one place where every request is authenticated and authorised.

Owns keys with their expiry, and the effect of policies: a caller may do what some rule of some policy of theirs (or of a
group that they are in) allows, in the rule's projects or organization, while its condition holds. Rules only ever give;
the owner of the organization needs none. Does not own which permission an operation needs (`operations`) nor which set
has it (`permission_sets`), nor any delay: a change counts from the next request on.

A request may say where it comes from, in place of the socket's address: `X-Sandbox-Client-Ip`, which is the sandbox's
own, so that a condition on `request.ip` can be tried out from one machine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.scaleway import conditions, permission_sets
from sandbox.scaleway.common import (
    API_KEYS,
    APPLICATIONS,
    GROUPS,
    USERS,
    denied_authentication,
    expired,
    invalid,
    permissions_denied,
    timestamp,
)
from sandbox.scaleway.conditions import Attributes
from sandbox.scaleway.iam_policies import POLICIES, RULES
from sandbox.scaleway.operations import OPERATIONS, Place, Scope
from sandbox.store import Record, Store
from sandbox.web import Call

CLIENT_IP = "X-Sandbox-Client-Ip"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The bearer of the API key of a request: an application or a user."""

    access_key: str
    organization_id: str
    application_id: str | None = None
    user_id: str | None = None
    is_owner: bool = False
    moment: str  # when the request came, as the dates of records are written


class Access:
    """What a service asks of each call that is not public: the caller, or a 401 or 403. `clock` says what time it is."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def __call__(self, call: Call) -> Caller:
        if not isinstance(call.body, dict):
            raise invalid("body", "format", "a JSON object is expected")
        time = self._clock()
        caller = _authenticated(call, timestamp(time))
        request = Attributes(
            ip=call.headers.get(CLIENT_IP) or call.remote_address,
            time=time,
            user_agent=call.headers.get("User-Agent", ""),
        )
        _authorise(call, caller, request)
        return caller


def _authenticated(call: Call, moment: str) -> Caller:
    """By the secret key in `X-Auth-Token`."""
    token = call.headers.get("X-Auth-Token", "")
    if not token:
        raise denied_authentication("invalid_argument")
    key = next(iter(call.store.all(API_KEYS, secret_key=token)), None)
    if key is None:
        raise denied_authentication("not_found")
    if expired(key, moment):
        raise denied_authentication("expired")
    application_id, user_id = key.get("application_id"), key.get("user_id")
    bearer = call.store.get(USERS, user_id) if user_id else call.store.get(APPLICATIONS, application_id or "")
    if bearer is None:
        raise denied_authentication("not_found")
    return Caller(
        access_key=key["access_key"],
        organization_id=key["_organization_id"],
        application_id=application_id,
        user_id=user_id,
        is_owner=bearer.get("type") == "owner",
        moment=moment,
    )


def _authorise(call: Call, caller: Caller, request: Attributes) -> None:
    """Raises a 403 unless the caller may do the operation where it is done."""
    permission, place_of = OPERATIONS[call.operation]
    if caller.is_owner:
        return
    # A key may look at itself: the SDKs' and the CLI's set-up does, whatever the key is for (a guess for the real API).
    if call.operation == "iam.GetAPIKey" and call.args["access_key"] == caller.access_key:
        return
    if not permitted(rules_of(call.store, caller), permission, place_of(call), request):
        _, resource, action = permission.split(":")
        raise permissions_denied(resource, action)


def rules_of(store: Store, caller: Caller) -> list[Record]:
    """The rules of all policies whose principal is the caller, or a group with the caller in it."""
    principal, bearer_id = ("user_id", caller.user_id) if caller.user_id else ("application_id", caller.application_id)
    policies = store.all(POLICIES, **{principal: bearer_id})
    for group in store.all(GROUPS):
        if bearer_id in group[f"{principal}s"]:
            policies += store.all(POLICIES, group_id=group["id"])
    return [rule for policy in policies for rule in store.all(RULES, _policy_id=policy["id"])]


def permitted(rules: Iterable[Record], permission: str, place: Place, request: Attributes) -> bool:
    """Whether one of the rules gives the permission in the place, to this request."""
    return any(
        _covers(rule, place)
        and any(permission_sets.allows(name, permission) for name in rule["permission_set_names"])
        and conditions.holds(rule["condition"], request)
        for rule in rules
    )


def _covers(rule: Record, place: Place) -> bool:
    """A rule on the organization is one on all its projects too, on those to come as well."""
    return place is Scope.ANYWHERE or "organization_id" in rule or place in rule["project_ids"]
