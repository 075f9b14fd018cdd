"""What can happen to an upload."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class UploadReceived(InitialEvent):
    """Foreign bytes arrived. `purpose` is "image", "cameo_video" or "cameo_voice"."""

    TOPIC = "upload.received"

    owner_id: UUID
    purpose: str
    declared_media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class UploadCleared(Event):
    """The bytes decoded within the limits; a copy without metadata was stored.

    Keys name objects: `image_key` the picture (of a video: its face frame), `video_key` and
    `voice_key` where there are any.
    """

    TOPIC = "upload.cleared"

    media_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    image_key: str | None
    video_key: str | None
    voice_key: str | None
    voice_pitch_hz: float | None


@dataclass(frozen=True)
class UploadRefused(Event):
    """The bytes are not what may enter. `code` is stable; nothing of them was kept."""

    TOPIC = "upload.refused"

    code: str
    detail: str


UploadEvent = UploadReceived | UploadCleared | UploadRefused
