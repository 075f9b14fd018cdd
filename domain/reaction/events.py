"""What one account can make of one video."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class ReactionBegun(InitialEvent):
    """The account reacted to the video for the first time."""

    TOPIC = "reaction.begun"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoLiked(Event):
    """The account likes the video."""

    TOPIC = "reaction.video_liked"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoUnliked(Event):
    """The account took its like back."""

    TOPIC = "reaction.video_unliked"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoBookmarked(Event):
    """The account keeps the video for later."""

    TOPIC = "reaction.video_bookmarked"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoUnbookmarked(Event):
    """The account does not keep the video any more."""

    TOPIC = "reaction.video_unbookmarked"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoShared(Event):
    """The account passed the video on, for the first time."""

    TOPIC = "reaction.video_shared"

    account_id: UUID
    video_id: UUID


@dataclass(frozen=True)
class VideoReported(Event):
    """The account thinks that the video should not be here, for one of `REASONS`.

    Who reported, and in which words, is for moderators alone.
    """

    TOPIC = "reaction.video_reported"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"account_id", "note"})

    account_id: UUID
    video_id: UUID
    reason: str
    note: str


ReactionEvent = (
    ReactionBegun
    | VideoLiked
    | VideoUnliked
    | VideoBookmarked
    | VideoUnbookmarked
    | VideoShared
    | VideoReported
)
