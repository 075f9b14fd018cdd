"""Sessions: how far a viewer has scrolled since the last ad, carried on by the cursors of pages."""

from collections.abc import Sequence
from typing import NamedTuple

_NO_AD = -1


class Session(NamedTuple):
    """What the pages before this one have shown.

    `since_last_ad` counts the videos behind the last ad, None before the first one.
    """

    videos: int = 0
    ads: int = 0
    since_last_ad: int | None = None

    def after(self, videos: int, positions: Sequence[int]) -> "Session":
        """Return the session behind a page of so many videos, with ads at these positions."""
        since = None if self.since_last_ad is None else self.since_last_ad + videos
        if positions:
            # An ad's position counts the ads before it, too.
            since = videos - (positions[-1] - (len(positions) - 1))
        return Session(self.videos + videos, self.ads + len(positions), since)

    def fields(self) -> tuple[int, int, int]:
        """Return what a cursor is to carry of it."""
        since = _NO_AD if self.since_last_ad is None else self.since_last_ad
        return self.videos, self.ads, since


BEGUN = Session()
"""The session of whoever has seen nothing yet."""


def session_of(fields: Sequence[str | int]) -> Session | None:
    """Read the session that a cursor carries, None if it carries none: nobody advertised then."""
    if not fields:
        return None
    videos, ads, since = map(int, fields)
    return Session(videos, ads, None if since == _NO_AD else since)
