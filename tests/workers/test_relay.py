"""Both logs reach Kafka: each row exactly once, whatever is killed, and nothing personal."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import polars as pl
import psycopg
import pytest
from kafka import KafkaAdminClient
from kafka.partitioner import default

from myriorama.replay.streams import Bounds, LogName, stream
from myriorama.store.embedded_kafka import EmbeddedKafka
from myriorama.store.kafka import Received
from myriorama.store.objects import FolderObjects, Objects
from myriorama.store.postgres import AdvisoryLock, Pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.transactions import Fenced, Transactions
from myriorama.store.view_days import ViewDays
from myriorama.store.view_exports import Exports, dropped_upto
from myriorama.workers.event_stream import EVENT_PARTITIONS, EventStream
from myriorama.workers.relay import POSITIONS_TOPIC, Relay
from myriorama.workers.view_stream import FRAME_ROWS_MAX, ViewStream
from tests.brokers import everything, kill, running_broker
from tests.viewing import AUCTIONED, DECIDED, append, batch, served
from tests.workers.relaying import (
    EVENT_TOPICS,
    PATIENCE_S,
    assert_each_once_in_order,
    await_relayed,
    positions,
    record,
    relay_process,
    relaying,
    relaying_views,
    stored,
    until,
)

partitioner: Any = default

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

KILLS = 6

_TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted
      AND (classid::bigint << 32 | objid::bigint) = %(lock)s
"""


# A day is over when the log says so, by its time.
SERVED_TOMORROW = """
    SET LOCAL ROLE myriorama_recorder;
    INSERT INTO slates SELECT last_position + 1, now() + interval '1 day', gen_random_uuid(),
                              gen_random_uuid(), 'latest', NULL, '{}', NULL
    FROM view_appends ORDER BY last_position DESC LIMIT 1;
    INSERT INTO view_appends SELECT position, recorded_at, gen_random_uuid()
    FROM slates ORDER BY position DESC LIMIT 1
"""


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    with running_broker() as broker:
        yield broker


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return FolderObjects(tmp_path)


def test_events_arrive_as_replay_shows_them(
    pool: Pool, database_url: str, broker: EmbeddedKafka, objects: Objects
) -> None:
    last = record(pool, 30)

    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, last)

    lines = {line["position"]: line for line in map(msgspec.json.decode, _values(records))}
    shown = msgspec.to_builtins(list(stream(database_url, objects, "domain", Bounds())))
    assert [lines[row["position"]] for row in shown] == shown
    assert {each.topic for each in records} == {"events.account", "events.video"}


def test_personal_fields_do_not_leave(pool: Pool, database_url: str, broker: EmbeddedKafka) -> None:
    last = record(pool, 2)

    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, last)

    assert any(b'"handle":"alice"' in value for value in _values(records))
    assert not any(b"example.org" in value for value in _values(records))


def test_the_events_of_one_aggregate_stay_in_order(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    last = record(pool, 1000, aggregates=[uuid4() for _ in range(9)])

    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, last)

    assert_each_once_in_order(records, last)
    for each in records:
        assert each.key
        assert each.partition == (partitioner.murmur2(each.key) & 0x7FFFFFFF) % EVENT_PARTITIONS
        assert msgspec.json.decode(each.value)["aggregate_id"] == each.key.decode()


