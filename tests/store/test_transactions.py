"""What is sent in one transaction is seen all together, and by one producer at a time."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import crc32c
import pytest
from kafka.record import util

from myriorama.store.embedded_kafka import EmbeddedKafka
from myriorama.store.kafka import KafkaDown, Topics
from myriorama.store.transactions import Fenced, Place, Record, Transactions, last_records
from tests.brokers import everything, kill, running_broker

TOPICS = {"seen": 2, "unseen": 1}
FIRST, SECOND = Place("seen", 0), Place("seen", 1)
PATIENCE_S = 2.0

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    with running_broker() as broker:
        _make_topics(broker)
        yield broker


@pytest.fixture
def transactions(broker: EmbeddedKafka) -> Iterator[Transactions]:
    transactions = Transactions(broker.bootstrap, "test", patience_s=PATIENCE_S)
    yield transactions
    transactions.close()


def test_all_is_seen_when_it_is_committed_and_nothing_before(
    broker: EmbeddedKafka, transactions: Transactions
) -> None:
    transactions.open()
    transactions.begin()
    transactions.send(_records(FIRST, 100))
    transactions.send(_records(SECOND, 100))
    transactions.settle()

    before = everything(broker.bootstrap, ["seen"])
    transactions.commit()
    after = everything(broker.bootstrap, ["seen"])

    assert before == []
    in_order = [f"{number}".encode() for number in range(100)]
    assert [found.value for found in after if found.partition == 0] == in_order
    assert [found.value for found in after if found.partition == 1] == in_order


def test_whoever_opens_fences_the_one_before(
    broker: EmbeddedKafka, transactions: Transactions
) -> None:
    transactions.open()
    successor = Transactions(broker.bootstrap, "test", patience_s=PATIENCE_S)
    successor.open()

    transactions.begin()
    with pytest.raises(Fenced, match="'test'"):
        _send_and_commit(transactions, FIRST)
    _commit(successor, SECOND)
    successor.close()

    assert {found.partition for found in everything(broker.bootstrap, ["seen"])} == {1}


def test_who_was_fenced_commits_nothing_that_is_open(
    broker: EmbeddedKafka, transactions: Transactions
) -> None:
    transactions.open()
    transactions.begin()
    transactions.send(_records(FIRST, 1))
    transactions.settle()
    successor = Transactions(broker.bootstrap, "test", patience_s=PATIENCE_S)
    successor.open()
    successor.begin()
    successor.send(_records(SECOND, 1))
    successor.settle()

    with pytest.raises((Fenced, KafkaDown)):
        transactions.commit()

    seen = {found.partition for found in everything(broker.bootstrap, ["seen"])}
    successor.close()
    assert 1 not in seen


def test_a_transaction_from_which_something_is_missing_is_not_committed(
    broker: EmbeddedKafka, transactions: Transactions
) -> None:
    transactions.open()
    transactions.begin()
    transactions.send(_records(FIRST, 1))
    transactions.settle()
    broker.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, broker.process.pid, os.WSTOPPED)  # A busy machine stops it a little later.
    transactions.send(_records(SECOND, 1))

    with pytest.raises(KafkaDown):
        transactions.commit()

    broker.process.send_signal(signal.SIGCONT)
    transactions.open()
    _commit(transactions, SECOND)
    assert SECOND in last_records(broker.bootstrap, [SECOND])


def test_no_commit_waits_for_ever(broker: EmbeddedKafka, transactions: Transactions) -> None:
    transactions.open()
    transactions.begin()
    transactions.send(_records(FIRST, 1))
    transactions.settle()
    port = kill(broker)

    with pytest.raises(KafkaDown, match="no answer to a commit"):
        transactions.commit()
    with pytest.raises(KafkaDown, match="No broker answers"):
        transactions.open()

    with running_broker(port) as restarted:
        _make_topics(restarted)
        transactions.open()
        _commit(transactions, FIRST)
        assert len(everything(restarted.bootstrap, ["seen"])) == 1


def test_the_last_record_is_found_before_the_marks_of_transactions(
    broker: EmbeddedKafka, transactions: Transactions
) -> None:
    transactions.open()
    for count in (1, 700):
        transactions.begin()
        transactions.send(_records(FIRST, count))
        transactions.commit()

    last = last_records(broker.bootstrap, [FIRST, SECOND, Place("unseen", 0)])

    assert {place: found.value for place, found in last.items()} == {FIRST: b"699"}


def test_checksums_are_made_by_the_compiled_library() -> None:
    untyped: Any = util
    assert crc32c.crc32c in untyped.calc_crc32c.__defaults__


def _make_topics(broker: EmbeddedKafka) -> None:
    topics = Topics(broker.bootstrap, TOPICS)
    topics.ensure()
    topics.close()


def _records(place: Place, count: int) -> list[Record]:
    return [Record(place, b"key", f"{number}".encode(), []) for number in range(count)]


def _commit(transactions: Transactions, place: Place) -> None:
    transactions.begin()
    _send_and_commit(transactions, place)


def _send_and_commit(transactions: Transactions, place: Place) -> None:
    transactions.send(_records(place, 1))
    transactions.commit()
