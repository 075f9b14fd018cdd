"""Videos, and errors, in the shape in which OpenAI's API tells them, so that its clients read them.

An error is a problem document as everywhere, with a member `error` beside: clients of both find
theirs.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response

from domain.errors import Conflict, Invalid
from domain.video.errors import VideoNotFound
from myriorama.api.problems import HANDLERS, Problem
from myriorama.store.progress import Progress

PREFIX = "video_"
_ID = re.compile(rf"{PREFIX}([0-9a-f]{{32}})")

Status = Literal["queued", "in_progress", "completed", "failed"]

_STATUS: Mapping[str, Status] = {
    "queued": "queued",
    "dispatched": "queued",
    "running": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "refused": "failed",
}

# Of a hundred; what is rendered has still to be finished, and is no video before it is stored.
_RENDERED = 90
_DONE = 100


class VideoNotReady(Conflict):
    """The video is not made yet, or will not be; its status says which."""


class NothingToDelete(Conflict):
    """It ended without a video: there is nothing to delete."""


class VideoPublished(Conflict):
    """It was published, and is no draft any more: it is deleted by our own route of videos."""


class SizeUnknown(Invalid):
    """The model does not render this size. The message names those that it renders."""


class SecondsInvalid(Invalid):
    """`seconds` is a whole number, as text or as a number."""


class Failing(msgspec.Struct, frozen=True):
    """Why there is no video: a stable code, and words for people."""

    code: str
    message: str


class OpenAIVideo(msgspec.Struct, frozen=True):
    """A video in OpenAI's shape. `size` is what is rendered, `expires_at` null: drafts stay."""

    id: str
    object: Literal["video"]
    status: Status
    progress: int
    model: str
    prompt: str
    seconds: str
    size: str
    created_at: int
    completed_at: int | None
    expires_at: int | None
    remixed_from_video_id: str | None
    error: Failing | None


class OpenAIVideos(msgspec.Struct, frozen=True):
    """A page of videos in OpenAI's shape; `after=<last_id>` asks for the next one."""

    object: Literal["list"]
    data: list[OpenAIVideo]
    first_id: str | None
    last_id: str | None
    has_more: bool


class OpenAIDeleted(msgspec.Struct, frozen=True):
    """A video that is gone."""

    id: str
    object: Literal["video.deleted"]
    deleted: bool


class VideoRow(msgspec.Struct, frozen=True):
    """A generation, as much of it as this shape tells."""

    generation_id: UUID
    state: str
    prompt: str
    seconds: int
    orientation: str
    resolution: str
    width: int
    height: int
    seed: int
    cameo_ids: list[UUID]
    image_upload_id: UUID | None
    reason: str | None
    detail: str | None
    requested_at: datetime
    ended_at: datetime | None
    video_id: UUID | None
    video_key: str | None
    thumbnail_key: str | None
    sprite_key: str | None
    model: str | None
    remixed_from: UUID | None
    is_recalled: bool


class OpenAIError(msgspec.Struct, frozen=True):
    """An error in OpenAI's shape."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIProblem(Problem, frozen=True):
    """A problem document that clients of OpenAI's API can read too."""

    error: OpenAIError | None = None


def identity(generation_id: UUID) -> str:
    """Return the ID of a generation in this shape."""
    return f"{PREFIX}{generation_id.hex}"


def named(video: str) -> UUID:
    """Return the generation that an ID names.

    Raises:
        VideoNotFound: it is none of ours.
    """
    found = _ID.fullmatch(video)
    if found is None:
        raise VideoNotFound("There is no such video.")
    return UUID(hex=found[1])


def shown(row: VideoRow, heard: Progress | None) -> OpenAIVideo:
    """Return a video as it is told; `heard` is what its worker told last."""
    status, failing = _STATUS[row.state], None
    if status == "failed":
        failing = Failing(row.reason or row.state, row.detail or "It was not made.")
    elif status == "completed" and row.is_recalled:
        status = "failed"
        failing = Failing("cameo_revoked", "Somebody who is in it does not lend themselves now.")
    ended = row.ended_at if status == "completed" else None
    return OpenAIVideo(
        id=identity(row.generation_id),
        object="video",
        status=status,
        progress=_progress(status, heard),
        model=row.model or "",
        prompt=row.prompt,
        seconds=str(row.seconds),
        size=f"{row.width}x{row.height}",
        created_at=int(row.requested_at.timestamp()),
        completed_at=int(ended.timestamp()) if ended else None,
        expires_at=None,
        remixed_from_video_id=identity(row.remixed_from) if row.remixed_from else None,
        error=failing,
    )


def _progress(status: Status, heard: Progress | None) -> int:
    if status == "completed":
        return _DONE
    if status != "in_progress" or heard is None:
        return 0
    if heard.stage == "finishing":
        return _RENDERED
    return _RENDERED * min(heard.done, heard.total) // max(1, heard.total)


_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}

_PARAMETERS: Mapping[str, str] = {
    "length_invalid": "seconds",
    "size_unknown": "size",
    "seconds_invalid": "seconds",
    "model_unknown": "model",
    "prompt_invalid": "prompt",
}


def _told_twice(
    told: Callable[[Request[Any, Any, Any], Any], Response[Problem]],
) -> Callable[[Request[Any, Any, Any], Any], Response[Problem]]:
    def tell(request: Request[Any, Any, Any], error: Any) -> Response[Problem]:
        response = told(request, error)
        problem = response.content
        places = [violation.where.removeprefix("/") for violation in problem.errors]
        kind = _TYPES.get(problem.status, "invalid_request_error")
        parameter = _PARAMETERS.get(problem.code) or next(iter(places), None)
        response.content = OpenAIProblem(
            **msgspec.structs.asdict(problem),
            error=OpenAIError(problem.detail, kind, parameter, problem.code),
        )
        return response

    return tell


SHAPED_HANDLERS: Mapping[int | type[Exception], Any] = {
    kind: _told_twice(handler) for kind, handler in HANDLERS.items()
}
"""What answers errors in this shape."""
