"""The line: renders and finishes works, each in its process, so that the renderer never waits.

While one batch is rendered, the next one lies ready in the renderer's process and those before are
being finished. What crashes takes one attempt along; what had not begun is simply begun again.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait

import msgspec
import structlog

from domain.generation.work import Work
from myriorama.workers.child import ChildGone, ChildProcess
from myriorama.workers.finishers import Finishers
from myriorama.workers.handover import Workshop
from myriorama.workers.jobs import Batch, Ended, Job, Unfinished
from myriorama.workers.orders import (
    Began,
    Broken,
    Clips,
    Finishing,
    Render,
    Rendered,
    RenderNews,
    Shown,
    Step,
    Stop,
    Stopped,
    Studio,
)

logger = structlog.get_logger(__name__)

BATCHES_MAX = 2
"""In the renderer's process: one is rendered, one lies ready."""
IN_HAND_MAX = 3
"""Batches whose clips take room, now or soon: 5 s of 704x1280 are 325 MB."""

_LOOK_S = 0.1
_AHEAD_S = 2.0
_LINGER_S = 0.05
_STALL_S_MAX = 900.0
"""A renderer that makes no step for so long is taken for dead; the longest is a model's load."""
_STOP_S_MAX = 60.0
_CRASHES_MAX = 1


