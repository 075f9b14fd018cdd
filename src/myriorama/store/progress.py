"""How far renders are: from the workers over Kafka to who is looking, and to nobody for keeps."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import msgspec
import structlog

from myriorama.store.kafka import Consumer, KafkaDown

logger = structlog.get_logger(__name__)

PROGRESS_TOPIC = "generation.progress"

_POLL_S = 0.5
_BACK_OFF_S = 2.0
_REMEMBERED_MAX = 1000
_STAGES = (None, "waiting", "rendering", "finishing")


@dataclass(frozen=True)
class Progress:
    """An attempt has done so many of its steps.

    `stage` is "waiting", "rendering" or "finishing"; None if who tells does not know. `preview_key`
    names a picture of what can be seen so far.
    """

    generation_id: UUID
    attempt: int
    done: int
    total: int
    stage: str | None = None
    preview_key: str | None = None


class ProgressRelay:
    """Hands what the workers tell to those who subscribed in this process.

    It begins to listen when it is first asked. Without Kafka nothing comes, and that is all.
    `subscribe` and `latest` belong to one event loop; the rest may be called from any thread.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: dict[UUID, set[asyncio.Queue[Progress]]] = {}
        self._latest: OrderedDict[UUID, Progress] = OrderedDict()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def subscribe(self, generation_id: UUID) -> Generator[asyncio.Queue[Progress]]:
        """Hear of one generation: the queue holds the latest that was told, until it is taken."""
        self._start()
        queue = asyncio.Queue[Progress](maxsize=1)
        self._subscribers.setdefault(generation_id, set()).add(queue)
        try:
            yield queue
        finally:
            subscribed = self._subscribers[generation_id]
            subscribed.discard(queue)
            if not subscribed:
                del self._subscribers[generation_id]

    def latest(self, generation_id: UUID) -> Progress | None:
        """Return what was told last of a generation, as far as this process has heard."""
        self._start()
        return self._latest.get(generation_id)

    def tell(self, progress: Progress) -> None:
        """Tell all who subscribed here, unless they know as much.

        A worker tells it on two ways, over Kafka and by its heartbeats, which know no stage: what
        comes by the slower one is no news, and nobody sees a render go backwards.
        """
        if self._loop is not None and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._hand_out, progress)

    def close(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()

    def _hand_out(self, progress: Progress) -> None:
        known = self._latest.get(progress.generation_id)
        if known and _is_behind(progress, known):
            return
        self._latest[progress.generation_id] = progress
        self._latest.move_to_end(progress.generation_id)
        if len(self._latest) > _REMEMBERED_MAX:
            self._latest.popitem(last=False)
        for queue in self._subscribers.get(progress.generation_id, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(progress)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                consumer = Consumer.from_now_on(self._bootstrap, PROGRESS_TOPIC)
                self._relay(consumer)
            except KafkaDown as error:
                logger.debug("progress waits for Kafka", error=str(error))
                self._stopping.wait(_BACK_OFF_S)

    def _relay(self, consumer: Consumer) -> None:
        while not self._stopping.is_set():
            for message in consumer.poll(timeout_s=_POLL_S):
                try:
                    self.tell(msgspec.json.decode(message.value, type=Progress))
                except msgspec.MsgspecError as error:
                    logger.warning("no progress that we know", error=str(error))
        consumer.close()


def _is_behind(progress: Progress, known: Progress) -> bool:
    if progress.attempt != known.attempt:
        return progress.attempt < known.attempt
    if progress.stage is None and known.stage is not None:
        return True
    return _reached(progress) < _reached(known)


def _reached(progress: Progress) -> tuple[int, int]:
    stage = _STAGES.index(progress.stage) if progress.stage in _STAGES else 0
    return progress.done, stage
