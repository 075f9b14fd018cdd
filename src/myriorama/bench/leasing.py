"""Whether budgets hold while servers are killed: leases of four processes, demand three times them.

Every server is a process of its own, killed at random and replaced; what it signs is reported
through a pipe, a third of it twice and out of order, and settled meanwhile. Who was killed has
signed for what nobody can tell but its reports: the rest comes back when those tokens expire.
"""

import multiprocessing
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg

from ads.beacons import Beacon
from ads.tokens import TOKEN_BYTES, AdToken, Tokens, columns, unpacked
from myriorama.bench.outcome import Outcome, Progress
from myriorama.bench.scratch import scratch_house
from myriorama.bench.settling import RECORD
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.billing.leases import Leases, reclaim
from myriorama.billing.outbox import Outbox
from myriorama.billing.purses import Purses
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import BudgetedLine, drift_micros, put_line, set_cap
from myriorama.store.postgres import open_pool

SERVERS = 4
LINES = 20
DURATION_S = 20.0
KILL_EVERY_S = 0.7
REDELIVERED = 0.3
DEMAND = 3
_PRICES = (50, 400)
_BUDGET_MICROS = 400_000
_SERVES_MS, _TOKEN_LIFE_MS, _SKEW_MS = 1_000, 1_000, 300
_KEYS = {1: b"a key that is of this benchmark alone"}

_SPENT = """
    SELECT scope, sum(greatest(spent_micros - budget_micros, 0))::bigint,
           sum(spent_micros)::bigint, sum(held_micros)::bigint
    FROM spending WHERE scope IN ('line', 'advertiser') GROUP BY scope
"""

_TOLD = """
    SELECT coalesce(sum((convert_from(state, 'UTF8')::json->>'micros')::bigint), 0)::bigint
    FROM events WHERE topic = 'spend.settled'
"""


class Market(NamedTuple):
    """What a server is told."""

    url: str
    advertiser_id: UUID
    line_ids: tuple[UUID, ...]
    decisions_per_s: float


def measure(progress: Progress, *, duration_s: float = DURATION_S) -> Outcome:
    """Serve, kill, report and settle; then let everything come to its end, and add up."""
    with ExitStack() as stack:
        house = stack.enter_context(scratch_house())
        connection = stack.enter_context(psycopg.connect(house.database_url, autocommit=True))
        outbox = Outbox(stack.enter_context(open_pool(house.database_url, size_max=2)))
        market = _market(connection, house.database_url, duration_s)
        settling = _Settling(connection, outbox)
        kills = _serve(market, settling, duration_s, random.Random(1))  # noqa: S311 - no secret
        progress(f"{kills} servers were killed, {settling.reports} reports settled")
        settling.end()
        outbox.close()
        return _outcome(connection, kills, settling)


