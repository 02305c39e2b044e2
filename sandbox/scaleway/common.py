"""What the stand-in's products share: ids, time, error bodies, fields of a body, paging.

Owns the form that the real Scaleway APIs have in common, worded as they word it, because clients branch on it.

Does not own any product's rules, nor who is calling and may do what: that is `access`.
"""

import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.store import Record, Store
from sandbox.web import ApiError, Call

PROJECTS = "scaleway.account.projects"
API_KEYS = "scaleway.iam.api_keys"
APPLICATIONS = "scaleway.iam.applications"
USERS = "scaleway.iam.users"
SSH_KEYS = "scaleway.iam.ssh_keys"
GROUPS = "scaleway.iam.groups"
CLUSTERS = "scaleway.k8s.clusters"
VPCS = "scaleway.vpc.vpcs"
PRIVATE_NETWORKS = "scaleway.vpc.private_networks"
SECRETS = "scaleway.secret.secrets"
NAMESPACES = "scaleway.registry.namespaces"

ZONES = {
    "fr-par": ("fr-par-1", "fr-par-2", "fr-par-3"),
    "nl-ams": ("nl-ams-1", "nl-ams-2", "nl-ams-3"),
    "pl-waw": ("pl-waw-1", "pl-waw-2", "pl-waw-3"),
    "it-mil": ("it-mil-1",),
}

_ACCESS_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def new_id() -> str:
    return str(uuid.uuid4())


def new_access_key() -> str:
    return "SCW" + "".join(secrets.choice(_ACCESS_KEY_LETTERS) for _ in range(17))


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and a `Z`, the form of every date in these APIs."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now() -> str:
    return timestamp(datetime.now(UTC))


def expired(key: Mapping[str, Any], moment: str) -> bool:
    """Whether an API key's expiry date has passed then. Both dates have the same form, so they compare as text."""
    return key["expires_at"] is not None and key["expires_at"] <= moment


def shown(record: Record) -> Record:
    """The record as the API answers it: without the fields that only the stand-in needs."""
    return {name: value for name, value in record.items() if not name.startswith("_")}


# Errors. Types and fields are those that the SDKs decode into error classes.


def not_found(resource: str, resource_id: str) -> ApiError:
    body = {"message": "resource is not found", "resource": resource, "resource_id": resource_id, "type": "not_found"}
    return ApiError(404, body)


def invalid(argument: str, reason: str = "constraint", help_message: str = "") -> ApiError:
    """`reason` is required, format, constraint or unknown."""
    detail = {"argument_name": argument, "help_message": help_message, "reason": reason}
    return ApiError(400, {"details": [detail], "message": "invalid argument(s)", "type": "invalid_arguments"})


def already_exists(resource: str, resource_id: str, help_message: str) -> ApiError:
    body = {
        "help_message": help_message,
        "message": "resource already exists",
        "resource": resource,
        "resource_id": resource_id,
        "type": "already_exists",
    }
    return ApiError(409, body)


def transient_state(resource: str, resource_id: str, state: str) -> ApiError:
    body = {
        "current_state": state,
        "message": "resource is in a transient state",
        "resource": resource,
        "resource_id": resource_id,
        "type": "transient_state",
    }
    return ApiError(409, body)


def precondition_failed(precondition: str, help_message: str) -> ApiError:
    body = {
        "help_message": help_message,
        "message": "precondition is not respected",
        "precondition": precondition,
        "type": "precondition_failed",
    }
    return ApiError(412, body)


def permissions_denied(resource: str, action: str) -> ApiError:
    body = {
        "details": [{"action": action, "resource": resource}],
        "message": "insufficient permissions",
        "type": "permissions_denied",
    }
    return ApiError(403, body)


def denied_authentication(reason: str) -> ApiError:
    """`reason` is invalid_argument (no key), not_found or expired."""
    body = {
        "message": "authentication is denied",
        "method": "api_key",
        "reason": reason,
        "type": "denied_authentication",
    }
    return ApiError(401, body)


# Records.


def find(call: Call, table: str, resource: str, record_id: str) -> Record:
    """The record, in the region of the route if it has one. Raises a 404."""
    record = call.store.get(table, record_id)
    region = call.args.get("region")
    if record is None or (region is not None and record.get("region", region) != region):
        raise not_found(resource, record_id)
    return record


def region_of(call: Call) -> str:
    if call.args["region"] not in ZONES:
        raise invalid("region", "constraint", f"must be one of {', '.join(ZONES)}")
    return call.args["region"]


