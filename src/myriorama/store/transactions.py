"""Kafka's transactions behind a small typed front: records that are seen all together, or never.

One producer holds a transactional ID at a time: whoever opens takes it over, and the one before is
fenced. A transaction that ends in any error is not taken up again: `open` aborts what was left of
it. The client library is untyped; its `Any` ends in this file, and `kafka.py`.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import kafka as untyped
from kafka.errors import (
    InvalidProducerEpochError,
    KafkaError,
    ProducerFencedError,
)

from myriorama.store.kafka import KafkaDown, Received, require_broker, servers

kafka: Any = untyped

RECORD_BYTES_MAX = 1_000_000
"""Of key, value and headers together. What Kafka's brokers take by default, less their share."""

_REQUEST_BYTES_MAX = 8_000_000
_BATCH_BYTES = 256 * 1024
# So long a batch waits for more records while the window is being filled.
_LINGER_MS = 10
# A transaction whose producer is gone holds up its readers no longer than this.
_TRANSACTION_TIMEOUT_MS = 60_000
_POLL_MS = 200
_BACK_FIRST, _BACK_FACTOR = 4, 16
_READ_S_MAX = 30.0

Headers = list[tuple[str, bytes]]


class Fenced(Exception):
    """Another producer has taken over the transactional ID; this one has no say any more."""


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """What is sent to one place."""

    place: Place
    key: bytes | None
    value: bytes
    headers: Headers


class Transactions:
    """The transactions of one ID, one after the other. To be used by one thread.

    After `KafkaDown` or `Fenced` it is closed; `open` begins anew, and the open transaction is
    aborted by that. A commit whose answer is late may have happened or not: whoever opens next
    finds out from what can be read.
    """

    def __init__(self, bootstrap: str, transactional_id: str, *, patience_s: float = 15.0) -> None:
        """Take the broker and the ID.

        Args:
            bootstrap: host:port[,host:port...].
            transactional_id: of whatever must be done by one producer at a time.
            patience_s: how long to wait for an answer of any kind.
        """
        self._bootstrap = bootstrap
        self._id = transactional_id
        self._patience_s = patience_s
        self._client: Any = None
        self._places: dict[Place, Any] = {}
        self._pending: list[Any] = []

    def open(self) -> None:
        """Take the ID over: who had it is fenced, and what it had not committed is aborted.

        Raises:
            KafkaDown: no broker answers.
        """
        self.close()
        with self._closed_on_failure():
            require_broker(self._bootstrap)
            patience_ms = int(self._patience_s * 1000)
            self._client = bare_producer(
                self._bootstrap,
                transactional_id=self._id,
                transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
                request_timeout_ms=patience_ms,
                delivery_timeout_ms=patience_ms + _LINGER_MS + 1,
                max_block_ms=patience_ms,
                bootstrap_timeout_ms=patience_ms,
                reconnect_backoff_max_ms=500,
                metadata_max_age_ms=30_000,
            )
            self._client.init_transactions()

    def begin(self) -> None:
        """Begin a transaction.

        Raises:
            Fenced: by another producer, which has opened since.
            KafkaDown: and what is open is aborted later.
        """
        with self._closed_on_failure():
            self._places.clear()
            self._pending.clear()
            self._client.begin_transaction()

    def send(self, records: Iterable[Record]) -> None:
        """Send records in the open transaction; those of one place keep their order.

        They are kept in memory until they have arrived: the caller bounds how many there are
        between two calls of `settle`.

        Raises:
            Fenced: by another producer, which has opened since.
            KafkaDown: and what is open is aborted later.
        """
        with self._closed_on_failure():
            # `KafkaProducer.send` makes up half of the cost of a record, and all it does for the
            # second of a place it has done for the first.
            append = self._client._accumulator.append  # noqa: SLF001 - see above
            pending, places = self._pending, self._places
            for place, key, value, headers in records:
                partition = places.get(place)
                if partition is None:
                    places[place] = kafka.TopicPartition(*place)
                    sent = self._client.send(
                        place.topic, value, key, headers, partition=place.partition
                    )
                    pending.append(sent)
                else:
                    pending.append(append(partition, None, key, value, headers)[0])

    def settle(self) -> None:
        """Return when the broker has all that was sent.

        Raises:
            Fenced: by another producer, which has opened since.
            KafkaDown: it has not, and what is open is aborted later.
        """
        with self._closed_on_failure():
            self._client.flush(timeout=self._patience_s)
            # The library would commit without what came too late.
            for sent in self._pending:
                if not sent.succeeded():
                    raise sent.exception or KafkaDown("records did not arrive in time")
            self._pending.clear()

    def commit(self) -> None:
        """Let everything that was sent be seen.

        Raises:
            Fenced: by another producer, which has opened since; nothing is seen.
            KafkaDown: all of it may be seen, or nothing.
        """
        self.settle()
        with self._closed_on_failure():
            # As `KafkaProducer.commit_transaction`, which waits for ever.
            result = self._client._transaction_manager.begin_commit()  # noqa: SLF001 - see above
            self._client._sender.wakeup()  # noqa: SLF001 - see above
            if not result.wait(timeout_ms=self._patience_s * 1000):
                raise KafkaDown(f"no answer to a commit within {self._patience_s:.0f} s")

    def close(self) -> None:
        """Let go. What was not committed is aborted by whoever opens next, or by the broker."""
        client, self._client = self._client, None
        self._places.clear()
        self._pending.clear()
        if client is not None:
            client._sender.force_close()  # noqa: SLF001 - else it goes on sending what is discarded
            client.close(timeout=1)

    @contextmanager
    def _closed_on_failure(self) -> Generator[None]:
        try:
            yield
        except KafkaError as error:
            fenced = self._is_fenced(error)
            self.close()
            if fenced:
                raise Fenced(f"Another producer has taken over {self._id!r}.") from error
            raise KafkaDown(repr(error)) from error
        except BaseException:
            self.close()
            raise

    def _is_fenced(self, error: KafkaError) -> bool:
        """Tell by the error, or by the first one, which the library then only quotes."""
        fences = (ProducerFencedError, InvalidProducerEpochError)
        manager: Any = getattr(self._client, "_transaction_manager", None)
        return isinstance(error, fences) or isinstance(getattr(manager, "last_error", None), fences)


