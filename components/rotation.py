"""Which keys exist when. Pure: (now, period, overlap, serial) → the keys that a run declares.

Time is cut into periods from a fixed epoch, so that every run within a period declares the same. Each period has a key;
runs of that period mount it. The key of the period before stays for `overlap`, for jobs that still hold it.

Keys live in two slots, a and b, by the parity of their period. The next key takes the slot of the one before the current
one and replaces it there, old one first: so a run that comes late still never makes a third key, and never touches the key
that pods hold. A key expires one period and one overlap after its own period ends: a run may be late by up to a period,
and jobs in flight still finish. Past that a key is dead by itself.

A new `serial` names new keys: they are made, mounted, and the old ones die at the end of that same run.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


@dataclass(frozen=True)
class Rotation:
    """`period` between new keys, `overlap` for which the old one stays (less than a period), `serial` 0, 1, 2 …"""

    period: timedelta
    overlap: timedelta
    serial: int = 0

    def __post_init__(self) -> None:
        if not timedelta(0) < self.overlap < self.period:
            raise ValueError(f"overlap {self.overlap} must be more than nothing and less than the period {self.period}")

    def start(self, number: int) -> datetime:
        """When a period begins."""
        return EPOCH + number * self.period

    def number_at(self, now: datetime) -> int:
        """The period that `now` (with a time zone) is in."""
        return (now - EPOCH) // self.period


@dataclass(frozen=True)
class Key:
    """The key of a period."""

    number: int
    serial: int
    expires_at: datetime

    @property
    def name(self) -> str:
        """Its resource's name: the slot, and the serial once there was a leak."""
        slot = "ab"[self.number % 2]
        return f"{slot}{self.serial}" if self.serial else slot

    @property
    def expiry(self) -> str:
        """RFC 3339, in UTC, as Scaleway's API has it."""
        return self.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Keys:
    """`current` is what pods mount; `retiring` is what jobs in flight may still hold."""

    current: Key
    retiring: Key | None

    @property
    def all(self) -> tuple[Key, ...]:
        return (self.current,) if self.retiring is None else (self.current, self.retiring)


def keys_at(now: datetime, rotation: Rotation) -> Keys:
    """The keys that a run at `now` declares."""
    number = rotation.number_at(now)
    in_overlap = now < rotation.start(number) + rotation.overlap
    return Keys(current=_key(number, rotation), retiring=_key(number - 1, rotation) if in_overlap else None)


def _key(number: int, rotation: Rotation) -> Key:
    return Key(number, rotation.serial, rotation.start(number + 2) + rotation.overlap)
