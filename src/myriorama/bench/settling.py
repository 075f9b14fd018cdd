"""How fast reports of ads are settled, each once, a third of them sent twice and out of order."""

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from uuid import UUID, uuid4

import psycopg

from ads.beacons import Beacon
from ads.tokens import AdToken, Tokens, unpacked
from myriorama.bench.outcome import Outcome, Progress
from myriorama.bench.scratch import scratch_house
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.billing.leases import Lease, Leases
from myriorama.billing.outbox import Outbox
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import BudgetedLine, drift_micros, put_line, set_cap
from myriorama.store.postgres import open_pool

EVENTS = 200_000
LINES = 100
REPEATED = 0.3
_AT_ONCE = 5_000
_MICROS = 4_200
_CHARGED = "SELECT count(*), coalesce(sum(micros), 0)::bigint FROM charges WHERE micros > 0"

# What settlement needs of decisions is that they are on record.
RECORD = """
    INSERT INTO ad_decisions
    SELECT id, now(), id, id, 'for_you', 0, 3, id, id, advertiser, id, 'cpm', 4200, 4200, 1, 1, 1,
           1, 1, 1, 1, 1, 1, 1, NULL, NULL, '{}', 1, 1, 'auction', true, 'bench', 1
    FROM unnest(%s::uuid[]) AS id, (SELECT %s::uuid AS advertiser) AS of
"""


def measure(progress: Progress, *, events: int = EVENTS) -> Outcome:
    """Fill the log, then settle all of it in one process, with the events that tell of it."""
    with ExitStack() as stack:
        house = stack.enter_context(scratch_house())
        pool = stack.enter_context(open_pool(house.database_url, size_max=2))
        connection = stack.enter_context(psycopg.connect(house.database_url, autocommit=True))
        tokens = Tokens({1: b"a key that is of this benchmark alone"})
        advertiser = uuid4()
        distinct = round(events / (1 + REPEATED))
        leases = _leases(connection, Leases(pool, "bench"), advertiser, distinct)
        views = _views(tokens, advertiser, leases, distinct)
        connection.execute(RECORD, ([token.decision_id for token, _ in views], advertiser))
        log = _log([packed for _, packed in views], events)
        for start in range(0, events, _AT_ONCE):
            rows = [Reported(Beacon.VIEWABLE, token) for token in log[start : start + _AT_ONCE]]
            connection.execute(APPEND, append_parameters(rows))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        progress(f"{events} reports of {distinct} views wait to be settled")
        settlement, outbox = Settlement(connection, tokens), Outbox(pool)
        began = time.perf_counter()
        while not settlement.settle().is_last:
            outbox.publish()
        took_s = time.perf_counter() - began
        while outbox.publish():
            pass
        outbox.close()
        (charged, micros) = connection.execute(_CHARGED).fetchone() or (0, 0)
        return Outcome(
            "settlement",
            figures={
                "events_per_s": events / took_s,
                "charged_per_s": charged / took_s,
                "doubled": charged - distinct,
                "drift_micros": drift_micros(connection) + abs(micros - charged * _MICROS),
            },
            ratios={},
        )


def _leases(
    connection: psycopg.Connection, lessor: Leases, advertiser: UUID, views: int
) -> Sequence[Lease]:
    """Return a lease of each line that has room for its share of the views."""
    room = _MICROS * (views // LINES + 1)
    set_cap(connection, "advertiser", advertiser, 8 * room * LINES, advertiser_id=advertiser)
    campaign = uuid4()
    set_cap(connection, "campaign", campaign, 8 * room * LINES, advertiser_id=advertiser)
    found = list[Lease]()
    for _ in range(LINES):
        line_id = uuid4()
        put_line(connection, BudgetedLine(line_id, campaign, advertiser, "UTC"))
        lease = lessor.grant(line_id, wanted_micros=room, least_micros=room)
        if lease is None:
            raise LookupError("the budget has no room for what is to be measured")
        found.append(lease)
    return found


def _views(
    tokens: Tokens, advertiser: UUID, leases: Sequence[Lease], distinct: int
) -> Sequence[tuple[AdToken, bytes]]:
    """Return the tokens of decisions, and as they are signed."""
    chance = random.Random(1)  # noqa: S311 - the same log each time
    now_ms = time.time_ns() // 1_000_000
    creative = uuid4()
    placed = [
        AdToken(
            decision_id=UUID(int=chance.getrandbits(128)),
            line_id=(lease := leases[number % len(leases)]).line_id,
            creative_id=creative,
            advertiser_id=advertiser,
            lease_id=lease.lease_id,
            kind="cpm",
            price_micros=_MICROS,
            viewer=number,
            position=3,
            surface=0,
            decided_ms=now_ms,
            expires_ms=lease.tokens_until_ms,
            day=lease.day,
        )
        for number in range(distinct)
    ]
    return [(token, unpacked(tokens.sign(token))) for token in placed]


def _log(views: Sequence[bytes], events: int) -> Sequence[bytes]:
    """Return tokens in the order of their reports: some twice, none far from where it was."""
    chance = random.Random(2)  # noqa: S311 - the same log each time
    placed = [*enumerate(views)]
    again = chance.sample(placed, events - len(views))
    placed += [(place + chance.randrange(20_000), view) for place, view in again]
    return [view for _, view in sorted(placed, key=lambda each: each[0])]
