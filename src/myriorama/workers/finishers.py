"""The finishing processes, as the line has them: so many clips are finished side by side."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import structlog

from myriorama.workers.child import ChildGone, ChildProcess
from myriorama.workers.jobs import Ended, Unfinished
from myriorama.workers.orders import Broken, Finish, Finishing, FinishNews, Made

logger = structlog.get_logger(__name__)

FINISHERS = 2
"""Finishing may take twice as long as rendering before the renderer has to wait for it."""

_FINISH_S_MAX = 600.0


@dataclass
class _Finisher:
    process: ChildProcess[FinishNews]
    at: Unfinished | None = None

    def part(self, ended: Ended) -> None:
        at, self.at = self.at, None
        if at is not None:
            at.end(ended)


class Finishers:
    """Finishes clips in the order in which they come. To be used by one thread."""

    def __init__(self, finishing: Finishing) -> None:
        news = msgspec.json.Decoder(FinishNews)
        self._finishers = [
            _Finisher(ChildProcess("myriorama.workers.finishing", news, finishing))
            for _ in range(FINISHERS)
        ]
        self._waiting: deque[Unfinished] = deque()

    @property
    def connections(self) -> "Sequence[Connection[Any, Any]]":
        """What to wait on for news."""
        return [c for each in self._finishers if (c := each.process.connection) is not None]

    @property
    def pids(self) -> Sequence[int]:
        return [pid for each in self._finishers if (pid := each.process.pid) is not None]

    @property
    def batches(self) -> frozenset[int]:
        """The batches whose clips are not finished."""
        at_work = [each.at for each in self._finishers if each.at is not None]
        return frozenset(clip.batch for clip in (*at_work, *self._waiting))

    def add(self, clip: Unfinished) -> None:
        self._waiting.append(clip)

    def go_on(self) -> None:
        """Hear what has been finished, clear away what will not be, and hand out what waits."""
        for finisher in self._finishers:
            _hear(finisher)
            _watch(finisher)
        for clip in [clip for clip in self._waiting if clip.job.is_unwanted]:
            self._waiting.remove(clip)
            clip.end(Ended())
        for finisher in self._finishers:
            if finisher.at is None and self._waiting:
                clip = self._waiting[0]
                clip.began_s = time.monotonic()
                work, folder = clip.job.work, str(clip.folder)
                finisher.process.send(Finish(clip.batch, work, folder, clip.rendered))
                finisher.at = self._waiting.popleft()

    def kill(self) -> None:
        for finisher in self._finishers:
            finisher.process.kill()


def _hear(finisher: _Finisher) -> None:
    try:
        news = finisher.process.take()
    except ChildGone as gone:
        logger.error("finishing crashed", detail=str(gone))  # noqa: TRY400 - it says all
        finisher.part(Ended(reason="finishing_crashed", detail=str(gone)))
        return
    match news:
        case Made():
            finisher.part(Ended(delivery=news.delivery))
        case Broken():
            finisher.part(Ended(reason=news.reason, detail=news.detail))
        case None:
            pass


def _watch(finisher: _Finisher) -> None:
    """Stop what nobody wants any more, and what takes too long."""
    if finisher.at is None:
        return
    if finisher.at.job.is_unwanted:
        finisher.process.kill()
        finisher.part(Ended())
    elif time.monotonic() - finisher.at.began_s > _FINISH_S_MAX:
        finisher.process.kill()
        detail = f"Not finished in {_FINISH_S_MAX:.0f} s."
        finisher.part(Ended(reason="finishing_stalled", detail=detail))
