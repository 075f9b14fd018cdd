"""A process of readers that a campaign may kill at any moment: by `subscription`, or by `position`.

`python -m tests.crash.readers subscriber|reader CLIENT SEED AFTER`
"""

import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
from eventsourcing.persistence import PersistenceError
from psycopg_pool import PoolTimeout

from domain.catalogue import EVENTS
from myriorama.store.event_source import EventSource
from myriorama.store.objects import open_objects
from myriorama.store.postgres import Pool, open_pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.view_source import ViewSource
from tests.crash.history import Delivered, Diary, HeadRead, SliceRead, Subscribed, now
from tests.crash.writers import DATABASE, HISTORIES, set_by_sigterm

_SLICE_MAX = 200
_LOST = (psycopg.Error, PoolTimeout, PersistenceError)


def main() -> None:
    mode, client, seed, after = sys.argv[1:5]
    stopping = set_by_sigterm()
    diary = Diary(Path(os.environ[HISTORIES]), client)
    with open_pool(os.environ[DATABASE], size_max=3) as pool:
        if mode == "subscriber":
            subscribe(pool, diary, client, int(after), stopping)
        else:
            read(pool, diary, seed, stopping)
    diary.close()


def subscribe(pool: Pool, diary: Diary, client: str, after: int, stopping: threading.Event) -> None:
    """Note whatever a subscription delivers; where one breaks, begin another behind it."""
    begun = 0
    while not stopping.is_set():
        begun += 1
        name = f"{client}#{begun}"
        try:
            subscription = DomainRecorder(pool).subscribe(after or None)
            diary.note(Subscribed(now(), name, after))
            with subscription:
                ending = threading.Thread(target=_stop_with, args=(stopping, subscription.stop))
                ending.start()
                for event in subscription:
                    diary.note(
                        Delivered(
                            now(),
                            name,
                            event.id,
                            UUID(str(event.originator_id)),
                            event.originator_version,
                        )
                    )
                    after = event.id
        except _LOST:
            stopping.wait(0.1)  # PostgreSQL is being restarted


def read(pool: Pool, diary: Diary, seed: str, stopping: threading.Event) -> None:
    """Read heads of both logs and stretches behind them, again and again."""
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    events, views = EventSource(pool), ViewSource(pool, open_objects(os.environ[HISTORIES]))
    while not stopping.is_set():
        try:
            began = now()
            head = views.head()
            diary.note(HeadRead(now(), "views", began, head))
            began = now()
            head = events.head()
            diary.note(HeadRead(now(), "domain", began, head))
            after = max(0, head - chosen.randrange(2 * _SLICE_MAX))
            window = events.read(after, _SLICE_MAX, tuple(EVENTS))
            seen = tuple(
                (e.position, e.event.originator_id, e.event.originator_version)
                for e in window.events
            )
            diary.note(SliceRead(now(), after, window.upto, seen))
        except _LOST:
            pass  # PostgreSQL is being restarted
        stopping.wait(0.02)


def _stop_with(stopping: threading.Event, stop: Callable[[], None]) -> None:
    stopping.wait()
    stop()


if __name__ == "__main__":
    main()
