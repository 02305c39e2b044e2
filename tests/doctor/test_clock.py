"""The clock beside the services' own."""

from doctor.clock import Clocks, clock_checks
from tests.doctor.conftest import not_right

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MOMENT = 784111777.0


def test_a_clock_within_a_minute_is_right() -> None:
    for offset in (0.0, 59.5, -60.0):
        clocks = Clocks(lambda offset=offset: MOMENT + offset)  # type: ignore[misc] # a default as a closure
        clocks.note("GitLab", DATE)
        assert clocks.offsets == {"GitLab": offset}
        assert not_right(clock_checks(clocks.offsets)) == []


def test_a_clock_that_is_off_is_told_for_each_service() -> None:
    assert not_right(clock_checks({"Scaleway": 3600.0, "GitLab": -61.0})) == [
        (
            "WRONG",
            "61 s behind GitLab's: must be within 60 s, or keys rotate at the wrong time and certificates count as expired",
        ),
        (
            "WRONG",
            "3,600 s ahead of Scaleway's: must be within 60 s, or keys rotate at the wrong time and certificates count as "
            "expired",
        ),
    ]


def test_without_an_answer_there_is_nothing_to_compare() -> None:
    clocks = Clocks()
    for date in (None, "", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT"):
        clocks.note("GitLab", date)
    assert clocks.offsets == {}
    assert not_right(clock_checks({})) == [("skipped", "no service has answered, so there is no clock to compare with")]
