"""The rules of a cameo."""

from datetime import datetime
from typing import Self, assert_never, get_args
from uuid import UUID

from domain.aggregate import Aggregate
from domain.cameo.consent import Audience, Permission, Terms
from domain.cameo.errors import (
    AudienceUnknown,
    CameoNameInvalid,
    CameoWithdrawn,
    CastingForbidden,
    ExpiryPast,
    NotCameoOwner,
    OwnerNeedsNoPermission,
    PermissionAlreadyRequested,
    PermissionNotNeeded,
    PermissionRequestNotFound,
    RequestMessageInvalid,
    VoiceUnknown,
)
from domain.cameo.events import (
    AudienceChanged,
    CameoEvent,
    CameoRecorded,
    CameoRevoked,
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
    PermissionRequestDeclined,
    PermissionRequested,
    VoiceChosen,
)
from domain.cameo.voices import VOICES
from domain.text import is_name, is_readable

AUDIENCES = frozenset(get_args(Audience))


class Cameo(Aggregate):
    """A person's likeness and voice. Only its owner lends it, and takes it back.

    An account has a permission, or an open request, or neither; never both. `permissions` may
    hold some that have expired: they count for nothing.
    """

    TOPIC = "cameo"

    def __init__(  # noqa: PLR0913 - as many as the first event has
        self,
        *,
        owner_id: UUID,
        name: str,
        audience: str,
        face_upload_id: UUID,
        voice_upload_id: UUID | None,
        face_key: str,
        voice_key: str | None,
        voice_pitch_hz: float | None,
    ) -> None:
        self.owner_id = owner_id
        self.name = name
        self.audience = audience
        self.face_upload_id = face_upload_id
        self.voice_upload_id = voice_upload_id
        self.face_key = face_key
        self.voice_key = voice_key
        self.voice_pitch_hz = voice_pitch_hz
        self.voice: str | None = None
        self.recorded_at: datetime = self.created_on
        self.permissions: dict[UUID, Permission] = {}
        self.requests: dict[UUID, str] = {}
        self.revoked = False

    @classmethod
    def record(  # noqa: PLR0913 - the fields of a recording
        cls,
        cameo_id: UUID,
        *,
        owner_id: UUID,
        name: str,
        audience: str,
        face_upload_id: UUID,
        voice_upload_id: UUID | None,
        face_key: str,
        voice_key: str | None,
        voice_pitch_hz: float | None,
        at: datetime,
    ) -> Self:
        """Record a cameo.

        Raises:
            AudienceUnknown: there is no such audience.
            CameoNameInvalid: nobody could read the name.
        """
        _check_audience(audience)
        if not is_name(name):
            raise CameoNameInvalid("The name of a cameo is one line that can be seen.")
        return cls.begin(
            CameoRecorded,
            cameo_id,
            at,
            owner_id=owner_id,
            name=name,
            audience=audience,
            face_upload_id=face_upload_id,
            voice_upload_id=voice_upload_id,
            face_key=face_key,
            voice_key=voice_key,
            voice_pitch_hz=voice_pitch_hz,
        )

    def terms(self, account_id: UUID) -> Terms:
        """Return what the owner laid down that matters to one account."""
        return Terms(self.owner_id, self.audience, self.revoked, self.permissions.get(account_id))

    def change_audience(self, audience: str, *, by: UUID, at: datetime) -> None:
        """Change who may cast the cameo without being asked. The same again records nothing.

        Raises:
            NotCameoOwner, CameoWithdrawn, AudienceUnknown: it cannot be.
        """
        self._require_mine_and_active(by)
        _check_audience(audience)
        if audience != self.audience:
            self.trigger(AudienceChanged, at, audience=audience)

    def choose_voice(self, voice: str | None, *, by: UUID, at: datetime) -> None:
        """Choose in which synthetic voice the cameo speaks. The same again records nothing.

        Without a voice, the one nearest to the measured pitch speaks.

        Raises:
            NotCameoOwner, CameoWithdrawn, VoiceUnknown: it cannot be.
        """
        self._require_mine_and_active(by)
        if voice is not None and voice not in VOICES:
            raise VoiceUnknown(voice)
        if voice != self.voice:
            self.trigger(VoiceChosen, at, voice=voice)

    def request_permission(self, *, requester_id: UUID, message: str, at: datetime) -> None:
        """Ask the owner. Whether there is anything to ask for is for the consent rule to say.

        Raises:
            CameoWithdrawn, OwnerNeedsNoPermission: it cannot be.
            CastingForbidden, PermissionNotNeeded: the owner has said no, or yes.
            PermissionAlreadyRequested: the owner has not answered yet.
            RequestMessageInvalid: nobody could read the message.
        """
        if not is_readable(message):
            raise RequestMessageInvalid("A message has no control characters but line breaks.")
        self._require_active()
        self._require_other(requester_id)
        permission = self.permissions.get(requester_id)
        if permission is not None and permission.holds(at):
            if permission.verdict == "denied":
                raise CastingForbidden(self.id, "denied")
            raise PermissionNotNeeded("The owner has granted you this permission.")
        if requester_id in self.requests:
            raise PermissionAlreadyRequested("You have asked; the owner has not answered yet.")
        self.trigger(PermissionRequested, at, requester_id=requester_id, message=message)

    def decline_request(self, requester_id: UUID, *, by: UUID, at: datetime) -> None:
        """Answer a request with no. They may ask again; to prevent that, deny.

        Raises:
            NotCameoOwner, CameoWithdrawn: it cannot be.
            PermissionRequestNotFound: there is no open request of this account.
        """
        self._require_mine_and_active(by)
        if requester_id not in self.requests:
            raise PermissionRequestNotFound("This account has not asked, or has been answered.")
        self.trigger(PermissionRequestDeclined, at, requester_id=requester_id)

    def grant_permission(
        self, grantee_id: UUID, *, expires_at: datetime | None, by: UUID, at: datetime
    ) -> None:
        """Let an account cast this cameo, and settle its request. The same again records nothing.

        Raises:
            NotCameoOwner, CameoWithdrawn, OwnerNeedsNoPermission, ExpiryPast: it cannot be.
        """
        self._require_permissible(grantee_id, expires_at, by=by, at=at)
        if self.permissions.get(grantee_id) != Permission("granted", expires_at):
            self.trigger(PermissionGranted, at, grantee_id=grantee_id, expires_at=expires_at)

    def deny_permission(
        self, grantee_id: UUID, *, expires_at: datetime | None, by: UUID, at: datetime
    ) -> None:
        """Shut an account out, whatever the audience, and settle its request.

        Raises:
            NotCameoOwner, CameoWithdrawn, OwnerNeedsNoPermission, ExpiryPast: it cannot be.
        """
        self._require_permissible(grantee_id, expires_at, by=by, at=at)
        if self.permissions.get(grantee_id) != Permission("denied", expires_at):
            self.trigger(PermissionDenied, at, grantee_id=grantee_id, expires_at=expires_at)

    def clear_permission(self, grantee_id: UUID, *, by: UUID, at: datetime) -> None:
        """Take back what was granted or denied. To clear what is not there records nothing.

        Raises:
            NotCameoOwner, CameoWithdrawn: it cannot be.
        """
        self._require_mine_and_active(by)
        if grantee_id in self.permissions:
            self.trigger(PermissionCleared, at, grantee_id=grantee_id)

    def revoke(self, *, by: UUID, at: datetime) -> None:
        """Withdraw the cameo for good. To revoke it again records nothing.

        Raises:
            NotCameoOwner: `by` does not own it.
        """
        self._require_owner(by)
        if not self.revoked:
            self.trigger(CameoRevoked, at)

    def evolve(self, event: CameoEvent) -> None:
        match event:
            case CameoRecorded():
                pass  # __init__ took its fields.
            case AudienceChanged():
                self.audience = event.audience
            case VoiceChosen():
                self.voice = event.voice
            case PermissionRequested():
                # What the asking account still has of a permission has expired.
                self.permissions.pop(event.requester_id, None)
                self.requests[event.requester_id] = event.message
            case PermissionRequestDeclined():
                self.requests.pop(event.requester_id, None)
            case PermissionGranted():
                self.requests.pop(event.grantee_id, None)
                self.permissions[event.grantee_id] = Permission("granted", event.expires_at)
            case PermissionDenied():
                self.requests.pop(event.grantee_id, None)
                self.permissions[event.grantee_id] = Permission("denied", event.expires_at)
            case PermissionCleared():
                self.permissions.pop(event.grantee_id, None)
            case CameoRevoked():
                self.revoked = True
            case _:
                assert_never(event)

    def _require_owner(self, account_id: UUID) -> None:
        if account_id != self.owner_id:
            raise NotCameoOwner(self.id)

    def _require_active(self) -> None:
        if self.revoked:
            raise CameoWithdrawn(f"Cameo {self.id} has been revoked, which is for good.")

    def _require_mine_and_active(self, by: UUID) -> None:
        self._require_owner(by)
        self._require_active()

    def _require_other(self, account_id: UUID) -> None:
        if account_id == self.owner_id:
            raise OwnerNeedsNoPermission("The owner may always cast their own cameo.")

    def _require_permissible(
        self, grantee_id: UUID, expires_at: datetime | None, *, by: UUID, at: datetime
    ) -> None:
        self._require_mine_and_active(by)
        self._require_other(grantee_id)
        if expires_at is not None and expires_at <= at:
            raise ExpiryPast("The permission would have ended before it began.")


def _check_audience(audience: str) -> None:
    if audience not in AUDIENCES:
        raise AudienceUnknown(f"There is no audience {audience!r:.40}.")
