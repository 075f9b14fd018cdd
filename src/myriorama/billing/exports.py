"""Exports of a campaign: all that its bill is made of, as lines that are chained by their hashes.

An export is made once, and kept: the next one begins with its head. So whoever has a head sees it
if anything before it was changed since. `recompute_bill.py` makes the bill of it again, alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow, class_row

from domain.errors import Conflict, NotFound
from myriorama.billing.export_lines import Chain, Cut, records
from myriorama.store.objects import Objects
from myriorama.store.postgres import Pool

NO_HEAD = "0" * 64
"""What stands before the first export of a campaign."""

MEDIA_TYPE = "application/jsonl"
SCRIPT = Path(__file__).with_name("recompute_bill.py")


_CAMPAIGN = """
    SELECT c.advertiser_id, a.currency, a.zone
    FROM campaigns c JOIN advertisers a USING (advertiser_id)
    WHERE c.campaign_id = %s
"""

_MADE = """
    SELECT campaign_id, number, advertiser_id, made_at, after_batch, through_batch,
           credited_through_ms, previous, head, lines, bytes, net_micros, object_key
    FROM ad_exports WHERE campaign_id = %s ORDER BY number DESC LIMIT %s
"""

# Under the lock of the advertiser, what was credited before is there to be read; what will be is
# credited at this millisecond at the earliest.
_CUT = """
    SELECT position, lock_advertisers(ARRAY[%s::uuid]), clock_ms() - 1 FROM settled_reports
    WHERE consumer = 'settlement'
"""

_IS_NEWS = """
    SELECT EXISTS (
        SELECT FROM budgeted_lines b JOIN charges c USING (line_id)
        WHERE b.campaign_id = %(campaign_id)s AND c.batch > %(after)s AND c.batch <= %(through)s
    ) OR EXISTS (
        SELECT FROM budgeted_lines b JOIN charges c USING (line_id)
        JOIN credits r USING (decision_id, beacon, is_marked)
        WHERE b.campaign_id = %(campaign_id)s
          AND r.credited_ms > %(credited_after)s AND r.credited_ms <= %(credited_through)s
    )
"""

_UNKNOWN = """
    SELECT count(*) FROM budgeted_lines b JOIN charges c USING (line_id)
    WHERE b.campaign_id = %(campaign_id)s AND c.batch > %(after)s AND c.batch <= %(through)s
      AND c.micros > 0 AND c.reported_ms > %(soon)s
      AND NOT EXISTS (SELECT FROM ad_decisions d WHERE d.ad_decision_id = c.decision_id)
"""

_KEEP = """
    INSERT INTO ad_exports (campaign_id, number, advertiser_id, made_at, after_batch,
                            through_batch, credited_through_ms, previous, head, lines, bytes,
                            net_micros, object_key)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class NothingToExport(NotFound):
    """Nothing of this campaign was reported yet, so there is no export of it."""


class ExportNotReady(Conflict):
    """What was charged moments ago is not on the read side yet: ask again in a moment."""


@dataclass(frozen=True)
class Export:
    """An export that was made. `previous` is the head of the one before it."""

    campaign_id: UUID
    number: int
    advertiser_id: UUID
    made_at: datetime
    after_batch: int
    through_batch: int
    credited_through_ms: int
    previous: str
    head: str
    lines: int
    bytes: int
    net_micros: int
    object_key: str


class Exports:
    """Makes exports; two at once make the same one."""

    def __init__(self, pool: Pool, objects: Objects) -> None:
        self._pool = pool
        self._objects = objects

    def make(self, campaign_id: UUID) -> Export:
        """Export what was settled and credited since the last time; if nothing was, return that.

        Raises:
            NothingToExport: there was never anything.
            ExportNotReady: the read side does not know all that was charged, but will in a moment.
        """
        with self._pool.connection() as connection:
            if (cut := self._cut(connection, campaign_id)) is None:
                last = self._last(connection, campaign_id)
                if last is None:
                    raise NothingToExport("Nothing of this campaign was reported yet.")
                return last
            with TemporaryDirectory(prefix="myriorama-") as folder:
                path = Path(folder) / "export.jsonl"
                with path.open("wb") as file, connection.transaction():
                    chain = Chain(file, cut.previous)
                    net = sum(map(chain.add, records(connection, cut)))
                    chain.add({"type": "end", "net_micros": net})
                made = _made(cut, chain, net)
                self._objects.put(made.object_key, path, media_type=MEDIA_TYPE)
            try:
                connection.execute(_KEEP, tuple(vars(made).values()))
            except UniqueViolation:  # another one was made meanwhile
                last = self._last(connection, campaign_id)
                return last if last is not None else made
            return made

    def chain(self, campaign_id: UUID) -> Sequence[Export]:
        """Return all exports of a campaign, the first one first."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Export)) as cursor,
        ):
            return cursor.execute(_MADE, (campaign_id, None)).fetchall()[::-1]

    def _cut(self, connection: Connection[TupleRow], campaign_id: UUID) -> Cut | None:
        """Decide what the next export is of; None: there is nothing new."""
        last = self._last(connection, campaign_id)
        of = connection.execute(_CAMPAIGN, (campaign_id,)).fetchone()
        if of is None:
            return None
        advertiser_id, currency, zone = of
        with connection.transaction():
            row = connection.execute(_CUT, (advertiser_id,)).fetchone()
        through, _, credited_ms = row or (0, 0, 0)
        cut = Cut(
            campaign_id=campaign_id,
            advertiser_id=advertiser_id,
            currency=currency,
            zone=zone,
            number=last.number + 1 if last else 1,
            previous=last.head if last else NO_HEAD,
            after=last.through_batch if last else 0,
            through=through,
            credited_after=last.credited_through_ms if last else 0,
            credited_through=credited_ms,
        )
        (is_news,) = connection.execute(_IS_NEWS, cut.parameters()).fetchone() or (False,)
        if not is_news:
            return None
        (unknown,) = connection.execute(_UNKNOWN, cut.parameters()).fetchone() or (0,)
        if unknown:
            raise ExportNotReady(f"{unknown} decisions are not on the read side yet.")
        return cut

    @staticmethod
    def _last(connection: Connection[TupleRow], campaign_id: UUID) -> Export | None:
        with connection.cursor(row_factory=class_row(Export)) as cursor:
            return cursor.execute(_MADE, (campaign_id, 1)).fetchone()


def _made(cut: Cut, chain: Chain, net_micros: int) -> Export:
    return Export(
        cut.campaign_id,
        cut.number,
        cut.advertiser_id,
        datetime.fromtimestamp(cut.credited_through / 1000, UTC),
        cut.after,
        cut.through,
        cut.credited_through,
        cut.previous,
        chain.head,
        chain.lines,
        chain.bytes,
        net_micros,
        f"ad-exports/{cut.campaign_id}/{cut.number:06d}-{chain.head}.jsonl",
    )
