"""Cards: a video as it goes over the wire, wherever one is shown: in feeds, in lists, by itself.

Who may see a video is decided before its card is asked for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.store.signing import Signer

SHOWN = """
    SELECT v.video_id, a.account_id, a.handle, a.display_name, v.caption, v.prompt, v.visibility,
           v.remixable, parent.video_id, root.video_id, v.width, v.height, v.duration_ms,
           v.published_at, v.video_key, v.poster_key, v.thumbnail_key, recipe.captions_key,
           v.visibility = 'public' AND v.ladder_key IS NOT NULL, recipe.sprite_key <> '',
           v.cameo_ids,
           v.branded_by,
           coalesce(w.views, 0), coalesce(e.likes, 0), coalesce(e.comments, 0),
           coalesce(e.shares, 0), coalesce(e.bookmarks, 0), coalesce(e.remixes, 0)
    FROM videos v
    JOIN accounts a ON a.account_id = v.author_id
    LEFT JOIN videos parent ON parent.video_id = v.remix_of
        AND parent.state = 'live' AND parent.visibility = 'public'
    LEFT JOIN videos root ON root.video_id = v.root_id AND root.state = 'live'
        AND (root.visibility = 'public' OR root.video_id = v.video_id)
    LEFT JOIN recipes recipe ON recipe.generation_id = v.generation_id
    LEFT JOIN engagement_counts e ON e.video_id = v.video_id
    LEFT JOIN view_counts w ON w.video_id = v.video_id
    WHERE v.video_id = ANY(%s) AND v.state = 'live'
"""

WARNED = """
    SELECT video_id, label_warning(labels, %(viewer_id)s) FROM videos
    WHERE video_id = ANY(%(video_ids)s) AND labels <> '{}'
      AND author_id IS DISTINCT FROM %(viewer_id)s
"""


class Author(msgspec.Struct, frozen=True):
    """Who published a video."""

    account_id: UUID
    handle: str
    display_name: str


class Counts(msgspec.Struct, frozen=True):
    """What people have made of a video, so far."""

    views: int
    likes: int
    comments: int
    shares: int
    bookmarks: int
    remixes: int


class Interstitial(msgspec.Struct, frozen=True):
    """Why a warning is to stand before the video until the viewer asks to see it."""

    rule: str


class BrandedContent(msgspec.Struct, frozen=True):
    """Who paid for a video, as its author says: clients show it as a paid partnership."""

    brand: str


class Card(msgspec.Struct, frozen=True):
    """A video; its URLs are paths below the public URL, signed for an hour or somewhat longer.

    `captions_url` is null if nobody speaks, `hls_url` until many have watched: it is streamed then.
    `seek_thumbnails_url` tells where in a sprite sheet each moment is shown.
    `remix_of` and `root_id` name the parent and the first of the line as long as everybody may
    see them: whoever has the ID of an unlisted video may watch it, so a card must not tell it.
    `interstitial` is there only where a warning is to stand before the video, `branded_content`
    only where a brand paid for it.
    """

    video_id: UUID
    author: Author
    caption: str
    prompt: str
    visibility: str
    remixable: bool
    remix_of: UUID | None
    root_id: UUID | None
    width: int
    height: int
    duration_ms: int
    published_at: datetime
    video_url: str
    poster_url: str
    thumbnail_url: str
    captions_url: str | None
    hls_url: str | None
    seek_thumbnails_url: str | None
    cameo_ids: list[UUID]
    counts: Counts
    interstitial: Interstitial | msgspec.UnsetType = msgspec.UNSET
    branded_content: BrandedContent | msgspec.UnsetType = msgspec.UNSET


class Cards:
    """Reads cards from the read side."""

    def __init__(
        self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], signer: Signer
    ) -> None:
        self._pool = pool
        self._signer = signer

    async def by_ids(self, video_ids: Sequence[UUID], *, now: int) -> list[Card]:
        """Return the cards in the order asked for, in one round trip; deleted videos have none.

        They are the same for all viewers: nothing is said of warnings.

        Args:
            video_ids: which videos; the caller has seen to it that they may be shown.
            now: seconds since 1970, from which the URLs live.
        """
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(SHOWN, (list(video_ids),))).fetchall()
        cards = {row[0]: self._card(row, now) for row in rows}
        return [cards[video_id] for video_id in video_ids if video_id in cards]

    async def shown_to(
        self, viewer_id: UUID | None, video_ids: Sequence[UUID], *, now: int
    ) -> list[Card]:
        """Return the cards as `by_ids`, and on them why a warning stands before a video.

        Args:
            viewer_id: who looks; None is a visitor, who is not known to be of age.
            video_ids: which videos; the caller has seen to it that they may be shown.
            now: seconds since 1970, from which the URLs live.
        """
        cards = await self.by_ids(video_ids, now=now)
        asked = {"viewer_id": viewer_id, "video_ids": [card.video_id for card in cards]}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(WARNED, asked)).fetchall()
        rules = {video_id: rule for video_id, rule in rows if rule is not None}
        return [
            msgspec.structs.replace(card, interstitial=Interstitial(rules[card.video_id]))
            if card.video_id in rules
            else card
            for card in cards
        ]

    def _card(self, row: TupleRow, now: int) -> Card:
        fields: list[Any] = list(row)
        brand: str = row[21]
        fields[21:] = [Counts(*row[22:])]
        fields[14:18] = [
            self._signer.media_url(key, now=now) if key else None for key in row[14:18]
        ]
        below = f"/v1/videos/{row[0]}"
        fields[18] = f"{below}/hls/master.m3u8" if row[18] else None
        fields[19] = f"{below}/thumbnails.vtt" if row[19] else None
        fields[1:4] = [Author(*row[1:4])]
        card = Card(*fields)
        if not brand:
            return card
        return msgspec.structs.replace(card, branded_content=BrandedContent(brand))
