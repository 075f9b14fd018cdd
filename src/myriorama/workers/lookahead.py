"""Looking ahead: the next window is read and decoded while the present one is folded."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from myriorama.replay.folding import Source, look
from myriorama.workers.advancing import POLL_S
from projections.projection import AnyProjection, Projection, Window

Seen = tuple[Window, bool]
"""A window, and whether it is as long as was asked for: then there may be more."""


class Lookahead:
    """Reads one log; the thread that reads ahead is only there when there is something ahead."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reader = ThreadPoolExecutor(1, "read-ahead")
        self._coming: tuple[object, Future[Seen]] | None = None
        self._head, self._looked_up_at = 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)

    def look(
        self,
        projections: Sequence[AnyProjection],
        after: int,
        limit: int,
        *,
        upto: int | None = None,
    ) -> Seen:
        """Return the window behind `after`: the one that was read ahead if it is this one."""
        coming, self._coming = self._coming, None
        if coming and upto is None and coming[0] == _key(projections, after):
            return coming[1].result()
        return self._look(projections, after, limit, upto)

    def behind(self, window: Window) -> int:
        """Return how many positions there are behind a window, as far as was seen this second."""
        if self._head <= window.upto or time.monotonic() > self._looked_up_at + POLL_S:
            self._head, self._looked_up_at = self._source.head(), time.monotonic()
        return max(0, self._head - window.upto)

    def prepare(self, projections: Sequence[AnyProjection], after: int, limit: int) -> None:
        """Begin to read the window behind `after`, if there is anything to read and decode."""
        if not _in_python(projections):
            return
        reading = self._reader.submit(self._look, projections, after, limit, None)
        self._coming = _key(projections, after), reading

    def _look(
        self, projections: Sequence[AnyProjection], after: int, limit: int, upto: int | None
    ) -> Seen:
        if upto is None and self._head >= after + limit and not _in_python(projections):
            return Window([], after + limit), True
        window = look(self._source, projections, after, limit, upto=upto)
        return window, window.upto - after >= limit


def _in_python(projections: Sequence[AnyProjection]) -> bool:
    return any(isinstance(projection, Projection) for projection in projections)


def _key(projections: Sequence[AnyProjection], after: int) -> object:
    return after, [projection.name for projection in projections]
