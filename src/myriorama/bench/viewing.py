"""Bench `views`: views stored and acknowledged a second, over COPY of as many domain events.

What is copied is what each view would be as an event of the domain log, formatted beforehand, in
one transaction, into a table of that log's shape. The two take turns.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from random import Random
from uuid import UUID

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.viewing.events import VideoViewed
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import scratch_house
from myriorama.store.identity import new_id
from myriorama.store.viewlog import Batch, Viewing, Views

ROUNDS = 5
ROUND_S = 3.0
COPIED = 200_000
PROCESSES = 2
SESSIONS = 64
VIEWS_MIN, VIEWS_MAX = 20, 50
REPORTS_MAX = 30
PAGES = 200
_START_S, _READY_S = 5.0, 1.0

_SET_UP = "CREATE TABLE copied (LIKE events INCLUDING ALL)"
_EMPTY = "TRUNCATE copied"
_COPY = "COPY copied (position, originator_id, originator_version, topic, state) FROM STDIN"

_STORED = """
    SELECT count(*), count(*) - max(position) FROM viewings
    UNION ALL SELECT coalesce(sum(accepted), 0), 0 FROM viewing_batches
"""


@dataclass(frozen=True)
class Plan:
    """What one process is to do. `begin_at` is a monotonic time, the same for all processes."""

    url: str
    seed: int
    begin_at: float
    seconds: float


@dataclass(frozen=True)
class Reported:
    """How many views one process reported, how long it took, and how long single reports did."""

    views: int
    seconds: float
    latencies_ms: list[float]


class NotAllStored(RuntimeError):
    """What was acknowledged is not what is stored."""


def measure(progress: Progress) -> Outcome:
    """Measure both in turns."""
    spawn = get_context("spawn")
    views_per_s, copied_per_s, latencies_ms = list[float](), list[float](), list[float]()
    with (
        scratch_house() as house,
        psycopg.connect(house.database_url, autocommit=True) as database,
        ProcessPoolExecutor(PROCESSES, mp_context=spawn) as processes,
    ):
        database.execute(_SET_UP)
        accepted = 0
        for turn in range(ROUNDS + 1):
            begin_at = time.monotonic() + (_READY_S if turn else _START_S)
            plans = [
                Plan(house.database_url, PROCESSES * turn + n, begin_at, ROUND_S if turn else 0.5)
                for n in range(PROCESSES)
            ]
            found = list(processes.map(report, plans))
            accepted += sum(one.views for one in found)
            if turn == 0:
                continue  # everything has been loaded now
            views_per_s.append(sum(one.views for one in found) / max(o.seconds for o in found))
            latencies_ms += [latency for one in found for latency in one.latencies_ms]
            copied_per_s.append(_copied_per_s(database, turn))
            progress(f"{views_per_s[-1]:,.0f} views/s, {copied_per_s[-1]:,.0f} rows/s copied")
        _check(database, accepted)
    ratios = [views / copied for views, copied in zip(views_per_s, copied_per_s, strict=True)]
    return Outcome(
        "views",
        {
            "views_per_s": median(views_per_s),
            "copy_per_s": median(copied_per_s),
            "report_p50_ms": median(latencies_ms),
            "report_p99_ms": percentile(latencies_ms, 0.99),
        },
        {"views_over_copy": median(ratios)},
    )


def report(plan: Plan) -> Reported:
    """Report from many sessions at once, each waiting for its answer before it goes on."""
    pages = list(_pages(Random(plan.seed)))  # noqa: S311 - repeatable, not secret
    with Views(plan.url) as views:
        return asyncio.run(_report(views, plan, pages))


async def _report(views: Views, plan: Plan, pages: Sequence[Sequence[Viewing]]) -> Reported:
    latencies_ms: list[float] = []
    end_at = plan.begin_at + plan.seconds
    digests = [sha256(repr(page).encode()).digest() for page in pages]

    async def session(first: int) -> int:
        reported, number = 0, first
        while time.monotonic() < end_at:
            viewer_id, session_id = new_id(), new_id()
            for sequence in range(REPORTS_MAX):
                number = (number + 1) % PAGES
                batch = Batch(viewer_id, session_id, sequence, digests[number], pages[number])
                began = time.monotonic()
                reported += (await views.append(batch)).accepted
                latencies_ms.append((time.monotonic() - began) * 1000)
                if time.monotonic() >= end_at:
                    break
        return reported

    await asyncio.sleep(max(0.0, plan.begin_at - time.monotonic()))
    began = time.monotonic()
    reported = await asyncio.gather(*(session(n * PAGES // SESSIONS) for n in range(SESSIONS)))
    return Reported(sum(reported), time.monotonic() - began, latencies_ms)


def _pages(random: Random) -> Iterator[list[Viewing]]:
    for _ in range(PAGES):
        decision_id = new_id()
        yield [
            Viewing(new_id(), decision_id, random.randrange(60_000), random.randrange(3))
            for _ in range(random.randint(VIEWS_MIN, VIEWS_MAX))
        ]


def _copied_per_s(database: Connection[TupleRow], turn: int) -> float:
    database.execute(_EMPTY)
    rows = b"".join(_rows(Random(turn)))  # noqa: S311 - repeatable, not secret
    began = time.perf_counter()
    with database.cursor().copy(_COPY) as copy:
        copy.write(rows)
    return COPIED / (time.perf_counter() - began)


def _rows(random: Random) -> Iterator[bytes]:
    """Yield the lines that COPY takes: sessions of 25 views each."""
    pages, session_id = list(_pages(random)), new_id()
    for position in range(1, COPIED + 1):
        page = pages[position % PAGES]
        viewing = page[position % len(page)]
        version = position % 25 + 1
        session_id = new_id() if version == 1 else session_id
        yield b"%d\t%s\t%d\t%s\t\\\\x%s\n" % (
            position,
            str(session_id).encode(),
            version,
            VideoViewed.TOPIC.encode(),
            _state(session_id, viewing).hex().encode(),
        )


def _state(viewer_id: UUID, viewing: Viewing) -> bytes:
    return msgspec.json.encode({"viewer_id": viewer_id, **msgspec.to_builtins(viewing)})


def _check(database: Connection[TupleRow], accepted: int) -> None:
    """Hold what was acknowledged to what is there: every view once, at positions without a hole."""
    rows = database.execute(_STORED).fetchall()
    if rows != [(accepted, 0), (accepted, 0)]:
        raise NotAllStored(f"{accepted} views were acknowledged; stored are {rows}")
