"""Crowds for the ranking: accounts and videos by name, told as events and folded when asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from domain.account.events import AccountOpened
from domain.aggregate import Event
from domain.cameo.events import CameoRecorded, CameoRevoked
from domain.following.events import AccountBlocked, AccountFollowed, AccountMuted
from domain.ranking.events import ExperimentStarted
from domain.video.events import VideoDeleted, VideoLabelled, VideoPublished
from projections.projection import Recorded
from ranking.deeds import Deeds, Kind, Surface
from ranking.query import Kind as FeedKind
from ranking.query import Query
from ranking.state import State

WIDTH = 128
START = datetime(2026, 11, 1, tzinfo=UTC)
_NAMES = UUID("11111111-2222-3333-4444-555555555555")


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Let texts of the same words mean the same, and others something else."""
    rows = np.zeros((len(texts), WIDTH), np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().split():
            seed = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
            rows[row] += np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return rows


def topics(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """Let a text be about one of sixteen things, or nothing (0)."""
    about = np.argmax(vectors[:, :16], axis=1).astype(np.int32) + 1
    return np.where(vectors.any(axis=1), about, 0).astype(np.int32)


class Crowd:
    """Accounts and videos, and the state that follows from what they did."""

    def __init__(self) -> None:
        self._state = State(embed, topics)
        self._folded = 0
        self.log: list[Recorded[Any]] = []
        self.now = START

    @property
    def state(self) -> State:
        """The state, folded from all that has happened."""
        self._state.fold_domain(self.log[self._folded :])
        self._folded = len(self.log)
        return self._state

    @property
    def now_ms(self) -> int:
        """The present, in milliseconds."""
        return int(self.now.timestamp() * 1000)

    def happen(self, event: Event) -> None:
        """Record an event."""
        self.log.append(Recorded(len(self.log) + 1, event.timestamp, event))

    def account(self, name: str, band: str = "18+") -> UUID:
        """Open an account, and return its ID."""
        account_id = uuid5(_NAMES, name)
        scopes = ("viewer", "creator")
        fields = (name, name, f"{name}@example.org", "-", band, scopes, None, None)
        self.happen(AccountOpened(account_id, 1, self.now, "account", *fields))
        return account_id

    def cameo(self, owner: UUID) -> UUID:
        """Record a cameo, and return its ID."""
        cameo_id = uuid5(_NAMES, f"cameo {len(self.log)}")
        fields = (owner, "me", "everyone", cameo_id, None, "face", None, None)
        self.happen(CameoRecorded(cameo_id, 1, self.now, "cameo", *fields))
        return cameo_id

    def revoke(self, cameo_id: UUID) -> None:
        """Withdraw a cameo for good."""
        self.happen(CameoRevoked(cameo_id, 2, self.now))

    def publish(
        self,
        author: UUID,
        prompt: str = "a fox",
        *,
        visibility: str = "public",
        cameos: Sequence[UUID] = (),
        parent: UUID | None = None,
    ) -> UUID:
        """Publish a video, and return its ID."""
        video_id = uuid5(_NAMES, f"video {len(self.log)}")
        published = VideoPublished(
            video_id,
            1,
            self.now,
            "video",
            author_id=author,
            generation_id=uuid5(video_id, "generation"),
            caption="",
            visibility=visibility,
            remixable=True,
            prompt=prompt,
            cameo_ids=tuple(cameos),
            remix_of=parent,
            root_id=parent or video_id,
            depth=0 if parent is None else 1,
            video_key="-",
            poster_key="-",
            thumbnail_key="-",
            width=320,
            height=576,
            duration_ms=4000,
        )
        self.happen(published)
        return video_id

    def delete(self, video_id: UUID) -> None:
        """Delete a video."""
        self.happen(VideoDeleted(video_id, 2, self.now))

    def label(self, video_id: UUID, *labels: str) -> None:
        """Label a video."""
        self.happen(VideoLabelled(video_id, 2, self.now, labels, uuid5(_NAMES, "moderator")))

    def follow(self, account: UUID, other: UUID) -> None:
        """Let an account follow another."""
        following = uuid5(account, "following")
        self.happen(AccountFollowed(following, 2, self.now, account, other))

    def block(self, account: UUID, other: UUID) -> None:
        """Let an account block another."""
        self.happen(AccountBlocked(uuid5(account, "following"), 2, self.now, account, other))

    def mute(self, account: UUID, other: UUID) -> None:
        """Let an account mute another."""
        self.happen(AccountMuted(uuid5(account, "following"), 2, self.now, account, other))

    def try_out(self, arms: str, *, layer: str = "weights", buckets: int = 10_000) -> UUID:
        """Start an experiment, and return its ID."""
        experiment_id = uuid5(_NAMES, f"experiment {len(self.log)}")
        by = uuid5(_NAMES, "admin")
        dealt = ("a trial", layer, experiment_id.hex, 0, buckets, arms, by)
        ranking = uuid5(_NAMES, "ranking")
        self.happen(ExperimentStarted(ranking, 2, self.now, experiment_id, *dealt))
        return experiment_id

    def do(self, viewer: UUID, videos: Sequence[UUID], kind: Kind = Kind.IMPRESSION) -> None:
        """Let a viewer be shown videos, or do something else with each."""
        deeds = Deeds.empty(len(videos)).of_kind(kind)
        deeds.at_ms[:] = self.now_ms
        deeds.viewer[:] = self.state.people.serial(viewer.bytes)
        deeds.video[:] = self.state.videos.serials([video.bytes for video in videos])
        deeds.surface[:] = Surface.FOR_YOU
        self.state.fold(deeds)

    def watch(self, viewer: UUID, *videos: UUID) -> None:
        """Let a viewer watch videos to the end."""
        deeds = Deeds.empty(len(videos)).of_kind(Kind.WATCH)
        deeds.at_ms[:] = self.now_ms
        deeds.viewer[:] = self.state.people.serial(viewer.bytes)
        deeds.video[:] = self.state.videos.serials([video.bytes for video in videos])
        deeds.value[:] = 4000
        deeds.surface[:] = Surface.FOR_YOU
        self.state.fold(deeds)

    def ask(
        self, viewer: UUID, kind: FeedKind = "for_you", *, seed: int = 1, **fields: Any
    ) -> Query:
        """Return the query of a viewer, an hour after all that has happened."""
        as_of_ms = self.now_ms + int(timedelta(hours=1).total_seconds() * 1000)
        return Query(uuid5(viewer, f"{kind} {seed}"), viewer.bytes, kind, as_of_ms, seed, **fields)


def crowd(videos: int, *, authors: int = 40, seed: int = 7) -> tuple[Crowd, list[UUID], list[UUID]]:
    """Return a crowd that has published videos of a few kinds, some of them remixes; who, what."""
    made, chance = Crowd(), np.random.default_rng(seed)
    nouns = ("fox", "harbour", "robot", "cake", "storm", "choir", "desert", "glacier")
    kinds = ("claymation", "noir", "watercolour", "macro", "timelapse")
    people = [made.account(f"author {number}") for number in range(authors)]
    published: list[UUID] = []
    for _ in range(videos):
        author = people[int(chance.integers(authors))]
        prompt = f"{nouns[int(chance.integers(8))]} {kinds[int(chance.integers(5))]}"
        parent = None
        if published and chance.random() < 0.2:
            parent = published[int(chance.integers(len(published)))]
        made.now += timedelta(minutes=7)
        published.append(made.publish(author, prompt, parent=parent))
    return made, people, published
