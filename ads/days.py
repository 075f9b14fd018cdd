"""The days of an advertiser, made of instants: each begins when the one before it ends.

A local date may last 23 or 25 hours, and its midnight may not be, or be twice; of two, the first
one counts, and what a clock shows after it never goes back to the day before.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HALF_HOUR_MS = 1_800_000

_DAY = timedelta(days=1)


def begins_ms(day: date, zone: ZoneInfo) -> int:
    """Return when a day begins, in milliseconds since 1970."""
    midnight = datetime.combine(day, time(fold=0), zone)
    return round(midnight.astimezone(UTC).timestamp() * 1000)


def bounds_ms(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a day begins, and when it has ended."""
    return begins_ms(day, zone), begins_ms(day + _DAY, zone)


def half_hours_ms(day: date, zone: ZoneInfo) -> list[int]:
    """Return when a day begins, and when each of its half hours has ended: 49, but 47 or 51."""
    begins, ends = bounds_ms(day, zone)
    return [*range(begins, ends, HALF_HOUR_MS), ends]


def months_between(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the first day of each month from that of `first` to that of `last`, and of its next."""
    begins = first.replace(day=1)
    while begins <= last:
        ends = (begins + 31 * _DAY).replace(day=1)
        yield begins, ends
        begins = ends


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """Return the day of an instant."""
    day = datetime.fromtimestamp(at_ms // 1000, zone).date()
    while at_ms >= begins_ms(day + _DAY, zone):
        day += _DAY
    while at_ms < begins_ms(day, zone):
        day -= _DAY
    return day
