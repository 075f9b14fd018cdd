"""Looking ahead: the next window is read and decoded while the present one is folded."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from myriorama.replay.folding import Source, look
from projections.projection import AnyProjection, Projection, Window

Seen = tuple[Window, bool]
"""A window, and whether it is as long as was asked for: then there may be more."""


class Lookahead:
    """Reads one log; the thread that reads ahead is only there when there is something ahead."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reader = ThreadPoolExecutor(1, "read-ahead")
        self._coming: tuple[object, Future[Seen]] | None = None

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

    def prepare(self, projections: Sequence[AnyProjection], after: int, limit: int) -> None:
        """Begin to read the window behind `after`, if there is anything to read and decode."""
        if not any(isinstance(projection, Projection) for projection in projections):
            return
        reading = self._reader.submit(self._look, projections, after, limit, None)
        self._coming = _key(projections, after), reading

    def _look(
        self, projections: Sequence[AnyProjection], after: int, limit: int, upto: int | None
    ) -> Seen:
        window = look(self._source, projections, after, limit, upto=upto)
        return window, window.upto - after >= limit


def _key(projections: Sequence[AnyProjection], after: int) -> object:
    return after, [projection.name for projection in projections]
