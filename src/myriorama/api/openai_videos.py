"""Routes of videos as OpenAI's API has them: its clients work here with another base URL.

A video there is a generation here, whose ID is written `video_<hex>`. `dialects.py` sends here what
such clients send to `/v1/videos`. To publish one is our own route's.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from anyio import CapacityLimiter
from litestar import Router, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody, QueryParameter
from litestar.response import Redirect

from domain.generation.errors import DraftNotFound
from domain.generation.models import ModelUnknown
from domain.generation.states import LIVE
from domain.generation.wish import Wish
from domain.video.errors import VideoNotFound
from myriorama.api.models import Model, ModelTable
from myriorama.api.openai_shapes import (
    SHAPED_HANDLERS,
    Failing,
    NothingToDelete,
    OpenAIDeleted,
    OpenAIVideo,
    OpenAIVideos,
    SecondsInvalid,
    SizeUnknown,
    VideoNotReady,
    VideoPublished,
    VideoRow,
    identity,
    named,
    shown,
)
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.api.uploads import IMAGE_BYTES_MAX, inspect
from myriorama.application.generations import Generations, Submitted
from myriorama.application.uploads import Uploads
from myriorama.store.front import Front
from myriorama.store.progress import ProgressRelay
from myriorama.store.signing import Signer

# What was cancelled or discarded is deleted, for these clients. Whose remix of others' videos it
# is, is not told: they are no videos that the client could ask for.
_COLUMNS = """
    SELECT g.generation_id, g.state, g.prompt, g.seconds, g.orientation, g.resolution, g.width,
           g.height, g.seed, g.cameo_ids, g.image_upload_id, g.reason, g.detail, g.requested_at,
           g.ended_at, g.video_id, g.video_key, g.thumbnail_key, r.sprite_key, r.model,
           coalesce(p.generation_id, r.remake_of) AS remixed_from, EXISTS (
               SELECT FROM cameos c WHERE c.cameo_id = ANY(g.cameo_ids) AND c.state = 'revoked'
           ) AS is_recalled
    FROM generations g LEFT JOIN recipes r USING (generation_id)
    LEFT JOIN videos p ON p.video_id = g.remix_of AND p.author_id = g.account_id
    WHERE g.account_id = %s AND g.state NOT IN ('cancelled', 'discarded')
"""
ONE = _COLUMNS + "AND g.generation_id = %s"
NEWEST = _COLUMNS + "AND g.generation_id < %s ORDER BY g.generation_id DESC LIMIT %s"
OLDEST = _COLUMNS + "AND g.generation_id > %s ORDER BY g.generation_id LIMIT %s"

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_SECONDS = 4
_SHAPE = ("portrait", "720p")
# What their clients call the sizes next to ours, which are in multiples of 32 pixels.
_THEIR_SIZES = {"720x1280": ("portrait", "720p"), "1280x720": ("landscape", "720p")}
_THEIR_MODELS = "sora-"
_FORM_BYTES_MAX = IMAGE_BYTES_MAX + 32 * 1024

Prompt = Annotated[
    str, msgspec.Meta(min_length=1, max_length=2000, examples=["a fox jumps over a brook"])
]
ModelName = Annotated[str, msgspec.Meta(max_length=100, examples=["procedural-1"])]
Size = Annotated[str, msgspec.Meta(max_length=20, examples=["480x832"])]
Listed = Annotated[int, QueryParameter(ge=1, le=100, description="How many videos at most.")]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The picture that the video begins with: the ID of an upload."""

    file_id: UUID


class NewOpenAIVideo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be made. Without a model, or with one of OpenAI's, it is the default one here."""

    prompt: Prompt
    model: ModelName | None = None
    seconds: (
        Annotated[str, msgspec.Meta(pattern="^[0-9]{1,3}$", examples=["4"])]
        | Annotated[int, msgspec.Meta(ge=1, le=999)]
        | None
    ) = None
    size: Size | None = None
    input_reference: Reference | None = None


class OpenAIVideoForm(msgspec.Struct, frozen=True):
    """The same as a form, whose `input_reference` is the picture itself."""

    prompt: Prompt
    model: ModelName | None = None
    seconds: Annotated[str, msgspec.Meta(max_length=3, examples=["4"])] | None = None
    size: Size | None = None
    input_reference: UploadFile | None = None


