"""Days of an advertiser: whole, one behind the other, whatever clocks are set to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads.days import bounds_ms, day_of, months_between

HOUR_MS = 3_600_000
ODD = [
    "America/Sao_Paulo",  # at midnight clocks were set to one, and back to eleven
    "America/St_Johns",  # a minute past midnight they were set back, to the day before
    "Africa/Cairo",
    "America/Santiago",  # at midnight, too, every year
    "Asia/Beirut",
    "Europe/Berlin",
    "Pacific/Apia",  # which left out a whole day
    "Pacific/Kiritimati",
    "America/New_York",
]


def ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_lasts_as_long_as_clocks_make_it(day: date, hours: int) -> None:
    begins, ends = bounds_ms(day, ZoneInfo("Europe/Berlin"))

    assert ends - begins == hours * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Santiago", date(2026, 9, 6), 23),  # it begins at one
        ("America/Santiago", date(2026, 4, 4), 25),  # its last hour comes twice
        ("Asia/Beirut", date(2021, 3, 28), 23),
        ("Asia/Beirut", date(2021, 10, 30), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
    ],
)
def test_a_day_at_whose_midnight_clocks_change_is_whole_and_meets_its_neighbours(
    zone: str, day: date, hours: int
) -> None:
    of = ZoneInfo(zone)

    begins, ends = bounds_ms(day, of)

    assert ends - begins == hours * HOUR_MS
    assert bounds_ms(day - timedelta(days=1), of)[1] == begins
    assert bounds_ms(day + timedelta(days=1), of)[0] == ends
    assert {day_of(at, of) for at in range(begins, ends, HOUR_MS // 2)} == {day}
    assert (day_of(begins - 1, of), day_of(ends, of)) == (
        day - timedelta(days=1),
        day + timedelta(days=1),
    )


def test_a_midnight_that_is_left_out_is_the_moment_of_the_leap() -> None:
    zone = ZoneInfo("America/Sao_Paulo")

    begins, _ = bounds_ms(date(2018, 11, 4), zone)

    assert begins == ms(datetime(2018, 11, 4, 3, tzinfo=UTC))
    assert day_of(begins - 1, zone) == date(2018, 11, 3)
    assert day_of(begins, zone) == date(2018, 11, 4)


def test_a_clock_that_is_set_back_over_midnight_does_not_bring_the_day_before_back() -> None:
    zone = ZoneInfo("America/St_Johns")
    leap = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)  # 00:01 became 23:01

    days = [day_of(ms(leap + timedelta(minutes=at)), zone) for at in (-2, -1, 0, 30, 59, 90)]

    assert days == [date(2010, 11, 6), *[date(2010, 11, 7)] * 5]


@given(
    st.sampled_from(ODD),
    st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - UTC is added below
)
def test_every_instant_is_of_one_day_between_its_bounds(name: str, instant: datetime) -> None:
    zone, at_ms = ZoneInfo(name), ms(instant.replace(tzinfo=UTC))

    day = day_of(at_ms, zone)

    begins, ends = bounds_ms(day, zone)
    assert begins <= at_ms < ends
    assert bounds_ms(day + timedelta(days=1), zone)[0] == ends


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(0, 2000))
def test_months_meet_from_the_first_day_to_the_last(first: date, days: int) -> None:
    last = first + timedelta(days=days)

    months = [*months_between(first, last)]

    assert months[0][0] <= first < months[0][1]
    assert months[-1][0] <= last < months[-1][1]
    assert all(
        begins.day == ends.day == 1 and 28 <= (ends - begins).days <= 31 for begins, ends in months
    )
    assert [ends for _, ends in months[:-1]] == [begins for begins, _ in months[1:]]
