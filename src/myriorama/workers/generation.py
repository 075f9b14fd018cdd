"""The worker: takes commands from Kafka, and has each of them run as an errand of its own.

It holds Kafka, the object store and a token, and never the database. It may be killed at any
moment: its leases run out, and another worker makes the next attempts.
"""

import threading
import time

import msgspec
import structlog

from domain.generation.commands import GenerateVideo
from myriorama.store.kafka import Consumer, KafkaDown, Producer, Received, Topics
from myriorama.workers.dead_letters import DeadLetter
from myriorama.workers.errands import Errand, Errands
from myriorama.workers.queues import COMMAND_TOPICS, GROUP

logger = structlog.get_logger(__name__)

_POLL_S = 0.2
_TOPICS_EVERY_S = 2.0
_BACK_OFF_S = 1.0


class Worker:
    """Takes as much as its line has room for, until `stop`; what it has begun then, it ends.

    Its thread belongs to Kafka: whatever takes long is done in others, and it stays in the group.
    """

    def __init__(
        self, bootstrap: str, errands: Errands, *, producer: Producer, topics: Topics
    ) -> None:
        self._bootstrap = bootstrap
        self._errands = errands
        self._producer = producer
        self._topics = topics
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._under_way: list[Errand] = []
        self._consumer: Consumer | None = None

    def run(self) -> None:
        """Work until `stop` is called, from a signal or another thread."""
        self._errands.start(on_change=self._changed.set)
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
        self._leave()
        self._errands.end(self._under_way)
        self._producer.close()
        self._topics.close()

    def stop(self) -> None:
        self._stopping.set()
        self._errands.stop()
        self._changed.set()

    def _serve(self) -> None:
        """Obey commands until we are to stop, or Kafka is gone.

        Raises:
            KafkaDown: what is under way goes on; we are to join the group anew.
        """
        looked_s = time.monotonic()
        while self._consumer is not None and not self._stopping.is_set():
            if self._has_room():
                for message in self._consumer.poll(timeout_s=_POLL_S):
                    self._obey(self._consumer, message)
            else:
                self._consumer.stay()
                self._changed.wait(_POLL_S)
                self._changed.clear()
            self._settle(self._consumer)
            if time.monotonic() - looked_s >= _TOPICS_EVERY_S:
                looked_s = time.monotonic()
                self._rewind_lost(self._consumer)

    def _has_room(self) -> bool:
        claiming = sum(not errand.is_settled for errand in self._under_way)
        return self._errands.room > claiming

    def _obey(self, consumer: Consumer, message: Received) -> None:
        try:
            command = msgspec.json.decode(message.value, type=GenerateVideo)
        except msgspec.MsgspecError as error:
            letter = DeadLetter.of(message, reason="command_unknown", detail=str(error))
            logger.error("no command that we know", error=str(error))  # noqa: TRY400 - it says all
            self._producer.deliver([letter.message()])
            consumer.commit(message)
            return
        identity = (command.generation_id, command.attempt)
        if any(errand.is_alive and errand.identity == identity for errand in self._under_way):
            consumer.commit(message)  # To us a claim would be granted again, and do it twice.
            return
        self._under_way.append(self._errands.begin(command, message))

    def _settle(self, consumer: Consumer) -> None:
        """Commit what has been claimed or refused, in order: from there the lease keeps it."""
        unsettled: set[tuple[str, int]] = set()
        for errand in self._under_way:
            message = errand.message
            if message is None:
                continue
            partition = (message.topic, message.partition)
            if errand.is_settled and partition not in unsettled:
                errand.message = None
                consumer.commit(message)
            else:
                unsettled.add(partition)
        self._under_way = [
            errand for errand in self._under_way if errand.is_alive or errand.message is not None
        ]

    def _rewind_lost(self, consumer: Consumer) -> None:
        """In queues that began anew, where we stood in the old ones may be behind what waits.

        We do not join anew for that: a member that goes while it joins holds up all others.
        """
        try:
            lost = self._topics.ensure()
        except KafkaDown as error:
            logger.warning("worker waits for Kafka", error=str(error))
            return
        if lost:
            self._forget()
            consumer.rewind()

    def _leave(self) -> None:
        """Leave the group, so that what waits is for the others."""
        self._forget()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _forget(self) -> None:
        """What was received so far is not to be committed any more: it stood somewhere else."""
        for errand in self._under_way:
            errand.message = None
