"""Kafka behind a small typed front: produce, consume, and see to the topics.

Kafka carries and does not remember: whoever sends through here can tell again what was lost. The
client library is untyped; its `Any` ends in this file.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import kafka as untyped
import structlog
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor  # pyright: ignore[reportMissingTypeStubs] - it has none
from kafka.errors import (
    CommitFailedError,
    KafkaError,
    RebalanceInProgressError,
    TopicAlreadyExistsError,
)

from myriorama.store.embedded_kafka import kafka_answers

logger = structlog.get_logger(__name__)

kafka: Any = untyped

_PATIENCE_MS = 5_000
# A member that dies frees its partitions after this long.
_SESSION_MS = 6_000
_HEARTBEAT_MS = 2_000
# Who does not poll for so long leaves the group. It is also how long the embedded broker may hold
# up those who join for one who does not answer, so it is not longer than it has to be.
_POLL_INTERVAL_MS = 10_000


class KafkaDown(Exception):
    """Kafka does not answer, or not in time. What was to be carried is to be carried again."""


@dataclass(frozen=True)
class Message:
    """What Kafka carries. `key` says which messages share a partition; None: any partition."""

    topic: str
    value: bytes
    key: bytes | None = None
    headers: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True)
class Received(Message):
    """A message, where it stood."""

    partition: int = 0
    offset: int = 0


class Producer:
    """Sends messages. Connects when it first has to, and again after a failure.

    A message may arrive twice, or, if it was only offered, never.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: Any = None

    def deliver(self, messages: Sequence[Message]) -> None:
        """Send messages, and return when the broker has all of them.

        Raises:
            KafkaDown: some may not have arrived.
        """
        try:
            client = self._connected()
            pending = [self._send(client, message) for message in messages]
            client.flush(timeout=_PATIENCE_MS / 1000)
            for future in pending:
                future.get(timeout=_PATIENCE_MS / 1000)
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error

    def offer(self, message: Message) -> None:
        """Send a message of which nothing depends; if Kafka is down it is dropped."""
        try:
            self._send(self._connected(), message)
        except (KafkaError, KafkaDown):
            self.close()

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=1)

    def _connected(self) -> Any:
        if self._client is None:
            require_broker(self._bootstrap)
            self._client = kafka.KafkaProducer(
                bootstrap_servers=servers(self._bootstrap),
                # Who receives tells duplicates apart; so no broker has to remember who produced.
                enable_idempotence=False,
                allow_auto_create_topics=False,
                acks="all",
                request_timeout_ms=_PATIENCE_MS,
                delivery_timeout_ms=_PATIENCE_MS,
                max_block_ms=_PATIENCE_MS,
                bootstrap_timeout_ms=_PATIENCE_MS,
                reconnect_backoff_max_ms=500,
                metadata_max_age_ms=30_000,
            )
        return self._client

    @staticmethod
    def _send(client: Any, message: Message) -> Any:
        return client.send(
            message.topic,
            key=message.key,
            value=message.value,
            headers=list(message.headers.items()),
        )


