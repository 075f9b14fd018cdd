"""Warming: all that the ranking compiles is run once in a made-up house, before anybody waits.

Loops are compiled when they first run, each for some seconds. A house that has just begun has
nothing to run them on, so here is one of a few people who did a little of everything.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.cameo.events import CameoRecorded, PermissionGranted
from domain.following.events import AccountFollowed, AccountMuted
from domain.reaction.events import VideoBookmarked, VideoLiked, VideoShared
from domain.steering.events import LessAsked, RuleAdded
from domain.video.events import VideoLabelled, VideoPublished
from projections.projection import Recorded
from ranking.filters import still_allowed
from ranking.pipeline import rank
from ranking.query import Kind, Query, resolve
from ranking.ranker import Ranker
from ranking.state import State
from ranking.views import Slates, ViewColumns, Viewings

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_AS_OF = _AT + timedelta(days=2)
_PEOPLE, _VIDEOS, _PAGES = 6, 40, 3
_KINDS: Sequence[Kind] = ("for_you", "popular")
_SUBJECTS = ("clay fox", "paper boat in a storm", "tin robot", "glass whale at night")
_FEEDS = ("for_you", "following", "latest")


def warm_up(state: State, ranker: Ranker) -> None:
    """Fill a state of nothing, and rank in it for people with and without a history.

    Raises:
        Exception: whatever keeps the ranker from ranking.
    """
    state.fold_domain([*_recorded()])
    state.fold_views(_viewed(), upto=1)
    for kind in _KINDS:
        for viewer in (_person(0), _person(_PEOPLE - 1), UUID(int=0)):
            _rank(state, ranker, viewer, kind)


def _rank(state: State, ranker: Ranker, viewer: UUID, kind: Kind) -> None:
    as_of_ms = _ms(_AS_OF)
    pending = tuple(_video(number).bytes for number in range(2))
    query = Query(UUID(int=0), viewer.bytes, kind, as_of_ms, 0, pending=pending)
    rank(state, ranker, state.active.policy, query)
    resolved = resolve(query, state.people, state.videos)
    serials = np.arange(_VIDEOS, dtype=np.int32)
    still_allowed(state, resolved, state.active.policy, serials)
    if resolved.viewer >= 0:
        state.histories.seen(resolved.viewer, serials, as_of_ms)


def _recorded() -> Iterator[Recorded[Any]]:
    """Yield the domain log of the house, a minute between one event and the next."""
    happened = [
        *map(_opened, range(_PEOPLE)),
        _cameo(),
        *map(_published, range(_VIDEOS)),
        *_deeds(),
    ]
    for position, event in enumerate(happened, start=1):
        yield Recorded(position, _AT + position * timedelta(minutes=1), event)


def _deeds() -> Iterator[Any]:
    """Yield what the first of the people did, and the second for them."""
    alice, bob, itself = _person(0), _person(1), UUID(int=0)
    yield PermissionGranted(_cameo_id(), 2, _AT, grantee_id=alice, expires_at=None)
    yield AccountFollowed(itself, 2, _AT, account_id=alice, other_id=bob)
    yield AccountMuted(itself, 3, _AT, account_id=alice, other_id=_person(2))
    for number in range(4):
        yield VideoLiked(itself, 2, _AT, account_id=alice, video_id=_video(number))
        yield VideoShared(itself, 3, _AT, account_id=alice, video_id=_video(number))
        yield VideoBookmarked(itself, 4, _AT, account_id=bob, video_id=_video(number))
    yield VideoLabelled(_video(9), 2, _AT, labels=("mature",), by=bob)
    yield LessAsked(itself, 2, _AT, account_id=alice, video_id=_video(7))
    for kind, subject in (("limit", "boat"), ("boost", "whale"), ("hide", "robot")):
        yield RuleAdded(
            itself,
            3,
            _AT,
            account_id=alice,
            rule_id=_id(5, len(kind)),
            kind=kind,
            about="topic",
            terms=(subject,),
            author_id=None,
            strength=50,
            expires_at=None,
            said=subject,
        )


def _opened(number: int) -> AccountOpened:
    return AccountOpened(
        originator_id=_person(number),
        originator_version=1,
        timestamp=_AT,
        originator_topic="",
        handle=f"person_{number}",
        display_name="",
        email="",
        password_hash="",
        age_band="18+",
        scopes=(),
        invitation_id=None,
        invited_by=None,
    )


def _cameo() -> CameoRecorded:
    return CameoRecorded(
        originator_id=_cameo_id(),
        originator_version=1,
        timestamp=_AT,
        originator_topic="",
        owner_id=_person(1),
        name="",
        audience="approved",
        face_upload_id=UUID(int=0),
        voice_upload_id=None,
        face_key="",
        voice_key=None,
        voice_pitch_hz=None,
    )


def _published(number: int) -> VideoPublished:
    is_remix = number % 5 == 4  # noqa: PLR2004 - every fifth
    parent = _video(number - 1) if is_remix else None
    return VideoPublished(
        originator_id=_video(number),
        originator_version=1,
        timestamp=_AT,
        originator_topic="",
        author_id=_person(1 + number % (_PEOPLE - 2)),
        generation_id=UUID(int=0),
        caption="#fox" if number % 3 else "",
        visibility="public",
        remixable=True,
        prompt=f"A {_SUBJECTS[number % len(_SUBJECTS)]}",
        cameo_ids=(_cameo_id(),) if number % 4 == 1 else (),
        remix_of=parent,
        root_id=parent or _video(number),
        depth=int(is_remix),
        video_key="",
        poster_key="",
        thumbnail_key="",
        width=480,
        height=854,
        duration_ms=4000,
    )


def _viewed() -> ViewColumns:
    """Return pages of all but the last of the people, and what they watched of them."""
    viewers = [_person(number) for number in range(_PEOPLE - 1)]
    pages = [(viewer, page) for viewer in viewers for page in range(_PAGES)]
    on_page = _VIDEOS // _PAGES
    decisions = [_id(4, number) for number in range(len(pages))]
    at_ms = _ms(_AT + timedelta(days=1)) + 60_000 * np.arange(len(pages), dtype=np.int64)
    shown = [[_video(page * on_page + place) for place in range(on_page)] for _, page in pages]
    each = np.repeat(np.arange(len(pages)), on_page)
    count = len(each)
    return ViewColumns(
        Viewings(
            position=np.ones(count, np.int64),
            at_ms=at_ms[each] + 10_000,
            viewer=_packed([pages[page][0] for page in each.tolist()]),
            video=_packed([video for videos in shown for video in videos]),
            decision=_packed([decisions[page] for page in each.tolist()]),
            watched_ms=(1000 * (np.arange(count) % 9)).astype(np.int32),
            loops=(np.arange(count) % 2).astype(np.int32),
        ),
        Slates(
            position=np.ones(len(pages), np.int64),
            at_ms=at_ms,
            decision=_packed(decisions),
            viewer=_packed([viewer for viewer, _ in pages]),
            feed=[_FEEDS[page] for _, page in pages],
            before=np.full(len(pages), -1, np.int64),
            counts=np.full(len(pages), on_page, np.int32),
            videos=_packed([video for videos in shown for video in videos]),
        ),
    )


def _person(number: int) -> UUID:
    return _id(1, number)


def _video(number: int) -> UUID:
    return _id(2, number)


def _cameo_id() -> UUID:
    return _id(3, 0)


def _id(kind: int, number: int) -> UUID:
    return UUID(int=(kind << 80) + number)


def _packed(ids: Sequence[UUID]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(each.bytes for each in ids), "V16")


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
