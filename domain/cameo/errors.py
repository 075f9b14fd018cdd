"""Why a cameo refuses a command, or a casting."""

from uuid import UUID

from domain.cameo.consent import Rule
from domain.cameo.voices import VOICES
from domain.errors import Conflict, Forbidden, Invalid, NotFound


class CameoNotFound(NotFound):
    """There is no such cameo, or none that this account may know of."""

    def __init__(self, cameo_id: UUID) -> None:
        super().__init__(f"There is no cameo {cameo_id}.")
        self.cameo_id = cameo_id


class NotCameoOwner(Forbidden):
    """Only the owner of a cameo decides who may cast it."""

    def __init__(self, cameo_id: UUID) -> None:
        super().__init__(f"Only the owner of cameo {cameo_id} decides who may cast it.")
        self.cameo_id = cameo_id


class CastingForbidden(Forbidden):
    """The cameo may not be cast by this account at this moment; `rule` is what stands against it.

    Where the rule is `approval_required` or `not_mutual`, the owner can be asked.
    """

    def __init__(self, cameo_id: UUID, rule: Rule) -> None:
        super().__init__(f"You may not cast cameo {cameo_id}: {rule}.")
        self.cameo_id = cameo_id
        self.rule = rule


class CameoWithdrawn(Conflict):
    """The cameo has been revoked, which is for good."""


class AudienceUnknown(Invalid):
    """An audience is one of only_me, approved, mutuals and everyone."""


class VoiceUnknown(Invalid):
    """A synthetic voice is one of narrator, bass, tenor, alto, soprano and child."""

    def __init__(self, voice: str) -> None:
        super().__init__(f"There is no voice {voice!r:.40}; there are {', '.join(VOICES)}.")


class CameoNameInvalid(Invalid):
    """The name of a cameo is one line, of more than spaces and what cannot be seen."""


class RequestMessageInvalid(Invalid):
    """What one writes to the owner has no control characters but line breaks."""


class ExpiryPast(Invalid):
    """A permission cannot end before it begins."""


class OwnerNeedsNoPermission(Invalid):
    """The owner may always cast their own cameo: there is nothing to grant, deny or ask for."""


class PermissionAlreadyRequested(Conflict):
    """This account has asked before, and the owner has not answered yet."""


class PermissionNotNeeded(Conflict):
    """The cameo may be cast as it is: there is nothing to ask for."""


class PermissionRequestNotFound(NotFound):
    """This account has not asked, or has been answered."""


class RecordingUnsuitable(Invalid):
    """A face comes from an image or a cameo video, a voice from a cameo voice or such a video."""
