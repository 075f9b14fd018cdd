"""The relay: carries both logs to Kafka as public streams, each row exactly once.

How far it has come stands in Kafka, written in the transaction that carries the records: both are
seen, or neither. Of each log one relay is active; who comes next fences the one before.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import msgspec
import psycopg
import structlog
from prometheus_client import Counter, Gauge, Histogram
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from myriorama.store.kafka import KafkaDown, Topics
from myriorama.store.mapper import SchemaFromFuture
from myriorama.store.transactions import Fenced, Place, Record, Transactions, last_records
from myriorama.workers.public_streams import POSITION_HEADER, PublicStream, Stretch

logger = structlog.get_logger(__name__)

POSITIONS_TOPIC = "relay.positions"
_POSITION_PLACES = {log: Place(POSITIONS_TOPIC, n) for n, log in enumerate(("domain", "views"))}

_LEAD = "SELECT pg_try_advisory_lock(%s)"

_POLL_S = 1.0
_TOPICS_EVERY_S = 5.0
_BACK_OFF_S_MIN, _BACK_OFF_S_MAX = 0.5, 10.0
# After the news of a row so long is waited for more: few transactions, though many rows.
_GATHER_S = 0.05

_RELAYED = Counter("myriorama_relayed_rows", "Rows relayed to Kafka", ["log"])
_POSITION = Gauge("myriorama_relay_position", "Position up to which is relayed", ["log"])
_LAG = Gauge("myriorama_relay_lag_rows", "Positions behind its log's head", ["log"])
_TRANSACTION = Histogram("myriorama_relay_transaction_seconds", "From begin to committed", ["log"])


class Progress(msgspec.Struct, frozen=True):
    """How far a log has been relayed, and into which topics, by what the broker calls them."""

    position: int = 0
    topics: Mapping[str, str] = {}


class Relay:
    """Relays each log in a thread of its own, until `stop`. A second relay waits for the first."""

    def __init__(
        self,
        url: str,
        bootstrap: str,
        streams: Sequence[PublicStream],
        *,
        patience_s: float = 15.0,
    ) -> None:
        """Take PostgreSQL, Kafka, the logs, and how long to wait for an answer of Kafka's."""
        self._stopping = threading.Event()
        self._fenced: Fenced | None = None
        self._carriers = [
            Carrier(url, bootstrap, stream, self._stopping, patience_s=patience_s)
            for stream in streams
        ]

    def run(self) -> None:
        """Relay until `stop` is called from elsewhere.

        Raises:
            Fenced: another relay took over a log that this one held for its own.
        """
        threads = [
            threading.Thread(target=self._carry, args=(carrier,), name=f"relay-{carrier.log}")
            for carrier in self._carriers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._fenced:
            raise self._fenced

    def stop(self) -> None:
        self._stopping.set()

    def _carry(self, carrier: "Carrier") -> None:
        back_off_s = _BACK_OFF_S_MIN
        while not self._stopping.is_set():
            try:
                carrier.run()
            except Fenced as error:
                logger.error("another relay has taken over; this one ends", log=carrier.log)  # noqa: TRY400 - expected
                self._fenced = error
                self.stop()
            except psycopg.OperationalError as error:
                logger.warning("relay waits for PostgreSQL", log=carrier.log, error=str(error))
            except KafkaDown as error:
                logger.warning("relay waits for Kafka", log=carrier.log, error=str(error))
            except SchemaFromFuture as error:
                logger.error("relay waits for a newer release", log=carrier.log, error=str(error))  # noqa: TRY400 - expected
            except Exception:
                logger.exception("relay stands still", log=carrier.log)
            if carrier.moved:
                back_off_s = _BACK_OFF_S_MIN
            self._stopping.wait(back_off_s)
            back_off_s = min(back_off_s * 2, _BACK_OFF_S_MAX)


class Carrier:
    """Carries one log. What goes wrong ends `run`; the next one takes up where this one was."""

    def __init__(
        self,
        url: str,
        bootstrap: str,
        stream: PublicStream,
        stopping: threading.Event,
        *,
        patience_s: float,
    ) -> None:
        self.log = stream.log
        self.moved = False
        """Whether the last `run` carried anything."""
        self._url = url
        self._bootstrap = bootstrap
        self._stream = stream
        self._stopping = stopping
        self._patience_s = patience_s
        self._position_place = _POSITION_PLACES[stream.log]

    def run(self) -> None:
        """Become the one that carries this log, and carry it until stopped.

        Raises:
            Fenced: another one has become it meanwhile.
            KafkaDown: or it has lost what it held.
            SchemaFromFuture: the next event is for a newer release.
            psycopg.OperationalError: PostgreSQL is away.
        """
        self.moved = False
        transactions = Transactions(
            self._bootstrap, f"myriorama-relay-{self.log}", patience_s=self._patience_s
        )
        topics = Topics(
            self._bootstrap,
            {**self._stream.topics, POSITIONS_TOPIC: len(_POSITION_PLACES)},
            compacted={POSITIONS_TOPIC},
        )
        with (
            psycopg.connect(self._url, autocommit=True) as connection,
            closing(topics),
            closing(transactions),
        ):
            if self._lead(connection):
                topics.ensure()
                # From here on nobody else writes: what can be read now is what there is.
                transactions.open()
                self._follow(connection, transactions, topics)

    def _lead(self, connection: Connection[TupleRow]) -> bool:
        while not self._stopping.is_set():
            row = connection.execute(_LEAD, (self._stream.lock,)).fetchone()
            if row and row[0]:
                return True
            self._stopping.wait(_POLL_S)
        return False

    def _follow(
        self, connection: Connection[TupleRow], transactions: Transactions, topics: Topics
    ) -> None:
        connection.execute(SQL("LISTEN {}").format(Identifier(self._stream.channel)))
        partitions = {name: topics.partitions[name] for name in self._stream.topics}
        after, relayed = self._resumed(topics)
        logger.info("relay begins", log=self.log, after=after)
        checked_s = time.monotonic()
        # One stretch is read while the one before is on its way: two are the most in memory.
        with ThreadPoolExecutor(1, f"relay-{self.log}-reads") as reads:

            def read(position: int) -> Stretch:
                return self._stream.read(connection, position, partitions, relayed)

            stretch = read(after)
            while not self._stopping.is_set():
                more = stretch.head > stretch.upto
                ahead = reads.submit(read, stretch.upto) if more else None
                if stretch.upto > after:
                    self._carry(transactions, stretch, topics)
                after = stretch.upto
                if time.monotonic() > checked_s + _TOPICS_EVERY_S:
                    checked_s = time.monotonic()
                    if topics.ensure():
                        raise KafkaDown("the broker has lost what it held; relaying it again")
                _LAG.labels(self.log).set(stretch.head - after)
                if ahead is None:
                    self._await_news(connection)
                stretch = ahead.result() if ahead else read(after)

    def _carry(self, transactions: Transactions, stretch: Stretch, topics: Topics) -> None:
        ids = {name: topics.ids[name] for name in self._stream.topics}
        progress = msgspec.json.encode(Progress(stretch.upto, ids))
        with _TRANSACTION.labels(self.log).time():
            transactions.begin()
            transactions.send(stretch.records)
            # The position goes last, when all else has arrived: so it is true even for readers
            # from whom a broker does not keep what was aborted.
            transactions.settle()
            transactions.send([Record(self._position_place, self.log.encode(), progress, [])])
            transactions.commit()
        self.moved = True
        _RELAYED.labels(self.log).inc(stretch.rows)
        _POSITION.labels(self.log).set(stretch.upto)

    def _resumed(self, topics: Topics) -> tuple[int, Mapping[Place, int]]:
        """Return the position to go on behind, and what each place has beyond it."""
        places = [
            Place(name, number)
            for name in self._stream.topics
            for number in range(topics.partitions[name])
        ]
        last = last_records(self._bootstrap, [self._position_place, *places])
        written = last.get(self._position_place)
        progress = msgspec.json.decode(written.value, type=Progress) if written else Progress()
        # Who has lost one topic gets all from the start, and each place what it does not have.
        lost = [name for name, known in progress.topics.items() if topics.ids.get(name) != known]
        if lost:
            logger.warning("the broker has lost topics; relaying them again", topics=lost)
        after = 0 if lost else progress.position
        relayed = {
            place: max(
                0 if place.topic in lost else progress.position,
                _position(last[place].headers) if place in last else 0,
            )
            for place in places
        }
        return after, {place: upto for place, upto in relayed.items() if upto > after}

    def _await_news(self, connection: Connection[TupleRow]) -> None:
        """Return when there may be more: the notification is a hint, the poll a guarantee."""
        for _ in connection.notifies(timeout=_POLL_S, stop_after=1):
            self._stopping.wait(_GATHER_S)


def _position(headers: Mapping[str, bytes]) -> int:
    _, _, position = headers.get(POSITION_HEADER, b"").partition(b":")
    return int(position or 0)
