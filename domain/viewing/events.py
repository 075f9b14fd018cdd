"""What happens when feeds are served and watched: facts of a log of their own, and no aggregate."""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class SlateServed:
    """A page of a feed was served: these videos, in this order, and perhaps none.

    `feed` is its kind ("following", "latest", or a ranked one: "for_you", "popular"). `before` is
    the position in the feed behind which the page begins, None at the top; of a ranked one, whose
    pages have one decision, the place in its slate. `ranking` is how the slate was decided, JSON
    text, on the first page of it; `ads` what was auctioned over the page and shown on it, likewise.
    """

    TOPIC: ClassVar[str] = "viewing.slate_served"

    decision_id: UUID
    viewer_id: UUID
    feed: str
    before: int | None
    video_ids: tuple[UUID, ...]
    ranking: str | None = None
    ads: str | None = None


ViewEvent = VideoViewed | SlateServed

VIEW_EVENTS: Mapping[str, type[ViewEvent]] = {
    event.TOPIC: event for event in (SlateServed, VideoViewed)
}
