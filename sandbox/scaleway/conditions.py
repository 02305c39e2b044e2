"""The conditions of policies' rules: CEL (Common Expression Language) over the attributes of a request.

Owns which expressions a rule may have and whether one holds. The variables are those that Scaleway documents for
requests: `request.ip` and `request.user_agent` (strings), `request.time` (a timestamp); `inIpRange(ip, subnet)` is
Scaleway's own function, the others are CEL's.

Does not own conditions on the resource (`resource.name` …): they are refused, because one that is kept and never holds
would mislead. Nor Scaleway's caching, by which a condition on the time may take effect a minute later.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

_USER_AGENT_LETTERS = 255  # what Scaleway keeps of it


class ConditionError(ValueError):
    """The text is not a condition; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What a condition may ask of a request."""

    ip: str
    time: datetime
    user_agent: str


def _in_ip_range(address: str, subnet: str) -> bool:
    """An address of the other family is outside. What is not a subnet raises, which makes it CEL's error value."""
    return ipaddress.ip_address(address) in ipaddress.ip_network(subnet, strict=False)


_ENVIRONMENT = cel.NewEnv(
    variables={
        "request.ip": cel.Type.STRING,
        "request.time": cel.Type.TIMESTAMP,
        "request.user_agent": cel.Type.STRING,
    },
    functions=[
        cel.FunctionDecl(
            "inIpRange",
            [
                cel.Overload(
                    "in_ip_range",
                    return_type=cel.Type.BOOL,
                    parameters=[cel.Type.STRING, cel.Type.STRING],
                    is_member=False,
                    impl=_in_ip_range,
                )
            ],
        )
    ],
)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Any:
    """Parsed, and its types checked.

    A guess: Scaleway says that it checks the syntax only. An unknown variable or a comparison of unlike types is refused
    here as well, since such a rule would never apply.
    """
    try:
        expression = _ENVIRONMENT.compile(text)
    except (RuntimeError, TypeError) as error:  # TypeError: half a surrogate pair
        reason = str(error).partition("\n")[0]
        raise ConditionError(reason.removeprefix("INVALID_ARGUMENT: ERROR: <input>:")) from None
    if expression.return_type() not in (cel.Type.BOOL, cel.Type.DYN):
        raise ConditionError(f"it must be true or false, and is {expression.return_type().name()}")
    return expression


def check(text: str) -> None:
    """Raises ConditionError for what a rule may not have. Empty text is no condition."""
    if text:
        _compiled(text)


def holds(text: str, request: Attributes) -> bool:
    """Whether the rule with this condition applies to the request. It does not where the expression fails."""
    if not text:
        return True
    try:
        expression = _compiled(text)
    except ConditionError:  # written by an earlier version, which kept any text
        return False
    data = {
        "request.ip": request.ip,
        "request.time": request.time,
        "request.user_agent": request.user_agent[:_USER_AGENT_LETTERS],
    }
    return expression.eval(data=data).value() is True
