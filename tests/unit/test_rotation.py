"""Five years of rotation, simulated run by run as the engine carries it out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rotation import EPOCH, Key, Rotation, keys_at
from components.runner import now

YEARS = timedelta(days=5 * 365)


@dataclass
class World:
    """The keys that exist, by resource name, and the one that pods hold. Checked at every instant of a run."""

    rotation: Rotation
    keys: dict[str, Key] = field(default_factory=dict)
    held: Key | None = None
    most: int = 0

    def check(self, now: datetime) -> None:
        self.most = max(self.most, len(self.keys))
        if self.held is not None:
            assert self.held in self.keys.values(), f"{now}: pods hold a key that was deleted"
            assert now < self.held.expires_at, f"{now}: pods hold a key that has expired"

    def run(self, now: datetime) -> None:
        """What an `up` does: replace in a slot old one first, create, switch the mount, delete what is left over."""
        self.check(now)
        wanted = keys_at(now, self.rotation)
        for key in wanted.all:
            if self.keys.get(key.name) != key:
                self.keys.pop(key.name, None)
                self.check(now)
                self.keys[key.name] = key
                self.check(now)
        self.held = wanted.current
        self.check(now)
        self.keys = {k.name: k for k in wanted.all}
        self.check(now)


rotations = st.builds(
    lambda days, share, serial: Rotation(timedelta(days=days), timedelta(days=days) * share, serial),
    st.integers(1, 120),
    st.floats(0.05, 0.95),
    st.integers(0, 3),
)


@given(rotations, st.floats(0, 0.999), st.data())
def test_runs_once_a_period_and_late_by_up_to_a_period(rotation: Rotation, first: float, data: st.DataObject) -> None:
    world, start = World(rotation), rotation.number_at(datetime(2026, 1, 1, tzinfo=UTC))
    world.run(rotation.start(start) + first * rotation.period)
    for number in range(start + 1, start + YEARS // rotation.period):
        late = data.draw(st.floats(0, 0.999)) if number % 7 == 0 else ((number * 37) % 100) / 100
        world.run(rotation.start(number) + late * rotation.period)
    assert world.most <= 2


@given(rotations, st.integers(1, 30))
def test_runs_at_a_steady_pace_delete_each_key_on_time(rotation: Rotation, share: int) -> None:
    """With runs more often than periods, the old key is gone by the first run after its overlap."""
    world, now, end = World(rotation), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC) + YEARS / 5
    while now < end:
        world.run(now)
        for key in world.keys.values():
            assert now < rotation.start(key.number + 1) + rotation.overlap, "outlived its overlap"
        now += rotation.period / (share + 1)
    assert world.most <= 2


@given(rotations, st.integers(0, 5 * 365 * 24 * 60))
def test_every_run_within_a_period_declares_the_same_current_key(rotation: Rotation, minutes: int) -> None:
    now = EPOCH + timedelta(minutes=minutes)
    start = rotation.start(rotation.number_at(now))
    assert start <= now < start + rotation.period
    assert keys_at(now, rotation).current == keys_at(start, rotation).current
    assert keys_at(start, rotation).retiring is not None
    assert keys_at(start + rotation.overlap, rotation).retiring is None


@given(rotations, st.integers(0, 5 * 365 * 24 * 60))
def test_a_new_serial_shares_no_key_with_the_old(rotation: Rotation, minutes: int) -> None:
    now = EPOCH + timedelta(minutes=minutes)
    leaked = Rotation(rotation.period, rotation.overlap, rotation.serial + 1)
    assert not {k.name for k in keys_at(now, rotation).all} & {k.name for k in keys_at(now, leaked).all}


def test_a_key_lives_two_periods_and_an_overlap() -> None:
    rotation = Rotation(timedelta(days=30), timedelta(days=2))
    keys = keys_at(datetime(2024, 1, 31, 12, tzinfo=UTC), rotation)
    assert (keys.current.number, keys.current.name, keys.current.expiry) == (1, "b", "2024-04-02T00:00:00Z")
    assert keys.retiring is not None
    assert (keys.retiring.number, keys.retiring.name, keys.retiring.expiry) == (0, "a", "2024-03-03T00:00:00Z")


@pytest.mark.parametrize("overlap", [timedelta(0), timedelta(days=30), timedelta(days=31)])
def test_an_overlap_that_cannot_be_is_refused(overlap: timedelta) -> None:
    with pytest.raises(ValueError, match="less than the period"):
        Rotation(timedelta(days=30), overlap)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T01:00:00+01:00", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_drill_has_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch, told: str, moment: datetime) -> None:
    monkeypatch.setenv("KAPSULE_DEVOPS_NOW", told)
    assert now() == moment


def test_without_one_it_is_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAPSULE_DEVOPS_NOW", "")
    before = datetime.now(UTC)
    assert before <= now() <= datetime.now(UTC)


@pytest.mark.parametrize("told", ["tomorrow", "2026-13-01", "1764547200"])
def test_a_time_that_is_none_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("KAPSULE_DEVOPS_NOW", told)
    with pytest.raises(pulumi.RunError) as caught:
        now()
    assert str(caught.value) == (
        f"KAPSULE_DEVOPS_NOW = '{told}': must be a time in ISO 8601, such as 2026-12-01T00:00:00Z, or it is not known which "
        "keys are due. Fix: unset KAPSULE_DEVOPS_NOW"
    )