class _Settling:
    """Appends reports as they come, some of them again and out of order, and settles them."""

    def __init__(self, connection: psycopg.Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self._settlement = Settlement(connection, Tokens(_KEYS))
        self._chance = random.Random(2)  # noqa: S311 - no secret
        self._again: list[bytes] = []
        self.reports = self.leaked_micros = 0

    def take(self, tokens: Sequence[bytes]) -> None:
        reported = [*tokens, *self._again]
        self._again = [each for each in tokens if self._chance.random() < REDELIVERED]
        self._chance.shuffle(reported)
        if reported:
            # What servers tell of here stands for their records, too.
            decisions = [UUID(bytes=each) for each in columns(tokens)["decision_id"].tolist()]
            self._connection.execute(RECORD, (decisions, decisions[0] if decisions else None))
            rows = [Reported(Beacon.VIEWABLE, token) for token in reported]
            self._connection.execute(APPEND, append_parameters(rows))
        settled = self._settlement.settle()
        self.reports += settled.reports
        self.leaked_micros += settled.leaked_micros
        reclaim(self._connection, settled_ms=settled.until_ms, skew_ms=_SKEW_MS)

    def end(self) -> None:
        """Settle what came last, and take back what the servers held."""
        self.take([])
        time.sleep((_SERVES_MS + _TOKEN_LIFE_MS + _SKEW_MS) / 1000 + 0.1)
        self.take([])
        while self._outbox.publish():
            pass


def _market(connection: psycopg.Connection, url: str, duration_s: float) -> Market:
    advertiser, campaign = uuid4(), uuid4()
    whole = _BUDGET_MICROS * LINES
    set_cap(connection, "advertiser", advertiser, whole, advertiser_id=advertiser)
    set_cap(connection, "campaign", campaign, whole, advertiser_id=advertiser)
    lines = tuple(uuid4() for _ in range(LINES))
    for line_id in lines:
        line = BudgetedLine(line_id, campaign, advertiser, "UTC", whole, _BUDGET_MICROS)
        put_line(connection, line)
    wanted = DEMAND * whole / (sum(_PRICES) / 2)
    return Market(url, advertiser, lines, wanted / duration_s / SERVERS)


def _serve(market: Market, settling: _Settling, duration_s: float, chance: random.Random) -> int:
    """Serve for a while, and return how many servers were killed."""
    context = multiprocessing.get_context("forkserver")
    # Each server imports the command's module, too: 2.4 s of a core, unless it is loaded already.
    context.set_forkserver_preload([__name__, "myriorama.cli"])
    running: dict[Pipe, ForkServerProcess] = {}
    kills = seed = 0

    def start() -> None:
        nonlocal seed
        seed += 1
        ours, theirs = context.Pipe(duplex=False)
        server = context.Process(target=_server, args=(market, seed, theirs), daemon=True)
        server.start()
        theirs.close()
        running[ours] = server

    for _ in range(SERVERS):
        start()
    began_s = kill_due_s = time.monotonic()
    kill_due_s += KILL_EVERY_S * 2
    while (now_s := time.monotonic()) < began_s + duration_s:
        settling.take(_heard(running, 0.05))
        # Near the end nobody is killed: what they held would come back to nobody.
        if now_s >= kill_due_s and now_s < began_s + duration_s * 0.75:
            kill_due_s = now_s + KILL_EVERY_S
            running[chance.choice([*running])].kill()
            kills += 1
            start()
    for server in running.values():
        server.kill()
    while running:
        settling.take(_heard(running, 1.0))
    return kills


def _heard(running: dict[Pipe, ForkServerProcess], timeout_s: float) -> Sequence[bytes]:
    """Return the tokens that servers tell of; who was killed and has told all is forgotten."""
    tokens = list[bytes]()
    for pipe in wait([*running], timeout=timeout_s):
        if not isinstance(pipe, Pipe):
            continue
        try:
            packed = pipe.recv_bytes()
        except (EOFError, OSError):
            running.pop(pipe).join()
            pipe.close()
            continue
        tokens += [packed[at : at + TOKEN_BYTES] for at in range(0, len(packed), TOKEN_BYTES)]
    return tokens


def _server(market: Market, seed: int, pipe: Pipe) -> None:
    """Decide as fast as is asked, and tell of what was signed; runs until it is killed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    tokens = Tokens(_KEYS)
    leases = Leases(
        open_pool(market.url, size_max=1),
        f"server-{seed}",
        serves_ms=_SERVES_MS,
        token_life_ms=_TOKEN_LIFE_MS,
    )
    with Purses(leases) as purses:
        began_s, decided = time.monotonic(), 0
        while True:
            signed = list[bytes]()
            while decided < (time.monotonic() - began_s) * market.decisions_per_s:
                decided += 1
                line_id, micros = chance.choice(market.line_ids), chance.randint(*_PRICES)
                lease_id = purses.hold(line_id, micros)
                if lease_id is not None:
                    lease = purses.terms(lease_id)
                    now_ms = time.time_ns() // 1_000_000
                    token = AdToken(
                        decision_id=UUID(int=chance.getrandbits(64) << 64 | seed << 32 | decided),
                        line_id=line_id,
                        creative_id=line_id,
                        advertiser_id=market.advertiser_id,
                        lease_id=lease_id,
                        kind="cpm",
                        price_micros=micros,
                        viewer=decided,
                        position=3,
                        surface=0,
                        decided_ms=now_ms,
                        expires_ms=min(now_ms + _TOKEN_LIFE_MS, lease.tokens_until_ms),
                        day=lease.day,
                    )
                    signed.append(unpacked(tokens.sign(token)))
            if signed:
                pipe.send_bytes(b"".join(signed))
            time.sleep(0.02)


def _outcome(connection: psycopg.Connection, kills: int, settling: _Settling) -> Outcome:
    budgets = {row[0]: row[1:] for row in connection.execute(_SPENT)}
    over, spent, held = budgets["line"]
    (told,) = connection.execute(_TOLD).fetchone() or (0,)
    return Outcome(
        "leases",
        figures={
            "overspend_micros": over + budgets["advertiser"][0],
            "used_share": spent / (_BUDGET_MICROS * LINES),
            "drift_micros": drift_micros(connection) + abs(spent - told) + held,
            "leaked_micros": settling.leaked_micros,
            "reports": settling.reports,
            "kills": kills,
        },
        ratios={},
    )
