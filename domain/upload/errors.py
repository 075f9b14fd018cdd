"""Why an upload refuses a command, or cannot be used."""

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
    """The bytes are not what may enter; `code` says why, as it stands in `UploadRefused`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
