"""Flights: the stretch of time in which ads may be shown."""

from datetime import UTC, datetime, timedelta

from domain.errors import Invalid

FLIGHT_MAX = timedelta(days=3660)
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class FlightInvalid(Invalid):
    """A flight starts from 2000 to 2199, ends after that, and within ten years."""


def check_flight(starts_at: datetime, ends_at: datetime | None) -> None:
    """Let a flight pass that has a beginning before its end.

    Raises:
        FlightInvalid: it has not, is of ten years or more, or starts in another age: a time that
            not every zone can tell cannot be read back.
    """
    if not _EARLIEST <= starts_at < _LATEST:
        raise FlightInvalid("A flight starts in the years 2000 to 2199.")
    if ends_at is not None and not timedelta() < ends_at - starts_at <= FLIGHT_MAX:
        raise FlightInvalid("A flight ends after it starts, and within ten years.")
