"""Why an upload refuses a command, or cannot be used."""

from collections.abc import Mapping
from uuid import UUID

from domain.errors import Conflict, Invalid, NotFound


class UploadNotFound(NotFound):
    """There is no such upload, or it is another account's."""

    def __init__(self, upload_id: UUID) -> None:
        super().__init__(f"There is no upload {upload_id}.")
        self.upload_id = upload_id


class UploadSettled(Conflict):
    """The upload has been cleared or refused, which is for good."""


class UploadNotCleared(Conflict):
    """The upload has not been cleared: it was refused, or is being looked at."""


class UploadPurposeUnknown(Invalid):
    """An upload is an image, a cameo video or a cameo voice."""


class MediaRefused(Invalid):
    """The bytes are not what may enter; `code` is that of the `UploadRefused` in the log."""


class UploadTooLarge(MediaRefused):
    """The file has more bytes than are taken for its purpose."""


class MediaTypeUnsupported(MediaRefused):
    """The file is not of a media type that is taken for its purpose."""


class MediaTypeMismatch(MediaRefused):
    """The file is not of the media type that it was declared to be."""


class MediaUndecodable(MediaRefused):
    """The file cannot be decoded: it is damaged, or not what it seems."""


class ImageTooLarge(MediaRefused):
    """The picture has more pixels than are taken."""


class DurationOutOfRange(MediaRefused):
    """The recording is too short or too long."""


class DecodingTimedOut(MediaRefused):
    """Looking at the file takes more time than is given."""


class DecodingOutOfMemory(MediaRefused):
    """Looking at the file takes more memory than is given."""


class NoPicture(MediaRefused):
    """The video has no picture."""


class NoSound(MediaRefused):
    """The recording has no sound."""


class Abandoned(MediaRefused):
    """Looking at the file was broken off; upload it once more."""


REFUSALS: Mapping[str, type[MediaRefused]] = {
    kind.code: kind for kind in MediaRefused.__subclasses__()
}