class Consumer:
    """Receives messages one at a time, as one of a group, or all that come from now on.

    To be used by one thread. After `KafkaDown` it is closed, and another one is to be opened.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of_group(cls, bootstrap: str, topics: Sequence[str], *, group: str) -> Self:
        """Join a group: each message is for one of its members, until somebody commits it.

        Raises:
            KafkaDown: no broker answers.
        """
        consumer = cls(
            _consumer(
                bootstrap,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_records=1,
                # Who joins or leaves takes no partition from those who are not to give one up.
                partition_assignment_strategy=[CooperativeStickyAssignor],
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=_HEARTBEAT_MS,
                max_poll_interval_ms=_POLL_INTERVAL_MS,
            )
        )
        consumer._client.subscribe(list(topics))
        return consumer

    @classmethod
    def from_now_on(cls, bootstrap: str, topic: str) -> Self:
        """Receive whatever is sent to a topic from now on.

        Raises:
            KafkaDown: no broker answers, or it has no such topic.
        """
        client = _consumer(bootstrap, group_id=None, auto_offset_reset="latest")
        try:
            numbers: set[int] = client.partitions_for_topic(topic) or set()
            partitions = [kafka.TopicPartition(topic, number) for number in sorted(numbers)]
            if partitions:
                client.assign(partitions)
                client.seek_to_end(*partitions)
        except KafkaError as error:
            client.close()
            raise KafkaDown(repr(error)) from error
        if not partitions:
            client.close()
            raise KafkaDown(f"There is no topic {topic} yet.")
        return cls(client)

    def poll(self, *, timeout_s: float) -> list[Received]:
        """Return what has come, or nothing if it is late.

        Raises:
            KafkaDown: and the consumer is closed.
        """
        try:
            self._client.resume(*self._client.paused())
            return self._poll(timeout_s)
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error

    def stay(self) -> None:
        """Stay in the group, and receive nothing: what would come, comes with the next `poll`.

        Raises:
            KafkaDown: and the consumer is closed.
        """
        try:
            self._client.pause(*self._client.assignment())
            # Partitions that were assigned just now were not paused.
            for early in reversed(self._poll(0)):
                self._client.seek(kafka.TopicPartition(early.topic, early.partition), early.offset)
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error

    def rewind(self) -> None:
        """Receive again all that the topics hold: what was lost and sent anew is at their start.

        Raises:
            KafkaDown: and the consumer is closed.
        """
        try:
            # Who is joining begins at the start by itself: nothing is committed yet.
            if partitions := self._client.assignment():
                self._client.seek_to_beginning(*partitions)
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error

    def commit(self, message: Received) -> None:
        """Note that a message and all before it in its partition are settled.

        While the group shares out its partitions anew that may not be noted: they come again.

        Raises:
            KafkaDown: and the consumer is closed; the message may come again.
        """
        partition = kafka.TopicPartition(message.topic, message.partition)
        try:
            self._client.commit({partition: kafka.OffsetAndMetadata(message.offset + 1, "", -1)})
        except (CommitFailedError, RebalanceInProgressError) as error:
            logger.info("not committed", topic=message.topic, error=str(error))
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error

    def close(self) -> None:
        """Leave the group at once."""
        self._client.close(autocommit=False, timeout_ms=1_000)

    def _poll(self, timeout_s: float) -> list[Received]:
        found: Mapping[Any, Sequence[Any]] = self._client.poll(timeout_ms=int(timeout_s * 1000))
        return [
            Received(
                topic=record.topic,
                value=record.value,
                key=record.key,
                headers=dict(record.headers),
                partition=record.partition,
                offset=record.offset,
            )
            for records in found.values()
            for record in records
        ]


class Topics:
    """Sees to it that topics are there. A broker that lost everything has none."""

    def __init__(
        self, bootstrap: str, wanted: Mapping[str, int], *, compacted: Collection[str] = ()
    ) -> None:
        """Take the number of partitions of each topic by its name.

        Of those that are to be compacted the broker keeps the last message of each key.
        """
        self._bootstrap = bootstrap
        self._wanted = dict(wanted)
        self._compacted = frozenset(compacted)
        self._present: dict[str, str] = {}
        self._partitions: dict[str, int] = {}
        self._client: Any = None

    def ensure(self) -> set[str]:
        """Create what is missing; return the topics that lost what they held since the last call.

        Raises:
            KafkaDown: no broker answers.
        """
        try:
            client = self._connected()
            for name in set(self._wanted) - set(client.list_topics()):
                self._create(client, name)
            described = client.describe_topics(list(self._wanted))
        except KafkaError as error:
            self.close()
            raise KafkaDown(repr(error)) from error
        present = {str(topic["name"]): str(topic.get("topic_id")) for topic in described}
        self._partitions = {str(topic["name"]): len(topic["partitions"]) for topic in described}
        before, self._present = self._present, present
        return {name for name in before if present.get(name) != before[name]}

    @property
    def ids(self) -> Mapping[str, str]:
        """What the broker calls each topic: another one is another topic, of the same name."""
        return self._present

    @property
    def partitions(self) -> Mapping[str, int]:
        """How many partitions each topic has: somebody else may have made it otherwise."""
        return self._partitions

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _create(self, client: Any, name: str) -> None:
        wanted: dict[str, Any] = {
            "num_partitions": self._wanted[name],
            "replication_factor": -1,
            "configs": {"cleanup.policy": "compact"} if name in self._compacted else {},
        }
        # Two who start at once both find it missing.
        with suppress(TopicAlreadyExistsError):
            client.create_topics({name: wanted}, timeout_ms=_PATIENCE_MS)
            logger.info("topic created", topic=name)

    def _connected(self) -> Any:
        if self._client is None:
            require_broker(self._bootstrap)
            self._client = kafka.KafkaAdminClient(
                bootstrap_servers=servers(self._bootstrap),
                bootstrap_timeout_ms=_PATIENCE_MS,
                request_timeout_ms=_PATIENCE_MS,
                reconnect_backoff_max_ms=500,
            )
        return self._client


def _consumer(bootstrap: str, **settings: Any) -> Any:
    require_broker(bootstrap)
    try:
        return kafka.KafkaConsumer(
            bootstrap_servers=servers(bootstrap),
            bootstrap_timeout_ms=_PATIENCE_MS,
            allow_auto_create_topics=False,
            fetch_max_wait_ms=100,
            reconnect_backoff_max_ms=500,
            # A broker that came back empty is noticed this soon.
            metadata_max_age_ms=5_000,
            **settings,
        )
    except KafkaError as error:
        raise KafkaDown(repr(error)) from error


def require_broker(bootstrap: str) -> None:
    """Ask by hand first: a client that finds no broker leaves a thread behind.

    Raises:
        KafkaDown: none of the servers answers.
    """
    if not any(kafka_answers(server) for server in servers(bootstrap)):
        raise KafkaDown(f"No broker answers at {bootstrap}.")


def servers(bootstrap: str) -> list[str]:
    """Return the servers out of the setting that names them."""
    return [server.strip() for server in bootstrap.split(",")]
