"""How fast both logs are folded into the state of the ranking, on one core.

Reading the logs is not part of it: events are decoded and columns are in memory before the clock
starts, as a follower has them when it folds. What counts is the time that the core worked for it:
on a machine that does other things meanwhile, the wall clock tells of these.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.comment.events import CommentPosted
from domain.following.events import AccountFollowed
from domain.reaction.events import VideoBookmarked, VideoLiked, VideoShared
from domain.video.events import VideoPublished
from myriorama.bench.outcome import Outcome, Progress
from projections.projection import Recorded
from ranking.embedding import PromptVectors
from ranking.state import State
from ranking.views import Slates, ViewColumns, Viewings

ACCOUNTS = 20_000
VIDEOS = 50_000
WINDOW = 5000
WINDOWS = 60
RUNS = 3

# Of a window: pages of ten videos, reports on them, and what the domain log has of the same time.
_PAGES = 350
_PAGE_LENGTH = 10
_REPORTS = 4300
_DOMAIN = WINDOW - _PAGES - _REPORTS
_SHARES = {"like": 0.6, "comment": 0.14, "follow": 0.12, "share": 0.06, "bookmark": 0.05}
_START = datetime(2026, 11, 1, tzinfo=UTC)
_START_MS = int(_START.timestamp() * 1000)
_WINDOW_S = 300
_WORDS = ("fox", "boat", "rain", "city", "clay", "dragon", "kitchen", "neon", "forest", "robot")


class _Stretch(NamedTuple):
    """What both logs have of the same time."""

    domain: Sequence[Recorded[Any]]
    views: ViewColumns


def measure(progress: Progress) -> Outcome:
    """Fold the same logs several times; the figures are of the run in the middle."""
    vectors = PromptVectors.load()
    before, stretches = _logs(np.random.default_rng(0))
    progress(f"{len(before):,} events before, {WINDOW * WINDOWS:,} to fold")
    publishing, speeds, walls = list[float](), list[float](), list[float]()
    digests = set[str]()
    for run in range(RUNS + 1):
        state = State(vectors.embed, vectors.topics)
        began = time.thread_time()
        state.fold_domain(before)
        published_s = time.thread_time() - began
        began, began_wall = time.thread_time(), time.perf_counter()
        for stretch in stretches:
            state.fold_domain(stretch.domain)
            state.fold_views(stretch.views)
        folded_s = time.thread_time() - began
        wall_s = time.perf_counter() - began_wall
        digests.add(state.digest())
        if run:  # the first run compiles the loops
            publishing.append(len(before) / published_s)
            speeds.append(WINDOW * WINDOWS / folded_s)
            walls.append(WINDOW * WINDOWS / wall_s)
            progress(f"run {run}: {speeds[-1]:,.0f} events a second of the core's time")
    return Outcome(
        "fold",
        figures={
            "events_per_s": sorted(speeds)[RUNS // 2],
            "events_per_s_wall": sorted(walls)[RUNS // 2],
            "first_events_per_s": sorted(publishing)[RUNS // 2],
            "impressions_per_event": _PAGES * _PAGE_LENGTH / WINDOW,
            "different_states": float(len(digests) - 1),
        },
        ratios={},
    )


def _logs(chance: np.random.Generator) -> tuple[Sequence[Recorded[Any]], Sequence[_Stretch]]:
    opened = [_opened(number) for number in range(ACCOUNTS)]
    published = [_published(number, chance) for number in range(VIDEOS)]
    before = [
        Recorded(place, _START - timedelta(seconds=VIDEOS - place), event)
        for place, event in enumerate([*opened, *published], start=1)
    ]
    stretches, videos = list[_Stretch](), VIDEOS
    for window in range(WINDOWS):
        domain = _domain(chance, window, videos)
        videos += sum(isinstance(each.event, VideoPublished) for each in domain)
        stretches.append(_Stretch(domain, _views(chance, window, videos)))
    return before, stretches


def _domain(chance: np.random.Generator, window: int, videos: int) -> Sequence[Recorded[Any]]:
    kinds = chance.choice([*_SHARES, "publish"], _DOMAIN, p=[*_SHARES.values(), 0.03])
    events: list[Recorded[Any]] = []
    for place, kind in enumerate(kinds):
        account = _account(int(chance.integers(ACCOUNTS)))
        video = _video(int(_popular(chance, 1, videos)[0]))
        at = _START + timedelta(seconds=window * _WINDOW_S + place * _WINDOW_S / _DOMAIN)
        event = _event(str(kind), account, video, chance, videos)
        videos += isinstance(event, VideoPublished)
        events.append(Recorded(ACCOUNTS + VIDEOS + window * _DOMAIN + place + 1, at, event))
    return events


def _event(kind: str, account: UUID, video: UUID, chance: np.random.Generator, videos: int) -> Any:
    match kind:
        case "like":
            return VideoLiked(account, 2, _START, account_id=account, video_id=video)
        case "share":
            return VideoShared(account, 2, _START, account_id=account, video_id=video)
        case "bookmark":
            return VideoBookmarked(account, 2, _START, account_id=account, video_id=video)
        case "follow":
            other = _account(int(chance.integers(ACCOUNTS)))
            return AccountFollowed(account, 2, _START, account_id=account, other_id=other)
        case "comment":
            return CommentPosted(
                account, 1, _START, "", video_id=video, author_id=account, parent_id=None, text="!"
            )
        case _:
            return _published(videos, chance)


def _views(chance: np.random.Generator, window: int, videos: int) -> ViewColumns:
    """Return pages, and reports on them: most videos of a page are reported once, some again."""
    viewer = chance.integers(ACCOUNTS, size=_PAGES)
    shown = _popular(chance, _PAGES * _PAGE_LENGTH, videos)
    position = window * (_PAGES + _REPORTS) + np.arange(1, _PAGES + _REPORTS + 1)
    place = np.sort(chance.integers(_PAGES * _PAGE_LENGTH, size=_REPORTS))
    page = place // _PAGE_LENGTH
    at_ms = _START_MS + window * _WINDOW_S * 1000
    decisions = [UUID(int=(3 << 80) + window * _PAGES + number) for number in range(_PAGES)]
    return ViewColumns(
        Viewings(
            position=position[_PAGES:],
            at_ms=at_ms + np.arange(_REPORTS) * _WINDOW_S * 1000 // _REPORTS,
            viewer=_ids([_account(int(number)) for number in viewer[page]]),
            video=_ids([_video(int(number)) for number in shown[place]]),
            decision=_ids([decisions[int(number)] for number in page]),
            watched_ms=chance.exponential(6000, _REPORTS).astype(np.int32),
            loops=(chance.random(_REPORTS) < 1 / 20).astype(np.int32),
        ),
        Slates(
            position=position[:_PAGES],
            at_ms=np.full(_PAGES, at_ms, np.int64),
            decision=_ids(decisions),
            viewer=_ids([_account(int(number)) for number in viewer]),
            feed=["for_you"] * _PAGES,
            before=np.full(_PAGES, -1, np.int64),
            counts=np.full(_PAGES, _PAGE_LENGTH, np.int32),
            videos=_ids([_video(int(number)) for number in shown]),
        ),
    )


def _popular(chance: np.random.Generator, count: int, videos: int) -> NDArray[np.int64]:
    """Draw videos, of which a few are drawn often."""
    return (videos * chance.power(0.4, count)).astype(np.int64).clip(0, videos - 1)


def _opened(number: int) -> AccountOpened:
    account = _account(number)
    return AccountOpened(
        originator_id=account,
        originator_version=1,
        timestamp=_START,
        originator_topic="",
        handle=f"person{number}",
        display_name="",
        email="",
        password_hash="",
        age_band="18+",
        scopes=(),
        invitation_id=None,
        invited_by=None,
    )


def _published(number: int, chance: np.random.Generator) -> VideoPublished:
    video = _video(number)
    words = chance.choice(_WORDS, 8)
    return VideoPublished(
        originator_id=video,
        originator_version=1,
        timestamp=_START,
        originator_topic="",
        author_id=_account(int(chance.integers(ACCOUNTS))),
        generation_id=UUID(int=0),
        caption=f"{words[0]} #{words[1]}",
        visibility="public",
        remixable=True,
        prompt=" ".join(words),
        cameo_ids=(),
        remix_of=None,
        root_id=video,
        depth=0,
        video_key="",
        poster_key="",
        thumbnail_key="",
        width=704,
        height=1280,
        duration_ms=int(chance.integers(5000, 25_000)),
    )


def _account(number: int) -> UUID:
    return UUID(int=(1 << 80) + number)


def _video(number: int) -> UUID:
    return UUID(int=(2 << 80) + number)


def _ids(ids: Sequence[UUID]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(each.bytes for each in ids), "V16")
