"""A process that consumes what the relay committed to one broker, from its beginning on.

`python -m tests.crash.consumers CLIENT BROKER`
"""

import os
import sys
import threading
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import kafka as untyped
import polars as pl
from kafka.errors import KafkaError

from tests.crash.history import Consumed, Diary, now
from tests.crash.writers import HISTORIES, set_by_sigterm

kafka: Any = untyped

VIEW_TOPICS = frozenset({"viewings", "slates"})


def main() -> None:
    client, broker = sys.argv[1], int(sys.argv[2])
    stopping = set_by_sigterm()
    diary = Diary(Path(os.environ[HISTORIES]), client)
    consumer = _connected(stopping)
    if consumer is not None:
        consumer.subscribe(pattern=r"^(events\..*|viewings|slates)$")
        while not stopping.is_set():
            _consume(consumer, diary, broker)
        consumer.close()
    diary.close()


def _connected(stopping: threading.Event) -> Any:
    while not stopping.is_set():
        try:
            return kafka.KafkaConsumer(
                bootstrap_servers=os.environ["MYRIORAMA_KAFKA"],
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                group_id=None,
                metadata_max_age_ms=1_000,
            )
        except KafkaError:
            stopping.wait(0.2)
    return None


def _consume(consumer: Any, diary: Diary, broker: int) -> None:
    """Note what has come. What goes wrong is tried again from where it was."""
    with suppress(KafkaError):
        for place, records in consumer.poll(timeout_ms=200).items():
            for record in records:
                seen = (place.topic, place.partition, _positions(record))
                diary.note(Consumed(now(), broker, *seen))


def _positions(record: Any) -> tuple[int, ...]:
    if record.topic in VIEW_TOPICS:
        return tuple(pl.read_ipc_stream(BytesIO(record.value))["position"].to_list())
    headers = dict(record.headers)
    return (int(headers["log:pos"].partition(b":")[2]),)


if __name__ == "__main__":
    main()
