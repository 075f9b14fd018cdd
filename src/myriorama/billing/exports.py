"""Exports of a campaign: all that its bill is made of, as lines that are chained by their hashes.

An export is made once, and kept: the next one begins with its head. So whoever has a head sees it
if anything before it was changed since. `recompute_bill.py` makes the bill of it again, alone.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow, class_row

from ads.beacons import Beacon
from ads.lines import KINDS
from ads.tokens import columns
from domain.errors import Conflict, NotFound
from domain.spend.events import SpendSettled, spend_stream
from myriorama.store.objects import Objects
from myriorama.store.postgres import Pool

NO_HEAD = "0" * 64
"""What stands before the first export of a campaign."""

MEDIA_TYPE = "application/jsonl"
SCRIPT = Path(__file__).with_name("recompute_bill.py")

_CHARGES = Path(__file__).with_name("exports.sql").read_bytes()
_AT_ONCE = 5_000
_SOON_MS = 600_000

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
        JOIN credits r USING (decision_id, beacon)
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

_SETTLED = """
    SELECT stream_id, version, line_id, (state->>'settled_through')::bigint AS batch,
           state->>'day' AS day, (state->>'micros')::bigint AS micros
    FROM (
        SELECT stream_id, version, line_id, convert_from(state, 'UTF8')::json AS state
        FROM spend_outbox WHERE stream_id = ANY(%(streams)s) AND topic = %(topic)s
    ) AS told
    WHERE (state->>'settled_through')::bigint > %(after)s
      AND (state->>'settled_through')::bigint <= %(through)s
    ORDER BY batch, stream_id, version
"""

_CREDITS = """
    SELECT r.decision_id, r.beacon, r.micros, r.reason, r.credited_ms, c.line_id, c.day, i.kind
    FROM budgeted_lines b JOIN charges c USING (line_id) JOIN credits r USING (decision_id, beacon)
    LEFT JOIN line_items i ON i.line_item_id = c.line_id
    WHERE b.campaign_id = %(campaign_id)s
      AND r.credited_ms > %(credited_after)s AND r.credited_ms <= %(credited_through)s
    ORDER BY r.credited_ms, r.decision_id, r.beacon
