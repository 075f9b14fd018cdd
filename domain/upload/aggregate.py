"""The rules of an upload."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self, assert_never, get_args
from uuid import UUID

from domain.aggregate import Aggregate
from domain.upload.errors import UploadNotCleared, UploadPurposeUnknown, UploadSettled
from domain.upload.events import UploadCleared, UploadEvent, UploadReceived, UploadRefused

Purpose = Literal["image", "cameo_video", "cameo_voice"]
PURPOSES = frozenset(get_args(Purpose))


@dataclass(frozen=True)
class Clearance:
    """What was seen in the bytes, and under which keys their clean copies lie."""

    media_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    image_key: str | None
    video_key: str | None
    voice_key: str | None
    voice_pitch_hz: float | None


@dataclass(frozen=True)
class Refusal:
    """Why the bytes may not enter; `code` is stable."""

    code: str
    detail: str


class Upload(Aggregate):
    """Foreign bytes, which are of use to nobody before they are cleared, and then to their owner.

    An upload is received, then either cleared or refused, once.
    """

    TOPIC = "upload"

    def __init__(self, *, owner_id: UUID, purpose: str, sha256: str) -> None:
        self.owner_id = owner_id
        self.purpose = purpose
        self.sha256 = sha256
        self.received_at: datetime = self.created_on
        self.clearance: Clearance | None = None
        self.refusal: Refusal | None = None

    @classmethod
    def receive(  # noqa: PLR0913 - the fields of the first event
        cls,
        upload_id: UUID,
        *,
        owner_id: UUID,
        purpose: str,
        declared_media_type: str,
        size_bytes: int,
        sha256: str,
        at: datetime,
    ) -> Self:
        """Note that bytes have arrived.

        Raises:
            UploadPurposeUnknown: there is no such purpose.
        """
        if purpose not in PURPOSES:
            raise UploadPurposeUnknown(f"Nothing is uploaded as {purpose!r:.40}.")
        return cls.begin(
            UploadReceived,
            upload_id,
            at,
            owner_id=owner_id,
            purpose=purpose,
            declared_media_type=declared_media_type,
            bytes=size_bytes,
            sha256=sha256,
        )

    def clear(self, clearance: Clearance, *, at: datetime) -> None:
        """Let the clean copies in.

        Raises:
            UploadSettled: it has been cleared or refused before.
        """
        self._require_open()
        self.trigger(
            UploadCleared,
            at,
            media_type=clearance.media_type,
            width=clearance.width,
            height=clearance.height,
            duration_ms=clearance.duration_ms,
            image_key=clearance.image_key,
            video_key=clearance.video_key,
            voice_key=clearance.voice_key,
            voice_pitch_hz=clearance.voice_pitch_hz,
        )

    def refuse(self, refusal: Refusal, *, at: datetime) -> None:
        """Let nothing in.

        Raises:
            UploadSettled: it has been cleared or refused before.
        """
        self._require_open()
        self.trigger(UploadRefused, at, code=refusal.code, detail=refusal.detail)

    def require_cleared(self) -> Clearance:
        """Return what the owner may use.

        Raises:
            UploadNotCleared: there is nothing yet, or nothing at all.
        """
        if self.clearance is None:
            raise UploadNotCleared(f"Upload {self.id} has not been cleared.")
        return self.clearance

    def evolve(self, event: UploadEvent) -> None:
        match event:
            case UploadReceived():
                pass  # __init__ took its fields.
            case UploadCleared():
                self.clearance = Clearance(
                    event.media_type,
                    event.width,
                    event.height,
                    event.duration_ms,
                    event.image_key,
                    event.video_key,
                    event.voice_key,
                    event.voice_pitch_hz,
                )
            case UploadRefused():
                self.refusal = Refusal(event.code, event.detail)
            case _:
                assert_never(event)

    def _require_open(self) -> None:
        if self.clearance or self.refusal:
            raise UploadSettled(f"Upload {self.id} has been cleared or refused before.")
