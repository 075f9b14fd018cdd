"""Pages of lists of videos, the newest first.

The place in a list is a position of the log, so what is new shifts nothing.
"""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.abc import QueryNoTemplate

from myriorama.api.paging import FROM_NEWEST, Cursors, Page
from myriorama.api.reads import Reads
from myriorama.feed.cards import Card, Cards


class NewestFirst:
    """Reads lists by queries for `video_id` and `position` that ask `of`, `before` and `limit`."""

    def __init__(self, reads: Reads, cards: Cards, cursors: Cursors) -> None:
        self._reads = reads
        self._cards = cards
        self._cursors = cursors

    async def page(  # noqa: PLR0913, PLR0917 - what a page of a list depends on
        self,
        listing: str,
        query: QueryNoTemplate,
        of: UUID | str,
        viewer_id: UUID | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Card]:
        """Return the page of a list after the cursor, as the viewer (None: a visitor) sees it.

        Raises:
            CursorInvalid: it was not given for this list.
        """
        (before,) = self._cursors.read(listing, cursor) or FROM_NEWEST
        params = {"of": of, "viewer_id": viewer_id, "before": before, "limit": limit + 1}
        found = await self._reads.many(_Place, query, params)
        shown = found[:limit]
        items = await self._cards.shown_to(
            viewer_id,
            [place.video_id for place in shown],
            now=int(datetime.now(UTC).timestamp()),
        )
        more = len(found) > limit
        return Page(
            items=items,
            next_cursor=self._cursors.write(listing, (shown[-1].position,)) if more else None,
        )


class _Place(msgspec.Struct, frozen=True):
    video_id: UUID
    position: int
