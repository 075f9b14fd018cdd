"""Counts: the counters of every kind of thing and pair of things that the ranking asks about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import DURATION_BUCKETS, Videos
from ranking.counters import HOUR_MS, Counters, Ring
from ranking.deeds import SURFACES_MAX, Deeds, Kind
from ranking.keys import Keys, pairs
from ranking.signals import Signal, amounts

HOURS = Ring(3 * HOUR_MS, 8)
HALF_DAYS = Ring(12 * HOUR_MS, 12)

RECENT = (
    Signal.IMPRESSIONS,
    Signal.WATCHES,
    Signal.LONG_WATCHES,
    Signal.COMPLETIONS,
    Signal.QUICK_SKIPS,
    Signal.WATCH_PERMILLE,
    Signal.CLICKS,
    Signal.LIKES,
    Signal.COMMENTS,
    Signal.SHARES,
    Signal.REMIXES,
    Signal.CAMEO_USES,
)
PAIR_TOTALS = (
    Signal.WATCHES,
    Signal.LONG_WATCHES,
    Signal.QUICK_SKIPS,
    Signal.WATCH_PERMILLE,
    Signal.CLICKS,
    Signal.LIKES,
    Signal.REMIXES,
    Signal.LESS,
)
_FIRST_OF_DOMAIN = int(Kind.LIKE)
_SURFACE_MASK = SURFACES_MAX - 1


class Pairs:
    """Counters of pairs, such as a viewer and an author, which get a row when they first meet."""

    def __init__(self) -> None:
        self.counters = Counters(PAIR_TOTALS, (), ())
        self._keys = Keys()

    def __len__(self) -> int:
        return len(self._keys)

    def add(
        self,
        ones: NDArray[np.int32],
        others: NDArray[np.int32],
        at_ms: NDArray[np.int64],
        added: NDArray[np.int32],
    ) -> None:
        """Add what was done to the pairs; one of which either is -1 is none."""
        rows = np.full(len(ones), -1, np.int32)
        known = (ones >= 0) & (others >= 0)
        rows[known] = self._keys.number(pairs(ones[known], others[known]))
        self.counters.reach(len(self._keys))
        self.counters.add(rows, at_ms, added)

    def rows(self, ones: NDArray[np.int32] | int, others: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the row of each pair, -1 where they never met; `ones` may be the same for all."""
        whose = np.full(len(others), ones, np.int32)
        return self._keys.find_pairs(whose, others)

    def few(self, one: int, others: NDArray[np.int32], kinds: int) -> NDArray[np.int32]:
        """Return the row of one with each of the others, which are below `kinds` and repeat."""
        if one < 0:
            return np.full(len(others), -1, np.int32)
        return self._keys.find_few(one, others, kinds)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, by pair: who met first depends on how two logs interleave."""
        order = np.argsort(self._keys.names[:, 0], kind="stable")
        return [
            self._keys.names[order].tobytes(),
            *self.counters.parts(order.astype(np.int32)),
        ]


class Counts:
    """All counters. Rows are serials, topics, buckets of duration; `everything` has one row."""

    def __init__(self) -> None:
        self.video = Counters(tuple(Signal), RECENT, (HOURS, HALF_DAYS))
        self.author = Counters(tuple(Signal), RECENT, (HALF_DAYS,))
        self.viewer = Counters(tuple(Signal), RECENT, (HALF_DAYS,))
        self.topic = Counters(tuple(Signal), RECENT, (HALF_DAYS,), wide=True)
        self.duration = Counters(tuple(Signal), RECENT, (HALF_DAYS,), wide=True)
        self.everything = Counters(tuple(Signal), RECENT, (HALF_DAYS,), wide=True)
        self.with_author = Pairs()
        self.with_topic = Pairs()
        self.with_duration = Pairs()
        self.on_surface = Pairs()
        self.video_on_surface = Pairs()
        self.duration.reach(DURATION_BUCKETS)
        self.everything.reach(1)

    def reach(self, accounts: int, videos: int, topics: int) -> None:
        """Have a row for each of so many."""
        self.video.reach(videos)
        self.author.reach(accounts)
        self.viewer.reach(accounts)
        self.topic.reach(topics)

    def add(self, deeds: Deeds, videos: Videos) -> None:
        """Count what was done; of unknown videos and accounts only what is known of it."""
        durations_ms = _of(videos.duration_ms, deeds.video)
        added = amounts(deeds, durations_ms)
        author = np.where(deeds.author >= 0, deeds.author, _of(videos.author, deeds.video))
        topic = _of(videos.topic, deeds.video)
        duration = _of(videos.duration_bucket, deeds.video)
        surface = (deeds.surface & _SURFACE_MASK).astype(np.int32)
        surface[deeds.kind >= _FIRST_OF_DOMAIN] = -1
        at_ms = deeds.at_ms
        self.video.add(deeds.video, at_ms, added)
        self.author.add(author, at_ms, added)
        self.viewer.add(deeds.viewer, at_ms, added)
        self.topic.add(topic, at_ms, added)
        self.duration.add(duration, at_ms, added)
        self.everything.add(np.zeros(len(deeds), np.int32), at_ms, added)
        self.with_author.add(deeds.viewer, author, at_ms, added)
        self.with_topic.add(deeds.viewer, topic, at_ms, added)
        self.with_duration.add(deeds.viewer, duration, at_ms, added)
        self.on_surface.add(deeds.viewer, surface, at_ms, added)
        self.video_on_surface.add(deeds.video, surface, at_ms, added)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        return [part for counters in vars(self).values() for part in counters.parts()]


def _of(column: NDArray[np.int32], serials: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the column's value for each serial, -1 for none."""
    if not len(column):
        return np.full(len(serials), -1, np.int32)
    return np.where(serials >= 0, column[serials], -1).astype(np.int32)
