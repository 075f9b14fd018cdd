"""Routes for those who run the house: is it alive, is it ready, what has it counted."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama import telemetry
from myriorama.api.problem_catalogue import page
from myriorama.api.tokens import Scope

LAG_S_MAX = 30.0

_MIGRATED = "SELECT name FROM migrations"

# How long ago the first event was recorded that a projection of the domain log has not folded.
_LAG = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waiting.recorded_at)), 0)::float8
    FROM unnest(%s::text[]) AS followed (name)
    LEFT JOIN projection_positions p USING (name)
    CROSS JOIN LATERAL (
        SELECT recorded_at FROM events WHERE position > coalesce(p.position, 0)
        ORDER BY position LIMIT 1
    ) AS waiting
"""


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests may be sent here, and which part is why not."""

    ready: bool
    postgres: Literal["reachable", "unreachable"]
    migrations_missing: list[str]
    projections_lag_s: float


class Operations:
    """Looks at the parts that this process needs to answer."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        *,
        migrations: Sequence[str],
        projections: Sequence[str],
    ) -> None:
        self._pool = pool
        self._migrations = frozenset(migrations)
        self._projections = list(projections)

    async def readiness(self) -> Readiness:
        try:
            async with self._pool.connection(timeout=2) as connection:
                applied = {
                    name for (name,) in await (await connection.execute(_MIGRATED)).fetchall()
                }
                missing = sorted(self._migrations - applied)
                lag_s = 0.0 if missing else await self._lag_s(connection)
        except OperationalError:
            return Readiness(
                ready=False, postgres="unreachable", migrations_missing=[], projections_lag_s=0
            )
        ready = not missing and lag_s <= LAG_S_MAX
        return Readiness(
            ready=ready,
            postgres="reachable",
            migrations_missing=missing,
            projections_lag_s=round(lag_s, 3),
        )

    async def _lag_s(self, connection: AsyncConnection[TupleRow]) -> float:
        row = await (await connection.execute(_LAG, (self._projections,))).fetchone()
        return float(row[0]) if row else 0.0


OPEN = {"scope": Scope.PUBLIC, "limit": "none"}


@get("/health", opt=OPEN, tags=["Operations"], sync_to_thread=False)
def health() -> Health:
    """Tell that this process answers, whatever the state of what it depends on."""
    return Health()


@get("/ready", opt=OPEN, tags=["Operations"])
async def ready(operations: NamedDependency[Operations]) -> Response[Readiness]:
    """Tell whether requests may be sent here: PostgreSQL is migrated, projections keep up."""
    found = await operations.readiness()
    return Response(found, status_code=200 if found.ready else 503)


@get("/metrics", opt=OPEN, tags=["Operations"], media_type="text/plain; version=0.0.4")
async def metrics() -> bytes:
    """Tell what has been counted, in the text format of Prometheus."""
    return telemetry.metrics()


@get("/problems", opt=OPEN, tags=["Operations"], media_type=MediaType.HTML, sync_to_thread=False)
def problems() -> str:
    """Explain every code that a problem document may have."""
    return page()


routes = [health, ready, metrics, problems]
