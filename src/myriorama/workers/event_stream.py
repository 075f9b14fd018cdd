"""The domain log as records for Kafka: a topic for each context, one JSON object an event."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np
import structlog
from eventsourcing.persistence import MapperDeserialisationError
from msgspec import Raw
from numpy.typing import NDArray
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import EVENTS, READABLE
from myriorama.replay.public_events import published
from myriorama.store.mapper import SchemaFromFuture
from myriorama.store.postgres import AdvisoryLock
from myriorama.store.transactions import RECORD_BYTES_MAX, Headers, Place, Record
from myriorama.workers.public_streams import POSITION_HEADER, WITHHELD_HEADER, Stretch

logger = structlog.get_logger(__name__)

EVENT_PARTITIONS = 4
"""Of the topic of a context that the relay makes itself."""

_BYTES_MAX = 8_000_000
# What a record holds beside its value: its key, its headers and their lengths.
_HEADERS_BYTES = 500

_WITHHELD = Counter("myriorama_relay_withheld", "Events relayed without data", ["reason"])

# Positions have no holes and become visible in their order: what follows is the next rows. Large
# events make a shorter window, and one that no record holds is not even fetched.
_EVENTS = """
    SELECT position, recorded_at, originator_id::text, originator_version, actor_id::text,
           request_id, topic, CASE WHEN bytes <= %(record_bytes)s THEN state END
    FROM (
        SELECT *, octet_length(state) AS bytes,
               sum(octet_length(state)) OVER (ORDER BY position) AS bytes_upto
        FROM events WHERE position BETWEEN %(first)s AND %(last)s
    ) AS window_of_events
    WHERE bytes_upto <= %(bytes)s OR position = %(first)s
    ORDER BY position
"""

_HEAD = "SELECT coalesce(max(position), 0) FROM events"


def _kafka_topic(topic: str) -> str:
    return f"events.{topic.partition('.')[0]}"


_TOPICS = sorted({_kafka_topic(topic) for topic in EVENTS})


class EventStream:
    """The domain log: a topic for each context, and each aggregate's events in one partition."""

    log: str = "domain"
    channel: str = "events"
    lock: AdvisoryLock = AdvisoryLock.DOMAIN_RELAY
    topics: Mapping[str, int] = dict.fromkeys(_TOPICS, EVENT_PARTITIONS)

    def __init__(self, *, rows_max: int = 5_000) -> None:
        """Take how many events one transaction carries at most."""
        self._rows_max = rows_max
        self._encode = msgspec.json.Encoder().encode

    def read(
        self,
        connection: Connection[TupleRow],
        after: int,
        partitions: Mapping[str, int],
        relayed: Mapping[Place, int],
    ) -> Stretch:
        bounds = {
            "first": after + 1,
            "last": after + self._rows_max,
            "bytes": _BYTES_MAX,
            "record_bytes": RECORD_BYTES_MAX,
        }
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_EVENTS, bounds).fetchall()
        if not rows:
            return Stretch([], 0, after, after)
        keys = [row[2].encode() for row in rows]
        places = [[Place(t, n) for n in range(count)] for t, count in sorted(partitions.items())]
        of_topic = dict(zip(sorted(partitions), places, strict=True))
        records: list[Record] = []
        upto = after
        for row, key, hashed in zip(rows, keys, _murmur2(keys), strict=True):
            try:
                topic, value, headers = self._record(row)
            except SchemaFromFuture:
                if upto == after:
                    raise
                break
            choice = of_topic[_kafka_topic(topic)]
            place = choice[hashed % len(choice)]
            upto = row[0]
            if upto > relayed.get(place, 0):
                records.append(Record(place, key, value, headers))
        return Stretch(records, upto - after, upto, max(upto, _head(connection)))

    def _record(self, row: TupleRow) -> tuple[str, bytes, Headers]:
        position, recorded_at, aggregate_id, version, actor_id, request_id, stored, state = row
        envelope = position, recorded_at, aggregate_id, version, actor_id, request_id
        headers = [(POSITION_HEADER, b"domain:%d" % position)]
        try:
            event = published(stored, state or b"")
        except MapperDeserialisationError:
            reason = "too large" if state is None else "undecodable"
        else:
            value = self._encode(_Line(*envelope, event.topic, event.occurred_at, event.data))
            if len(value) < RECORD_BYTES_MAX - _HEADERS_BYTES:
                return event.topic, value, headers
            reason = "too large"
        topic = READABLE[stored].TOPIC
        logger.error("event relayed without data", position=position, topic=topic, why=reason)
        _WITHHELD.labels(reason).inc()
        headers.append((WITHHELD_HEADER, reason.encode()))
        return topic, self._encode(_Line(*envelope, topic, None, None)), headers


class _Line(msgspec.Struct, frozen=True):
    """What `myriorama replay --print` shows of an event."""

    position: int
    recorded_at: datetime
    aggregate_id: str
    version: int
    actor_id: str | None
    request_id: str | None
    topic: str
    occurred_at: Raw | None
    data: msgspec.Struct | None


def _head(connection: Connection[TupleRow]) -> int:
    row = connection.execute(_HEAD).fetchone()
    return row[0] if row else 0


def _murmur2(keys: Sequence[bytes]) -> list[int]:
    """Hash keys of one length, a multiple of four, as Kafka's own partitioners do.

    So whoever partitions something else by the same IDs in Java has them in the same partitions.
    """
    words: NDArray[np.uint32] = np.frombuffer(b"".join(keys), "<u4").reshape(len(keys), -1)
    multiplier, seed = np.uint32(0x5BD1E995), np.uint32(0x9747B28C)
    hashed = np.full(len(keys), seed ^ np.uint32(len(keys[0])), np.uint32)
    for word in words.T:
        mixed = word * multiplier
        mixed ^= mixed >> np.uint32(24)
        hashed = hashed * multiplier ^ mixed * multiplier
    hashed ^= hashed >> np.uint32(13)
    hashed *= multiplier
    hashed ^= hashed >> np.uint32(15)
    positive: list[int] = (hashed & np.uint32(0x7FFFFFFF)).tolist()
    return positive
