"""A generation as it goes on, told as server-sent events."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar.response import ServerSentEventMessage

from domain.errors import Exhausted
from domain.generation.states import LIVE
from myriorama.api.generation_rows import OwnGenerations
from myriorama.store.progress import Progress, ProgressRelay
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer

KEEP_ALIVE_S = 15.0
"""After so long without news a comment is sent: proxies close what they think is dead."""


STREAMS_MAX = 20
"""So many may one account have open at once, in a process: each is a connection that stays."""

_RETRY_S = 5


class TooManyStreams(Exhausted):
    """The account follows as many generations as it may at once; close one of the streams."""


class GenerationEvents:
    """Tells those who look on what happens to their generations."""

    def __init__(
        self,
        own: OwnGenerations,
        projected: Projected,
        progress: ProgressRelay,
        signer: Signer,
    ) -> None:
        self._own = own
        self._projected = projected
        self._progress = progress
        self._signer = signer
        self._open = Counter[UUID]()

    def require_room(self, owner_id: UUID) -> None:
        """Let pass who has a stream to spare.

        Raises:
            TooManyStreams: they have none.
        """
        if self._open[owner_id] >= STREAMS_MAX:
            raise TooManyStreams(
                f"You have {STREAMS_MAX} streams open; close one of them.", reset_s=_RETRY_S
            )

    async def follow(
        self, generation_id: UUID, *, owner_id: UUID
    ) -> AsyncGenerator[ServerSentEventMessage]:
        """Tell the states of a generation, at once and as they change, its progress and previews.

        A preview is a picture of what can be seen so far. It is there until the render has ended.
        """
        told = None
        shown: str | None = None
        with self._counted(owner_id), self._progress.subscribe(generation_id) as heard:
            while True:
                position = await self._projected.moved("generations", -1, timeout_s=0)
                present = await self._own.one(generation_id, owner_id=owner_id)
                if present != told:
                    told = present
                    yield _message("state", present)
                if present.state not in LIVE:
                    return
                async for news in _news(self._projected, position, heard):
                    if not isinstance(news, Progress):
                        yield news
                        continue
                    yield _message("progress", _told(news))
                    if news.preview_key and news.preview_key != shown:
                        shown = news.preview_key
                        yield _message("preview", self._preview(news, shown))

    def _preview(self, news: Progress, key: str) -> dict[str, object]:
        now = int(datetime.now(UTC).timestamp())
        return {"attempt": news.attempt, "url": self._signer.media_url(key, now=now)}

    @contextmanager
    def _counted(self, owner_id: UUID) -> Generator[None]:
        self._open[owner_id] += 1
        try:
            yield
        finally:
            self._open[owner_id] -= 1
            if not self._open[owner_id]:
                del self._open[owner_id]


async def _news(
    projected: Projected, position: int, heard: asyncio.Queue[Progress]
) -> AsyncGenerator[ServerSentEventMessage | Progress]:
    """Tell progress, and that we are alive, until generations have moved behind `position`."""
    moved = asyncio.create_task(
        projected.moved("generations", position, timeout_s=KEEP_ALIVE_S), name="moved"
    )
    hearing = asyncio.create_task(heard.get(), name="progress")
    try:
        while not moved.done():
            await asyncio.wait({moved, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                yield hearing.result()
                hearing = asyncio.create_task(heard.get(), name="progress")
        if moved.result() <= position:
            yield ServerSentEventMessage(data=None, comment="still here")
    finally:
        moved.cancel()
        hearing.cancel()


def _told(news: Progress) -> dict[str, object]:
    """Return what is told of progress; the stage only where whoever told it knew."""
    stage = {"stage": news.stage} if news.stage else {}
    return {"attempt": news.attempt, "done": news.done, "total": news.total, **stage}


def _message(event: str, content: object) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=event, data=msgspec.json.encode(content).decode())
