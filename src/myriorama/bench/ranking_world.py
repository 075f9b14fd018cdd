"""A month of the feed to rank in: the rows of a read side as a state, watched at random.

What videos are about, and of which they are remixes, is drawn: the rows are random words. What is
random is the same for the same seed.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.following.events import AccountFollowed
from domain.video.events import VideoPublished
from myriorama.bootstrap.feeds import create_state
from projections.projection import Recorded
from ranking.deeds import Deeds, Kind
from ranking.heads import HEADS
from ranking.state import State
from ranking.training.examples import Examples

WATCHES = 600_000
SCORED = 500

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = 30
_DAY_MS = 86_400_000
_WINDOW = 5000
_LIKED = 0.05
_SLATES, _SLATE = 300, 15
_RATES = (0.4, 0.35, 0.15, 0.12, 0.05, 0.04, 0.03, 0.02, 0.004, 0.004, 0.1, 0.002, 0.001)

_REMIXED = 0.2
# Most of what somebody makes is about one thing, and what began early is remixed most.
_FAITHFUL, _EARLY = 0.6, 3
_SUBJECTS = (
    *("a fox in the snow", "a harbour at dawn", "a robot that cooks", "a cake with candles"),
    *("a storm over the sea", "a choir of frogs", "a desert caravan", "a glacier that calves"),
    *("a football match", "a jazz trio", "a paper boat", "a haunted library"),
    *("a street market", "a rocket launch", "a garden of moss", "a dancing grandmother"),
    *("a whale of glass", "a mountain train", "a cat on a piano", "a neon city in the rain"),
    *("a knight and a dragon", "a coral reef", "a baker at work", "a race of snails"),
)
_STYLES = ("claymation", "film noir", "watercolour", "macro photography", "pixel art")

_OPENED = "SELECT account_id, handle FROM accounts ORDER BY position"
_PUBLISHED = """
    SELECT video_id, author_id, visibility, duration_ms FROM videos ORDER BY published_position
"""
_FOLLOWED = "SELECT account_id, other_id FROM relations WHERE follows LIMIT 60000"


def state_of(url: str, chance: np.random.Generator, now_ms: int) -> State:
    """Return the state that the read side's rows, and a month of watching, would have led to."""
    state = create_state()
    start_ms = now_ms - _DAYS * _DAY_MS
    events = list(_recorded(url, chance, start_ms, now_ms))
    for first in range(0, len(events), _WINDOW):
        state.fold_domain(events[first : first + _WINDOW])
    videos_count = len(state.videos)
    viewer = chance.integers(len(state.people), size=WATCHES).astype(np.int32)
    popular = (videos_count * chance.power(0.4, WATCHES)).astype(np.int64).clip(0, videos_count - 1)
    video = chance.permutation(videos_count)[popular].astype(np.int32)
    at_ms = np.sort(chance.integers(start_ms + _DAY_MS, now_ms - 60_000, size=WATCHES))
    for first in range(0, WATCHES, _WINDOW):
        some = slice(first, first + _WINDOW)
        state.fold(_deeds(chance, viewer[some], video[some], at_ms[some]))
    return state


def _recorded(
    url: str, chance: np.random.Generator, start_ms: int, now_ms: int
) -> Iterator[Recorded[Any]]:
    """Yield the events that the rows would have been folded from, spread over the month."""
    with psycopg.connect(url) as database:
        accounts, videos, followed = (
            database.execute(query).fetchall() for query in (_OPENED, _PUBLISHED, _FOLLOWED)
        )
    total = len(accounts) + len(videos) + len(followed)
    step_ms = (now_ms - start_ms) / total
    events = chain(
        (_opened(*row) for row in accounts),
        _published_all(chance, videos),
        (AccountFollowed(who, 2, _AT, account_id=who, other_id=whom) for who, whom in followed),
    )
    for place, event in enumerate(events, start=1):
        at = datetime.fromtimestamp((start_ms + place * step_ms) / 1000, UTC)
        yield Recorded(place, at, event)


def _opened(account_id: UUID, handle: str) -> AccountOpened:
    return AccountOpened(
        originator_id=account_id,
        originator_version=1,
        timestamp=_AT,
        originator_topic="",
        handle=handle,
        display_name="",
        email="",
        password_hash="",
        age_band="18+",
        scopes=(),
        invitation_id=None,
        invited_by=None,
    )


