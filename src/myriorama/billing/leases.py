"""Leases: parts of budgets that a server may spend without asking, granted by PostgreSQL.

The server's clock has no say in how long a lease lasts: it counts from before it asked, by a clock
that only goes forward. What it does not spend it gives back; what a server held that was killed
comes back when the last token that it can have signed has expired, and was settled or not.
"""

from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.days import bounds_ms, day_of
from myriorama.store.postgres import Pool

SERVES_MS = 5_000
"""So long a server may spend a lease."""

TOKEN_LIFE_MS = 600_000
"""So long a token is believed after its decision, and no longer."""

SKEW_MS = 5_000
"""So much later than its last token a lease is taken back."""

_ZONE = "SELECT zone, clock_ms() FROM budgeted_lines WHERE line_id = %s"

_GRANT = "SELECT * FROM grant_lease(%s, %s, %s, %s, %s, %s, %s, %s)"

_SHRINK = "SELECT shrink_leases(ARRAY[%s::bigint], ARRAY[%s::bigint], false)"

_EXPIRED = """
    SELECT lease_id FROM leases WHERE is_open AND tokens_until_ms < %s
    ORDER BY tokens_until_ms LIMIT %s
"""

_CLOSE = "SELECT shrink_leases(%s::bigint[], %s::bigint[], true)"

_RECLAIMED_AT_ONCE = 1000


class Lease(NamedTuple):
    """What a server was granted.

    `serves_ms` counts from before it was asked for; no token may be signed for it that is believed
    after `tokens_until_ms` (since 1970, by the clock of PostgreSQL). `day` is an ordinal.
    """

    lease_id: int
    line_id: UUID
    day: int
    micros: int
    serves_ms: int
    tokens_until_ms: int


class Lessor(Protocol):
    """Who grants leases."""

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        """Grant a lease of today, or None: there is less than `least_micros` to be had."""
        ...

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        """Take back what was not issued out of a lease that is spent no more. Idempotent."""
        ...


class Leases:
    """Grants leases out of the budgets in PostgreSQL, to one server."""

    def __init__(
        self,
        pool: Pool,
        server: str,
        *,
        serves_ms: int = SERVES_MS,
        token_life_ms: int = TOKEN_LIFE_MS,
    ) -> None:
        """Take the pool, and the name of the server, for operators."""
        self._pool = pool
        self._server = server
        self._serves_ms = serves_ms
        self._token_life_ms = token_life_ms

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        """Grant a lease of the line's present day, which ends with it.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there.
        """
        with self._pool.connection() as connection:
            row = connection.execute(_ZONE, (line_id,)).fetchone()
            if row is None:
                return None
            zone, now_ms = row
            return self.granted(
                connection, line_id, wanted_micros, least_micros, zone=zone, now_ms=now_ms
            )

    def granted(  # noqa: PLR0913 - what is granted, and when
        self,
        connection: Connection[TupleRow],
        line_id: UUID,
        wanted_micros: int,
        least_micros: int,
        *,
        zone: str,
        now_ms: int,
    ) -> Lease | None:
        """Grant a lease at `now_ms`, by the clock of PostgreSQL, over a connection."""
        day = day_of(now_ms, ZoneInfo(zone))
        until_ms = min(now_ms + self._serves_ms, bounds_ms(day, ZoneInfo(zone))[1])
        tokens_until_ms = until_ms + self._token_life_ms
        wanted = (line_id, day.toordinal(), self._server, max(wanted_micros, least_micros))
        times = (now_ms, until_ms, tokens_until_ms)
        row = connection.execute(_GRANT, (*wanted, least_micros, *times)).fetchone()
        if row is None or row[0] is None:
            return None
        lease_id, micros = row
        return Lease(lease_id, line_id, day.toordinal(), micros, until_ms - now_ms, tokens_until_ms)

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        """Take back what was not issued. Idempotent.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there.
        """
        with self._pool.connection() as connection:
            connection.execute(_SHRINK, (lease_id, issued_micros))


def reclaim(connection: Connection[TupleRow], *, settled_ms: int, skew_ms: int = SKEW_MS) -> int:
    """Close the leases whose last token has expired, and return what was left in them.

    Args:
        connection: where nothing else is going on.
        settled_ms: all that was reported up to then has been settled: a token of that time may
            still wait for its charge, and its lease waits with it.
        skew_ms: for how much longer leases wait.
    """
    ids = [
        row[0] for row in connection.execute(_EXPIRED, (settled_ms - skew_ms, _RECLAIMED_AT_ONCE))
    ]
    if not ids:
        return 0
    row = connection.execute(_CLOSE, (ids, [0] * len(ids))).fetchone()
    return int(row[0]) if row else 0
