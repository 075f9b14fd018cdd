"""Lines run from and until an instant, in their hours: to the millisecond, though it is kept."""

from datetime import UTC, datetime

import pytest

from ads.bits import holds
from ads.flights import Flights
from ads.lines import HOURS, Line
from myriorama.bench.ad_markets import NOW_MS, line

HOUR_MS = 3_600_000


def _running(flights: Flights, now_ms: int, count: int) -> list[int]:
    words = flights.live(now_ms)
    return [row for row in range(count) if holds(words, row)]


def _on_monday(zone: str) -> Line:
    return line(1, zone=zone, daypart=tuple(hour < 24 for hour in range(HOURS)))


def test_a_line_runs_from_its_first_millisecond_until_before_its_last_one() -> None:
    flights = Flights(
        [
            line(0, flight_from_ms=NOW_MS + 5),
            line(1, flight_until_ms=NOW_MS + 7),
            line(2, flight_from_ms=NOW_MS + 5, flight_until_ms=NOW_MS + 7),
        ]
    )

    times = (0, 4, 5, 6, 7, 100, 6, 4)
    running = [_running(flights, NOW_MS + after, 3) for after in times]

    # Also when the clock is set back.
    assert running == [[1], [1], [0, 1, 2], [0, 1, 2], [0], [0], [0, 1, 2], [1]]


@pytest.mark.parametrize(("zone", "offset_min"), [("UTC", 0), ("Asia/Kathmandu", 345)])
def test_a_week_begins_on_monday_in_the_zone_of_the_line(zone: str, offset_min: int) -> None:
    monday = datetime(2027, 3, 1, tzinfo=UTC)
    begins_ms = int(monday.timestamp() * 1000) - 60_000 * offset_min
    flights = Flights([_on_monday(zone)])

    assert _running(flights, begins_ms - 1, 1) == []
    assert _running(flights, begins_ms, 1) == [0]
    assert _running(flights, begins_ms + 24 * HOUR_MS - 1, 1) == [0]
    assert _running(flights, begins_ms + 24 * HOUR_MS, 1) == []
