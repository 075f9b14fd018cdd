"""Simulated pages in PostgreSQL: which simulations are under way, how far they are, what is due.

Pages are stored together with the reports that will come of them, and the count of them, in one
transaction; a report leaves with its being reported. So whoever dies in between loses nothing, and
nothing is told twice.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from ads.beacons import Beacon
from ads.invalid_traffic import Arrival, InvalidTraffic
from ads.surfaces import Surface
from ads.tokens import AdTokenInvalid, Tokens, unpacked
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.store.pages_elsewhere import PageElsewhere, recording

FEED = Surface.SANDBOX.name.lower()
"""The feed of a page in the view log that was simulated."""

_OPEN = """
    SELECT simulation_id, advertiser_id, pages, viewers, minutes, seed, started_at, pages_done,
           coalesce(extract(epoch FROM clock_timestamp() - started_at), 0)::float8 AS elapsed_s
    FROM ad_simulations WHERE state IN ('waiting', 'running') ORDER BY requested_at
"""

_START = """
    UPDATE ad_simulations SET state = 'running', started_at = clock_timestamp()
    WHERE simulation_id = %s AND state = 'waiting'
"""

_ADVANCE = """
    UPDATE ad_simulations SET pages_done = pages_done + %(pages)s, ads = ads + %(ads)s,
        outcomes = outcomes || (
            SELECT coalesce(jsonb_object_agg(key, value::bigint
                            + coalesce((outcomes ->> key)::bigint, 0)), '{}')
            FROM jsonb_each_text(%(outcomes)s))
    WHERE simulation_id = %(simulation_id)s AND state = 'running' AND pages_done = %(before)s
    RETURNING true
"""

_EXPECT = """
    INSERT INTO simulated_reports (simulation_id, due_ms, beacon, token, agent)
    SELECT %s, * FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[])
"""

_DUE = """
    DELETE FROM simulated_reports WHERE report_id IN (
        SELECT report_id FROM simulated_reports
        WHERE simulation_id = %s AND due_ms <= clock_ms() ORDER BY due_ms LIMIT %s
    ) RETURNING due_ms, report_id, beacon, token, agent, clock_ms()
"""

_COUNT = "UPDATE ad_simulations SET reports = reports + %s WHERE simulation_id = %s"

_END = """
    UPDATE ad_simulations SET state = 'completed', ended_at = clock_timestamp()
    WHERE simulation_id = %(simulation_id)s AND state = 'running' AND pages_done = pages
      AND NOT EXISTS (SELECT FROM simulated_reports WHERE simulation_id = %(simulation_id)s)
"""

_FAIL = """
    UPDATE ad_simulations SET state = 'failed', ended_at = clock_timestamp()
    WHERE simulation_id = %s AND state IN ('waiting', 'running')
"""

# Nobody reports any more of what was stopped.
_FORGET = """
    DELETE FROM simulated_reports USING ad_simulations s
    WHERE s.simulation_id = simulated_reports.simulation_id AND s.state IN ('stopped', 'failed')
"""

_REPORTS_AT_ONCE = 1_000


class Simulation(msgspec.Struct, frozen=True):
    """A simulation that is under way. It began `elapsed_s` ago; `started_at` None is: not yet."""

    simulation_id: UUID
    advertiser_id: UUID
    pages: int
    viewers: int
    minutes: int
    seed: int
    started_at: datetime | None
    pages_done: int
    elapsed_s: float


class Expected(NamedTuple):
    """A report that will come, with its token, of whoever has this agent."""

    due_ms: int
    beacon: Beacon
    token: str
    agent: str


class PlayedPage(NamedTuple):
    """A page as it is to be recorded, and what will be reported of it."""

    decision_id: UUID
    viewer_id: UUID
    reason: str
    ads: int
    record: str | None
    expected: Sequence[Expected]


def under_way(connection: Connection[TupleRow]) -> Sequence[Simulation]:
    """Return the simulations that are under way, who waits longest first."""
    connection.execute(_FORGET)
    with connection.cursor(row_factory=class_row(Simulation)) as cursor:
        return cursor.execute(_OPEN).fetchall()


def start(connection: Connection[TupleRow], simulation: Simulation) -> None:
    """Note that a simulation begins."""
    connection.execute(_START, (simulation.simulation_id,))


def keep(
    connection: Connection[TupleRow], simulation: Simulation, pages: Sequence[PlayedPage]
) -> bool:
    """Store the next pages; False: they are not wanted any more, or somebody else has played them.

    Raises:
        psycopg.OperationalError: PostgreSQL is not there: all or nothing was stored.
    """
    counted = {
        "simulation_id": simulation.simulation_id,
        "before": simulation.pages_done,
        "pages": len(pages),
        "ads": sum(page.ads for page in pages),
        "outcomes": Jsonb(Counter(page.reason for page in pages)),
    }
    recorded = [
        PageElsewhere(page.decision_id, page.viewer_id, page.record)
        for page in pages
        if page.record is not None
    ]
    expected = [each for page in pages for each in page.expected]
    with connection.transaction():
        if connection.execute(_ADVANCE, counted).fetchone() is None:
            return False
        if expected:
            due, beacons, tokens, agents = map(list, zip(*expected, strict=True))
            of = simulation.simulation_id
            connection.execute(_EXPECT, (of, due, [*map(int, beacons)], tokens, agents))
        if recorded:
            for statement, parameters in recording(FEED, recorded):
                connection.execute(statement, parameters)
    return True


def report_due(
    connection: Connection[TupleRow],
    simulation: Simulation,
    tokens: Tokens,
    invalid_traffic: InvalidTraffic,
) -> int:
    """Report what is due, judged as any report is when it arrives; return how many that were."""
    of = simulation.simulation_id
    with connection.transaction():
        rows = connection.execute(_DUE, (of, _REPORTS_AT_ONCE)).fetchall()
        reported = list[Reported]()
        for _, _, beacon, text, agent, now_ms in sorted(rows):
            try:
                token = tokens.verify(text, now_ms=now_ms)
            except AdTokenInvalid:  # it has expired: no report of it is believed
                continue
            duration_ms = token.duration_ms or None
            arrival = Arrival(Beacon(beacon), token.decided_ms, now_ms, agent, "", duration_ms)
            mark = invalid_traffic.mark(arrival)
            reported.append(Reported(Beacon(beacon), unpacked(text), mark.rule if mark else None))
        if reported:
            connection.execute(APPEND, append_parameters(reported))
            connection.execute(_COUNT, (len(reported), of))
    return len(rows)


def end(connection: Connection[TupleRow], simulation: Simulation) -> None:
    """Note that all pages were shown, and all was reported, if that is so."""
    connection.execute(_END, {"simulation_id": simulation.simulation_id})


def fail(connection: Connection[TupleRow], simulation: Simulation) -> None:
    """Note that a simulation does not go on."""
    connection.execute(_FAIL, (simulation.simulation_id,))
