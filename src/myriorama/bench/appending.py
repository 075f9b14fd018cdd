"""Bench `append`: what the recorder stores, over what PostgreSQL stores with no order to keep.

The references are COPY of the very rows that the recorder stored, and plain inserts, each into a
table of the same shape.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import scratch_house
from myriorama.bench.writers import Plan, insert, liked, record
from myriorama.store.causation import Cause, cause
from myriorama.store.identity import new_id
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import DomainRecorder

ROUNDS = 5
ROUND_S = 3.0
RECORDERS, THREADS = 2, 16
INSERTERS = 8
BATCH, BATCHES = 1000, 60
UPKEEP_ROUNDS = 3
IDLE_S = 3.0
_START_S, _READY_S = 10.0, 2.0

_SET_UP = """
    CREATE TABLE copied (LIKE events INCLUDING ALL);
    CREATE TABLE unordered (LIKE events INCLUDING ALL);
    CREATE SEQUENCE unordered_positions
"""

_HEAD = "SELECT coalesce(max(position), 0) FROM events"
_COMMITS = "SELECT count(DISTINCT xmin::text) FROM events WHERE position > %s"
_COPY_OUT = "COPY (SELECT * FROM events WHERE position > {} ORDER BY position) TO STDOUT"
_COPY_IN = "COPY copied FROM STDIN"

# As slowly as autovacuum does it; and all of it, though it was frozen before.
_THROTTLE = "SET vacuum_cost_delay = '2ms'"
_FREEZE = "VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) events"
_INDEX = "CREATE INDEX CONCURRENTLY bench ON events (topic, position)"
_DROP_INDEX = "DROP INDEX bench"


@dataclass
class _Rounds:
    """What each round came to: events a second, and events that shared a commit."""

    single: list[float] = field(default_factory=list[float])
    copy: list[float] = field(default_factory=list[float])
    insert: list[float] = field(default_factory=list[float])
    batch: list[float] = field(default_factory=list[float])
    batch_copy: list[float] = field(default_factory=list[float])
    shared: list[float] = field(default_factory=list[float])


def measure(progress: Progress) -> Outcome:
    """Measure the recorder and its references in turns, then the latency beside upkeep."""
    spawn = get_context("spawn")
    with (
        scratch_house() as house,
        psycopg.connect(house.database_url, autocommit=True) as database,
        ProcessPoolExecutor(INSERTERS, mp_context=spawn) as processes,
    ):
        database.execute(_SET_UP)
        rounds = _Rounds()
        list(processes.map(insert, [Plan(house.database_url, 1, _soon(_START_S), 0.1)] * INSERTERS))
        for turn in range(ROUNDS):
            _singles(house.database_url, database, processes, rounds)
            _batches(house.database_url, database, rounds)
            progress(
                f"turn {turn + 1}: single {rounds.single[-1]:.0f}/s, copy {rounds.copy[-1]:.0f}/s, "
                f"insert {rounds.insert[-1]:.0f}/s, batch {rounds.batch[-1]:.0f}/s, "
                f"its copy {rounds.batch_copy[-1]:.0f}/s"
            )
        figures, ratio = _upkeep(house.database_url, progress)
    return Outcome(
        "append",
        {
            "events_per_s": median(rounds.single),
            "events_per_commit": median(rounds.shared),
            "copy_per_s": median(rounds.copy),
            "insert_per_s": median(rounds.insert),
            "batch_events_per_s": median(rounds.batch),
            **figures,
        },
        {
            "single_over_copy": _ratio(rounds.single, rounds.copy),
            "single_over_insert": _ratio(rounds.single, rounds.insert),
            "batch_over_copy": _ratio(rounds.batch, rounds.batch_copy),
            "vacuum_p99_over_idle": ratio,
        },
    )


def _ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    return median([one / other for one, other in zip(ours, reference, strict=True)])


def _singles(
    url: str,
    database: Connection[TupleRow],
    processes: ProcessPoolExecutor,
    rounds: _Rounds,
) -> None:
    """Store single events through the recorder, by COPY, and by plain inserts."""
    before = _head(database)
    rounds.single.append(_drive(processes, record, url, RECORDERS, THREADS))
    (commits,) = database.execute(_COMMITS, (before,)).fetchone() or (0,)
    rounds.shared.append((_head(database) - before) / commits)
    rounds.copy.append(_copied(database, before))
    rounds.insert.append(_drive(processes, insert, url, INSERTERS, 1))


def _drive(
    processes: ProcessPoolExecutor, work: Callable[[Plan], int], url: str, count: int, threads: int
) -> float:
    """Let so many processes work at once; return what they store a second."""
    plan = Plan(url, threads, _soon(_READY_S), ROUND_S)
    return sum(processes.map(work, [plan] * count)) / ROUND_S


def _soon(seconds: float) -> float:
    return time.monotonic() + seconds


def _batches(url: str, database: Connection[TupleRow], rounds: _Rounds) -> None:
    """Store events a thousand at once, then the same by COPY."""
    mapper, before = JSONMapper(), _head(database)
    batches: list[list[StoredEvent]] = []
    for _ in range(BATCHES):
        likes = new_id()
        batches.append([mapper.to_stored_event(liked(likes, n + 1)) for n in range(BATCH)])
    with open_pool(url, size_max=1) as pool, closing(DomainRecorder(pool)) as recorder:
        recorder.insert_events(batches.pop())  # connects
        began = time.perf_counter()
        for batch in batches:
            recorder.insert_events(batch)
        took = time.perf_counter() - began
    rounds.batch.append(BATCH * len(batches) / took)
    rounds.batch_copy.append(_copied(database, before))


def _copied(database: Connection[TupleRow], after: int) -> float:
    """Copy the rows behind the position, at hand as text, at once; return how many a second."""
    with database.cursor().copy(_COPY_OUT.format(after).encode()) as copy:
        text = b"".join(copy)
    began = time.perf_counter()
    with database.cursor().copy(_COPY_IN) as copy:
        copy.write(text)
    return text.count(b"\n") / (time.perf_counter() - began)


def _upkeep(url: str, progress: Progress) -> tuple[dict[str, float], float]:
    """Append one event after the other while nothing else runs, and while upkeep does."""
    idle, freeze, index = list[float](), list[float](), list[float]()
    with open_pool(url, size_max=1) as pool, closing(DomainRecorder(pool)) as recorder:
        for _ in range(UPKEEP_ROUNDS):
            idle.append(percentile(_latencies_ms(recorder, lambda: time.sleep(IDLE_S)), 0.99))
            freeze.append(percentile(_latencies_ms(recorder, _upkeeper(url, _FREEZE)), 0.99))
            index.append(
                percentile(_latencies_ms(recorder, _upkeeper(url, _INDEX, _DROP_INDEX)), 0.99)
            )
            progress(f"p99: idle {idle[-1]:.2f} ms, VACUUM {freeze[-1]:.2f}, INDEX {index[-1]:.2f}")
    ratios = [max(f, i) / none for f, i, none in zip(freeze, index, idle, strict=True)]
    return {
        "idle_p99_ms": median(idle),
        "vacuum_p99_ms": median(freeze),
        "index_p99_ms": median(index),
    }, median(ratios)


def _upkeeper(url: str, *statements: str) -> Callable[[], None]:
    def keep_up() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_THROTTLE)
            end_at = time.monotonic() + IDLE_S
            while time.monotonic() < end_at:
                for statement in statements:
                    connection.execute(statement.encode())

    return keep_up


def _latencies_ms(recorder: DomainRecorder, meanwhile: Callable[[], None]) -> list[float]:
    """Return how long each append took for as long as the other is at work."""
    other = threading.Thread(target=meanwhile)
    other.start()
    mapper, likes, took_ms = JSONMapper(), new_id(), list[float]()
    while other.is_alive():
        event = mapper.to_stored_event(liked(likes, len(took_ms) + 1))
        cause.set(Cause(likes))
        began = time.perf_counter()
        recorder.insert_events([event])
        took_ms.append((time.perf_counter() - began) * 1000)
    return took_ms


def _head(database: Connection[TupleRow]) -> int:
    (head,) = database.execute(_HEAD).fetchone() or (0,)
    return int(head)
