"""The lines of an export: decisions, reports, charges, settled batches and credits, chained."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from ads.beacons import Beacon
from ads.lines import KINDS
from ads.tokens import columns
from domain.spend.events import SpendSettled, spend_stream

_CHARGES = Path(__file__).with_name("exports.sql").read_bytes()
_AT_ONCE = 5_000
_SOON_MS = 600_000

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
    FROM budgeted_lines b JOIN charges c USING (line_id)
    JOIN credits r USING (decision_id, beacon, is_marked)
    LEFT JOIN line_items i ON i.line_item_id = c.line_id
    WHERE b.campaign_id = %(campaign_id)s
      AND r.credited_ms > %(credited_after)s AND r.credited_ms <= %(credited_through)s
    ORDER BY r.credited_ms, r.decision_id, r.beacon
"""

_LINES = "SELECT line_id FROM budgeted_lines WHERE campaign_id = %s"


@dataclass(frozen=True)
class Cut:
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


class Chain:
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


def records(connection: Connection[TupleRow], cut: Cut) -> Iterator[dict[str, Any]]:
    """Yield the lines of an export but its last, in the transaction that the connection is in."""
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


def _charged(connection: Connection[TupleRow], cut: Cut) -> Iterator[_Charged]:
    with connection.cursor("export", row_factory=class_row(_Charged)) as cursor:
        cursor.itersize = _AT_ONCE
        yield from cursor.execute(_CHARGES, cut.parameters())


def _settled(connection: Connection[TupleRow], cut: Cut) -> Iterator[_Settled]:
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


def _credits(connection: Connection[TupleRow], cut: Cut) -> Iterable[dict[str, Any]]:
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