"""

_LINES = "SELECT line_id FROM budgeted_lines WHERE campaign_id = %s"

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
                    chain = _Chain(file, cut.previous)
                    net = sum(map(chain.add, _records(connection, cut)))
                    chain.add({"type": "end", "net_micros": net})
                made = cut.made(chain, net)
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

    def _cut(self, connection: Connection[TupleRow], campaign_id: UUID) -> "_Cut | None":
        """Decide what the next export is of; None: there is nothing new."""
        last = self._last(connection, campaign_id)
        of = connection.execute(_CAMPAIGN, (campaign_id,)).fetchone()
        if of is None:
            return None
        advertiser_id, currency, zone = of
        with connection.transaction():
            row = connection.execute(_CUT, (advertiser_id,)).fetchone()
        through, _, credited_ms = row or (0, 0, 0)
        cut = _Cut(
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


@dataclass(frozen=True)
class _Cut:
    """What an export is of."""

    campaign_id: UUID
    advertiser_id: UUID
    currency: str
    zone: str
    number: int
    previous: str
    after: int
    through: int
    credited_after: int
    credited_through: int

    def parameters(self) -> dict[str, Any]:
        return {**vars(self), "soon": self.credited_through - _SOON_MS}

    def made(self, chain: "_Chain", net_micros: int) -> Export:
        return Export(
            self.campaign_id,
            self.number,
            self.advertiser_id,
            datetime.fromtimestamp(self.credited_through / 1000, UTC),
            self.after,
            self.through,
            self.credited_through,
            self.previous,
            chain.head,
            chain.lines,
            chain.bytes,
            net_micros,
            f"ad-exports/{self.campaign_id}/{self.number:06d}-{chain.head}.jsonl",
        )


class _Chain:
    """Writes lines, each with the hash of the one before it."""

    def __init__(self, file: BinaryIO, previous: str) -> None:
        self._file = file
        self.head, self.lines, self.bytes = previous, 0, 0

    def add(self, record: dict[str, Any]) -> int:
        """Write a line; return what it adds to the bill."""
        line = json.dumps(
            {**record, "prev": self.head}, sort_keys=True, separators=(",", ":"), default=str
        )
        raw = f"{line}\n".encode()
        self._file.write(raw)
        self.head, self.lines = sha256(raw).hexdigest(), self.lines + 1
        self.bytes += len(raw)
        return int(record.get("micros", 0))


@dataclass(frozen=True)
class _Charged:
    """A report that counts, and what it cost; its token proves the decision."""

    decision_id: UUID
    beacon: int
    reported_ms: int
    mark: str | None
    micros: int
    leaked_micros: int
    batch: int
    line_id: UUID
    creative_id: UUID
    day: int
    place: int
    surface: int
    token: bytes
    bid_micros: int | None
    is_known: bool
    seen_ms: int | None


class _Settled(NamedTuple):
    """A batch of a line and day, as it was told to the ledger."""

    stream_id: UUID
    version: int
    line_id: UUID
    batch: int
    day: str
    micros: int

    @property
    def source(self) -> str:
        """Return the key under which the ledger has booked it."""
        return f"event:{self.stream_id}:{self.version}"


def _records(connection: Connection[TupleRow], cut: _Cut) -> Iterator[dict[str, Any]]:
    yield {
        "type": "export",
        "version": 1,
        "advertiser_id": cut.advertiser_id,
        "campaign_id": cut.campaign_id,
        "number": cut.number,
        "currency": cut.currency,
        "zone": cut.zone,
    }
    told = set[UUID]()
    settled = groupby(_settled(connection, cut), attrgetter("batch"))
    batch_settled = next(settled, None)
    for batch, charged in groupby(_charged(connection, cut), attrgetter("batch")):
        rows = list(batch_settled[1]) if batch_settled and batch_settled[0] == batch else []
        sources = {(row.line_id, row.day): row.source for row in rows}
        for each in charged:
            yield from _told(each, told, sources)
        yield from map(_batch, rows)
        if rows:
            batch_settled = next(settled, None)
    yield from _credits(connection, cut)


def _charged(connection: Connection[TupleRow], cut: _Cut) -> Iterator[_Charged]:
    with connection.cursor("export", row_factory=class_row(_Charged)) as cursor:
        cursor.itersize = _AT_ONCE
        yield from cursor.execute(_CHARGES, cut.parameters())


def _settled(connection: Connection[TupleRow], cut: _Cut) -> Iterator[_Settled]:
    lines = [line_id for (line_id,) in connection.execute(_LINES, (cut.campaign_id,))]
    parameters = cut.parameters() | {
        "streams": [spend_stream(line_id) for line_id in lines],
        "topic": SpendSettled.TOPIC,
    }
    with connection.cursor("settled") as cursor:
        cursor.itersize = _AT_ONCE
        yield from map(_Settled._make, cursor.execute(_SETTLED, parameters))


def _told(
    each: _Charged, told: set[UUID], sources: dict[tuple[UUID, str], str]
) -> Iterator[dict[str, Any]]:
    day = date.fromordinal(each.day).isoformat()
    of = {"decision_id": each.decision_id, "beacon": Beacon(each.beacon).name.lower()}
    if each.decision_id not in told:
        told.add(each.decision_id)
        yield _decision(each, day)
    if each.seen_ms is not None:
        seen = {**of, "beacon": "viewable", "reported_ms": each.seen_ms, "mark": None}
        yield {"type": "report", "again": True, **seen}
    report = {"reported_ms": each.reported_ms, "mark": each.mark}
    yield {"type": "report", "again": False, **of, **report}
    if each.micros or each.leaked_micros:
        yield {
            "type": "charge",
            "again": False,
            **of,
            "micros": each.micros,
            "leaked_micros": each.leaked_micros,
            "source": sources.get((each.line_id, day)),
        }


def _decision(each: _Charged, day: str) -> dict[str, Any]:
    (token,) = columns([each.token])
    return {
        "type": "decision",
        "again": each.is_known,
        "decision_id": each.decision_id,
        "line_id": each.line_id,
        "creative_id": each.creative_id,
        "kind": KINDS[int(token["kind"])],
        "day": day,
        "place": each.place,
        "surface": each.surface,
        "decided_ms": int(token["decided_ms"]),
        "expires_ms": int(token["expires_ms"]),
        "price_micros": int(token["price_micros"]),
        "bid_micros": each.bid_micros,
    }


def _batch(row: _Settled) -> dict[str, Any]:
    of = {"source": row.source, "line_id": row.line_id, "day": row.day}
    return {"type": "settled", **of, "sum_micros": row.micros}


def _credits(connection: Connection[TupleRow], cut: _Cut) -> Iterable[dict[str, Any]]:
    for row in connection.execute(_CREDITS, cut.parameters()):
        decision_id, beacon, micros, reason, credited_ms, line_id, day, kind = row
        yield {
            "type": "credit",
            "again": False,
            "decision_id": decision_id,
            "beacon": Beacon(beacon).name.lower(),
            "micros": -micros,
            "reason": reason,
            "credited_ms": credited_ms,
            "line_id": line_id,
            "day": date.fromordinal(day).isoformat(),
            "kind": kind,
        }
