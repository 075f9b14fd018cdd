"""The worker: takes commands from Kafka, claims them, has them rendered, and delivers.

It holds Kafka, the object store and a token, and never the database. It may be killed at any
moment: its lease runs out, and another worker makes the next attempt.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from domain.generation.commands import GenerateVideo
from domain.generation.work import Delivery, Work
from myriorama.store.kafka import Consumer, KafkaDown, Message, Producer, Received, Topics
from myriorama.store.progress import PROGRESS_TOPIC, Progress
from myriorama.telemetry import Tracing, continuing
from myriorama.workers.gate import Gate, GateClosed
from myriorama.workers.queues import COMMAND_TOPICS, GROUP
from myriorama.workers.rendering import Broken, Made, RenderProcess, Step, Stopped

logger = structlog.get_logger(__name__)

T = TypeVar("T")

_POLL_S = 0.5
_TOPICS_EVERY_S = 2.0
_WATCH_S = 0.1
_HEARTBEAT_S = 2.0
_PROGRESS_EVERY_S = 0.1
_BACK_OFF_S = 1.0
# A renderer that makes no step for so long is taken for dead; the longest step is a model's load.
_STALL_S_MAX = 900.0
_STOP_S_MAX = 60.0


class Worker:
    """Makes one video at a time, until `stop`; what it has begun then, it ends."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        name: str,
        bootstrap: str,
        *,
        gate: Gate,
        process: RenderProcess,
        producer: Producer,
        topics: Topics,
        tracing: Tracing | None = None,
    ) -> None:
        self._name = name
        self._bootstrap = bootstrap
        self._gate = gate
        self._process = process
        self._producer = producer
        self._topics = topics
        self._tracing = tracing
        self._stopping = threading.Event()
        self._consumer: Consumer | None = None
        self._told_s = 0.0

    def run(self) -> None:
        """Work until `stop` is called, from a signal or another thread."""
        while not self._stopping.is_set():
            try:
                self._topics.ensure()
                self._consumer = Consumer.of_group(
                    self._bootstrap, tuple(COMMAND_TOPICS.values()), group=GROUP
                )
                self._serve()
            except KafkaDown as error:
                logger.warning("worker waits for Kafka", error=str(error))
                self._leave()
                self._stopping.wait(_BACK_OFF_S)
        self._process.kill()
        self._leave()
        self._producer.close()
        self._topics.close()
        self._gate.close()
        if self._tracing:
            self._tracing.close()

    def stop(self) -> None:
        self._stopping.set()

    def _serve(self) -> None:
        """Obey commands until we are to stop, or have to join the group anew."""
        looked_s = time.monotonic()
        while self._consumer is not None and not self._stopping.is_set():
            for message in self._consumer.poll(timeout_s=_POLL_S):
                with continuing(self._tracing, "generation", message.headers):
                    self._obey(message)
            if time.monotonic() - looked_s >= _TOPICS_EVERY_S:
                looked_s = time.monotonic()
                self._rewind_lost()

    def _obey(self, message: Received) -> None:
        try:
            command = msgspec.json.decode(message.value, type=GenerateVideo)
        except msgspec.MsgspecError as error:
            logger.error("no command that we know", error=str(error))  # noqa: TRY400 - it says all
            self._commit(message)
            return
        try:
            work = self._insist(
                lambda: self._gate.claim(
                    command.generation_id, worker=self._name, attempt=command.attempt
                )
            )
        except GateClosed:
            return  # We stop, and have claimed nothing: uncommitted, it comes to another.
        # From here on the lease keeps it, not Kafka.
        self._commit(message)
        if work is not None:
            logger.info("claimed", generation=str(work.generation_id), attempt=work.attempt)
            self._make(work)

    def _make(self, work: Work) -> None:
        """Have the work rendered, and tell how that ended."""
        self._process.begin(work)
        outcome = self._watch(work)
        try:
            match outcome:
                case Made(delivery):
                    self._deliver(work, delivery)
                case Broken(reason, detail):
                    logger.warning("not rendered", reason=reason, detail=detail)
                    self._insist(lambda: self._gate.fail(work, reason=reason, detail=detail))
                case _:
                    logger.info("stopped", generation=str(work.generation_id))
        except GateClosed:
            logger.warning("left to its lease", generation=str(work.generation_id))

    def _watch(self, work: Work) -> Made | Broken | Stopped:
        """Return how a render ended; until then, beat and tell its progress."""
        step = Step(0, 0)
        beat_s = moved_s = time.monotonic()
        told_to_stop_s: float | None = None
        while True:
            news = self._process.poll(timeout_s=_WATCH_S)
            self._stay()
            now_s = time.monotonic()
            if isinstance(news, Step):
                step, moved_s = news, now_s
                self._tell(work, step)
            elif news is not None:
                return news
            if told_to_stop_s is None and now_s - beat_s >= _HEARTBEAT_S:
                beat_s = now_s
                if not self._may_go_on(work, step):
                    self._process.stop()
                    told_to_stop_s = now_s
            if told_to_stop_s is not None and now_s - told_to_stop_s > _STOP_S_MAX:
                self._process.kill()
                return Stopped()
            if now_s - moved_s > _STALL_S_MAX:
                self._process.kill()
                return Broken("renderer_stalled", f"No step in {_STALL_S_MAX:.0f} s.")

    def _deliver(self, work: Work, delivery: Delivery) -> None:
        taken = self._insist(lambda: self._gate.complete(work, delivery))
        verdict = "delivered" if taken else "delivered in vain"
        logger.info(verdict, generation=str(work.generation_id), attempt=work.attempt)

    def _may_go_on(self, work: Work, step: Step) -> bool:
        try:
            return self._gate.heartbeat(work, done=step.done, total=step.total)
        except GateClosed as error:
            logger.warning("heartbeat unheard", error=str(error))
            return True  # Whether the lease still holds, the next beat tells.

    def _tell(self, work: Work, step: Step) -> None:
        """Tell progress to whoever looks, a few times a second at most."""
        now_s = time.monotonic()
        if now_s - self._told_s < _PROGRESS_EVERY_S and step.done < step.total:
            return
        self._told_s = now_s
        progress = Progress(work.generation_id, work.attempt, step.done, step.total)
        key = work.generation_id.bytes
        self._producer.offer(Message(PROGRESS_TOPIC, msgspec.json.encode(progress), key=key))

    def _insist(self, ask: Callable[[], T]) -> T:
        """Ask until the API answers.

        Raises:
            GateClosed: it does not, and we are to stop.
        """
        while True:
            try:
                return ask()
            except GateClosed as error:
                if self._stopping.is_set():
                    raise
                logger.warning("worker waits for the API", error=str(error))
            self._stay()
            self._stopping.wait(_BACK_OFF_S)

    def _stay(self) -> None:
        """Stay in the group while we are busy; if Kafka is gone, we join anew when we are not."""
        try:
            if self._consumer is not None:
                self._consumer.stay()
        except KafkaDown as error:
            self._consumer = None
            logger.warning("Kafka is gone", error=str(error))

    def _rewind_lost(self) -> None:
        """In queues that began anew, where we stood in the old ones may be behind what waits.

        We do not join anew for that: a member that goes while it joins holds up all others.
        """
        try:
            lost = self._topics.ensure()
        except KafkaDown as error:
            logger.warning("worker waits for Kafka", error=str(error))
            return
        if lost and self._consumer is not None:
            self._consumer.rewind()

    def _leave(self) -> None:
        """Leave the group, so that what waits is for the others."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _commit(self, message: Received) -> None:
        try:
            if self._consumer is not None:
                self._consumer.commit(message)
        except KafkaDown as error:
            self._consumer = None
            logger.warning("Kafka is gone", error=str(error))
