"""Flights: the stretch of time in which ads may be shown."""

from datetime import datetime, timedelta

from domain.errors import Invalid

FLIGHT_MAX = timedelta(days=3660)


class FlightInvalid(Invalid):
    """A flight ends after it starts, and within ten years."""


def check_flight(starts_at: datetime, ends_at: datetime | None) -> None:
    """Let a flight pass that has a beginning before its end.

    Raises:
        FlightInvalid: it has not, or is of ten years or more.
    """
    if ends_at is not None and not timedelta() < ends_at - starts_at <= FLIGHT_MAX:
        raise FlightInvalid("A flight ends after it starts, and within ten years.")