class OpenAIRemix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which words it is to be made once more."""

    prompt: Prompt


@post("/", opt={"scope": Scope.CREATOR}, status_code=200)
async def create_openai_video(
    data: JSONBody[NewOpenAIVideo],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    model_table: NamedDependency[ModelTable],
    front: NamedDependency[Front],
) -> OpenAIVideo:
    """Ask for a video, in OpenAI's shape. `POST /v1/videos` leads here if it has a `prompt`."""
    wish, size = _wish(data, model_table)
    if data.input_reference:
        wish = replace(wish, image_upload_id=data.input_reference.file_id)
    by, at = principal.account_id, datetime.now(UTC)
    submitted = await front.command(generations.request, wish, by=by, at=at)
    return _created(submitted, wish, size, at)


@post("/form", opt={"scope": Scope.CREATOR}, status_code=200, request_max_body_size=_FORM_BYTES_MAX)
async def create_openai_video_by_form(  # noqa: PLR0913, PLR0917 - parameters are explicit
    data: MultipartBody[OpenAIVideoForm],
    principal: NamedDependency[Principal],
    generations: NamedDependency[Generations],
    model_table: NamedDependency[ModelTable],
    uploads: NamedDependency[Uploads],
    inspections: NamedDependency[CapacityLimiter],
    front: NamedDependency[Front],
) -> OpenAIVideo:
    """Ask for a video by a form, in OpenAI's shape. `POST /v1/videos` leads here if it is one.

    The picture goes through the same inspection as any upload, and stays as one.
    """
    wish, size = _wish(data, model_table)
    if data.input_reference:
        sent = await inspect(data.input_reference, "image", principal, uploads, inspections)
        wish = replace(wish, image_upload_id=sent.upload_id)
    by, at = principal.account_id, datetime.now(UTC)
    submitted = await front.command(generations.request, wish, by=by, at=at)
    return _created(submitted, wish, size, at)


@get("/", opt={"scope": Scope.CREATOR, "refusals": ("404",)})
async def list_openai_videos(  # noqa: PLR0913, PLR0917 - what a list takes
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    progress: NamedDependency[ProgressRelay],
    after_id: FromQuery[str | None] = None,
    limit: Listed = 20,
    order: FromQuery[Literal["asc", "desc"]] = "desc",
) -> OpenAIVideos:
    """List your videos in OpenAI's shape; `after` of `GET /v1/videos` is `after_id` here."""
    query, begin = (NEWEST, _LAST) if order == "desc" else (OLDEST, _FIRST)
    after = named(after_id) if after_id else begin
    rows = await reads.many(VideoRow, query, (principal.account_id, after, limit + 1))
    videos = [shown(row, progress.latest(row.generation_id)) for row in rows[:limit]]
    return OpenAIVideos(
        object="list",
        data=videos,
        first_id=videos[0].id if videos else None,
        last_id=videos[-1].id if videos else None,
        has_more=len(rows) > limit,
    )


@get("/{openai_id:str}", opt={"scope": Scope.CREATOR})
async def read_openai_video(
    openai_id: FromPath[str],
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    progress: NamedDependency[ProgressRelay],
) -> OpenAIVideo:
    """See what has become of a video, in OpenAI's shape."""
    row = await _row(reads, openai_id, principal)
    return shown(row, progress.latest(row.generation_id))


