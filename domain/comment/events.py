"""What can happen to a comment."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class CommentPosted(InitialEvent):
    """Somebody wrote under a video, or under another comment (`parent_id`)."""

    TOPIC = "comment.posted"

    video_id: UUID
    author_id: UUID
    parent_id: UUID | None
    text: str


@dataclass(frozen=True)
class CommentDeleted(Event):
    """Its author, or the author of the video, took the comment away; its replies stay."""

    TOPIC = "comment.deleted"

    video_id: UUID
    deleted_by: UUID


CommentEvent = CommentPosted | CommentDeleted