def bare_producer(bootstrap: str, **settings: Any) -> Any:
    """Return the library's producer, idempotent, with our sizes of batches."""
    return kafka.KafkaProducer(
        bootstrap_servers=servers(bootstrap),
        allow_auto_create_topics=False,
        acks="all",
        batch_size=_BATCH_BYTES,
        linger_ms=_LINGER_MS,
        max_request_size=_REQUEST_BYTES_MAX,
        metrics_enabled=False,
        **settings,
    )


def last_records(bootstrap: str, places: Sequence[Place]) -> Mapping[Place, Received]:
    """Return the last record that a reader of what is committed sees, of each place with any.

    Some brokers (Tansu 0.6) show what was aborted, too. What counts is what is seen.

    Raises:
        KafkaDown: no broker answers, or it lacks a topic.
    """
    require_broker(bootstrap)
    found: dict[Place, Received] = {}
    try:
        client = kafka.KafkaConsumer(
            bootstrap_servers=servers(bootstrap),
            isolation_level="read_committed",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            fetch_max_wait_ms=50,
        )
    except KafkaError as error:
        raise KafkaDown(repr(error)) from error
    try:
        partitions = {kafka.TopicPartition(*place): place for place in places}
        client.assign(list(partitions))
        begins, ends = client.beginning_offsets(partitions), client.end_offsets(partitions)
        waiting = {each: _BACK_FIRST for each in partitions if ends[each] > begins[each]}
        while waiting:
            # What stands at the end may be no record but the mark of a transaction's end.
            starts = {each: max(begins[each], ends[each] - back) for each, back in waiting.items()}
            found.update(_last(client, starts, ends))
            waiting = {
                each: back * _BACK_FACTOR
                for each, back in waiting.items()
                if partitions[each] not in found and starts[each] > begins[each]
            }
    except KafkaError as error:
        raise KafkaDown(repr(error)) from error
    finally:
        client.close()
    return found


def _last(
    client: Any, starts: Mapping[Any, int], ends: Mapping[Any, int]
) -> Iterator[tuple[Place, Received]]:
    """Read all there is between, and yield the last record of each partition."""
    for partition, start in starts.items():
        client.seek(partition, start)
    client.pause(*(each for each in client.assignment() if each not in starts))
    client.resume(*starts)
    behind: set[Any] = set(starts)
    last: dict[Any, Any] = {}
    deadline = time.monotonic() + _READ_S_MAX
    while behind:
        if time.monotonic() > deadline:
            raise KafkaDown(f"{behind} cannot be read to the end")
        for partition, records in client.poll(timeout_ms=_POLL_MS).items():
            last[partition] = records[-1]
        behind = {each for each in behind if client.position(each) < ends[each]}
    for partition, record in last.items():
        yield (
            Place(partition.topic, partition.partition),
            Received(
                topic=record.topic,
                value=record.value,
                key=record.key,
                headers=dict(record.headers),
                partition=record.partition,
                offset=record.offset,
            ),
        )
