"""The route of the feed."""

import time
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response.base import ASGIResponse

from myriorama.api.paging import PAGE_LIMIT, Cursors, PageLimit
from myriorama.api.tokens import Principal, Scope
from myriorama.feed.cards import Card
from myriorama.feed.feeds import Feeds, Kind
from myriorama.feed.timeline import END
from myriorama.feed.view_tokens import ViewTokens
from myriorama.store.identity import new_id
from myriorama.store.viewlog import Served, Views

FeedKind = Annotated[
    Kind,
    QueryParameter(
        description="Of the accounts you follow and your own, or of everybody who lets everybody."
    ),
]


class FeedItem(Card, frozen=True):
    """A video, and the token to show when it has been watched (`POST /v1/views`)."""

    view_token: str


class FeedPage(msgspec.Struct, frozen=True):
    """A stretch of a feed; `next_cursor` is None at its end. `decision_id` names this page."""

    items: list[FeedItem]
    next_cursor: str | None
    decision_id: UUID


class FeedPages:
    """Makes pages: the slate, a token for each of its videos, and the cursor of the next page."""

    def __init__(
        self, feeds: Feeds, cursors: Cursors, view_tokens: ViewTokens, views: Views
    ) -> None:
        self._feeds = feeds
        self._cursors = cursors
        self._view_tokens = view_tokens
        self._views = views

    async def page(self, viewer_id: UUID, kind: Kind, *, cursor: str | None, limit: int) -> bytes:
        """Return a `FeedPage` as JSON, and log what is on it.

        Raises:
            CursorInvalid: it was not given for this feed of this viewer.
        """
        now = int(time.time())
        listing = f"feed:{kind}:{viewer_id.hex}"
        place = self._cursors.read(listing, cursor)
        before = int(place[0]) if place else END
        viewer = viewer_id.bytes
        slate = await self._feeds.slate(viewer, kind, before=before, limit=limit, now=now)
        decision_id = new_id()
        tokens = self._view_tokens.of_page(viewer, decision_id.bytes, slate.video_ids, now=now)
        after = None
        if slate.before is not None:
            after = self._cursors.write(listing, (slate.before,))
        self._views.offer(
            Served(
                decision_id.bytes, viewer, kind, None if place is None else before, slate.video_ids
            )
        )
        return _json(slate.cards, tokens, after, decision_id)


@get(
    "/feed",
    opt={"scope": Scope.VIEWER},
    responses={200: ResponseSpec(FeedPage, description="A page", generate_examples=False)},
)
async def read_feed(
    request: Request[Principal, None, Any],
    feed_pages: NamedDependency[FeedPages],
    kind: FeedKind = "following",
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> ASGIResponse:
    """Read what is new, newest first. Nothing comes twice while you follow the cursors.

    You are not shown whom you muted, nor whom you blocked or who blocked you.
    """
    # One dependency: each more costs the framework as much time as a page takes.
    page = await feed_pages.page(request.user.account_id, kind, cursor=cursor, limit=limit)
    return ASGIResponse(body=page)


def _json(
    cards: Sequence[bytes], tokens: Sequence[bytes], after: str | None, decision_id: UUID
) -> bytes:
    """Return a `FeedPage`. The cards are long, so their bytes are copied once."""
    items = [b'"},'] * (3 * len(cards))
    items[0::3], items[1::3] = cards, tokens
    items[-1:] = [b'"}'] * bool(items)
    cursor = b"null" if after is None else b'"%s"' % after.encode()
    end = b'],"next_cursor":%s,"decision_id":"%s"}' % (cursor, str(decision_id).encode())
    return b"".join((b'{"items":[', *items, end))


router = Router("/v1", route_handlers=[read_feed], tags=["Feed"])
