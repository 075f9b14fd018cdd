"""Reasons: why a video was shown, told from what was logged when it was, and from nothing else."""

import asyncio
import math
import time
from typing import NamedTuple, get_args
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.errors import NotFound
from ranking.decision import Decision, Placed
from ranking.query import Kind as RankedKind
from ranking.telling import told

_PAGES = """
    SELECT viewer_id, feed, video_ids, ranking::text FROM slates
    WHERE decision_id = %s ORDER BY position
"""

_SOURCES = {
    "following": "You follow who made it.",
    "trending": "Many people watch it these days.",
    "taste": "It is like what you liked or remixed.",
    "coview": "People who watched what you watched watched this, too.",
    "lineage": "It belongs to the remixes of something you liked or remixed.",
    "cameo_friends": "Somebody plays in it with whom you share cameos.",
    "fresh": "It is new, and new videos are shown to some people first.",
    "steered": "You asked for more of this.",
    "latest": "It was one of the newest videos.",
}
_SLOTS = {
    "explore": "Its place was left to chance, to learn what else people would like.",
    "fresh": "Its place was kept for new videos and new creators.",
}
# Pages are logged together, some tenths of a second after they were served.
_LOGGED_WITHIN_S, _AGAIN_S = 2.0, 0.1


class DecisionUnknown(NotFound):
    """No page was served to you under this ID, or its day is not kept any more."""


class VideoNotServed(NotFound):
    """The page that you were served under this ID did not have the video."""


class Source(msgspec.Struct, frozen=True):
    """What brought the video into consideration."""

    name: str
    meaning: str


class Moved(msgspec.Struct, frozen=True):
    """What of all that was known moved the video most: up if `by` is positive, else down.

    `meaning` says so in a sentence.
    """

    feature: str
    meaning: str
    by: float


class Why(msgspec.Struct, frozen=True):
    """Why a video was shown to you. What was not ranked has no policy, model or propensity.

    `summary` is for people. `propensity` is how probable its place was, where that was left to
    chance; `warning` the rule why something stood before it.
    """

    decision_id: UUID
    video_id: UUID
    feed: str
    summary: str
    sources: list[Source]
    is_exploration: bool
    propensity: float | None
    moved_by: list[Moved]
    warning: str | None
    policy: str | None
    model: str | None


class _Logged(NamedTuple):
    """What is on record under one decision: the videos are those that its pages have shown."""

    viewer_id: UUID
    feed: str
    video_ids: frozenset[UUID]
    ranking: str | None

    def may_yet_show(self, viewer_id: UUID, video_id: UUID) -> bool:
        """Say whether a page that is not logged yet may have shown the viewer the video."""
        is_in_slate = self.ranking is not None and str(video_id) in self.ranking
        return viewer_id == self.viewer_id and video_id not in self.video_ids and is_in_slate


class Reasons:
    """Tells reasons, of the log alone. What was decided and not shown is nobody's to ask about."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool

    async def why(self, viewer_id: UUID, decision_id: UUID, video_id: UUID) -> Why:
        """Return why a viewer was shown a video.

        Raises:
            DecisionUnknown: the viewer was served nothing under this ID.
            VideoNotServed: the video was not among what they were.
        """
        until = time.time() + _LOGGED_WITHIN_S
        logged = await self._logged(decision_id)
        while time.time() < until and (
            0 <= time.time() - _made_at_s(decision_id) < _LOGGED_WITHIN_S
            if logged is None
            else logged.may_yet_show(viewer_id, video_id)
        ):
            await asyncio.sleep(_AGAIN_S)
            logged = await self._logged(decision_id)
        if logged is None or logged.viewer_id != viewer_id:
            raise DecisionUnknown("No page was served to you under this ID.")
        if logged.ranking is None and logged.feed in get_args(RankedKind):
            raise DecisionUnknown("How this page was made is not on record.")
        if video_id not in logged.video_ids:
            raise VideoNotServed("No page under this ID showed you this video.")
        if logged.ranking is None:
            return _unranked(decision_id, video_id, logged.feed)
        decision = Decision.decode(logged.ranking)
        placed = next(each for each in decision.order if each.video == video_id)
        return _ranked(decision, placed)

    async def _logged(self, decision_id: UUID) -> _Logged | None:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_PAGES, (decision_id,))).fetchall()
        if not rows:
            return None
        rankings = (row[3] for row in rows if row[3] is not None)
        shown: list[UUID] = [video_id for row in rows for video_id in row[2]]
        return _Logged(rows[0][0], rows[0][1], frozenset(shown), next(rankings, None))


def _made_at_s(decision_id: UUID) -> float:
    return (decision_id.int >> 80) / 1000


def _unranked(decision_id: UUID, video_id: UUID, feed: str) -> Why:
    return Why(
        decision_id=decision_id,
        video_id=video_id,
        feed=feed,
        summary=f"{_SOURCES.get(feed, 'It was shown.')} This feed is not ranked: newest first.",
        sources=[Source(feed, _SOURCES.get(feed, ""))],
        is_exploration=False,
        propensity=None,
        moved_by=[],
        warning=None,
        policy=None,
        model=None,
    )


def _ranked(decision: Decision, placed: Placed) -> Why:
    log_propensity = placed.log_propensity
    sources = [Source(name, _SOURCES.get(name, "")) for name in placed.sources]
    because = [source.meaning for source in sources if source.meaning]
    if placed.slot in _SLOTS:
        because.insert(0, _SLOTS[placed.slot])
    return Why(
        decision_id=decision.decision,
        video_id=placed.video,
        feed=decision.kind,
        summary=" ".join(because) or "It did well among what could be shown.",
        sources=sources,
        is_exploration=placed.slot != "rank",
        propensity=None if log_propensity is None else round(math.exp(log_propensity), 6),
        moved_by=[Moved(name, told(name, by), by) for name, by in placed.moved_by if by],
        warning=placed.rule,
        policy=decision.policy,
        model=decision.model,
    )
