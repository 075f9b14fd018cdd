"""What happens when videos are watched. These facts have a log of their own and no aggregate."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True)
class VideoViewed:
    """An app reported how long a video, which a feed served, was watched until now.

    `decision_id` is the page of the feed; `session_id` and `sequence` name the report. An app may
    report several times on one showing.
    """

    TOPIC: ClassVar[str] = "viewing.video_viewed"

    viewer_id: UUID
    video_id: UUID
    decision_id: UUID
    session_id: UUID
    sequence: int
    watched_ms: int
    loops: int
