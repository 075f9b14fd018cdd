"""Which dialect a request to `/v1/videos` speaks: ours, or that of OpenAI's clients.

Both name the same path. An ID that begins with `video_` is theirs, and so is a list, a form, and a
JSON body with a `prompt`; a body with a `generation_id` is ours. What is theirs goes on at the path
at which their routes lie, where it may also be sent at once.
"""

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_VIDEOS = "/v1/videos"
_THEIRS = "/v1/openai/videos"
_NAMED = re.compile(rf"{_VIDEOS}/video_[^/]*(?:/(?:content|remix))?")
# No command of ours has a longer one; what is longer is refused by the route, unread.
_BODY_BYTES_MAX = 64 * 1024

Body = dict[str, msgspec.Raw]


class Dialects:
    """Wraps the application. Looks at nothing but requests to `/v1/videos`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"].startswith(_VIDEOS):
            request = cast("dict[str, Any]", scope)
            path, method = request["path"].rstrip("/"), request["method"]
            if _NAMED.fullmatch(path):
                _move(request, _THEIRS + path.removeprefix(_VIDEOS))
            elif path == _VIDEOS and method == "GET":
                _move(request, _THEIRS)
                request["query_string"] = _renamed(request["query_string"])
            elif path == _VIDEOS and method == "POST":
                receive = await _create(request, receive)
        await self._app(scope, receive, send)


async def _create(request: dict[str, Any], receive: Receive) -> Receive:
    """Move what asks for a video; return what gives the body again that was read for that."""
    headers: Mapping[bytes, bytes] = dict(request["headers"])
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type == b"multipart/form-data":
        _move(request, f"{_THEIRS}/form")
        return receive
    messages: list[Any] = []
    body = b""
    while len(body) <= _BODY_BYTES_MAX:
        message: Any = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    if _asks(body):
        _move(request, _THEIRS)

    async def again() -> Any:
        return messages.pop(0) if messages else await receive()

    return again


def _asks(body: bytes) -> bool:
    if b'"prompt"' not in body:
        return False
    try:
        fields = msgspec.json.decode(body, type=Body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return "prompt" in fields and "generation_id" not in fields


def _move(request: dict[str, Any], path: str) -> None:
    request["path"] = path
    request["raw_path"] = path.encode()


def _renamed(query: bytes) -> bytes:
    """Rename `after`, which is a position of the log in all our reads."""
    if b"after" not in query:
        return query
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    renamed = [("after_id" if name == "after" else name, value) for name, value in given]
    return urlencode(renamed, encoding="latin-1").encode()
