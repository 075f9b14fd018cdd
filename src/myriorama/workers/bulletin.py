"""What errands tell the world over Kafka: how far they are, and of what nothing will come.

None of it is waited for. Without Kafka it is dropped: the log knows how each generation ended.
"""

import threading
from queue import SimpleQueue

import msgspec
import structlog

from myriorama.store.kafka import KafkaDown, Message, Producer
from myriorama.store.progress import PROGRESS_TOPIC, Progress
from myriorama.workers.dead_letters import DeadLetter

logger = structlog.get_logger(__name__)

_BACKLOG_MAX = 100


class Bulletin:
    """Sends in a thread of its own, from `start` to `close`; errands call it from theirs."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._queue: SimpleQueue[Progress | DeadLetter | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bulletin", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, progress: Progress) -> None:
        """Tell how far a render is, unless Kafka is behind: what comes next says it better."""
        if self._queue.qsize() < _BACKLOG_MAX:
            self._queue.put(progress)

    def bury(self, letter: DeadLetter) -> None:
        self._queue.put(letter)

    def close(self) -> None:
        """Send what waits, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._producer.close()

    def _run(self) -> None:
        while (news := self._queue.get()) is not None:
            if isinstance(news, DeadLetter):
                self._send_letter(news)
                continue
            value, key = msgspec.json.encode(news), news.generation_id.bytes
            self._producer.offer(Message(PROGRESS_TOPIC, value, key=key))

    def _send_letter(self, letter: DeadLetter) -> None:
        try:
            self._producer.deliver([letter.message()])
        except KafkaDown as error:
            logger.warning("a dead letter is lost", reason=letter.reason, error=str(error))
