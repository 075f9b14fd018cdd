"""The route of the feed: ranked, or newest first."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response.base import ASGIResponse

from myriorama.api.paging import PAGE_LIMIT, Cursors, PageLimit
from myriorama.api.tokens import Principal, Scope
from myriorama.feed.ad_clients import Headers
from myriorama.feed.ad_items import AdItem
from myriorama.feed.ad_pages import NONE, AdPages, Looked, PageAds
from myriorama.feed.ad_sessions import session_of
from myriorama.feed.cards import Card
from myriorama.feed.feeds import Feeds
from myriorama.feed.ranked_feeds import RankedFeeds, RankedKind, fields_of, place_of
from myriorama.feed.timeline import END
from myriorama.feed.view_tokens import ViewTokens
from myriorama.store.identity import new_id
from myriorama.store.viewlog import Served, Views

# A feed is mostly asked for again before anything in it has changed; a cursor takes some 300 bytes.
_CURSORS_KEPT_MAX = 20_000

# How much of the cursor of a ranked feed is its place.
_PLACE_FIELDS = 2

DEGRADED_HEADER = "X-Feed-Degraded"

FeedKind = Annotated[
    Literal["following", "latest", "for_you", "popular"],
    QueryParameter(
        description="Newest first: of the accounts you follow and your own, or of everybody. Or"
        " ranked: for you, or without regard to what you did."
    ),
]


class FeedItem(Card, frozen=True, kw_only=True):
    """A video, and the token to show when it has been watched (`POST /v1/views`)."""

    view_token: str


class FeedPage(msgspec.Struct, frozen=True):
    """A stretch of a feed; `next_cursor` is None at its end. `decision_id` names this page.

    Pages of a ranked feed share the `decision_id` of the slate that they are read from. `degraded`
    says what the ranking had to do without, None if nothing. `ads` stand between the items, each at
    its `position`; they are never among the items, whose order they do not change.
    """

    items: list[FeedItem]
    next_cursor: str | None
    decision_id: UUID
    degraded: str | None
    ads: list[AdItem]


class Answer(NamedTuple):
    """A `FeedPage` as JSON; `degraded` is why it is not ranked as it should be."""

    body: bytes
    degraded: str | None


class FeedPages:
    """Makes pages: the slate, a token for each video, the ads, and the cursor of the next page."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it joins
        self,
        feeds: Feeds,
        ranked: RankedFeeds,
        cursors: Cursors,
        view_tokens: ViewTokens,
        views: Views,
        ads: AdPages | None = None,
    ) -> None:
        self._feeds = feeds
        self._ranked = ranked
        self._cursors = cursors
        self._view_tokens = view_tokens
        self._views = views
        self._ads = ads
        self._cursor = lru_cache(maxsize=_CURSORS_KEPT_MAX)(self._signed_cursor)

    async def page(
        self,
        viewer_id: UUID,
        kind: FeedKind,
        *,
        cursor: str | None,
        limit: int,
        headers: Headers = (),
    ) -> Answer:
        """Return a page, and log what is on it. `headers` are those of who asks for it.

        Raises:
            CursorInvalid: it was not given for this feed of this viewer.
            CursorExpired: it is of a ranked page that was served more than a day ago.
        """
        now = int(time.time())
        listing = f"feed:{kind}:{viewer_id.hex}"
        place = self._cursors.read(listing, cursor)
        if self._ads is not None:
            self._ads.expect(viewer_id.bytes)
        if kind == "for_you" or kind == "popular":  # noqa: PLR1714 - it narrows the type
            return await self._ranked_page(
                viewer_id.bytes, kind, listing, place, limit, now, headers
            )
        before = int(place[0]) if place else END
        viewer = viewer_id.bytes
        slate = await self._feeds.slate(viewer, kind, before=before, limit=limit, now=now)
        decision_id = new_id()
        self._ranked.was_shown(viewer, slate.video_ids, decision_id.bytes)
        tokens = self._view_tokens.of_page(viewer, decision_id.bytes, slate.video_ids, now=now)
        ads = await self._advertised(viewer, kind, slate.video_ids, headers, place, at=1)
        after = None
        if slate.before is not None and ads.session is None:
            after = self._cursor(listing, slate.before)
        elif slate.before is not None and ads.session is not None:
            after = self._cursors.write(listing, (slate.before, *ads.session.fields()))
        begins = None if place is None else before
        self._views.offer(
            Served(
                decision_id.bytes,
                viewer,
                kind,
                begins,
                slate.video_ids,
                ranking=None,
                ads=ads.record,
            )
        )
        return Answer(_json(slate.cards, tokens, after, decision_id, None, ads.items), None)

    def _signed_cursor(self, listing: str, before: int) -> str:
        return self._cursors.write(listing, (before,))

    async def _ranked_page(  # noqa: PLR0913, PLR0917 - who, which, from where, how far, when
        self,
        viewer: bytes,
        kind: RankedKind,
        listing: str,
        cursor: tuple[str | int, ...] | None,
        limit: int,
        now: int,
        headers: Headers,
    ) -> Answer:
        place = None if cursor is None else place_of(cursor[:_PLACE_FIELDS])
        page = await self._ranked.page(viewer, kind, place, limit=limit)
        tokens = self._view_tokens.of_page(viewer, page.decision_id, page.video_ids, now=now)
        ads = await self._advertised(
            viewer, kind, page.video_ids, headers, cursor, at=_PLACE_FIELDS
        )
        after = None
        if page.place is not None:
            carried = () if ads.session is None else ads.session.fields()
            after = self._cursors.write(listing, (*fields_of(page.place), *carried))
        self._views.offer(
            Served(
                page.decision_id,
                viewer,
                page.feed,
                page.before,
                page.video_ids,
                page.ranking,
                ads.record,
            )
        )
        decision_id = UUID(bytes=page.decision_id)
        body = _json(page.cards, tokens, after, decision_id, page.degraded, ads.items)
        return Answer(body, page.degraded)

    async def _advertised(  # noqa: PLR0913 - who looks at what
        self,
        viewer: bytes,
        kind: FeedKind,
        video_ids: Sequence[bytes],
        headers: Headers,
        cursor: tuple[str | int, ...] | None,
        *,
        at: int,
    ) -> PageAds:
        """Return the ads of a page; what a cursor carries of them begins `at` one of its fields."""
        carried = () if cursor is None else cursor[at:]
        if self._ads is None or not (carried or self._ads.is_open):
            return NONE
        session = session_of(carried)
        return await self._ads.of_page(Looked(viewer, kind, video_ids, headers, session))


