"""An errand: one generation in a worker, from its command to its end, in a thread of its own.

It claims the work, keeps the claim alive while the line renders and finishes it, tells how far it
is, and delivers. While the API does not answer it waits, and holds up no other errand.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from domain.generation.commands import GenerateVideo
from domain.generation.work import Delivery, Work
from myriorama.store.kafka import Received
from myriorama.store.objects import Objects
from myriorama.store.progress import Progress
from myriorama.telemetry import Tracing, continuing
from myriorama.workers.bulletin import Bulletin
from myriorama.workers.dead_letters import DeadLetter
from myriorama.workers.gate import Gate, GateBroken, GateClosed
from myriorama.workers.jobs import Ended, Job
from myriorama.workers.line import Line
from myriorama.workers.previews import remove_previews

logger = structlog.get_logger(__name__)

T = TypeVar("T")

_HEARTBEAT_S = 1.0
_PROGRESS_EVERY_S = 0.1
_BACK_OFF_S = 1.0
_BROKEN_ANSWERS_MAX = 10
"""An API that answers, and wrongly, is not asked the same for ever."""


class Errand:
    """An errand under way, as the thread of Kafka sees it."""

    def __init__(self, command: GenerateVideo, message: Received) -> None:
        self.identity = (command.generation_id, command.attempt)
        self.message: Received | None = message
        """What is to be committed once it is settled; None when it has been."""
        self.is_settled = False
        """Whether the claim was decided: then the lease keeps the work, or nobody wants it."""
        self.thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


class Errands:
    """Runs errands, with all that they need."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        worker: str,
        *,
        gate: Gate,
        line: Line,
        objects: Objects,
        bulletin: Bulletin,
        tracing: Tracing | None = None,
    ) -> None:
        """Take the collaborators, and the name under which claims are made."""
        self._worker = worker
        self._gate = gate
        self._line = line
        self._objects = objects
        self._bulletin = bulletin
        self._tracing = tracing
        self._stopping = threading.Event()
        self._on_change: Callable[[], None] = lambda: None

    @property
    def room(self) -> int:
        """How many errands more to begin now."""
        return self._line.room

    def start(self, on_change: Callable[[], None]) -> None:
        """Start the line; `on_change` is called when there may be room or something to settle."""
        self._on_change = on_change
        self._line.start(on_change)
        self._bulletin.start()

    def begin(self, command: GenerateVideo, message: Received) -> Errand:
        errand = Errand(command, message)
        errand.thread = threading.Thread(
            target=self._run, args=(errand, command, message), name=str(command.generation_id)
        )
        errand.thread.start()
        return errand

    def stop(self) -> None:
        """Wait no longer for an API that does not answer."""
        self._stopping.set()

    def end(self, under_way: Sequence[Errand]) -> None:
        """End what is under way, and then all else."""
        for errand in under_way:
            if errand.thread is not None:
                errand.thread.join()
        self._line.close()
        self._bulletin.close()
        self._gate.close()
        if self._tracing:
            self._tracing.close()

    def _run(self, errand: Errand, command: GenerateVideo, message: Received) -> None:
        try:
            with continuing(self._tracing, "generation", message.headers):
                job = self._claimed(errand, command)
                if job is not None:
                    self._accompany(job, message)
        except Exception:
            logger.exception("errand stumbled", generation=str(command.generation_id))
        finally:
            errand.is_settled = True
            self._on_change()

    def _claimed(self, errand: Errand, command: GenerateVideo) -> Job | None:
        """Return the job of a work that is ours now; None if it is not to be had."""
        try:
            work = self._insist(
                lambda: self._gate.claim(
                    command.generation_id, worker=self._worker, attempt=command.attempt
                )
            )
        except GateClosed as error:
            if not isinstance(error, GateBroken):
                errand.message = None  # We stop: uncommitted, it comes to another.
            logger.warning("not claimed", generation=str(command.generation_id), error=str(error))
            return None
        job = self._line.enter(work) if work is not None else None
        errand.is_settled = True
        self._on_change()
        if work is not None:
            logger.info("claimed", generation=str(work.generation_id), attempt=work.attempt)
        return job

    def _accompany(self, job: Job, message: Received) -> None:
        """Stay with a job until it has ended, and tell the API how."""
        beat_s = told_s = time.monotonic()
        while job.ended is None:
            told = job.await_news(max(0.0, beat_s + _HEARTBEAT_S - time.monotonic()))
            now_s = time.monotonic()
            if told and (now_s - told_s >= _PROGRESS_EVERY_S or job.done == job.total):
                told_s = now_s
                self._bulletin.tell(_progress(job))
            if now_s - beat_s >= _HEARTBEAT_S:
                beat_s = now_s
                if not job.is_unwanted and not self._may_go_on(job):
                    self._line.drop(job)
        try:
            self._conclude(job.work, job.ended, message)
        except GateClosed as error:
            generation = str(job.work.generation_id)
            logger.warning("left to its lease", generation=generation, error=str(error))
        remove_previews(self._objects, job.work.generation_id)

    def _conclude(self, work: Work, ended: Ended, message: Received) -> None:
        reason, delivery = ended.reason, ended.delivery
        if delivery is not None:
            self._deliver(work, delivery)
        elif reason is not None:
            logger.warning("not made", reason=reason, detail=ended.detail)
            self._insist(lambda: self._gate.fail(work, reason=reason, detail=ended.detail))
            if work.is_last:
                letter = DeadLetter.of(message, reason=reason, detail=ended.detail)
                self._bulletin.bury(letter)
        else:
            logger.info("stopped", generation=str(work.generation_id))

    def _deliver(self, work: Work, delivery: Delivery) -> None:
        taken = self._insist(lambda: self._gate.complete(work, delivery))
        verdict = "delivered" if taken else "delivered in vain"
        logger.info(verdict, generation=str(work.generation_id), attempt=work.attempt)

    def _may_go_on(self, job: Job) -> bool:
        try:
            return self._gate.heartbeat(job.work, done=job.done, total=job.total)
        except GateClosed as error:
            logger.warning("heartbeat unheard", error=str(error))
            return True  # Whether the lease still holds, the next beat tells.

    def _insist(self, ask: Callable[[], T]) -> T:
        """Ask until the API answers.

        Raises:
            GateClosed: it does not, and we are to stop; or it answers, but never as it should.
        """
        broken = 0
        while True:
            try:
                return ask()
            except GateClosed as error:
                broken += isinstance(error, GateBroken)
                if self._stopping.is_set() or broken >= _BROKEN_ANSWERS_MAX:
                    raise
                logger.warning("worker waits for the API", error=str(error))
            self._stopping.wait(_BACK_OFF_S)


def _progress(job: Job) -> Progress:
    work = job.work
    return Progress(
        generation_id=work.generation_id,
        attempt=work.attempt,
        done=job.done,
        total=job.total,
        stage=job.stage,
        preview_key=job.preview_key,
    )
