"""Searching: videos by what they say and mean, people by their names, hashtags by how they begin.

What is found is what the one who asks may come upon: `discoverable_videos` of the database says it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec

from myriorama.api.newest_first import NewestFirst
from myriorama.api.paging import Cursors, Page
from myriorama.api.people import Somebody
from myriorama.api.reads import Reads
from myriorama.api.search_terms import Terms
from myriorama.feed.cards import Card, Cards
from projections.video_documents import Embed, literal

CONSIDERED = 1000
"""So many of each list are looked at, the best first, before it is asked who may see them."""

FOUND_MAX = 200
"""So many are shown: nobody reads on for longer."""

DISTANCE_MAX = 0.65
"""Cosine distance from which on two texts are not about the same (measured: unrelated ~1)."""

SEARCH = Path(__file__).with_name("search.sql").read_bytes()

# Slower by far, so only where no word was found as it was typed.
SPELLED = """
    WITH considered AS MATERIALIZED (
        SELECT video_id, row_number() OVER (ORDER BY likeness DESC, position DESC) AS place FROM (
            SELECT d.video_id, d.position,
                   word_similarity(%(text)s, d.caption || ' ' || d.prompt) AS likeness
            FROM video_documents d
            WHERE %(text)s <%% (d.caption || ' ' || d.prompt)
              AND (%(within)s::uuid[] IS NULL OR d.video_id = ANY(%(within)s::uuid[]))
            ORDER BY likeness DESC, d.position DESC LIMIT %(considered)s
        ) AS spelled
    )
    SELECT 'spelling' AS source, c.video_id, v.published_position AS position, c.place
    FROM considered c JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
"""

# A handle is of the author, or of whose cameo is in the video.
NAMED = """
    WITH people AS (
        SELECT a.handle, a.account_id,
               ARRAY(SELECT cameo_id FROM cameos c WHERE c.owner_id = a.account_id) AS cameo_ids
        FROM accounts a
        WHERE a.handle = ANY(%(handles)s) AND NOT are_blocked(a.account_id, %(viewer_id)s)
    )
    SELECT video_id FROM (
        SELECT video_id, '#' || tag, published_position FROM video_hashtags
        WHERE tag = ANY(%(tags)s)
        UNION SELECT v.video_id, '@' || p.handle, v.published_position
        FROM people p JOIN videos v ON v.author_id = p.account_id WHERE v.state = 'live'
        UNION SELECT v.video_id, '@' || p.handle, v.published_position
        FROM people p JOIN videos v ON v.cameo_ids && p.cameo_ids WHERE v.state = 'live'
    ) AS named (video_id, term, position)
    GROUP BY video_id, position HAVING count(*) = %(terms)s
    ORDER BY position DESC LIMIT %(considered)s
"""

PEOPLE = """
    SELECT account_id, handle, display_name, score FROM (
        SELECT account_id, handle, display_name,
               CASE WHEN handle = %(name)s THEN 3000 WHEN handle ^@ %(name)s COLLATE "C" THEN 2000
                    ELSE 0 END + round(1000 * greatest(
                   similarity(handle, %(name)s), word_similarity(%(name)s, display_name)
               ))::bigint AS score
        FROM accounts
        WHERE (handle ^@ %(name)s COLLATE "C" OR handle %% %(name)s OR %(name)s <%% display_name)
          AND %(name)s <> '' AND NOT are_blocked(account_id, %(viewer_id)s)
    ) AS found
    WHERE score < %(score)s OR (score = %(score)s AND handle > %(handle)s)
    ORDER BY score DESC, handle LIMIT %(limit)s
"""

HASHTAGS = """
    SELECT tag, videos FROM hashtags WHERE tag ^@ %(tag)s ORDER BY videos DESC, tag LIMIT %(limit)s
"""

TAGGED = """
    SELECT v.video_id, v.published_position AS position
    FROM video_hashtags t JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
    WHERE t.tag = %(of)s AND t.published_position < %(before)s
    ORDER BY t.published_position DESC LIMIT %(limit)s
