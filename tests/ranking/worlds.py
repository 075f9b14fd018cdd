"""Small worlds for the ranking: people, videos and both logs, made by hand or drawn by a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.aggregate import Event
from domain.cameo.events import CameoRecorded, PermissionGranted
from domain.following.events import AccountFollowed, AccountUnfollowed
from domain.reaction.events import VideoLiked, VideoUnliked
from domain.video.events import VideoPublished
from projections.projection import Recorded
from ranking.state import State
from ranking.views import Slates, ViewColumns, Viewings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
TOPICS = 9


def account(number: int) -> UUID:
    """Return the ID of an account of the world."""
    return UUID(int=(1 << 80) + number)


def video(number: int) -> UUID:
    """Return the ID of a video of the world."""
    return UUID(int=(2 << 80) + number)


def page(number: int) -> UUID:
    """Return the ID of a page of a feed."""
    return UUID(int=(3 << 80) + number)


def cameo(number: int) -> UUID:
    """Return the ID of a cameo of the world."""
    return UUID(int=(4 << 80) + number)


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors that depend on the texts alone; equal texts mean the same."""
    rows = [np.random.default_rng(crc32(text.encode())).normal(size=128) for text in texts]
    vectors = np.stack(rows) if rows else np.zeros((0, 128))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)


