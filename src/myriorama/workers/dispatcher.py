"""The dispatcher: decides whose generation is next, and sees to it that each one ends.

Its state is the read side: it may be killed at any moment and go on anywhere else. Kafka may lose
everything: what no worker has claimed is published again, and a claim holds only once.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

import msgspec
import psycopg
import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import PoolTimeout

from domain.errors import DomainError
from domain.generation.commands import GenerateVideo
from myriorama.application.work import Works
from myriorama.store.causation import Cause, cause
from myriorama.store.kafka import KafkaDown, Message, Producer, Topics
from myriorama.store.postgres import AdvisoryLock
from myriorama.store.projected import moved
from myriorama.workers.queues import COMMAND_TOPICS

logger = structlog.get_logger(__name__)

# One dispatcher decides at a time: its session holds this lock, a second one waits for it.
_LEAD = "SELECT pg_try_advisory_lock(%s)"

_FOLDED = "SELECT position FROM projection_positions WHERE name = 'generations'"

_EXPIRED = """
    SELECT generation_id FROM generation_queue WHERE state = 'running' AND lease_expires_at < %s
"""

# The fewer are delivered ahead of time, the later it is decided who is next.
_ADMITTED = """
    SELECT q.generation_id, q.attempt, q.work_class, e.traceparent
    FROM generation_queue q
    LEFT JOIN events e ON e.originator_id = q.generation_id AND e.originator_version = 1
    WHERE q.place <= %s - (
        SELECT count(*) FROM generations d
        WHERE d.state = 'dispatched' AND d.work_class = q.work_class
    )
    ORDER BY q.turn, q.requested_at, q.generation_id
"""

_UNCLAIMED = """
    SELECT d.generation_id, d.attempt, d.work_class, e.traceparent
    FROM generations d
    LEFT JOIN events e ON e.originator_id = d.generation_id AND e.originator_version = 1
    WHERE d.state = 'dispatched'
    ORDER BY d.position
