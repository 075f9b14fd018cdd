"""Simulations as advertisers ask for them: one at a time for a sandbox, some a day, and stopped.

How far one has come, whoever plays it notes: `billing.simulated_pages`.
"""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.errors import Conflict, NotFound
from myriorama.store.identity import new_id

A_DAY_MAX = 50
"""So many simulations an advertiser has begun in a day, at most."""

State = Literal["waiting", "running", "completed", "stopped", "failed"]

# What was asked with the same key before is the same.
_REQUEST = """
    INSERT INTO ad_simulations (simulation_id, advertiser_id, requested_by, requested_at, pages,
                                viewers, minutes, seed)
    SELECT %(simulation_id)s, %(advertiser_id)s, %(by)s, %(at)s, %(pages)s, %(viewers)s,
           %(minutes)s, %(seed)s
    WHERE (SELECT count(*) FROM ad_simulations WHERE advertiser_id = %(advertiser_id)s
           AND requested_at > %(at)s - interval '1 day') < %(most)s
    ON CONFLICT (simulation_id) DO NOTHING RETURNING seed
"""

_IS_THERE = "SELECT seed FROM ad_simulations WHERE simulation_id = %s"

_TELL = "SELECT pg_notify('ad_simulations', '')"

_STOP = """
    WITH stopped AS (
        UPDATE ad_simulations SET state = 'stopped', ended_at = clock_timestamp()
        WHERE simulation_id = %(simulation_id)s AND advertiser_id = %(advertiser_id)s
          AND state IN ('waiting', 'running')
    )
    SELECT true FROM ad_simulations
    WHERE simulation_id = %(simulation_id)s AND advertiser_id = %(advertiser_id)s
"""


class SimulationNotFound(NotFound):
    """There is no such simulation, or it is another advertiser's."""


class SimulationUnderWay(Conflict):
    """A simulation of this advertiser is under way: wait for its end, or stop it."""


class TooManySimulations(Conflict):
    """An advertiser has fifty simulations a day, at most."""


class Wanted(NamedTuple):
    """What is to be simulated: so many pages, of so many viewers, over so many minutes."""

    pages: int
    viewers: int
    minutes: int
    seed: int


class Requested(NamedTuple):
    """A simulation that was asked for, and by which seed it draws."""

    simulation_id: UUID
    seed: int


class Simulations:
    """What advertisers ask for. Lives in one event loop."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool

    async def request(
        self, advertiser_id: UUID, wanted: Wanted, *, by: UUID, at: datetime
    ) -> Requested:
        """Have traffic simulated; return the simulation, the same for the same command.

        Raises:
            SimulationUnderWay: one is, and there is one at a time.
            TooManySimulations: there were as many as there may be in a day.
        """
        simulation_id = new_id()
        asked = {
            **wanted._asdict(),
            "simulation_id": simulation_id,
            "advertiser_id": advertiser_id,
            "by": by,
            "at": at,
            "most": A_DAY_MAX,
        }
        try:
            async with self._pool.connection() as connection, connection.transaction():
                made = await (await connection.execute(_REQUEST, asked)).fetchone()
                if made is None:
                    there = await connection.execute(_IS_THERE, (simulation_id,))
                    made = await there.fetchone()
                if made is None:
                    raise TooManySimulations(f"{A_DAY_MAX} simulations a day are the most.")
                await connection.execute(_TELL)
        except UniqueViolation as error:
            raise SimulationUnderWay("A simulation of this advertiser is under way.") from error
        return Requested(simulation_id, made[0])

    async def stop(self, advertiser_id: UUID, simulation_id: UUID) -> None:
        """Stop a simulation; what has ended stays as it is.

        Raises:
            SimulationNotFound: the advertiser has no such one.
        """
        asked = {"advertiser_id": advertiser_id, "simulation_id": simulation_id}
        async with self._pool.connection() as connection:
            found = await (await connection.execute(_STOP, asked)).fetchone()
        if found is None:
            raise SimulationNotFound("There is no such simulation.")
