"""What can happen to a cameo."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class CameoRecorded(InitialEvent):
    """A person recorded their likeness and voice.

    `audience` is "only_me", "approved", "mutuals" or "everyone". Keys name private objects.
    """

    TOPIC = "cameo.recorded"

    owner_id: UUID
    name: str
    audience: str
    face_upload_id: UUID
    voice_upload_id: UUID | None
    face_key: str
    voice_key: str | None
    voice_pitch_hz: float | None


@dataclass(frozen=True)
class AudienceChanged(Event):
    """The owner changed who may cast the cameo without being asked."""

    TOPIC = "cameo.audience_changed"

    audience: str


@dataclass(frozen=True)
class VoiceChosen(Event):
    """The owner chose in which synthetic voice it speaks (None: the measured pitch decides)."""

    TOPIC = "cameo.voice_chosen"

    voice: str | None


@dataclass(frozen=True)
class PermissionRequested(Event):
    """An account asked the owner for permission to cast the cameo."""

    TOPIC = "cameo.permission_requested"

    requester_id: UUID
    message: str


@dataclass(frozen=True)
class PermissionRequestDeclined(Event):
    """The owner did not grant what was asked for."""

    TOPIC = "cameo.permission_request_declined"

    requester_id: UUID


@dataclass(frozen=True)
class PermissionGranted(Event):
    """The owner let one account cast the cameo, until `expires_at` (None: until revoked)."""

    TOPIC = "cameo.permission_granted"

    grantee_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class PermissionDenied(Event):
    """The owner shut one account out, until `expires_at` (None: until cleared). Deny wins."""

    TOPIC = "cameo.permission_denied"

    grantee_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class PermissionCleared(Event):
    """The owner took back what was granted to or denied one account: the audience decides."""

    TOPIC = "cameo.permission_cleared"

    grantee_id: UUID


@dataclass(frozen=True)
class CameoRevoked(Event):
    """The owner withdrew the cameo for good: nobody casts it any more, its owner neither."""

    TOPIC = "cameo.revoked"


CameoEvent = (
    CameoRecorded
    | AudienceChanged
    | VoiceChosen
    | PermissionRequested
    | PermissionRequestDeclined
    | PermissionGranted
    | PermissionDenied
    | PermissionCleared
    | CameoRevoked
)