@get(
    "/feed",
    opt={"scope": Scope.VIEWER},
    responses={
        200: ResponseSpec(
            FeedPage,
            description="A page. Where the ranking had to do without something (a model, its"
            f" memory of what happened), the header `{DEGRADED_HEADER}` says what.",
            generate_examples=False,
        )
    },
)
async def read_feed(
    request: Request[Principal, None, Any],
    feed_pages: NamedDependency[FeedPages],
    kind: FeedKind = "following",
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> ASGIResponse:
    """Read what is worth watching, or what is new. Nothing comes twice as you follow the cursors.

    You are not shown whom you muted, nor whom you blocked or who blocked you.
    """
    # One dependency: each more costs the framework as much time as a page takes.
    page = await feed_pages.page(
        request.user.account_id,
        kind,
        cursor=cursor,
        limit=limit,
        headers=request.scope["headers"],
    )
    headers = {} if page.degraded is None else {DEGRADED_HEADER: page.degraded}
    return ASGIResponse(body=page.body, headers=headers)


def _json(  # noqa: PLR0913, PLR0917 - all that is in it
    cards: Sequence[bytes],
    tokens: Sequence[bytes],
    after: str | None,
    decision_id: UUID,
    degraded: str | None,
    ads: bytes,
) -> bytes:
    """Return a `FeedPage`. The cards are long, so their bytes are copied once."""
    items = [b'"},'] * (3 * len(cards))
    items[0::3], items[1::3] = cards, tokens
    items[-1:] = [b'"}'] * bool(items)
    cursor = b"null" if after is None else b'"%s"' % after.encode()
    told = b"null" if degraded is None else b'"%s"' % degraded.encode()
    end = b'],"next_cursor":%s,"decision_id":"%s","degraded":%s,"ads":%s}' % (
        cursor,
        str(decision_id).encode(),
        told,
        ads,
    )
    return b"".join((b'{"items":[', *items, end))


router = Router("/v1", route_handlers=[read_feed], tags=["Feed"])
