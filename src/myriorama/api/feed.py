"""The route of the feed."""

import time
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, QueryParameter

from myriorama.api.paging import PAGE_LIMIT, Cursors, PageLimit
from myriorama.api.tokens import Principal, Scope
from myriorama.feed.cards import Card
from myriorama.feed.feeds import BEGINNING, Feeds, Kind, Shown
from myriorama.feed.view_tokens import ViewTokens
from myriorama.store.identity import new_id

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


@get(
    "/feed",
    opt={"scope": Scope.VIEWER},
    responses={200: ResponseSpec(FeedPage, description="A page", generate_examples=False)},
)
async def read_feed(  # noqa: PLR0913 - the parts of a page
    *,
    principal: NamedDependency[Principal],
    feeds: NamedDependency[Feeds],
    cursors: NamedDependency[Cursors],
    view_tokens: NamedDependency[ViewTokens],
    kind: FeedKind = "following",
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Read what is new, newest first. Nothing comes twice while you follow the cursors.

    You are not shown whom you muted, nor whom you blocked or who blocked you.
    """
    now = int(time.time())
    viewer_id = principal.account_id.bytes
    listing = f"feed:{kind}:{principal.account_id.hex}"
    place = cursors.read(listing, cursor)
    before = int(place[0]) if place else BEGINNING
    slate = await feeds.slate(viewer_id, kind, before=before, limit=limit, now=now)
    decision_id = new_id()
    token = view_tokens.of_page(viewer_id, decision_id.bytes, now=now)
    page = b'{"items":[%s],"next_cursor":%s,"decision_id":"%s"}' % (
        b",".join([_item(shown, token) for shown in slate.shown]),
        b"null"
        if slate.before is None
        else b'"%s"' % cursors.write(listing, (slate.before,)).encode(),
        str(decision_id).encode(),
    )
    return Response(page, media_type=MediaType.JSON)


def _item(shown: Shown, token: Callable[[bytes], str]) -> bytes:
    return b'%s,"view_token":"%s"}' % (shown.card.json[:-1], token(shown.video_id).encode())


router = Router("/v1", route_handlers=[read_feed], tags=["Feed"])
