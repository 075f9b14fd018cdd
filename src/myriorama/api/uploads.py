"""Routes of uploads: send an image, a short video or a voice; see what became of it."""

from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery, MultipartBody

from domain.upload.errors import REFUSALS, UploadNotFound
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.uploads import Uploads
from myriorama.store.signing import Signer

Purpose = Literal["image", "cameo_video", "cameo_voice"]

IMAGE_BYTES_MAX = 20 * 2**20
VIDEO_BYTES_MAX = 100 * 2**20
VOICE_BYTES_MAX = 20 * 2**20
BYTES_MAX = {
    "image": IMAGE_BYTES_MAX,
    "cameo_video": VIDEO_BYTES_MAX,
    "cameo_voice": VOICE_BYTES_MAX,
}
# Beside the file there are its purpose and the boundaries of the parts.
_BODY_BYTES_MAX = max(BYTES_MAX.values()) + 16 * 1024

_COLUMNS = """
    SELECT upload_id, purpose, state, code, detail, media_type, width, height, duration_ms,
           image_key, video_key, voice_key, received_at
    FROM uploads
"""
OWN = _COLUMNS + "WHERE upload_id = %s AND owner_id = %s"
OWN_LISTED = _COLUMNS + "WHERE owner_id = %s AND upload_id < %s ORDER BY upload_id DESC LIMIT %s"
_AFTER_ALL = UUID(int=2**128 - 1)


class UploadForm(msgspec.Struct, frozen=True):
    """The file, and what it is meant for."""

    file: UploadFile
    purpose: Purpose


class UploadRow(msgspec.Struct, frozen=True):
    """An upload as the read side has it."""

    upload_id: UUID
    purpose: Purpose
    state: Literal["received", "cleared", "refused"]
    code: str | None
    detail: str | None
    media_type: str | None
    width: int | None
    height: int | None
    duration_ms: int | None
    image_key: str | None
    video_key: str | None
    voice_key: str | None
    received_at: datetime


class UploadShown(msgspec.Struct, frozen=True):
    """An upload as its owner sees it; `code` and `detail` say why it was refused, if it was.

    The URLs are paths below the public URL, signed for an hour or somewhat longer; they lead to
    clean copies. The image of a cameo video is the frame that shows the face best.
    """

    upload_id: UUID
    purpose: Purpose
    state: Literal["received", "cleared", "refused"]
    code: Annotated[str, msgspec.Meta(examples=["image_too_large"])] | None
    detail: str | None
    media_type: Annotated[str, msgspec.Meta(examples=["image/jpeg"])] | None
    width: int | None
    height: int | None
    duration_ms: int | None
    image_url: str | None
    video_url: str | None
    voice_url: str | None
    received_at: datetime


@post("/", opt={"scope": Scope.VIEWER}, request_max_body_size=_BODY_BYTES_MAX)
async def upload(
    data: MultipartBody[UploadForm],
    principal: NamedDependency[Principal],
    uploads: NamedDependency[Uploads],
    inspections: NamedDependency[CapacityLimiter],
    signer: NamedDependency[Signer],
) -> Response[UploadShown]:
    """Upload an image, a video of yourself or a recording of your voice.

    It is looked at before this answers. What is kept is a clean copy without metadata; of what is
    refused nothing is kept, and the problem's code says why. At most 20 MB for an image or a voice,
    100 MB for a video.
    """
    row = await inspect(data.file, data.purpose, principal, uploads, inspections)
    return Response(_shown(row, signer), headers={"Location": f"/v1/uploads/{row.upload_id}"})


@get("/{upload_id:uuid}", opt={"scope": Scope.VIEWER})
async def read_upload(
    upload_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    signer: NamedDependency[Signer],
) -> UploadShown:
    """Read what became of an upload of yours."""
    row = await reads.one(UploadRow, OWN, (upload_id, principal.account_id))
    if row is None:
        raise UploadNotFound(upload_id)
    return _shown(row, signer)


@get("/", opt={"scope": Scope.VIEWER})
async def list_uploads(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[UploadShown]:
    """List your uploads, newest first."""
    listing = f"uploads:{principal.account_id}"
    after = cursors.read(listing, cursor)
    before = UUID(hex=str(after[0])) if after else _AFTER_ALL
    found = await reads.many(UploadRow, OWN_LISTED, (principal.account_id, before, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: _shown(row, signer),
        place=lambda row: (row.upload_id.hex,),
    )


async def inspect(
    file: UploadFile,
    purpose: Purpose,
    principal: Principal,
    uploads: Uploads,
    inspections: CapacityLimiter,
) -> UploadRow:
    """Take in a file that somebody sent, and look at it.

    Raises:
        HTTPException: it is too large.
        MediaRefused: it may not enter; the code says why.
    """
    with closing(file.file) as source:
        source.seek(0, 2)
        if source.tell() > BYTES_MAX[purpose]:
            limit = f"at most {BYTES_MAX[purpose]} bytes are taken as {purpose}"
            raise HTTPException(status_code=413, detail=f"The file is too large: {limit}.")
        source.seek(0)
        receive = partial(
            uploads.receive,
            source,
            owner_id=principal.account_id,
            purpose=purpose,
            declared_media_type=_declared(file),
            at=datetime.now(UTC),
        )
        # In threads of their own, as many as there are cores: to look at uploads takes time, which
        # must not be taken from those who command something else.
        received = await to_thread.run_sync(receive, limiter=inspections)
    if received.refusal:
        raise REFUSALS[received.refusal.code](received.refusal.detail)
    cleared = received.require_cleared()
    return UploadRow(
        upload_id=received.id,
        purpose=purpose,
        state="cleared",
        code=None,
        detail=None,
        media_type=cleared.media_type,
        width=cleared.width,
        height=cleared.height,
        duration_ms=cleared.duration_ms,
        image_key=cleared.image_key,
        video_key=cleared.video_key,
        voice_key=cleared.voice_key,
        received_at=received.received_at,
    )


def _declared(file: UploadFile) -> str:
    """Return the media type that the sender claims; a part without one claims nothing."""
    claimed = {name.lower() for name in file.headers}
    return file.content_type[:100] if "content-type" in claimed else ""


def _shown(row: UploadRow, signer: Signer) -> UploadShown:
    now = int(datetime.now(UTC).timestamp())

    def url(key: str | None) -> str | None:
        return None if key is None else signer.media_url(key, now=now)

    return UploadShown(
        upload_id=row.upload_id,
        purpose=row.purpose,
        state=row.state,
        code=row.code,
        detail=row.detail,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        duration_ms=row.duration_ms,
        image_url=url(row.image_key),
        video_url=url(row.video_key),
        voice_url=url(row.voice_key),
        received_at=row.received_at,
    )


router = Router("/v1/uploads", route_handlers=[upload, read_upload, list_uploads], tags=["Uploads"])
