"""How long a credential of whoever runs the program still lasts. Pure."""

from datetime import datetime, timedelta
from typing import Final

from doctor.verdicts import Check, ok, warning, wrong

SOON: Final = timedelta(days=14)


def expiry_check(what: str, expires_at: datetime | None, now: datetime, renew: str, *, soon_is_wrong: bool) -> Check:
    """`expires_at` None is never. `renew` is the way to a new one."""
    if expires_at is None:
        return warning(f"{what} never expires: should have an end, or one that leaks is good for ever", renew)
    left, day = expires_at - now, f"{expires_at:%Y-%m-%d}"
    if left <= timedelta():
        return wrong(f"{what} expired on {day}: must be valid, or nothing can be read or changed", renew)
    if left <= SOON:
        text = f"{what} expires on {day}: must last {SOON.days} days more, or runs fail soon"
        return wrong(text, renew) if soon_is_wrong else warning(text, renew)
    return ok(f"{what} expires on {day}")
