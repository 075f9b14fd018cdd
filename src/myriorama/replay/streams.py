"""The logs as rows that a data scientist reads: what happened, when, and to what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString, Self

import msgspec
import psycopg
from psycopg.rows import dict_row

from myriorama.replay.public_events import published
from myriorama.store.mapper import SchemaFromFuture

LogName = Literal["domain", "views"]
Row = dict[str, Any]

_PAGE = 2000
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

_QUERIES: Mapping[LogName, LiteralString] = {"domain": _DOMAIN, "views": _VIEWS}


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


def stream(url: str, log: LogName, bounds: Bounds) -> Iterator[Row]:
    """Yield the rows of a log in position order, as it stands at the first.

    Of a domain event, `data` holds its public fields (`public_events.py`).
    """
    after = bounds.after
    with (
        psycopg.connect(url, autocommit=True) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        while True:
            page = cursor.execute(
                _QUERIES[log],
                {
                    "after": after,
                    "last": bounds.last,
                    "since": bounds.since,
                    "until": bounds.until,
                    "page": _PAGE,
                },
            ).fetchall()
            for row in page:
                yield _published(row) if log == "domain" else row
            if len(page) < _PAGE:
                return
            after = page[-1]["position"]


def _published(row: Row) -> Row:
    state = row.pop("state")
    try:
        event = published(row["topic"], state)
    except SchemaFromFuture:
        # A newer release stored it, and alone knows what of it is public.
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
