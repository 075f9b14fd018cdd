"""The dispatcher: decides whose generation is next, and sees to it that each one ends.

Its state is the read side: it may be killed at any moment and go on anywhere else. Whose turn it is
follows from what was released in the last hour, which who takes over reads first. Kafka may lose
everything: what no worker has claimed is published again, and a claim holds only once.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import LiteralString, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import psycopg
import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.abc import Params
from psycopg.rows import TupleRow, class_row
from psycopg_pool import PoolTimeout

from domain.errors import DomainError
from domain.generation.commands import GenerateVideo
from domain.generation.fair_queue import Rules
from myriorama.application.budgets import GpuBudgets
from myriorama.application.work import Works
from myriorama.store.causation import Cause, cause
from myriorama.store.kafka import KafkaDown, Message, Producer, Topics
from myriorama.store.postgres import AdvisoryLock
from myriorama.store.projected import moved
from myriorama.store.queue_rows import (
    LIVE,
    RELEASED,
    KnownQueue,
    LiveRow,
    ReleasedRow,
    in_flight,
    waiting,
)
from myriorama.workers.dead_letters import DeadLetter
from myriorama.workers.queues import COMMAND_TOPICS

logger = structlog.get_logger(__name__)

T = TypeVar("T")

# One dispatcher decides at a time: its session holds this lock, a second one waits for it.
_LEAD = "SELECT pg_try_advisory_lock(%s)"

# Two projections tell of dispatches; where they have both come to can be relied on.
_FOLDED = """
    SELECT min(position) FROM projection_positions WHERE name IN ('generations', 'queue_entries')
"""

_HELD = """
    SELECT work_class, count(*) FILTER (WHERE state = 'queued'),
           count(*) FILTER (WHERE state = 'dispatched')
    FROM queue_entries WHERE state <> 'ended' GROUP BY work_class
"""

_EXPIRED = """
    SELECT generation_id, attempt, work_class, NULL AS traceparent FROM generations
    WHERE state = 'running' AND lease_expires_at < %s
"""

_SPENT = "SELECT coalesce(sum(gpu_ms), 0)::bigint FROM queue_entries WHERE completed_at >= %s"

_TRACES = """
    SELECT originator_id, traceparent FROM events
    WHERE originator_id = ANY(%s) AND originator_version = 1
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
_SETTLE_EVERY_S = 1.0

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
        budgets: GpuBudgets,
        producer: Producer,
        topics: Topics,
        *,
        chores: Sequence[Chore] = (),
        rules: Rules = Rules(),  # noqa: B008 - it is a tuple, which nobody changes
        undelivered_max: int = 4,
        publish_again_s: float = 5.0,
    ) -> None:
        """Take the collaborators.

        Args:
            url: PostgreSQL.
            works: records what is dispatched and whose lease is over.
            budgets: says when a day has cost enough; nothing is handed out then.
            producer: carries the commands.
            topics: the topics they go to.
            chores: done about once a minute.
            rules: whose turn it is.
            undelivered_max: commands of one class that may wait in Kafka. The fewer are delivered
                ahead of time, the later it is decided who is next.
            publish_again_s: after how long an unclaimed command is published again; twice as long
                each further time, up to a minute.
        """
        self._url = url
        self._works = works
        self._budgets = budgets
        self._producer = producer
        self._topics = topics
        self._chores = chores
        self._rules = rules
        self._known = KnownQueue(rules)
        self._undelivered_max = undelivered_max
        self._publish_again_s = publish_again_s
        self._stopping = threading.Event()
        self._written = 0
        self._published: dict[tuple[UUID, int], Publication] = {}
        self._topics_due_s = self._chores_due_s = self._settling_due_s = 0.0
        self._settled: tuple[date, bool] | None = None
        self._is_braked = False

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
        self._known = KnownQueue(self._rules)  # another one has decided meanwhile
        self._settled = None
        connection.execute("LISTEN projected")
        while not self._stopping.is_set():
            self._step(connection)
            self._await_news(connection)

    def _step(self, connection: Connection[TupleRow]) -> None:
        """Look at everything once. What could not be done now is done in a later step."""
        for command in _rows(connection, GenerateVideo, _EXPIRED, (datetime.now(UTC),)):
            with _one_by_one(command.generation_id):
                if self._works.expire(command.generation_id, at=datetime.now(UTC)) == "failed":
                    self._bury(command)
        self._settle(connection)
        if not self._is_braked:
            self._admit(connection)
        self._publish(_unclaimed(connection))
        if time.monotonic() >= self._chores_due_s:
            self._chores_due_s = time.monotonic() + _CHORES_EVERY_S
            for chore in self._chores:
                chore(datetime.now(UTC))

    def _settle(self, connection: Connection[TupleRow]) -> None:
        """Set the brake when the day has cost enough, and take it off when another begins."""
        if time.monotonic() < self._settling_due_s and self._settled is not None:
            return
        self._settling_due_s = time.monotonic() + _SETTLE_EVERY_S
        now = datetime.now(UTC)
        midnight = datetime.combine(now.date(), time_of_day(), UTC)
        row = connection.execute(_SPENT, (midnight,)).fetchone()
        spent_ms = int(row[0]) if row else 0
        present = (now.date(), 0 < self._budgets.budget_ms <= spent_ms)
        if present != self._settled:
            self._is_braked = self._budgets.settle(now.date(), spent_ms=spent_ms, at=now)
            self._settled = present

    def _admit(self, connection: Connection[TupleRow]) -> None:
        row = connection.execute(_FOLDED).fetchone()
        if row is None or row[0] is None or row[0] < self._written:
            return  # The queue does not show yet what was dispatched last.
        held = connection.execute(_HELD).fetchall()
        credits_free = {
            str(name): self._undelivered_max - int(undelivered)
            for name, queued, undelivered in held
            if queued
        }
        if not any(free > 0 for free in credits_free.values()):
            return
        live, now = _rows(connection, LiveRow, LIVE), datetime.now(UTC)
        self._known.take(_rows(connection, ReleasedRow, RELEASED, self._known.unseen(now)), now=now)
        turns = self._known.fair.admitted(
            waiting(live),
            in_flight=in_flight(live),
            credits_free=credits_free,
            now_s=now.timestamp(),
        )
        traces = _traces(connection, [turn.generation_id for turn in turns])
        for turn in turns:
            with _one_by_one(turn.generation_id, traces.get(turn.generation_id)):
                dispatched = self._works.dispatch(turn.generation_id, at=datetime.now(UTC))
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

    def _bury(self, command: GenerateVideo) -> None:
        """Tell of a generation whose last worker fell silent, as others have been before."""
        detail = "No worker finished it; the last one fell silent."
        letter = DeadLetter("lease_expired", detail, msgspec.json.encode(command))
        logger.error("generation failed", generation=command.generation_id, detail=detail)
        try:
            self._producer.deliver([letter.message()])
        except KafkaDown as error:
            logger.warning("a dead letter is lost", error=str(error))

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


def _unclaimed(connection: Connection[TupleRow]) -> list[GenerateVideo]:
    return _rows(connection, GenerateVideo, _UNCLAIMED)


def _rows(
    connection: Connection[TupleRow], kind: type[T], query: LiteralString, params: Params = ()
) -> list[T]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, params).fetchall()


def _traces(
    connection: Connection[TupleRow], generation_ids: Sequence[UUID]
) -> Mapping[UUID, str | None]:
    """Return the traces in which they were asked for."""
    if not generation_ids:
        return {}
    return dict(connection.execute(_TRACES, (list(generation_ids),)).fetchall())


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
