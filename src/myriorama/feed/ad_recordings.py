"""Recorded auctions of the last day: what the pacer expects of the present one.

Read from the view log as it grows. However many were recorded, a bounded number is kept, each of
which then stands for more.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.opportunities import Opportunity
from ads.record import AdRecord

logger = structlog.get_logger(__name__)

KEPT_MAX = 8192
_DAY = timedelta(days=1)
_READ_AT_ONCE = 2000

# By a part of the random ID, so that a sample is the same whoever takes it, and whenever.
_RECORDED = """
    SELECT position, recorded_at, ('x' || right(decision_id::text, 7))::bit(28)::integer, ads::text
    FROM slates
    WHERE position > %s AND recorded_at > %s AND ads IS NOT NULL AND feed <> 'sandbox'
      AND ('x' || right(decision_id::text, 7))::bit(28)::integer %% %s = 0
    ORDER BY position LIMIT %s
"""

_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"


class _Kept(msgspec.Struct, frozen=True):
    recorded_at: datetime
    drawn: int
    opportunity: Opportunity


class Recordings:
    """A sample of the pages whose auction was recorded whole, none older than a day."""

    def __init__(self, *, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._kept: list[_Kept] = []
        self._position = 0
        self._one_of = 1

    def refresh(self, connection: Connection[TupleRow]) -> None:
        """Read what was recorded meanwhile, and forget what is older than a day."""
        since = datetime.now(UTC) - _DAY
        (head,) = connection.execute(_HEAD).fetchone() or (0,)
        while rows := connection.execute(
            _RECORDED, (self._position, since, self._one_of, _READ_AT_ONCE)
        ).fetchall():
            for position, recorded_at, drawn, ads in rows:
                self._position = position
                self._keep(recorded_at, drawn, ads)
        self._position = max(self._position, head)
        self._kept = [one for one in self._kept if one.recorded_at > since]

    def opportunities(self) -> list[Opportunity]:
        """Return the pages, each with the number of pages that it stands for."""
        return [
            one.opportunity._replace(weight=one.opportunity.weight * self._one_of)
            for one in self._kept
        ]

    def _keep(self, recorded_at: datetime, drawn: int, ads: str) -> None:
        if drawn % self._one_of:  # read before fewer were kept
            return
        try:
            auction = AdRecord.decode(ads).auction
        except msgspec.DecodeError as error:
            logger.warning("an auction cannot be read", error=str(error))
            return
        if auction.context is None or auction.share <= 0:
            return
        viewer, weight = auction.context.viewer, 1 / auction.share
        self._kept.append(_Kept(recorded_at, drawn, Opportunity(auction.at_ms, viewer, weight)))
        while len(self._kept) > self._kept_max:
            self._one_of *= 2
            self._kept = [one for one in self._kept if one.drawn % self._one_of == 0]
