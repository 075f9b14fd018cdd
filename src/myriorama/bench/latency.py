"""Bench `latency`: from the moment an event is about to be recorded until a row shows it.

The projector, with all projections, the writers, and who probes are processes of their own.
"""

import random
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import NamedTuple
from uuid import UUID

import psycopg

from domain.reaction.events import VideoLiked
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import ProgramNotAnswering, scratch_house
from myriorama.store.identity import new_id
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import open_pool
from myriorama.store.projected import moved
from myriorama.store.recorder import DomainRecorder

WRITERS, THREADS = 2, 16
PEAK_S, CALM_S, IDLE_S = 4.0, 10.0, 4.0
PROBES_PER_S = 50.0
_READY_S = 3.0
_PATIENCE_S = 60.0

_LISTEN = "LISTEN projected"
_VISIBLE = "SELECT video_id FROM reactions WHERE account_id = %s AND position > %s"
_LAG = """
    SELECT (SELECT coalesce(max(position), 0) FROM events) - min(position)
    FROM projection_positions WHERE name <> 'view_counts'
"""


@dataclass(frozen=True)
class Plan:
    """What one process is to do; `rate` is events a second of each thread, None is all it can.

    `begin_at` is a monotonic time, which all processes of a machine share.
    """

    url: str
    account_id: UUID
    threads: int
    begin_at: float
    seconds: float
    rate: float | None


@dataclass(frozen=True)
class Written:
    """When each event was about to be recorded, and acknowledged, by the video that it likes."""

    began_at: dict[UUID, float]
    recorded_at: dict[UUID, float]


def write(plan: Plan) -> Written:
    """Record likes as they come due, or one after the other, from all threads."""
    mapper, written = JSONMapper(), Written({}, {})
    with open_pool(plan.url, size_max=1) as pool, closing(DomainRecorder(pool)) as recorder:

        def like() -> None:
            video_id = new_id()
            event = mapper.to_stored_event(_liked(plan.account_id, video_id))
            written.began_at[video_id] = time.monotonic()
            recorder.insert_events([event])
            written.recorded_at[video_id] = time.monotonic()

        threads = [
            threading.Thread(target=_drive, args=(plan, number, like))
            for number in range(plan.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return written


def measure(progress: Progress) -> Outcome:
    """Probe while nothing else is written, then at half of what can be written at most."""
    spawn = get_context("spawn")
    with (
        scratch_house() as house,
        house.program("myriorama", "project"),
        ProcessPoolExecutor(WRITERS + 1, mp_context=spawn) as processes,
    ):
        url = house.database_url
        _await_level(url)
        list(processes.map(write, [_plan(url, 1, 0.5, None)] * (WRITERS + 1)))  # warms up
        idle = _probe(url, processes, IDLE_S, 0.0)
        peak_per_s = _load(url, processes, PEAK_S)
        _await_level(url)
        progress(f"p99 idle {percentile(idle.visible_ms, 0.99):.1f} ms, at most {peak_per_s:.0f}/s")
        calm = _probe(url, processes, CALM_S, peak_per_s / 2)
        progress(f"at half of it p99 {percentile(calm.visible_ms, 0.99):.1f} ms")
    return Outcome(
        "latency",
        {
            "visible_p50_ms": median(calm.visible_ms),
            "visible_p99_ms": percentile(calm.visible_ms, 0.99),
            "visible_max_ms": max(calm.visible_ms),
            "recorded_p50_ms": median(calm.recorded_ms),
            "recorded_p99_ms": percentile(calm.recorded_ms, 0.99),
            "idle_p50_ms": median(idle.visible_ms),
            "idle_p99_ms": percentile(idle.visible_ms, 0.99),
            "idle_recorded_p50_ms": median(idle.recorded_ms),
            "peak_per_s": peak_per_s,
        },
        {},
    )


def _load(url: str, processes: ProcessPoolExecutor, seconds: float) -> float:
    """Let all writers write as fast as they can; return how many events a second."""
    written = processes.map(write, [_plan(url, THREADS, seconds, None)] * WRITERS)
    return sum(len(one.began_at) for one in written) / seconds


def _probe(url: str, processes: ProcessPoolExecutor, seconds: float, rate: float) -> "Seen":
    """Return how many milliseconds each probe took, while so many events a second are written."""
    probe = _plan(url, 1, seconds, PROBES_PER_S)
    each = rate / WRITERS / THREADS
    with _looking(url, probe.account_id) as seen_at:
        loads = [
            processes.submit(write, _plan(url, THREADS, seconds, each, probe.begin_at))
            for _ in range(WRITERS if rate else 0)
        ]
        written = processes.submit(write, probe).result()
        for load in loads:
            load.result()
        _await_level(url)
        _until(lambda: written.began_at.keys() <= seen_at.keys())
    return Seen(_took_ms(written, seen_at), _took_ms(written, written.recorded_at))


class Seen(NamedTuple):
    """How many milliseconds after it began each probe could be read, and was acknowledged."""

    visible_ms: list[float]
    recorded_ms: list[float]


def _took_ms(written: Written, at: Mapping[UUID, float]) -> list[float]:
    return [(at[video_id] - began) * 1000 for video_id, began in written.began_at.items()]


@contextmanager
def _looking(url: str, account_id: UUID) -> Generator[dict[UUID, float]]:
    """Look for likes of the account whenever the projections have moved; note when each is seen."""
    seen_at, over = dict[UUID, float](), threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_LISTEN)
            after = 0
            while not over.is_set():
                heard = [
                    position
                    for notify in connection.notifies(timeout=0.2, stop_after=1)
                    for position, names in [moved(notify.payload)]
                    if "reactions" in names
                ]
                if not heard:
                    continue
                rows = connection.execute(_VISIBLE, (account_id, after)).fetchall()
                now = time.monotonic()
                seen_at.update((video_id, now) for (video_id,) in rows if video_id not in seen_at)
                after = max(heard)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen_at
    finally:
        over.set()
        thread.join()


def _drive(plan: Plan, number: int, write_one: Callable[[], None]) -> None:
    chance = random.Random(number)  # noqa: S311 - spreads load, keeps no secret
    due_at, end_at = plan.begin_at, plan.begin_at + plan.seconds
    while True:
        if plan.rate is not None:
            due_at += chance.expovariate(plan.rate)
        time.sleep(max(0.0, min(due_at, end_at) - time.monotonic()))
        if time.monotonic() >= end_at:
            return
        write_one()


def _plan(
    url: str, threads: int, seconds: float, rate: float | None, begin_at: float | None = None
) -> Plan:
    begin_at = time.monotonic() + _READY_S if begin_at is None else begin_at
    return Plan(url, new_id(), threads, begin_at, seconds, rate)


def _await_level(url: str) -> None:
    """Return when every projection of the domain log has folded all of it."""
    with psycopg.connect(url, autocommit=True) as connection:

        def level() -> bool:
            row = connection.execute(_LAG).fetchone()
            return row is not None and row[0] == 0

        _until(level)


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise ProgramNotAnswering(f"the projector is still behind after {_PATIENCE_S:.0f} s")
        time.sleep(0.02)


def _liked(account_id: UUID, video_id: UUID) -> VideoLiked:
    return VideoLiked(
        originator_id=video_id,
        originator_version=1,
        timestamp=datetime.now(UTC),
        account_id=account_id,
        video_id=video_id,
    )
