"""Flights: when lines run, from and until an instant, in the hours of the week of their zone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.lines import HOURS, Line

_QUARTER_MS = 900_000
# No zone's offset is other than whole quarters of an hour.


class _Live(NamedTuple):
    """The rows that run from one instant until another."""

    from_ms: int
    until_ms: int
    words: bits.Words


class Flights:
    """The flights of the lines of an index.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: a line is in no zone of this world.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        zones = {each: at for at, each in enumerate(dict.fromkeys(line.zone for line in lines))}
        self._zones = [ZoneInfo(name) for name in zones]
        self._from_ms = np.array([line.flight_from_ms for line in lines], np.int64)
        self._until_ms = np.array([line.flight_until_ms for line in lines], np.int64)
        parted = [(row, line) for row, line in enumerate(lines) if line.daypart is not None]
        self._parted = np.array([row for row, _ in parted], np.int64)
        self._zone = np.array([zones[line.zone] for _, line in parted], np.int64)
        hours = [line.daypart for _, line in parted]
        self._hours: NDArray[np.bool_] = np.array(hours, np.bool_).reshape(len(parted), HOURS)
        self._live = _Live(0, 0, np.zeros(0, np.uint64))

    def live(self, now_ms: int) -> bits.Words:
        """Return the rows that run now; found anew only when that may have changed."""
        known = self._live
        if not known.from_ms <= now_ms < known.until_ms:
            known = self._live = self._at(now_ms)
        return known.words

    def _at(self, now_ms: int) -> _Live:
        begun, over = self._from_ms <= now_ms, self._until_ms <= now_ms
        runs = begun & ~over
        from_ms = now_ms - now_ms % _QUARTER_MS
        if len(self._parted):
            at = datetime.fromtimestamp(from_ms / 1000, UTC)
            local = [at.astimezone(zone) for zone in self._zones]
            hour = np.array([24 * each.weekday() + each.hour for each in local], np.int64)
            runs[self._parted] &= self._hours[np.arange(len(self._parted)), hour[self._zone]]
        until_ms = from_ms + _QUARTER_MS
        until_ms = int(self._from_ms[~begun].min(initial=until_ms))
        until_ms = int(self._until_ms[~over].min(initial=until_ms))
        from_ms = int(self._from_ms[begun].max(initial=from_ms))
        from_ms = int(self._until_ms[over].max(initial=from_ms))
        return _Live(from_ms, until_ms, bits.of_flags(runs))
