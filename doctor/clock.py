"""The area `clock`: this machine's clock beside those of the services, by the `Date` of their answers.

Owns how they are compared. `Clocks` is handed to whoever asks a service, and noted down in their threads.
Source: RFC 9110, 6.6.1 "Date": whole seconds.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from doctor.verdicts import Check, ok, skipped, wrong

MOST_SECONDS: Final = 60


class Clocks:
    """By how many seconds this machine's clock is before (+) or behind (-) that of each service, as it last answered."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.offsets: dict[str, float] = {}

    def note(self, service: str, date: str | None) -> None:
        """`date` is the header's text. One that is none is left out."""
        try:
            said = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, OverflowError):
            return
        self.offsets[service] = self._now() - said


def clock_checks(offsets: Mapping[str, float]) -> Iterator[Check]:
    if not offsets:
        yield skipped("no service has answered, so there is no clock to compare with")
    for service, offset in sorted(offsets.items()):
        if abs(offset) <= MOST_SECONDS:
            yield ok(f"as {service}'s, within {MOST_SECONDS} s")
        else:
            way = "ahead of" if offset > 0 else "behind"
            yield wrong(
                f"{abs(offset):,.0f} s {way} {service}'s: must be within {MOST_SECONDS} s, or keys rotate at the wrong time "
                "and certificates count as expired",
                "set the clock: sudo timedatectl set-ntp true",
            )
