"""Scrolling in bench `feed`: five hundred videos on end, and what somebody wants less of.

Beside how varied the five hundred are stands how varied those are that score highest, in order.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.steering.events import LessAsked
from myriorama.api.feed import FeedPages
from myriorama.bench.outcome import percentile
from myriorama.feed.live_state import LiveState
from projections.projection import Recorded
from ranking.catalogue import Visibility
from ranking.decision import Decision
from ranking.model import Model
from ranking.policy import DEFAULT
from ranking.selection.variety import entropies
from ranking.state import State

ITEMS = 500
PAGE = 20
STEERED = 20

_SCORED_FULLY = 2000
_LESS_OF = 3


_DECIDED = """
    SELECT min(ranking::text), sum(cardinality(video_ids))
    FROM slates WHERE viewer_id = %s GROUP BY decision_id
    HAVING min(ranking::text) IS NOT NULL ORDER BY min(position)
"""


class Decided(NamedTuple):
    """A slate in the log, and how many videos of it were shown."""

    decision: Decision
    shown: int


class Scrolled(NamedTuple):
    """What was shown on end, and what each page took, in ms."""

    video_ids: list[bytes]
    took: list[float]


class Shares(NamedTuple):
    """How much of a page was about a topic before its viewer wanted less of it, and after."""

    before: float
    after: float


class _Item(msgspec.Struct):
    video_id: UUID


class _Page(msgspec.Struct):
    items: list[_Item]
    next_cursor: str | None


async def scroll(pages: FeedPages, viewer: UUID) -> Scrolled:
    """Follow the cursors until as many are shown as are to be."""
    shown, cursor = Scrolled([], []), None
    while len(shown.video_ids) < ITEMS:
        began = time.perf_counter()
        page = await _page(pages, viewer, cursor)
        shown.took.append(1000 * (time.perf_counter() - began))
        shown.video_ids.extend(item.video_id.bytes for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    return shown


def figures(
    state: State, model: Model, viewer: UUID, shown: Scrolled, decided: Sequence[Decided]
) -> dict[str, float]:
    """Return how varied what was shown is, and the plain orders by score; and how long it took.

    `plain_` is of all that the viewer has not seen, `candidates_` of the candidates of its slates.
    """
    some = state.videos.serials(shown.video_ids[:ITEMS])
    plain = by_score(state, model, viewer, count=len(some))
    of_candidates, worth_most = plain_order(decided)
    worth = [placed.score for each in decided for placed in each.decision.order[: each.shown]]
    return {
        "scroll_items": len(shown.video_ids),
        "scroll_repeats": len(shown.video_ids) - len(set(shown.video_ids)),
        "scroll_p99_ms": percentile(shown.took, 0.99),
        **varied("", state, some),
        **varied("plain_", state, plain),
        **varied("candidates_", state, of_candidates),
        "worth": float(np.mean(worth)),
        "candidates_worth": worth_most,
    }


def decided_for(database_url: str, viewer_id: UUID) -> Sequence[Decided]:
    """Return the slates of a viewer that are in the log, oldest first."""
    with psycopg.connect(database_url) as database:
        rows = database.execute(_DECIDED, (viewer_id,)).fetchall()
    return [Decided(Decision.decode(text), int(shown)) for text, shown in rows]


def plain_order(decided: Sequence[Decided]) -> tuple[NDArray[np.int32], float]:
    """Return what scores highest among the candidates of each slate, none twice; and how high.

    Of each slate as many as were shown of it, so that both orders are as long.
    """
    found, scores = dict[int, None](), list[float]()
    for decision, shown in decided:
        columns = decision.candidates
        ranked = sorted(
            (-score, serial)
            for serial, score in zip(columns.serials, columns.score, strict=True)
            if score is not None and serial not in found
        )
        found.update((serial, None) for _, serial in ranked[:shown])
        scores += [-score for score, _ in ranked[:shown]]
    return np.array(list(found), np.int32), float(np.mean(scores))


def by_score(state: State, model: Model, viewer: UUID, *, count: int) -> NDArray[np.int32]:
    """Return what scores highest of all that everybody may see and the viewer has not seen."""
    videos, person = state.videos, state.people.serial(viewer.bytes)
    as_of_ms = time.time_ns() // 1_000_000
    open_ = np.flatnonzero(videos.live & (videos.visibility == Visibility.PUBLIC)).astype(np.int32)
    unseen = open_[~state.histories.seen(person, open_, as_of_ms)]
    features = state.read(person, unseen, as_of_ms, coview=model.affinities)
    first = model.utility(model.first(features), DEFAULT.weights)
    best = np.argsort(-first, kind="stable")[:_SCORED_FULLY]
    worth = model.utility(model.second(features[best]), DEFAULT.weights)
    return unseen[best[np.argsort(-worth, kind="stable")][:count]]


def varied(prefix: str, state: State, serials: NDArray[np.int32]) -> dict[str, float]:
    """Return the entropies of what was shown, by name."""
    found = entropies(state.videos, serials)
    return {f"{prefix}{kind}_entropy": found[kind] for kind in ("author", "line", "topic")}


async def see_less(pages: FeedPages, live: LiveState[State], viewers: Sequence[UUID]) -> Shares:
    """Have viewers ask for less like the most frequent topic of their page; return the means."""
    before, after = list[float](), list[float]()
    for viewer in viewers:
        page = await _page(pages, viewer, None)
        with live.held() as state:
            if state is None:
                continue
            topics = _topics(state, page)
            topic, times = Counter(topics).most_common(1)[0]
            about = [
                item.video_id for item, its in zip(page.items, topics, strict=True) if its == topic
            ]
            _ask_less(state, viewer, about[:_LESS_OF])
        following = await _page(pages, viewer, page.next_cursor)
        with live.held() as state:
            if state is not None and following.items:
                before.append(times / len(topics))
                after.append(_topics(state, following).count(topic) / len(following.items))
    return Shares(float(np.mean(before)), float(np.mean(after)))


async def _page(pages: FeedPages, viewer: UUID, cursor: str | None) -> _Page:
    answer = await pages.page(viewer, "for_you", cursor=cursor, limit=PAGE)
    return msgspec.json.decode(answer.body, type=_Page)


def _topics(state: State, page: _Page) -> list[int]:
    serials = state.videos.serials([item.video_id.bytes for item in page.items])
    topics: list[int] = state.videos.topic[serials].tolist()
    return topics


def _ask_less(state: State, viewer: UUID, video_ids: Sequence[UUID]) -> None:
    at, position = datetime.now(UTC), state.version[0]
    state.fold_domain(
        [
            Recorded(place, at, LessAsked(viewer, 2, at, account_id=viewer, video_id=video_id))
            for place, video_id in enumerate(video_ids, start=position + 1)
        ]
    )