def _published_all(
    chance: np.random.Generator, rows: Sequence[tuple[Any, ...]]
) -> Iterator[VideoPublished]:
    """Yield the videos of the rows, each about something, some of them remixes of earlier ones."""
    favourites = dict[UUID, int]()
    made = list[VideoPublished]()
    for number, row in enumerate(rows):
        favourite = favourites.setdefault(row[1], int(chance.integers(len(_SUBJECTS))))
        drawn = int(chance.integers(len(_SUBJECTS)))
        subject = favourite if chance.random() < _FAITHFUL else drawn
        style = _STYLES[int(chance.integers(len(_STYLES)))]
        parent = None
        if number and chance.random() < _REMIXED:
            parent = made[int(number * chance.random() ** _EARLY)]
        made.append(_published(row, f"{_SUBJECTS[subject]}, {style}", parent))
        yield made[-1]


def _published(row: tuple[Any, ...], prompt: str, parent: VideoPublished | None) -> VideoPublished:
    video_id, author_id, visibility, duration_ms = row
    return VideoPublished(
        originator_id=video_id,
        originator_version=1,
        timestamp=_AT,
        originator_topic="",
        author_id=author_id,
        generation_id=video_id,
        caption="",
        visibility=visibility,
        remixable=True,
        prompt=prompt,
        cameo_ids=(),
        remix_of=None if parent is None else parent.originator_id,
        root_id=video_id if parent is None else parent.root_id,
        depth=0 if parent is None else parent.depth + 1,
        video_key="",
        poster_key="",
        thumbnail_key="",
        width=480,
        height=854,
        duration_ms=duration_ms,
    )


def _deeds(
    chance: np.random.Generator,
    viewer: NDArray[np.int32],
    video: NDArray[np.int32],
    at_ms: NDArray[np.int64],
) -> Deeds:
    """Return impressions that were watched, some of them long, some liked."""
    count = len(viewer)
    parts = list[Deeds]()
    liked = np.flatnonzero(chance.random(count) < _LIKED)
    for kind, rows in (
        (Kind.IMPRESSION, np.arange(count)),
        (Kind.WATCH, np.arange(count)),
        (Kind.LIKE, liked),
    ):
        some = Deeds.empty(len(rows))
        some.kind[:], some.viewer[:], some.video[:] = kind, viewer[rows], video[rows]
        some.at_ms[:], some.surface[:] = at_ms[rows], 1
        if kind is Kind.WATCH:
            some.value[:] = chance.exponential(3000, len(rows)).astype(np.int32)
        parts.append(some)
    return Deeds.joined(parts)


def examples_of(state: State, chance: np.random.Generator, now_ms: int) -> Examples:
    """Return slates of random videos, and what random viewers would do with them."""
    viewer = chance.integers(len(state.people), size=_SLATES).astype(np.int32)
    videos = chance.integers(len(state.videos), size=(_SLATES, _SLATE)).astype(np.int32)
    features = np.concatenate(
        [state.read(int(who), some, now_ms) for who, some in zip(viewer, videos, strict=True)]
    )
    direction = chance.standard_normal((features.shape[1],), np.float32)
    worth: NDArray[np.float64] = np.nan_to_num(features @ direction).astype(np.float64)
    worth = (worth - worth.mean()) / worth.std()
    rates = np.array([_RATES[place % len(_RATES)] for place in range(len(HEADS))])
    odds: NDArray[np.float64] = np.log(rates / (1 - rates)) + worth[:, None]
    return Examples(
        features=features,
        slate=np.repeat(np.arange(_SLATES), _SLATE),
        viewer=np.repeat(viewer, _SLATE),
        at_ms=now_ms - _DAY_MS + np.repeat(np.arange(_SLATES), _SLATE) * 1000,
        duration_ms=np.full(_SLATES * _SLATE, 4000, np.int32),
        labels=chance.random(odds.shape) < 1 / (1 + np.exp(-odds)),
    )


def rows_of(state: State, chance: np.random.Generator, now_ms: int) -> NDArray[np.float32]:
    """Return what is known of random candidates for a random viewer."""
    candidates = chance.choice(len(state.videos), SCORED, replace=False).astype(np.int32)
    return state.read(int(chance.integers(len(state.people))), candidates, now_ms)
