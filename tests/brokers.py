"""A broker of a test's own, and what a reader of it sees who reads what is committed."""

import gc
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from myriorama.store.embedded_kafka import EmbeddedKafka, start_kafka
from myriorama.store.kafka import Received


@contextmanager
def running_broker(port: int | None = None) -> Generator[EmbeddedKafka]:
    """Run a broker. Tests that end it early ignore the sockets that the library leaves open then:

    `pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")`.
    """
    broker = start_kafka(port)
    try:
        yield broker
    finally:
        broker.stop()
        gc.collect()  # what is left open shows here, and not in a later test


def kill(broker: EmbeddedKafka) -> int:
    """Kill a broker, which forgets everything; returns the port on which it was."""
    broker.process.kill()
    broker.process.wait()
    return int(broker.bootstrap.rpartition(":")[2])


def everything(bootstrap: str, topics: Iterable[str]) -> Sequence[Received]:
    """Read all that is committed, each partition in its order."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        group_id=None,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        fetch_max_wait_ms=20,
    )
    found: list[Received] = []
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        if partitions:
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            while any((consumer.position(each) or 0) < ends[each] for each in partitions):
                for records in consumer.poll(timeout_ms=100).values():
                    found += [
                        Received(r.topic, r.value, r.key, dict(r.headers), r.partition, r.offset)
                        for r in records
                    ]
    finally:
        consumer.close()
    return found
