"""Writers: processes whose threads store events one by one, as fast as they are acknowledged."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from domain.reaction.events import VideoLiked
from myriorama.store.causation import Cause, cause
from myriorama.store.identity import new_id
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import DomainRecorder

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

# In no order: a sequence is all that these writers share.
_INSERT = """
    INSERT INTO unordered (position, originator_id, originator_version, topic, state,
                           actor_id, request_id, traceparent)
    VALUES (nextval('unordered_positions'), %s, %s, %s, %s, %s, %s, %s)
"""

Write = Callable[[UUID, int], None]


@dataclass(frozen=True)
class Plan:
    """What one process is to do. `begin_at` is a monotonic time, the same for all processes."""

    url: str
    threads: int
    begin_at: float
    seconds: float


def record(plan: Plan) -> int:
    """Encode and store single events through the recorder, from all threads. Returns how many."""
    mapper = JSONMapper()
    with open_pool(plan.url, size_max=1) as pool, closing(DomainRecorder(pool)) as recorder:

        def write(likes: UUID, version: int) -> None:
            cause.set(Cause(likes, f"r-{likes}", traceparent=TRACE))
            recorder.insert_events([mapper.to_stored_event(liked(likes, version))])

        return _drive(plan, write)


def insert(plan: Plan) -> int:
    """Store single events, encoded before, by plain statements. Returns how many."""
    event = JSONMapper().to_stored_event(liked(new_id(), 1))
    with psycopg.connect(plan.url, autocommit=True) as connection:

        def write(likes: UUID, version: int) -> None:
            row = (likes, version, event.topic, event.state, likes, f"r-{likes}", TRACE)
            connection.execute(_INSERT, row, prepare=True)

        return _drive(plan, write)


def liked(likes: UUID, version: int) -> VideoLiked:
    """Return an event of the kind that there are most of."""
    return VideoLiked(
        originator_id=likes,
        originator_version=version,
        timestamp=datetime.now(UTC),
        account_id=likes,
        video_id=likes,
    )


def _drive(plan: Plan, write: Write) -> int:
    """Let each thread write events of an aggregate of its own until the time is over."""
    ready = threading.Barrier(plan.threads)

    def write_on() -> int:
        likes, version = new_id(), 0
        ready.wait()
        write(new_id(), 1)  # connects, and prepares
        if time.monotonic() > plan.begin_at:
            raise TimeoutError("a writer was not ready in time")
        time.sleep(plan.begin_at - time.monotonic())
        end_at = plan.begin_at + plan.seconds
        while time.monotonic() < end_at:
            version += 1
            write(likes, version)
        return version

    with ThreadPoolExecutor(plan.threads) as threads:
        writing = [threads.submit(write_on) for _ in range(plan.threads)]
        return sum(each.result() for each in writing)