"""

_SMOOTHING = 60
_WEIGHTS = {"words": 3_000_000, "spelling": 1_000_000, "meaning": 2_000_000, "newest": 1_000_000}


class Hashtag(msgspec.Struct, frozen=True):
    """A hashtag without its sign, and how many videos carry it that everybody may see."""

    tag: str
    videos: int


class Place(msgspec.Struct, frozen=True):
    """Where one of the lists has a video, the first at 1; `position` is its own in the log."""

    source: str
    video_id: UUID
    position: int
    place: int


class Search:
    """Finds, page by page; what has been on a page of a search is on no other of it."""

    def __init__(self, reads: Reads, cards: Cards, cursors: Cursors, embed: Embed) -> None:
        self._reads = reads
        self._cards = cards
        self._cursors = cursors
        self._embed = embed
        self._lists = NewestFirst(reads, cards, cursors)

    async def videos(
        self, typed: str, viewer_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Card]:
        """Return videos, the best first: lists of words, spelling and meaning, fused.

        Raises:
            CursorInvalid: it was not given for this search of this viewer.
        """
        listing = f"search:{viewer_id}:{sha256(typed.encode()).hexdigest()}"
        shown = cast("tuple[int, ...]", self._cursors.read(listing, cursor) or ())
        before = set(shown)
        found = await self._found(Terms.of(typed), viewer_id)
        left = [place for place in fused(found) if place.position not in before]
        left = left[: FOUND_MAX - len(shown)]
        page = left[:limit]
        places = (*shown, *(place.position for place in page))
        return Page(
            items=await self._cards.shown_to(
                viewer_id, [place.video_id for place in page], now=_now()
            ),
            next_cursor=self._cursors.write(listing, places) if len(left) > limit else None,
        )

    async def _found(self, terms: Terms, viewer_id: UUID | None) -> list[Place]:
        """Return what each list has of what the viewer may come upon."""
        params: dict[str, Any] = {
            "viewer_id": viewer_id,
            "text": terms.text,
            "within": None,
            "considered": CONSIDERED,
        }
        if terms.tags or terms.handles:
            named = await self._reads.many(
                _Named,
                NAMED,
                params
                | {
                    "tags": list(terms.tags),
                    "handles": list(terms.handles),
                    "terms": len(terms.tags) + len(terms.handles),
                },
            )
            params["within"] = [video.video_id for video in named]
        (row,) = self._embed([terms.text])
        vector = literal(row)
        params |= {"vector": vector, "distance_max": DISTANCE_MAX}
        found = await self._reads.many(Place, SEARCH, params)
        if terms.text and not any(place.source == "words" for place in found):
            found += await self._reads.many(Place, SPELLED, params)
        return found

    async def people(
        self, typed: str, viewer_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Somebody]:
        """Return accounts whose handle or name is like what was typed, the likest first.

        Raises:
            CursorInvalid: it was not given for this search.
        """
        name = Terms.of(typed).beginning
        listing = f"people:{sha256(name.encode()).hexdigest()}"
        score, handle = self._cursors.read(listing, cursor) or (2**62, "")
        params = {
            "name": name,
            "viewer_id": viewer_id,
            "score": score,
            "handle": handle,
            "limit": limit + 1,
        }
        found = await self._reads.many(_Person, PEOPLE, params)
        shown = found[:limit]
        after = (shown[-1].score, shown[-1].handle) if len(found) > limit else None
        return Page(
            items=[Somebody(i.account_id, i.handle, i.display_name) for i in shown],
            next_cursor=self._cursors.write(listing, after) if after else None,
        )

    async def hashtags(self, typed: str, limit: int) -> list[Hashtag]:
        """Return the hashtags that begin like what was typed, the most used first."""
        params = {"tag": Terms.of(typed).beginning, "limit": limit}
        return await self._reads.many(Hashtag, HASHTAGS, params)

    async def tagged(
        self, typed: str, viewer_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Card]:
        """Return the videos that carry a hashtag, the newest first; none of what is no hashtag.

        Raises:
            CursorInvalid: it was not given for this hashtag.
        """
        terms = Terms.of(f"#{typed.removeprefix('#')}")
        tag = terms.tags[0] if len(terms.tags) == 1 and not (terms.handles or terms.text) else ""
        listing = f"hashtag:{sha256(tag.encode()).hexdigest()}"
        if not tag:
            self._cursors.read(listing, cursor)
            return Page(items=[], next_cursor=None)
        return await self._lists.page(listing, TAGGED, tag, viewer_id, limit, cursor)


def fused(places: Iterable[Place]) -> Sequence[Place]:
    """Return one place a video, the best first, by reciprocal ranks; of equals the newest first."""
    scores: dict[UUID, int] = {}
    videos: dict[UUID, Place] = {}
    for place in places:
        score = _WEIGHTS[place.source] // (_SMOOTHING + place.place)
        scores[place.video_id] = scores.get(place.video_id, 0) + score
        videos[place.video_id] = place
    return sorted(videos.values(), key=lambda place: (-scores[place.video_id], -place.position))


class _Person(Somebody, frozen=True):
    score: int


class _Named(msgspec.Struct, frozen=True):
    video_id: UUID


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
