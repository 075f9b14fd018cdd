"""Commands on cameos: record one, say who may cast it, ask for that, and take it back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.account.aggregate import Account
from domain.account.errors import AccountNotFound
from domain.cameo.aggregate import Cameo
from domain.cameo.errors import (
    CameoNotFound,
    NotCameoOwner,
    PermissionNotNeeded,
    RecordingUnsuitable,
)
from domain.upload.aggregate import Upload
from myriorama.application.consent import Consent, Decision
from myriorama.application.uploads import Uploads
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried

_FACES = frozenset({"image", "cameo_video"})
_VOICES = frozenset({"cameo_voice", "cameo_video"})


@dataclass(frozen=True)
class Recording:
    """What a person tells of a cameo to be. Without a voice upload, the face's video speaks."""

    name: str
    audience: str
    face_upload_id: UUID
    voice_upload_id: UUID | None


class Cameos:
    """The likenesses and voices of people, in their own hands.

    Who may neither cast a cameo nor ask for it does not learn that it exists.
    """

    def __init__(self, log: Log, consent: Consent, uploads: Uploads) -> None:
        self._log = log
        self._consent = consent
        self._uploads = uploads

    @retried
    def record(self, recording: Recording, *, by: UUID, at: datetime) -> Cameo:
        """Record a cameo of one's own uploads.

        Raises:
            UploadNotFound: one of the uploads is not there, or is another's.
            UploadNotCleared: one of them cannot be used (yet).
            RecordingUnsuitable: there is no face in the one, or no voice in the other.
            AudienceUnknown: there is no such audience.
        """
        face_upload = self._uploads.owned(recording.face_upload_id, by=by)
        face = face_upload.require_cleared()
        if face_upload.purpose not in _FACES or face.image_key is None:
            raise RecordingUnsuitable("A face comes from an image or a cameo video.")
        voice_upload = self._voice_upload(recording, face_upload, by=by)
        voice = voice_upload.require_cleared() if voice_upload else None
        cameo = Cameo.record(
            new_id(),
            owner_id=by,
            name=recording.name,
            audience=recording.audience,
            face_upload_id=face_upload.id,
            voice_upload_id=voice_upload.id if voice_upload else None,
            face_key=face.image_key,
            voice_key=voice.voice_key if voice else None,
            voice_pitch_hz=voice.voice_pitch_hz if voice else None,
            at=at,
        )
        uploads = [upload for upload in (face_upload, voice_upload) if upload]
        self._log.save(cameo, expect={upload.id: upload.version for upload in uploads})
        return cameo

    def known(self, cameo_id: UUID, *, by: UUID, at: datetime) -> tuple[Cameo, Decision]:
        """Return a cameo as it is now, with what stands for or against casting it.

        Raises:
            CameoNotFound: there is none, or none that this account may know of.
        """
        cameo = self._log.find(Cameo, cameo_id)
        if cameo is None:
            raise CameoNotFound(cameo_id)
        (decision,) = self._consent.decide([cameo_id], by=by, at=at)
        if decision.verdict == "deny" and by != cameo.owner_id:
            raise CameoNotFound(cameo_id)
        return cameo, decision

    def require_owner(self, cameo_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let pass only who owns the cameo.

        Raises:
            CameoNotFound: there is none, or none that this account may know of.
            NotCameoOwner: it is another's.
        """
        if self.known(cameo_id, by=by, at=at)[0].owner_id != by:
            raise NotCameoOwner(cameo_id)

    @retried
    def change_audience(
        self,
        cameo_id: UUID,
        audience: str,
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Cameo:
        """Change who may cast the cameo without being asked.

        Args:
            cameo_id: which cameo.
            audience: who.
            by: who says so.
            precondition: is given the version that is about to be changed, and raises to stop.
            at: now.

        Raises:
            CameoNotFound, NotCameoOwner, CameoWithdrawn, AudienceUnknown: it cannot be.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        if cameo.owner_id == by:
            precondition(cameo.version)
        cameo.change_audience(audience, by=by, at=at)
        self._log.save(cameo)
        return cameo

    @retried
    def choose_voice(
        self,
        cameo_id: UUID,
        voice: str | None,
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Cameo:
        """Choose in which synthetic voice the cameo speaks; None leaves it to the measured pitch.

        Args:
            cameo_id: which cameo.
            voice: which voice.
            by: who says so.
            precondition: is given the version that is about to be changed, and raises to stop.
            at: now.

        Raises:
            CameoNotFound, NotCameoOwner, CameoWithdrawn, VoiceUnknown: it cannot be.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        if cameo.owner_id == by:
            precondition(cameo.version)
        cameo.choose_voice(voice, by=by, at=at)
        self._log.save(cameo)
        return cameo

    @retried
    def revoke(self, cameo_id: UUID, *, by: UUID, at: datetime) -> None:
        """Withdraw the cameo for good. Again changes nothing.

        Raises:
            CameoNotFound, NotCameoOwner: it cannot be.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        cameo.revoke(by=by, at=at)
        self._log.save(cameo)

    @retried
    def permit(  # noqa: PLR0913 - who, whom, what and how long
        self,
        cameo_id: UUID,
        account_id: UUID,
        verdict: Literal["granted", "denied"],
        *,
        expires_at: datetime | None,
        by: UUID,
        at: datetime,
    ) -> None:
        """Grant or deny one account the casting of the cameo, whatever its audience.

        Raises:
            CameoNotFound, NotCameoOwner, CameoWithdrawn: it cannot be.
            AccountNotFound: there is no such account.
            OwnerNeedsNoPermission, ExpiryPast: it would say nothing.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        change = cameo.grant_permission if verdict == "granted" else cameo.deny_permission
        change(account_id, expires_at=expires_at, by=by, at=at)
        if self._log.find(Account, account_id) is None:
            raise AccountNotFound("There is no such account.")
        self._log.save(cameo)

    @retried
    def clear_permission(self, cameo_id: UUID, account_id: UUID, *, by: UUID, at: datetime) -> None:
        """Take back what was granted to or denied one account. Again changes nothing.

        Raises:
            CameoNotFound, NotCameoOwner, CameoWithdrawn: it cannot be.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        cameo.clear_permission(account_id, by=by, at=at)
        self._log.save(cameo)

    @retried
    def request_permission(self, cameo_id: UUID, message: str, *, by: UUID, at: datetime) -> None:
        """Ask the owner for permission to cast the cameo.

        Raises:
            CameoNotFound: there is none, or none that this account may ask for.
            PermissionNotNeeded, OwnerNeedsNoPermission: there is nothing to ask for.
            PermissionAlreadyRequested: the owner has not answered yet.
        """
        (decision,), read = self._consent.weigh([cameo_id], by=by, at=at)
        cameo = self._log.find(Cameo, cameo_id)
        if cameo is None or (decision.verdict == "deny" and by != cameo.owner_id):
            raise CameoNotFound(cameo_id)
        if decision.verdict == "allow" and by != cameo.owner_id:
            raise PermissionNotNeeded("You may cast this cameo as it is.")
        cameo.request_permission(requester_id=by, message=message, at=at)
        self._log.save(cameo, expect=read)

    @retried
    def decline_request(
        self, cameo_id: UUID, requester_id: UUID, *, by: UUID, at: datetime
    ) -> None:
        """Answer a request with no.

        Raises:
            CameoNotFound, NotCameoOwner, CameoWithdrawn: it cannot be.
            PermissionRequestNotFound: there is no open request of this account.
        """
        cameo, _ = self.known(cameo_id, by=by, at=at)
        cameo.decline_request(requester_id, by=by, at=at)
        self._log.save(cameo)

    def _voice_upload(self, recording: Recording, face: Upload, *, by: UUID) -> Upload | None:
        if recording.voice_upload_id is None:
            return face if face.require_cleared().voice_key else None
        upload = self._uploads.owned(recording.voice_upload_id, by=by)
        if upload.purpose not in _VOICES or upload.require_cleared().voice_key is None:
            raise RecordingUnsuitable("A voice comes from a cameo voice or a cameo video.")
        return upload