def test_a_relay_goes_on_where_the_one_before_ended(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    with relaying(database_url, broker.bootstrap):
        await_relayed(broker.bootstrap, record(pool, 500))
    with relaying(database_url, broker.bootstrap):
        last = record(pool, 500)
        records = await_relayed(broker.bootstrap, last)

    assert_each_once_in_order(records, last)
    noted = everything(broker.bootstrap, [POSITIONS_TOPIC])[-1]
    assert (noted.key, msgspec.json.decode(noted.value)["position"]) == (b"domain", last)


def test_killed_at_any_moment_it_relays_each_event_once(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    moments = random.Random(7)  # noqa: S311 - when to kill
    people = [uuid4() for _ in range(50)]
    last = record(pool, 12_000, aggregates=people)

    for _ in range(KILLS):
        process = relay_process(database_url, broker.bootstrap)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
        last = record(pool, 500, aggregates=people)
    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, last)

    assert_each_once_in_order(records, last)


def test_a_relay_that_was_held_up_adds_nothing_to_what_its_successor_relayed(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    record(pool, 8_000)
    zombie = relay_process(database_url, broker.bootstrap)
    until(lambda: bool(everything(broker.bootstrap, EVENT_TOPICS)))
    zombie.send_signal(signal.SIGSTOP)
    _end_sessions(database_url)

    with relaying(database_url, broker.bootstrap):
        last = record(pool, 100)
        await_relayed(broker.bootstrap, last)
        zombie.send_signal(signal.SIGCONT)
        last = record(pool, 100)
        await_relayed(broker.bootstrap, last)
        zombie.terminate()
        zombie.communicate()
    assert_each_once_in_order(everything(broker.bootstrap, EVENT_TOPICS), last)


def test_who_is_fenced_says_so_and_ends(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    relay = Relay(database_url, broker.bootstrap, [EventStream()], patience_s=3)
    usurper = Transactions(broker.bootstrap, "myriorama-relay-domain")
    first = record(pool, 1)

    def usurp() -> None:
        await_relayed(broker.bootstrap, first)
        usurper.open()
        record(pool, 1)

    with pytest.raises(Fenced, match="myriorama-relay-domain"):
        _run_while(relay, usurp)

    usurper.close()
    assert positions(everything(broker.bootstrap, EVENT_TOPICS)) == [1]


def test_a_broker_that_lost_everything_gets_everything_again(pool: Pool, database_url: str) -> None:
    with running_broker() as broker:
        last = record(pool, 8_000)
        with relaying(database_url, broker.bootstrap):
            until(lambda: bool(everything(broker.bootstrap, EVENT_TOPICS)))
            port = kill(broker)  # in the middle of it
            with running_broker(port) as restarted:
                records = await_relayed(restarted.bootstrap, last)
                assert_each_once_in_order(records, last)
                port = kill(restarted)  # when nothing is to be done
                with running_broker(port) as again:
                    records = await_relayed(again.bootstrap, last)
                    assert_each_once_in_order(records, last)


def test_only_a_topic_that_was_lost_is_filled_again(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    last = record(pool, 500)
    with relaying(database_url, broker.bootstrap):
        before = await_relayed(broker.bootstrap, last)
        untyped: Any = KafkaAdminClient
        with closing(untyped(bootstrap_servers=broker.bootstrap)) as admin:
            admin.delete_topics(["events.video"])
        until(lambda: len(everything(broker.bootstrap, ["events.video"])) > 0)
        last = record(pool, 2)
        after = await_relayed(broker.bootstrap, last)

    assert_each_once_in_order(after, last)
    kept = {_place(each): each for each in before if each.topic == "events.account"}
    assert {place: each for each in after if (place := _place(each)) in kept} == kept


def test_an_event_that_no_record_holds_leaves_its_place_to_a_note(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    recorder = DomainRecorder(pool)
    large = stored("account.opened", handle="a" * 1_500_000)
    escaped = stored("account.opened", handle="\N{GREEK SMALL LETTER ALPHA}" * 499_990)
    broken = stored("account.opened")
    object.__setattr__(broken, "state", b"{")
    recorder.insert_events([large, escaped, broken, stored("account.opened")])

    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, 4)

    assert_each_once_in_order(records, 4)
    withheld = {
        line["position"]: (line["data"] is None, each.headers.get("withheld"))
        for each, line in zip(records, map(msgspec.json.decode, _values(records)), strict=True)
    }
    assert withheld == {
        1: (True, b"too large"),
        2: (True, b"too large"),
        3: (True, b"undecodable"),
        4: (False, None),
    }


def test_what_a_newer_release_recorded_waits_for_it(
    pool: Pool, database_url: str, broker: EmbeddedKafka, capsys: pytest.CaptureFixture[str]
) -> None:
    known = record(pool, 3)
    DomainRecorder(pool).insert_events([stored("account.opened", class_version=99)])
    record(pool, 3)
    said = ""

    with relaying(database_url, broker.bootstrap):
        records = await_relayed(broker.bootstrap, known)

        def alarmed() -> bool:
            nonlocal said
            said += capsys.readouterr().out
            return "relay waits for a newer release" in said

        until(alarmed)
        assert_each_once_in_order(everything(broker.bootstrap, EVENT_TOPICS), known)
    assert_each_once_in_order(records, known)


def test_a_relay_goes_on_when_postgresql_comes_back(
    pool: Pool, database_url: str, broker: EmbeddedKafka
) -> None:
    with relaying(database_url, broker.bootstrap):
        await_relayed(broker.bootstrap, record(pool, 10))
        _end_sessions(database_url)
        last = record(pool, 10)
        records = await_relayed(broker.bootstrap, last)

    assert_each_once_in_order(records, last)


@pytest.mark.parametrize("dropped_days", [0, 1])
def test_frames_hold_the_rows_of_the_view_log(
    database_url: str, broker: EmbeddedKafka, objects: Objects, dropped_days: int
) -> None:
    reports = [batch(1, views=1_200), batch(2, views=1_300)]
    append(database_url, reports, [served(20, ranking=DECIDED, ads=AUCTIONED), served(0)])
    with psycopg.connect(database_url) as connection:
        connection.execute(SERVED_TOMORROW)
    days = ViewDays(database_url, objects, projections=(), kept=timedelta(days=2))
    days.tend(datetime.now(UTC) + timedelta(days=2 + dropped_days))
    with psycopg.connect(database_url) as connection:
        assert dropped_upto(connection) == 2_502 * dropped_days

    with relaying_views(database_url, broker.bootstrap, objects):
        until(lambda: len(_rows(broker, "viewings")) == 2_500)
        until(lambda: len(_rows(broker, "slates")) == 3)

    logs: Sequence[tuple[LogName, str]] = [("views", "viewings"), ("slates", "slates")]
    for log, topic in logs:
        shown = list(stream(database_url, objects, log, Bounds()))
        assert _rows(broker, topic).to_dicts() == msgspec.to_builtins(
            shown, builtin_types=[datetime]
        )


@pytest.mark.parametrize("after", [2**15 - 1, 2**31 - 1, 2**40])
def test_a_log_may_be_long(pool: Pool, objects: Objects, after: int) -> None:
    with pool.connection() as connection:
        for public_stream in (EventStream(), ViewStream(Exports(objects))):
            stretch = public_stream.read(connection, after, public_stream.topics, {})

            assert (stretch.records, stretch.upto) == ([], after)


def _values(records: Sequence[Received]) -> list[bytes]:
    return [record.value for record in records]


def _rows(broker: EmbeddedKafka, topic: str) -> pl.DataFrame:
    frames = [
        pl.read_ipc_stream(BytesIO(v)) for v in _values(everything(broker.bootstrap, [topic]))
    ]
    assert all(len(frame) <= FRAME_ROWS_MAX for frame in frames)
    return pl.concat(frames) if frames else pl.DataFrame()


def _run_while(relay: Relay, others: Callable[[], None]) -> None:
    """Run a relay here, to see how it ends, and meanwhile what is to end it."""
    thread = threading.Thread(target=others)
    thread.start()
    try:
        relay.run()
    finally:
        thread.join(PATIENCE_S)


def _end_sessions(url: str) -> None:
    """End the sessions by which a relay of the domain log holds the right to be it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TERMINATE, {"lock": AdvisoryLock.DOMAIN_RELAY})


def _place(record: Received) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
