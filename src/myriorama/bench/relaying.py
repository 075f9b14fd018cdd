"""Bench `relay`: from the log to Kafka, over a bare producer that sends the same records.

Each goes to a broker of its own, which was just started: what others left in it weighs on nobody.
"""

import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager

import psycopg
from eventsourcing.persistence import StoredEvent
from prometheus_client import REGISTRY
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.bench.outcome import Outcome, Progress, median
from myriorama.bench.publishing import published
from myriorama.bench.scratch import ProgramNotAnswering, scratch_house
from myriorama.bench.writers import TRACE, liked
from myriorama.replay.interpreter import suit_windows
from myriorama.store.causation import Cause, cause
from myriorama.store.embedded_kafka import start_kafka
from myriorama.store.identity import new_id
from myriorama.store.kafka import Topics
from myriorama.store.mapper import JSONMapper
from myriorama.store.objects import open_objects
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.transactions import Place, Record, bare_producer
from myriorama.store.view_exports import Exports
from myriorama.workers.event_stream import EventStream
from myriorama.workers.public_streams import PublicStream, Stretch
from myriorama.workers.relay import Relay
from myriorama.workers.view_stream import ViewStream

EVENTS, VIEWS = 40_000, 300_000
ROUNDS = 5
_BATCH = 1000
_LOOK_EVERY_S = 0.01
_PATIENCE_S = 120.0

_VIEWINGS = """
    INSERT INTO viewings (position, recorded_at, viewer_id, video_id, decision_id, session_id,
                          sequence, watched_ms, loops)
    SELECT n, clock_timestamp(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
           md5((n / 20)::text)::uuid, n %% 20, 7431, 1
    FROM generate_series(1, %s) AS n
"""

_APPENDED = """
    INSERT INTO view_appends (last_position, recorded_at, append_id)
    VALUES (%s, clock_timestamp(), gen_random_uuid())
"""


def measure(progress: Progress) -> Outcome:
    """Relay, and send the same, in turns."""
    relayed, bare, keyed, views = list[float](), list[float](), list[float](), list[float]()
    with scratch_house() as house:
        url = house.database_url
        _record_events(url)
        _record_views(url)
        suit_windows()
        exports = Exports(open_objects(house.environment["MYRIORAMA_OBJECTS"]))
        records = _prepared(url)
        progress(f"recorded {EVENTS} events and {VIEWS} viewings")
        for turn in range(ROUNDS):
            relayed.append(EVENTS / _relay(url, _Timed(EventStream()), EVENTS))
            bare.append(EVENTS / _send(records, told=True))
            keyed.append(EVENTS / _send(records, told=False))
            views.append(VIEWS / _relay(url, _Timed(ViewStream(exports)), VIEWS))
            progress(
                f"turn {turn + 1}: relay {relayed[-1]:.0f}/s, producer {bare[-1]:.0f}/s, "
                f"by keys {keyed[-1]:.0f}/s, views {views[-1]:.0f}/s"
            )
    return Outcome(
        "relay",
        {
            "events_per_s": median(relayed),
            "producer_per_s": median(bare),
            "keyed_producer_per_s": median(keyed),
            "views_per_s": median(views),
        },
        {
            "relay_over_producer": _ratio(relayed, bare),
            "relay_over_keyed_producer": _ratio(relayed, keyed),
        },
    )


def _ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    return median([one / other for one, other in zip(ours, reference, strict=True)])


class _Timed:
    """A stream that remembers when it was first read."""

    def __init__(self, stream: PublicStream) -> None:
        self.log = stream.log
        self.channel = stream.channel
        self.lock = stream.lock
        self.topics = stream.topics
        self.began_s: float | None = None
        self._stream = stream

    def read(
        self,
        connection: Connection[TupleRow],
        after: int,
        partitions: Mapping[str, int],
        relayed: Mapping[Place, int],
    ) -> Stretch:
        if self.began_s is None:
            self.began_s = time.perf_counter()
        return self._stream.read(connection, after, partitions, relayed)


def _relay(url: str, stream: _Timed, count: int) -> float:
    """Relay a log to an empty broker; return how many seconds went by until all was committed."""
    with _broker() as bootstrap:
        relay = Relay(url, bootstrap, [stream])
        before = _rows(stream.log)
        thread = threading.Thread(target=relay.run)
        thread.start()
        give_up_s = time.monotonic() + _PATIENCE_S
        try:
            while _rows(stream.log) < before + count:
                if time.monotonic() > give_up_s:
                    raise ProgramNotAnswering("the relay did not relay in time")
                time.sleep(_LOOK_EVERY_S)
            ended_s = time.perf_counter()
        finally:
            relay.stop()
            thread.join()
    return ended_s - (stream.began_s or ended_s)


def _rows(log: str) -> float:
    return REGISTRY.get_sample_value("myriorama_relayed_rows_total", {"log": log}) or 0.0


def _send(records: Sequence[Record], *, told: bool) -> float:
    """Send the records; return how many seconds went by until the broker had all of them."""
    with _broker() as bootstrap:
        with closing(Topics(bootstrap, EventStream.topics)) as topics:
            topics.ensure()
        with closing(bare_producer(bootstrap)) as producer:
            for topic in EventStream.topics:
                producer.partitions_for(topic)
            began_s = time.perf_counter()
            for (topic, partition), key, value, headers in records:
                producer.send(topic, value, key, headers, partition if told else None)
            producer.flush()
            return time.perf_counter() - began_s


@contextmanager
def _broker() -> Generator[str]:
    broker = start_kafka()
    try:
        yield broker.bootstrap
    finally:
        broker.stop()


def _prepared(url: str) -> Sequence[Record]:
    """Return the records that the relay sends."""
    stream, records, upto = EventStream(), list[Record](), 0
    with psycopg.connect(url, autocommit=True) as connection:
        while stretch := stream.read(connection, upto, stream.topics, {}):
            if stretch.upto == upto:
                return records
            records += stretch.records
            upto = stretch.upto
    return records


def _record_events(url: str) -> None:
    mapper, account = JSONMapper(), new_id()
    cause.set(Cause(account, f"r-{account}", traceparent=TRACE))
    with open_pool(url, size_max=1) as pool, closing(DomainRecorder(pool)) as recorder:
        for _ in range(0, EVENTS, _BATCH):
            events: list[StoredEvent] = []
            for number in range(_BATCH):
                event = liked(new_id(), 1) if number % 5 else published(account)
                events.append(mapper.to_stored_event(event))
            recorder.insert_events(events)


def _record_views(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL ROLE myriorama_recorder")
        connection.execute(_VIEWINGS, (VIEWS,))
        connection.execute(_APPENDED, (VIEWS,))