@delete("/{openai_id:str}", opt={"scope": Scope.CREATOR}, status_code=200)
async def delete_openai_video(
    openai_id: FromPath[str],
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> OpenAIDeleted:
    """Discard a draft, or cancel what is not made yet. What is published is deleted elsewhere."""
    row = await _row(reads, openai_id, principal)
    by, at = principal.account_id, datetime.now(UTC)
    if row.state in LIVE:
        await front.command(generations.cancel, row.generation_id, by=by, at=at)
    elif row.state == "completed":
        try:
            await front.command(generations.discard, row.generation_id, by=by, at=at)
        except DraftNotFound:
            raise VideoPublished("It is published; delete the video.") from None
    else:
        raise NothingToDelete("It ended without a video: there is nothing to delete.")
    return OpenAIDeleted(id=openai_id, object="video.deleted", deleted=True)


@get("/{openai_id:str}/content", opt={"scope": Scope.CREATOR, "refusals": ("409",)})
async def read_openai_content(
    openai_id: FromPath[str],
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    signer: NamedDependency[Signer],
    variant: FromQuery[Literal["video", "thumbnail", "spritesheet"]] = "video",
) -> Redirect:
    """Fetch the MP4, the thumbnail or the sprite sheet: this leads to its signed URL."""
    row = await _row(reads, openai_id, principal)
    keys = {"video": row.video_key, "thumbnail": row.thumbnail_key, "spritesheet": row.sprite_key}
    key = keys[variant]
    if row.state != "completed" or row.is_recalled or not key:
        raise VideoNotReady(f"There is no {variant} of it; see its status.")
    return Redirect(signer.media_url(key, now=int(datetime.now(UTC).timestamp())))


@post("/{openai_id:str}/remix", opt={"scope": Scope.CREATOR}, status_code=200)
async def remix_openai_video(  # noqa: PLR0913, PLR0917 - parameters are explicit
    openai_id: FromPath[str],
    data: JSONBody[OpenAIRemix],
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    generations: NamedDependency[Generations],
    front: NamedDependency[Front],
) -> OpenAIVideo:
    """Make a video of yours once more by other words; all else stays as it was.

    What was stitched is made by the default model, as long as that can.
    """
    row = await _row(reads, openai_id, principal)
    by, at = principal.account_id, datetime.now(UTC)
    submitted = await front.command(
        generations.retake, row.generation_id, data.prompt, by=by, at=at
    )
    wish = Wish(prompt=data.prompt, seconds=submitted.seconds, model=submitted.model)
    made = _created(submitted, wish, f"{row.width}x{row.height}", at)
    return msgspec.structs.replace(made, remixed_from_video_id=openai_id)


def _wish(data: NewOpenAIVideo | OpenAIVideoForm, table: ModelTable) -> tuple[Wish, str]:
    """Return what is wished for, nothing left open, and the size in which it will be rendered."""
    model = _model(data.model, table)
    named_sizes = {f"{size.width}x{size.height}": size for size in model.sizes}
    by_shape = {(size.orientation, size.resolution): size for size in model.sizes}
    if data.size is None:
        size = by_shape.get(_SHAPE) or model.sizes[0]
    else:
        alias = by_shape.get(_THEIR_SIZES.get(data.size, ("", "")))
        found = named_sizes.get(data.size) or alias
        if found is None:
            theirs = [name for name, shape in _THEIR_SIZES.items() if shape in by_shape]
            allowed = ", ".join((*named_sizes, *theirs))
            raise SizeUnknown(f"{model.model} does not render {data.size}; it renders: {allowed}.")
        size = found
    seconds = min(max(_SECONDS, model.seconds_min), model.seconds_max)
    if data.seconds is not None:
        if not str(data.seconds).isascii() or not str(data.seconds).isdecimal():
            raise SecondsInvalid("`seconds` is a whole number.")
        seconds = int(data.seconds)
    wish = Wish(
        prompt=data.prompt,
        seconds=seconds,
        orientation=size.orientation,
        resolution=size.resolution,
        model=model.model,
    )
    return wish, f"{size.width}x{size.height}"


def _model(name: str | None, table: ModelTable) -> Model:
    wanted = table.default if name is None or name.startswith(_THEIR_MODELS) else name
    for model in table.models:
        if model.model == wanted:
            return model
    known = ", ".join(model.model for model in table.models)
    raise ModelUnknown(f"There is no model {wanted!r:.60}, but {known}.")


def _created(submitted: Submitted, wish: Wish, size: str, at: datetime) -> OpenAIVideo:
    failing = None
    if submitted.reason:
        failing = Failing(submitted.reason, "The screening refused it. If it is wrong, appeal.")
    return OpenAIVideo(
        id=identity(submitted.generation_id),
        object="video",
        status="failed" if failing else "queued",
        progress=0,
        model=wish.model or "",
        prompt=wish.prompt or "",
        seconds=str(wish.seconds),
        size=size,
        created_at=int(at.timestamp()),
        completed_at=None,
        expires_at=None,
        remixed_from_video_id=None,
        error=failing,
    )


async def _row(reads: Reads, openai_id: str, principal: Principal) -> VideoRow:
    row = await reads.one(VideoRow, ONE, (principal.account_id, named(openai_id)))
    if row is None:
        raise VideoNotFound("There is no such video.")
    return row


router = Router(
    "/v1/openai/videos",
    route_handlers=[
        create_openai_video,
        create_openai_video_by_form,
        list_openai_videos,
        read_openai_video,
        delete_openai_video,
        read_openai_content,
        remix_openai_video,
    ],
    exception_handlers=dict(SHAPED_HANDLERS),
    tags=["Videos"],
)
