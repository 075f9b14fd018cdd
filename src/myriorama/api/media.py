"""The route of media: videos, posters and thumbnails, under URLs that are signed for a while.

The signature is the permission: who got the URL may fetch it until it expires. Nothing else is
asked, and nothing is loaded whole. Only what is for people is served: never a master, which bears
no marks, nor what the house keeps for itself, whoever signed a URL of it.
"""

import re
from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from anyio import to_thread
from litestar import HttpMethod, Request, Response, Router, route
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from domain.errors import Forbidden
from myriorama.api.problems import answer
from myriorama.api.ranges import RangeNotSatisfiable, is_current, is_known, part_of
from myriorama.api.tokens import Scope
from myriorama.store.objects import ObjectNotFound, Objects
from myriorama.store.signing import SignatureExpired, SignatureInvalid, Signer

SERVED = frozenset(
    {
        "captions",
        "posters",
        "previews",
        "renditions",
        "sprites",
        "thumbnails",
        "uploads",
        "videos",
    }
)
"""The kinds of objects that have URLs, as the first step of their keys tells."""

# What is not named here is told to be bytes, which no browser runs or shows.
MEDIA_TYPES: Mapping[str, str] = {
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".m4s": "video/mp4",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".vtt": "text/vtt; charset=utf-8",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
}

Expires = Annotated[int, QueryParameter(ge=0, le=2**53, description="Seconds since 1970.")]
Signature = Annotated[str, QueryParameter(max_length=100)]

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MediaURLInvalid(Forbidden):
    """This URL was not signed here, or was changed since."""


class MediaURLExpired(Forbidden):
    """This URL has expired: fetch what it was part of again."""


@route(
    "/{key:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt={"scope": Scope.PUBLIC, "limit": "none", "refusals": ("403", "416")},
    sync_to_thread=True,
)
def read_media(  # noqa: PLR0913, PLR0917 - what a signed URL is made of
    key: FromPath[Path],
    expires: Expires,
    signature: Signature,
    request: Request[Any, Any, Any],
    objects: NamedDependency[Objects],
    signer: NamedDependency[Signer],
) -> Response[Any]:
    """Fetch a file, or a range of it, by the URL that came with a video."""
    name = key.as_posix().removeprefix("/")
    now = int(datetime.now(UTC).timestamp())
    try:
        signer.verify_media(name, expires, signature, now)
    except SignatureExpired as error:
        raise MediaURLExpired("This URL has expired: fetch what it was part of again.") from error
    except SignatureInvalid as error:
        raise MediaURLInvalid("This URL was not signed here, or was changed since.") from error
    if name.partition("/")[0] not in SERVED:
        raise ObjectNotFound("There is nothing here that is for you.")
    size = objects.size(name)
    etag = _etag(name)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={expires - now}, immutable",
        **({"ETag": etag} if etag else {}),
    }
    shown = request.headers
    if is_known(shown.get("If-None-Match"), etag):
        return Response(None, status_code=304, headers=headers)
    part = None
    if request.method == HttpMethod.GET and is_current(shown.get("If-Range"), etag):
        try:
            part = part_of(size, shown.get("Range"))
        except RangeNotSatisfiable as error:
            beyond = {"Content-Range": f"bytes */{size}"}
            return answer(request, 416, "range_not_satisfiable", str(error), headers=beyond)
    start, stop = part or (0, size)
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    content = objects.stream(name, start, stop)
    return Stream(
        _chunks(content),
        status_code=206 if part else 200,
        media_type=MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream"),
        headers={**headers, "Content-Length": str(stop - start)},
        # Also when the client has gone in the middle: the file is closed now, not some day.
        background=BackgroundTask(content.close),
    )


async def _chunks(content: Generator[bytes]) -> AsyncGenerator[bytes]:
    """Read in threads; when cancelled, wait for the one that reads, so that it can be closed."""
    while (chunk := await to_thread.run_sync(next, content, None)) is not None:
        yield chunk


def _etag(key: str) -> str | None:
    """Return the strong validator of an object whose key tells what is in it."""
    digest = _SHA256.search(PurePosixPath(key).name)
    return f'"{digest.group()}"' if digest else None


router = Router("/media", route_handlers=[read_media], tags=["Media"])
