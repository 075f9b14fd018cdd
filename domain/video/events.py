"""What can happen to a video."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class VideoPublished(InitialEvent):
    """A draft became a video. `visibility` is "public", "followers" or "link" (unlisted).

    `remix_of` is the parent, `root_id` the first of its line (itself, if it is no remix).
    """

    TOPIC = "video.published"

    author_id: UUID
    generation_id: UUID
    caption: str
    visibility: str
    remixable: bool
    prompt: str
    cameo_ids: tuple[UUID, ...]
    remix_of: UUID | None
    root_id: UUID
    depth: int
    video_key: str
    poster_key: str
    thumbnail_key: str
    width: int
    height: int
    duration_ms: int


@dataclass(frozen=True)
class CaptionChanged(Event):
    """The author wrote another caption."""

    TOPIC = "video.caption_changed"

    caption: str


@dataclass(frozen=True)
class VisibilityChanged(Event):
    """The author changed who may see the video; to "link" is to unlist it."""

    TOPIC = "video.visibility_changed"

    visibility: str


@dataclass(frozen=True)
class RemixingChanged(Event):
    """The author allowed or forbade remixes from now on."""

    TOPIC = "video.remixing_changed"

    remixable: bool


@dataclass(frozen=True)
class VideoDeleted(Event):
    """The author, or who moderates, deleted the video."""

    TOPIC = "video.deleted"


@dataclass(frozen=True)
class RenditionsBuilt(Event):
    """Many watch the video, so it can be streamed in several sizes. The key names their ladder."""

    TOPIC = "video.renditions_built"

    ladder_key: str
    rungs: int
    size_bytes: int


@dataclass(frozen=True)
class VideoLabelled(Event):
    """A moderator said what the video is like. The labels take the place of those before."""

    TOPIC = "video.labelled"

    labels: tuple[str, ...]
    by: UUID


@dataclass(frozen=True)
class BrandedContentDeclared(Event):
    """The author said which brand paid for the video, or, by an empty name, that none did."""

    TOPIC = "video.branded_content_declared"

    brand: str


VideoEvent = (
    VideoPublished
    | CaptionChanged
    | VisibilityChanged
    | RemixingChanged
    | VideoDeleted
    | RenditionsBuilt
    | VideoLabelled
    | BrandedContentDeclared
)