class Line:
    """Runs in a thread of its own from `start` to `close`."""

    def __init__(
        self,
        studio: Studio,
        finishing: Finishing,
        *,
        together_max: Mapping[str, int],
        workshop: Workshop,
    ) -> None:
        """Take the collaborators.

        Args:
            studio: with what to render.
            finishing: with what to finish.
            together_max: how many works of one shape each model renders at once.
            workshop: where clips lie meanwhile; it is closed with the line.
        """
        news = msgspec.json.Decoder(RenderNews)
        self._renderer = ChildProcess("myriorama.workers.rendering", news, studio)
        self._finishers = Finishers(finishing)
        self._together_max = together_max
        self._workshop = workshop
        self._waiting: deque[Job] = deque()
        self._batches: dict[int, Batch] = {}
        self._number = 0
        self._room = 1
        self._entering = threading.Lock()
        self._entered: list[Job] = []
        self._bell, self._rope = socket.socketpair()
        for end in (self._bell, self._rope):
            end.settimeout(0)
        self._stopping = False
        self._on_room: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def start(self, on_room: Callable[[], None] = lambda: None) -> None:
        """Start; `on_room` is called, in the line's thread, when there is room again."""
        self._on_room = on_room
        self._thread.start()

    def close(self) -> None:
        """End at once; what is not ended by then never is."""
        self._stopping = True
        if self._thread.is_alive():
            self._ring()
            self._thread.join()
        self._renderer.kill()
        self._finishers.kill()
        self._bell.close()
        self._rope.close()
        self._workshop.close()

    @property
    def room(self) -> int:
        """How many more works to enter now, so that the renderer neither waits nor hoards."""
        return self._room

    @property
    def pids(self) -> Sequence[int]:
        """The processes, the renderer's first."""
        rendering = () if self._renderer.pid is None else (self._renderer.pid,)
        return (*rendering, *self._finishers.pids)

    def enter(self, work: Work) -> Job:
        """Have a work rendered and finished; its job tells how that goes."""
        job = Job(work)
        with self._entering:
            self._entered.append(job)
            self._room -= 1
        self._ring()
        return job

    def drop(self, job: Job) -> None:
        """Stop a job that nobody wants any more, at its next step; it ends, with nothing."""
        job.is_unwanted = True
        self._ring()

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # It rings already.
            self._rope.send(b"!")

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._look()
            except Exception:
                logger.exception("line stumbled")
                time.sleep(_LOOK_S)

    def _look(self) -> None:
        """Wait until something happens, then do all that can be done about it."""
        connections = [*self._finishers.connections, self._renderer.connection, self._bell]
        patience_s = _LINGER_S if self._waiting else _LOOK_S
        wait([each for each in connections if each is not None], timeout=patience_s)
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        with self._entering:
            self._waiting += self._entered
            self._entered.clear()
        self._hear()
        self._clear_away()
        self._order()
        self._finishers.go_on()
        with self._entering:
            before, self._room = self._room, self._count_room() - len(self._entered)
        if before <= 0 < self._room:
            self._on_room()

    def _hear(self) -> None:
        try:
            while (news := self._renderer.take()) is not None:
                if (batch := self._batches.get(news.order)) is not None:
                    self._note(batch, news)
        except ChildGone as gone:
            logger.error("renderer crashed", detail=str(gone))  # noqa: TRY400 - it says all
            self._recover(Ended(reason="renderer_crashed", detail=str(gone)))

    def _note(self, batch: Batch, news: RenderNews) -> None:
        batch.moved_s = time.monotonic()
        match news:
            case Began():
                batch.began_s = batch.moved_s
                logger.info("rendering", batch=batch.number, idle_ms=news.idle_ms)
            case Step():
                batch.step(news.done, news.total)
            case Shown():
                batch.show(news.keys)
            case Clips():
                logger.info("rendered", batch=batch.number, render_ms=news.rendered.render_ms)
                self._pass_on(batch, news.rendered)
            case Broken():
                self._give_up(batch, Ended(reason=news.reason, detail=news.detail))
                if news.is_spent:
                    self._renderer.kill()
                    self._begin_again()
            case Stopped():
                self._give_up(batch, Ended())

    def _pass_on(self, batch: Batch, rendered: Rendered | None) -> None:
        del self._batches[batch.number]
        for job, folder in zip(batch.jobs, batch.folders, strict=True):
            job.stage = "finishing"
            job.tell()
            self._finishers.add(Unfinished(batch.number, job, folder, rendered))

    def _recover(self, ended: Ended) -> None:
        """Blame a crash on what was being rendered, or else on what was about to be."""
        begun = [batch for batch in self._batches.values() if batch.began_s is not None]
        for batch in begun or list(self._batches.values())[:1]:
            self._give_up(batch, ended)
        for batch in list(self._batches.values()):
            batch.crashes += 1
            if batch.crashes > _CRASHES_MAX:
                self._give_up(batch, ended)
        self._begin_again()

    def _begin_again(self) -> None:
        """Give to a new process what the last one had not ended, and is not to blame for."""
        for batch in self._batches.values():
            batch.began_s = None
            self._send(batch)

    def _clear_away(self) -> None:
        for job in [job for job in self._waiting if job.is_unwanted]:
            self._waiting.remove(job)
            job.end(Ended())
        now_s = time.monotonic()
        for batch in self._batches.values():
            if batch.stopped_s is None and all(job.is_unwanted for job in batch.jobs):
                batch.stopped_s = now_s
                self._renderer.send(Stop(batch.number))
        first = next(iter(self._batches.values()), None)
        if first is not None and (ended := _overdue(first, now_s)) is not None:
            self._renderer.kill()
            self._give_up(first, ended)
            self._begin_again()

    def _order(self) -> None:
        """Give the renderer its next batch, as long as the clips of the last ones leave room."""
        while self._waiting and len(self._batches) < BATCHES_MAX and self._in_hand() < IN_HAND_MAX:
            jobs = self._mates(self._waiting[0])
            lingered_s = time.monotonic() - jobs[0].entered_s
            if len(jobs) < self._together(jobs[0].work) and lingered_s < _LINGER_S:
                return
            try:
                folders = [self._workshop.bench() for _ in jobs]
            except OSError as error:
                self._waiting.popleft().end(Ended(reason="disk_full", detail=repr(error)))
                continue
            self._number += 1
            batch = Batch(self._number, jobs, folders)
            self._batches[batch.number] = batch
            for job in jobs:
                self._waiting.remove(job)
            if jobs[0].work.stitch_keys:
                self._pass_on(batch, None)  # It is joined of what was rendered before.
            else:
                self._send(batch)

    def _send(self, batch: Batch) -> None:
        batch.sent_s = time.monotonic()
        works = tuple(job.work for job in batch.jobs)
        self._renderer.send(Render(batch.number, works, tuple(map(str, batch.folders))))

    def _mates(self, first: Job) -> list[Job]:
        """Return the jobs that wait and can be rendered together with the first one."""
        count, shape = self._together(first.work), _shape(first.work)
        if count == 1:
            return [first]
        return [job for job in self._waiting if _shape(job.work) == shape][:count]

    def _together(self, work: Work) -> int:
        """Return how many works like this are rendered at once: plain ones, if the model can."""
        return self._together_max.get(work.model, 1) if _is_plain(work) else 1

    def _in_hand(self) -> int:
        return len(self._batches) + len(self._finishers.batches)

    def _count_room(self) -> int:
        """Count what may be claimed: the next batch, and not before it is nearly its turn."""
        if self._in_hand() >= IN_HAND_MAX or len(self._batches) >= BATCHES_MAX:
            return 0
        now_s = time.monotonic()
        if any(batch.left_s(now_s) > _AHEAD_S for batch in self._batches.values()):
            return 0
        if not self._waiting:
            return 1
        return max(0, self._together(self._waiting[0].work) - len(self._waiting))

    def _give_up(self, batch: Batch, ended: Ended) -> None:
        del self._batches[batch.number]
        batch.end(ended)


def _overdue(batch: Batch, now_s: float) -> Ended | None:
    """Return how a batch ends that neither stops nor moves; None if it does."""
    if batch.stopped_s is not None and now_s - batch.stopped_s > _STOP_S_MAX:
        return Ended()
    if now_s - max(batch.moved_s, batch.sent_s) > _STALL_S_MAX:
        return Ended(reason="renderer_stalled", detail=f"No step in {_STALL_S_MAX:.0f} s.")
    return None


def _is_plain(work: Work) -> bool:
    conditions = (work.image_key, work.last_image_key, work.extends_key, work.stitch_keys)
    return not (work.cameos or work.shots or any(conditions))


def _shape(work: Work) -> tuple[object, ...]:
    return (work.model, _is_plain(work), work.width, work.height, work.seconds, work.fps)
