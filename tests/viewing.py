"""Viewers who report, and pages that are served to them, for the tests of the view log."""

import asyncio
from collections.abc import Iterable, Sequence
from hashlib import sha256
from uuid import UUID, uuid4

from myriorama.store.viewlog import Batch, Receipt, Served, Viewing, Views

ALICE = UUID(int=1)


def batch(
    sequence: int = 0, *, viewer_id: UUID = ALICE, views: int = 3, digest: bytes = b"d"
) -> Batch:
    viewings = [Viewing(uuid4(), uuid4(), watched_ms=n, loops=0) for n in range(views)]
    return Batch(viewer_id, UUID(int=7), sequence, sha256(digest).digest(), viewings)


DECIDED = '{"seed": 7,  "why": "a, \\"b\\"\\n"}'
"""JSON text that no encoder of ours would write: whoever decodes it on the way changes it."""

AUCTIONED = '{"shown": [ ],  "auction": "\\u00e9 \\"c\\""}'
"""As `DECIDED`, of the ads of a page."""


def served(
    videos: int = 3,
    *,
    viewer_id: UUID = ALICE,
    before: int | None = None,
    ranking: str | None = None,
    ads: str | None = None,
) -> Served:
    video_ids = [uuid4().bytes for _ in range(videos)]
    return Served(uuid4().bytes, viewer_id.bytes, "latest", before, video_ids, ranking, ads)


def append(url: str, batches: Iterable[Batch], slates: Sequence[Served] = ()) -> list[Receipt]:
    """Append the batches at once, each as an app of its own does, and log the slates."""

    async def report(views: Views) -> list[Receipt]:
        for slate in slates:
            views.offer(slate)
        return await asyncio.gather(*map(views.append, batches))

    with Views(url) as views:
        return asyncio.run(report(views))