def topics(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return one of the topics from 1 on for each vector."""
    return np.asarray(np.abs(vectors[:, 0] * 1e6) % (TOPICS - 1) + 1, np.int32)


def new_state() -> State:
    """Return a state that knows nothing."""
    return State(embed, topics, topic_count=TOPICS)


def opened(number: int) -> AccountOpened:
    """Return that an account was opened."""
    return AccountOpened(
        originator_id=account(number),
        originator_version=1,
        timestamp=NOON,
        originator_topic="",
        handle=f"person{number}",
        display_name=f"Person {number}",
        email="",
        password_hash="",
        age_band="18+",
        scopes=(),
        invitation_id=None,
        invited_by=None,
    )


def published(number: int, author: int, **changes: Any) -> VideoPublished:
    """Return that an account published a video."""
    fields: dict[str, Any] = {
        "author_id": account(author),
        "generation_id": UUID(int=0),
        "caption": f"video {number}",
        "visibility": "public",
        "remixable": True,
        "prompt": f"prompt {number % 5}",
        "cameo_ids": (),
        "remix_of": None,
        "root_id": video(number),
        "depth": 0,
        "video_key": "",
        "poster_key": "",
        "thumbnail_key": "",
        "width": 704,
        "height": 1280,
        "duration_ms": 10_000,
        **changes,
    }
    return VideoPublished(
        originator_id=video(number),
        originator_version=1,
        timestamp=NOON,
        originator_topic="",
        **fields,
    )


def followed(one: int, other: int, *, not_any_more: bool = False) -> Event:
    """Return that an account follows another, or does not any more."""
    kind = AccountUnfollowed if not_any_more else AccountFollowed
    return kind(account(one), 2, NOON, account_id=account(one), other_id=account(other))


def liked(one: int, number: int, *, not_any_more: bool = False) -> Event:
    """Return that an account likes a video, or does not any more."""
    kind = VideoUnliked if not_any_more else VideoLiked
    return kind(account(one), 2, NOON, account_id=account(one), video_id=video(number))


def recorded_cameo(number: int, owner: int) -> CameoRecorded:
    """Return that an account recorded a cameo."""
    return CameoRecorded(
        originator_id=cameo(number),
        originator_version=1,
        timestamp=NOON,
        originator_topic="",
        owner_id=account(owner),
        name="me",
        audience="approved",
        face_upload_id=UUID(int=0),
        voice_upload_id=None,
        face_key="",
        voice_key=None,
        voice_pitch_hz=None,
    )


def granted(number: int, grantee: int) -> PermissionGranted:
    """Return that the owner of a cameo lets an account cast it."""
    return PermissionGranted(cameo(number), 2, NOON, grantee_id=account(grantee), expires_at=None)


@dataclass
class Report:
    """A report of what was watched, or (`videos`) a page that was served."""

    at_s: int
    viewer: int
    decision: int
    video: int = 0
    watched_ms: int = 0
    loops: int = 0
    videos: Sequence[int] | None = None
    feed: str = "for_you"


@dataclass
class World:
    """Both logs, whose positions are the places in the lists, from 1 on."""

    domain: list[Recorded[Any]] = field(default_factory=list[Recorded[Any]])
    views: list[Report] = field(default_factory=list[Report])
    needs: list[int] = field(default_factory=list[int])
    """How much of the domain log each record of the view log came after."""

    def happened(self, event: Event, *, at_s: int = 0) -> None:
        """Append to the domain log."""
        at = NOON + timedelta(seconds=at_s)
        self.domain.append(Recorded(len(self.domain) + 1, at, event))

    def reported(self, report: Report) -> None:
        """Append to the view log."""
        self.views.append(report)
        self.needs.append(len(self.domain))

    def columns(self, after: int, upto: int) -> ViewColumns:
        """Return the positions (after, upto] of the view log."""
        placed = list(enumerate(self.views, start=1))[after:upto]
        viewed = [(place, each) for place, each in placed if each.videos is None]
        served = [(place, each) for place, each in placed if each.videos is not None]
        shown = [number for _, each in served for number in each.videos or ()]
        return ViewColumns(
            Viewings(
                position=np.array([place for place, _ in viewed], np.int64),
                at_ms=_at_ms([each for _, each in viewed]),
                viewer=_ids([account(each.viewer) for _, each in viewed]),
                video=_ids([video(each.video) for _, each in viewed]),
                decision=_ids([page(each.decision) for _, each in viewed]),
                watched_ms=np.array([each.watched_ms for _, each in viewed], np.int32),
                loops=np.array([each.loops for _, each in viewed], np.int32),
            ),
            Slates(
                position=np.array([place for place, _ in served], np.int64),
                at_ms=_at_ms([each for _, each in served]),
                decision=_ids([page(each.decision) for _, each in served]),
                viewer=_ids([account(each.viewer) for _, each in served]),
                feed=[each.feed for _, each in served],
                before=np.full(len(served), -1, np.int64),
                counts=np.array([len(each.videos or ()) for _, each in served], np.int32),
                videos=_ids([video(number) for number in shown]),
            ),
        )

    def state(self) -> State:
        """Return both logs folded, each at once."""
        state = new_state()
        state.fold_domain(self.domain, upto=len(self.domain))
        state.fold_views(self.columns(0, len(self.views)), upto=len(self.views))
        return state


def drawn(seed: int, *, records: int) -> World:
    """Return a world in which people do all sorts of things, over some days."""
    chance = np.random.default_rng(seed)
    world = World()
    people, videos = 1, 0
    world.happened(opened(0))
    for step in range(records):
        at_s = step * 1500 + int(chance.integers(600))
        one, other = (int(number) for number in chance.integers(people, size=2))
        some = [int(number) for number in chance.integers(max(videos, 1), size=3)]
        match int(chance.integers(12)):
            case 0:
                world.happened(opened(people), at_s=at_s)
                people += 1
            case 1 | 2:
                parent = video(some[0]) if videos and chance.random() < 1 / 2 else None
                duration_ms = int(chance.integers(1000, 30_000))
                event = published(videos, one, remix_of=parent, duration_ms=duration_ms)
                world.happened(event, at_s=at_s)
                videos += 1
            case 3 if people > 1 and one != other:
                world.happened(followed(one, other, not_any_more=bool(step % 3)), at_s=at_s)
            case 4 if videos:
                world.happened(liked(one, some[0], not_any_more=step % 4 == 0), at_s=at_s)
            case 5 | 6 if videos:
                world.reported(Report(at_s, one, step, videos=some, feed="following"))
            case _ if videos:
                pages = [each for each in world.views if each.videos is not None]
                shown = pages[int(chance.integers(len(pages)))] if pages else None
                decision = shown.decision if shown else step
                number = shown.videos[0] if shown and shown.videos else some[0]
                watched_ms, loops = (int(n) for n in chance.integers((40_000, 3)))
                who = shown.viewer if shown else one
                world.reported(Report(at_s, who, decision, number, watched_ms, loops))
            case _:
                pass
    return world


def _at_ms(reports: Sequence[Report]) -> NDArray[np.int64]:
    return NOON_MS + np.array([each.at_s for each in reports], np.int64) * 1000


def _ids(ids: Sequence[UUID]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(each.bytes for each in ids), "V16")
