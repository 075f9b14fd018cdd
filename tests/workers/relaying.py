"""A relay on a database and a broker of a test's own, and what its readers see."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from eventsourcing.persistence import StoredEvent

from myriorama.store.kafka import Received
from myriorama.store.objects import Objects
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.view_exports import Exports
from myriorama.workers.event_stream import EventStream
from myriorama.workers.relay import Relay
from myriorama.workers.view_stream import ViewStream
from tests.brokers import everything

PATIENCE_S = 120.0
ROWS_MAX = 200
EVENT_TOPICS = tuple(EventStream().topics)

# What `myriorama relay` runs, of the domain log alone, and without all that is not needed for it.
_RELAY = f"""
import signal, sys
from myriorama.telemetry import start_logs
from myriorama.workers.event_stream import EventStream
from myriorama.workers.relay import Relay
start_logs()
relay = Relay(*sys.argv[1:], [EventStream(rows_max={ROWS_MAX})], patience_s=3)
signal.signal(signal.SIGTERM, lambda *_: relay.stop())
relay.run()
"""


@contextmanager
def relaying(url: str, bootstrap: str) -> Generator[Relay]:
    """Relay the domain log as long as the context lasts."""
    relay = Relay(url, bootstrap, [EventStream(rows_max=ROWS_MAX)], patience_s=3)
    with running(relay):
        yield relay


@contextmanager
def relaying_views(url: str, bootstrap: str, objects: Objects) -> Generator[Relay]:
    """Relay the view log as long as the context lasts; its dropped days are in the store."""
    relay = Relay(url, bootstrap, [ViewStream(Exports(objects))], patience_s=3)
    with running(relay):
        yield relay


@contextmanager
def running(relay: Relay) -> Generator[None]:
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join(PATIENCE_S)


def relay_process(url: str, bootstrap: str) -> subprocess.Popen[str]:
    """Start a relay in a process of its own, and return when it has begun to relay."""
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", _RELAY, url, bootstrap], stdout=subprocess.PIPE, text=True
    )
    until_said(process, "relay begins")
    return process


def until_said(process: subprocess.Popen[str], words: str) -> None:
    """Return when the process logs these words."""
    assert process.stdout
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"the relay ended before it said {words!r}")


def record(pool: Pool, count: int, *, aggregates: Sequence[UUID] = ()) -> int:
    """Record events of accounts and of videos, in turns; of these aggregates if any are named.

    Returns the last position.
    """
    recorder = DomainRecorder(pool)
    versions = {
        aggregate: recorder.select_events(aggregate, desc=True, limit=1)[0].originator_version
        if recorder.select_events(aggregate, limit=1)
        else 0
        for aggregate in aggregates
    }
    last = 0
    for begin in range(0, count, 500):
        events: list[StoredEvent] = []
        for number in range(begin, min(count, begin + 500)):
            aggregate = aggregates[number % len(aggregates)] if aggregates else uuid4()
            versions[aggregate] = versions.get(aggregate, 0) + 1
            topic = "video.caption_changed" if number % 2 else "account.opened"
            events.append(stored(topic, aggregate, versions[aggregate]))
        last = (recorder.insert_events(events) or [0])[-1]
    return last


def stored(
    topic: str, aggregate: UUID | None = None, version: int = 1, **fields: Any
) -> StoredEvent:
    """An event as it is stored. Only what a test looks at has to be like the real one."""
    now = datetime.now(UTC)
    state = {"timestamp": now, "handle": "alice", "email": "alice@example.org", **fields}
    return StoredEvent(aggregate or uuid4(), version, topic, msgspec.json.encode(state))


def await_relayed(
    bootstrap: str, position: int, topics: Sequence[str] = EVENT_TOPICS
) -> Sequence[Received]:
    """Return all that is seen, once the last of it is as far as `position`."""
    until(lambda: position in positions(everything(bootstrap, topics)))
    # One partition may have been looked at before the last transaction, another one after it.
    return everything(bootstrap, topics)


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def positions(records: Sequence[Received]) -> list[int]:
    return [int(record.headers["log:pos"].partition(b":")[2]) for record in records]


def assert_each_once_in_order(records: Sequence[Received], last: int) -> None:
    """Every position was relayed once, and within each partition in its order."""
    times = Counter(positions(records))
    assert [(each, times[each]) for each in range(1, last + 1) if times[each] != 1] == []
    assert len(times) == last
    for place in {(record.topic, record.partition) for record in records}:
        of_place = [each for each in records if (each.topic, each.partition) == place]
        assert positions(of_place) == sorted(positions(of_place))
