"""The logs as rows that a data scientist reads: what happened, when, and to what.

The view log comes as two tables: what was watched (`views`), and what was served (`slates`). They
share its positions, and their days are read from wherever they are by now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString, Self
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import MapperDeserialisationError
from polars import DataFrame, col
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from myriorama.replay.public_events import published
from myriorama.store.mapper import SchemaFromFuture
from myriorama.store.objects import Objects
from myriorama.store.view_exports import Exports, ViewTable, dropped_before, dropped_upto

LogName = Literal["domain", "views", "slates"]
Row = dict[str, Any]

_PAGE = 2000
_EXPORTED_PAGE = 50_000
_ENDLESS = 2**62

_DOMAIN = """
    SELECT position, recorded_at, topic, originator_id AS aggregate_id,
           originator_version AS version, actor_id, request_id, state
    FROM events
    WHERE position > %(after)s AND position <= %(last)s
      AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    ORDER BY position LIMIT %(page)s
"""

_VIEWS = """
    SELECT position, recorded_at, viewer_id, video_id, decision_id, session_id, sequence,
           watched_ms, loops
    FROM viewings
    WHERE position > %(after)s AND position <= %(last)s
      AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    ORDER BY position LIMIT %(page)s
"""

_SLATES = """
    SELECT position, recorded_at, decision_id, viewer_id, feed, before, video_ids,
           ranking::text AS ranking, ads::text AS ads
    FROM slates
    WHERE position > %(after)s AND position <= %(last)s
      AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    ORDER BY position LIMIT %(page)s
"""

_VIEW_TABLES: Mapping[LogName, tuple[LiteralString, ViewTable]] = {
    "views": (_VIEWS, "viewings"),
    "slates": (_SLATES, "slates"),
}


class BoundInvalid(ValueError):
    """A bound is neither a position nor a time."""


@dataclass(frozen=True)
class Bounds:
    """A stretch of a log: positions (after, last], and times [since, until)."""

    after: int = 0
    last: int = _ENDLESS
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def parse(cls, since: str | None, until: str | None) -> Self:
        """Read bounds as people give them: a position, or a time in ISO 8601 (UTC if it says none).

        `since` is included, `until` is not.

        Raises:
            BoundInvalid: one is neither.
        """
        after, earliest = _bound(since)
        last, latest = _bound(until)
        return cls(
            after=0 if after is None else after - 1,
            last=_ENDLESS if last is None else last - 1,
            since=earliest,
            until=latest,
        )


def stream(url: str, objects: Objects, log: LogName, bounds: Bounds) -> Iterator[Row]:
    """Yield the rows of a log in position order, as it stands at the first.

    Of a domain event, `data` holds its public fields (`public_events.py`).
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if log == "domain":
            yield from map(_published, _domain(connection, bounds))
        else:
            yield from _views(connection, Exports(objects), log, bounds)


def _domain(connection: Connection[TupleRow], bounds: Bounds) -> Iterator[Row]:
    after = bounds.after
    while page := _page(connection, _DOMAIN, bounds, after):
        yield from page
        after = page[-1]["position"]


def _views(
    connection: Connection[TupleRow],
    exports: Exports,
    log: Literal["views", "slates"],
    bounds: Bounds,
) -> Iterator[Row]:
    query, table = _VIEW_TABLES[log]
    after = bounds.after
    if bounds.since is not None:
        after = max(after, dropped_before(connection, bounds.since))
    while after < bounds.last:
        page = _page(connection, query, bounds, after)
        # Asked afterwards: in case a day was dropped while the page was read, it is not looked at.
        if after < (dropped := dropped_upto(connection)):
            upto = min(after + _EXPORTED_PAGE, dropped, bounds.last)
            rows = exports.rows(connection, table, after, upto)
            yield from map(_identified, _between(rows, bounds).iter_rows(named=True))
            if bounds.until and len(rows) and rows["recorded_at"][-1] >= bounds.until:
                return
            after = upto
        elif page:
            yield from page
            after = page[-1]["position"]
        else:
            return


def _page(
    connection: Connection[TupleRow], query: LiteralString, bounds: Bounds, after: int
) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            query,
            {
                "after": after,
                "last": bounds.last,
                "since": bounds.since,
                "until": bounds.until,
                "page": _PAGE,
            },
        ).fetchall()


def _between(rows: DataFrame, bounds: Bounds) -> DataFrame:
    if bounds.since is not None:
        rows = rows.filter(col("recorded_at") >= bounds.since)
    if bounds.until is not None:
        rows = rows.filter(col("recorded_at") < bounds.until)
    return rows


def _identified(row: Row) -> Row:
    """Return a row that was exported as PostgreSQL would tell it: IDs are text in the export."""
    for name, value in row.items():
        if name.endswith("_id"):
            row[name] = UUID(value)
        elif name.endswith("_ids"):
            row[name] = [*map(UUID, value)]
    return row


def _published(row: Row) -> Row:
    state = row.pop("state")
    try:
        event = published(row["topic"], state)
    except (MapperDeserialisationError, SchemaFromFuture):
        # Nobody can read it, or only a newer release: nobody here knows what of it is public.
        return {**row, "occurred_at": None, "data": {}}
    data = msgspec.json.decode(msgspec.json.encode(event.data))
    occurred_at = msgspec.json.decode(event.occurred_at)
    return {**row, "topic": event.topic, "occurred_at": occurred_at, "data": data}


def _bound(text: str | None) -> tuple[int | None, datetime | None]:
    if text is None:
        return None, None
    if text.isdecimal():
        return int(text), None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BoundInvalid(
            f"{text!r} is neither a position (42) nor a time (2026-11-22T12:00:00Z)."
        ) from None
    return None, time if time.tzinfo else time.replace(tzinfo=UTC)