def project_of(call: Call, resource: str) -> Record:
    """The project that the body names; an organization's id stands for its default project, as in the real API."""
    fields = Fields(call.body)
    project_id = fields.text("project_id") or fields.text("organization_id")
    if not project_id:
        raise invalid("project_id", "required")
    project = call.store.get(PROJECTS, project_id)
    if project is None:
        # The real API does not tell an unknown project from one that the caller has no right in.
        raise permissions_denied(resource, "write")
    return project


def touched(store: Store, table: str, record: Record, **changes: Any) -> Record:
    """Writes the changes and a new `updated_at`."""
    key = record["access_key"] if table == API_KEYS else record["id"]
    return store.put(table, key, record | changes | {"updated_at": now()})


# Fields of a request.


class Fields:
    """Typed access to a body. null is the same as absent, as in the real APIs; a wrong type is a 400 naming the field."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    def given(self, name: str) -> bool:
        return self._body.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        return str(self._typed(name, str, default))

    def required(self, name: str) -> str:
        value = self.text(name).strip()
        if not value:
            raise invalid(name, "required")
        return value

    def optional(self, name: str) -> str | None:
        """None where the text is absent or empty."""
        return self.text(name) or None

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self._typed(name, bool, default))

    def number(self, name: str, default: int = 0, minimum: int = 0) -> int:
        value = self._typed(name, int, default)
        if isinstance(value, bool):
            raise invalid(name, "format")
        if value < minimum:
            raise invalid(name, "constraint", f"must be at least {minimum}")
        return int(value)

    def texts(self, name: str) -> list[str]:
        values = self._typed(name, list, [])
        if not all(isinstance(v, str) for v in values):
            raise invalid(name, "format")
        return list(values)

    def mapping(self, name: str) -> dict[str, str]:
        values = self._typed(name, dict, {})
        if not all(isinstance(v, str) for v in values.values()):
            raise invalid(name, "format")
        return dict(values)

    def nested(self, name: str) -> "Fields":
        return Fields(self._typed(name, dict, {}))

    def all_nested(self, name: str) -> list["Fields"]:
        values = self._typed(name, list, [])
        if not all(isinstance(v, dict) for v in values):
            raise invalid(name, "format")
        return [Fields(v) for v in values]

    def moment(self, name: str) -> str | None:
        """A date, normalised to UTC."""
        value = self.text(name)
        if not value:
            return None
        if not _RFC3339.fullmatch(value):
            raise invalid(name, "format", "an RFC 3339 date is expected")
        try:
            return timestamp(datetime.fromisoformat(value.upper()))
        except ValueError:
            raise invalid(name, "format", "an RFC 3339 date is expected") from None

    def changes(self, *, text: Iterable[str] = (), flags: Iterable[str] = (), lists: Iterable[str] = ()) -> Record:
        """Those of the named fields that are given: what a PATCH changes."""
        changed: Record = {name: self.text(name) for name in text if self.given(name)}
        changed |= {name: self.flag(name) for name in flags if self.given(name)}
        return changed | {name: self.texts(name) for name in lists if self.given(name)}

    def _typed(self, name: str, kind: type, default: Any) -> Any:
        value = self._body.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise invalid(name, "format")
        return value


# Lists.


def query_flag(call: Call, name: str) -> bool | None:
    """None where the query does not have it."""
    return {"true": True, "false": False}.get(call.query.get(name, "").lower())


def query_number(call: Call, name: str, default: int, maximum: int) -> int:
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= maximum:
        raise invalid(name, "constraint", f"must be between 1 and {maximum}")
    return int(text)


def filtered(call: Call, records: Iterable[Record], *equal: str, contains: Iterable[str] = ()) -> list[Record]:
    """The records that the query asks for. An enumeration's `unknown…` value and an empty one mean any."""
    found = list(records)
    for name in equal:
        wanted = call.query.get(name, "")
        if wanted and not wanted.startswith("unknown"):
            found = [r for r in found if r.get(name) == wanted]
    for name in contains:
        wanted = call.query.get(name, "")
        found = [r for r in found if wanted in r.get(name, "")]
    tags = call.query.getlist("tags") or call.query.getlist("tag")
    return [r for r in found if set(tags) <= set(r.get("tags", ()))]


def paged(call: Call, name: str, records: Iterable[Record]) -> Record:
    """One page of a list, 20 records unless told, ordered by `order_by`."""
    found = list(records)
    field, _, direction = call.query.get("order_by", "").rpartition("_")
    if field:
        found.sort(key=lambda r: str(r.get(field, "")), reverse=direction == "desc")
    size = query_number(call, "page_size", 20, maximum=100)
    start = (query_number(call, "page", 1, maximum=1_000_000) - 1) * size
    return {"total_count": len(found), name: [shown(r) for r in found[start : start + size]]}