"""

_POLL_S = 1.0
_CHORES_EVERY_S = 60.0
_TOPICS_EVERY_S = 2.0
_PUBLISH_AGAIN_S_MAX = 60.0

_PUBLISHED = Counter(
    "myriorama_generation_commands", "Commands published", ["work_class", "repeated"]
)

Chore = Callable[[datetime], object]
"""What is to be done now and then by one process alone."""


class Publication(NamedTuple):
    """How often a command has been published, and when it was last, on the monotonic clock."""

    times: int
    last_s: float


class Dispatcher:
    """Runs until `stop`. A second one waits until the first is gone."""

    def __init__(  # noqa: PLR0913 - its collaborators and its two dials
        self,
        url: str,
        works: Works,
        producer: Producer,
        topics: Topics,
        *,
        chores: Sequence[Chore] = (),
        undelivered_max: int = 4,
        publish_again_s: float = 5.0,
    ) -> None:
        """Take the collaborators.

        Args:
            url: PostgreSQL.
            works: records what is dispatched and whose lease is over.
            producer: carries the commands.
            topics: the topics they go to.
            chores: done about once a minute.
            undelivered_max: commands of one class that may wait in Kafka.
            publish_again_s: after how long an unclaimed command is published again; twice as long
                each further time, up to a minute.
        """
        self._url = url
        self._works = works
        self._producer = producer
        self._topics = topics
        self._chores = chores
        self._undelivered_max = undelivered_max
        self._publish_again_s = publish_again_s
        self._stopping = threading.Event()
        self._written = 0
        self._published: dict[tuple[UUID, int], Publication] = {}
        self._topics_due_s = self._chores_due_s = 0.0

    def run(self) -> None:
        """Dispatch until `stop` is called from elsewhere."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    self._lead(connection)
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("dispatcher waits for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("dispatcher stumbled")
            self._stopping.wait(_POLL_S)
        self._producer.close()
        self._topics.close()

    def stop(self) -> None:
        self._stopping.set()

    def _lead(self, connection: Connection[TupleRow]) -> None:
        while not self._stopping.is_set():
            row = connection.execute(_LEAD, (AdvisoryLock.DISPATCHER,)).fetchone()
            if row and row[0]:
                break
            self._stopping.wait(_POLL_S)
        self._published.clear()
        connection.execute("LISTEN projected")
        while not self._stopping.is_set():
            self._step(connection)
            self._await_news(connection)

    def _step(self, connection: Connection[TupleRow]) -> None:
        """Look at everything once. What could not be done now is done in a later step."""
        for (generation_id,) in connection.execute(_EXPIRED, (datetime.now(UTC),)).fetchall():
            with _one_by_one(generation_id):
                self._works.expire(generation_id, at=datetime.now(UTC))
        self._admit(connection)
        self._publish(_commands(connection, _UNCLAIMED))
        if time.monotonic() >= self._chores_due_s:
            self._chores_due_s = time.monotonic() + _CHORES_EVERY_S
            for chore in self._chores:
                chore(datetime.now(UTC))

    def _admit(self, connection: Connection[TupleRow]) -> None:
        row = connection.execute(_FOLDED).fetchone()
        if row is None or row[0] < self._written:
            return  # The queue does not show yet what was dispatched last.
        for command in _commands(connection, _ADMITTED, (self._undelivered_max,)):
            with _one_by_one(command.generation_id, command.traceparent):
                dispatched = self._works.dispatch(command.generation_id, at=datetime.now(UTC))
                self._written = max(self._written, dispatched[1] if dispatched else 0)

    def _publish(self, unclaimed: Sequence[GenerateVideo]) -> None:
        now_s = time.monotonic()
        waiting = {(command.generation_id, command.attempt) for command in unclaimed}
        try:
            if now_s >= self._topics_due_s:
                self._topics_due_s = now_s + _TOPICS_EVERY_S
                if self._topics.ensure():
                    logger.warning("the broker has lost its queues; publishing them again")
                    self._published.clear()
            due = [command for command in unclaimed if self._is_due(command, now_s)]
            self._producer.deliver([self._message(command) for command in due])
        except KafkaDown as error:
            logger.warning("dispatcher waits for Kafka", error=str(error))
            return
        for command in due:
            times = self._times(command)
            identity = (command.generation_id, command.attempt)
            self._published[identity] = Publication(times + 1, now_s)
            _PUBLISHED.labels(command.work_class, str(times > 0).lower()).inc()
        self._published = {key: at for key, at in self._published.items() if key in waiting}

    def _is_due(self, command: GenerateVideo, now_s: float) -> bool:
        published = self._published.get((command.generation_id, command.attempt))
        if published is None:
            return True
        patience_s = self._publish_again_s * 2.0 ** min(published.times - 1, 10)
        return now_s - published.last_s >= min(patience_s, _PUBLISH_AGAIN_S_MAX)

    def _times(self, command: GenerateVideo) -> int:
        published = self._published.get((command.generation_id, command.attempt))
        return published.times if published else 0

    def _message(self, command: GenerateVideo) -> Message:
        # Again, it goes to any partition: the first may be that of a worker who is busy for long.
        again = self._times(command) > 0
        return Message(
            topic=COMMAND_TOPICS[command.work_class],
            value=msgspec.json.encode(command),
            key=None if again else command.generation_id.bytes,
            headers={"traceparent": command.traceparent.encode()} if command.traceparent else {},
        )

    def _await_news(self, connection: Connection[TupleRow]) -> None:
        """Return when generations have moved: the notification is a hint, the poll a guarantee."""
        give_up_s = time.monotonic() + _POLL_S
        while (left_s := give_up_s - time.monotonic()) > 0 and not self._stopping.is_set():
            heard = list(connection.notifies(timeout=left_s, stop_after=1))
            heard += connection.notifies(timeout=0)  # one look is enough for all that has come
            if any("generations" in moved(notify.payload)[1] for notify in heard):
                return


def _commands(
    connection: Connection[TupleRow], query: LiteralString, params: Iterable[object] = ()
) -> list[GenerateVideo]:
    with connection.cursor(row_factory=class_row(GenerateVideo)) as cursor:
        return cursor.execute(query, tuple(params)).fetchall()


@contextmanager
def _one_by_one(generation_id: UUID, traceparent: str | None = None) -> Generator[None]:
    """Record in the trace of the request; what goes wrong with one stops this one alone."""
    token = cause.set(Cause(traceparent=traceparent))
    try:
        yield
    except DomainError as error:
        logger.info("generation is not to be moved", generation=generation_id, error=str(error))
    except (psycopg.OperationalError, PoolTimeout):
        raise
    except Exception:
        logger.exception("generation cannot be moved", generation=generation_id)
    finally:
        cause.reset(token)
