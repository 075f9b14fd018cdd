"""What a request must be before any route sees it: text that can be stored, JSON of its type."""

import re
from collections.abc import AsyncGenerator
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException, ValidationException
from litestar.types import Scope
from multipart import (  # type: ignore[import-untyped]  # it has none
    MultipartError,
    MultipartSegment,
    ParserError,
    PushMultipartParser,
)

from myriorama.api.tokens import Principal

# PostgreSQL stores no NUL; JSON writes it as an escape, which is looked for before it is parsed.
_NUL_ESCAPE = re.compile(rb"\\u0000", re.IGNORECASE)


# A prompt of 2000 characters, each of four bytes, is the longest field.
_FIELD_BYTES_MAX = 8192
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class ContentTypeUnsupported(HTTPException):
    """The body is of a media type that the route does not read."""

    status_code = 415


class TypedRequest(Request[Principal | None, None, State]):
    """Reads a JSON body strictly as the type that its route declares: `"5"` is no number.

    Every violation is told with the JSON pointer of its place.
    """

    async def stream(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes; of a form only as long as its fields are short text.

        Raises:
            ClientException: a field is too long, or no text, or the form is none.
        """
        media_type, options = self.content_type
        boundary = options.get("boundary") if media_type == "multipart/form-data" else None
        fields = _Fields(boundary) if boundary else None
        async for chunk in super().stream():
            if fields and chunk:
                try:
                    fields.check(chunk)
                except MultipartError as error:
                    raise ClientException(f"The form cannot be read: {error}") from None
            yield chunk

    async def json(self) -> Any:
        """Return the body.

        Raises:
            ContentTypeUnsupported: it says that it is something else than JSON.
            ClientException: it is not JSON.
            ValidationException: it is not of the route's type.
        """
        media_type, _ = self.content_type
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            read = self.route_handler.opt.get("reads", "application/json")
            raise ContentTypeUnsupported(f"Send {read}, not {media_type[:100]}.")
        body = await self.body()
        declared = self.route_handler.parsed_data_field
        kind = declared.annotation if declared else Any
        try:
            found = msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise _violated(body, kind, error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ClientException(f"The body is not JSON in UTF-8: {error}") from None
        if _NUL_ESCAPE.search(body) and _holds_nul(msgspec.json.decode(body)):
            raise ValidationException(
                "The body is not as the route declares it.",
                extra=[{"key": "", "message": "The character NUL (U+0000) cannot be stored."}],
            )
        return found


class _Fields:
    """Looks at a form as it comes in.

    The framework keeps a field in memory however long it is, and decodes it as it says it is
    encoded. A part with a file name is a file, which is kept on disk and may hold anything.
    """

    def __init__(self, boundary: str) -> None:
        self._parser = PushMultipartParser(boundary)
        self._field: bytearray | None = None
        self._charset = "utf-8"

    def check(self, chunk: bytes) -> None:
        for part in self._parser.parse(chunk):
            if isinstance(part, MultipartSegment):
                self._field = None if part.filename else bytearray()
                self._charset = (part.charset or "utf-8").lower()
            elif self._field is not None:
                self._check_field(self._field, part)

    def _check_field(self, field: bytearray, part: bytes | bytearray | None) -> None:
        """Take a piece of a field, or None at its end."""
        if part is not None:
            field.extend(part)
            if len(field) > _FIELD_BYTES_MAX:
                raise ParserError("A field is too long.")
        elif self._charset not in _CHARSETS or not _decodable(field, self._charset):
            raise ParserError("A field is no text in UTF-8.")


def refuse_unstorable(scope: Scope) -> None:
    """Refuse a path or query that is no UTF-8 text, or has the one character that none stores.

    Raises:
        ClientException: it is.
    """
    path, query = scope["path"], scope["query_string"]
    if "\0" in path or not (path.isascii() or _encodable(path)):
        raise ClientException("The path is not text in UTF-8 without NUL.")
    if b"%" in query or not query.isascii():
        text = unquote_to_bytes(query)
        if b"\0" in text or not _decodable(text):
            raise ClientException("The query is not text in UTF-8 without NUL.")


def _violated(body: bytes, kind: Any, first: msgspec.ValidationError) -> ValidationException:
    return ValidationException(
        "The body is not as the route declares it.", extra=_violations(body, kind) or [_told(first)]
    )


def _violations(body: bytes, kind: Any) -> list[dict[str, str]]:
    """Look at each field of the struct by itself, since the decoder stops at the first fault."""
    try:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        given = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (TypeError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    found = [
        {"key": f"/{_escaped(name)}", "message": "There is no such field."}
        for name in given.keys() - fields.keys()
        if kind.__struct_config__.forbid_unknown_fields
    ]
    for name, field in fields.items():
        if name not in given:
            if field.required:
                found.append({"key": f"/{name}", "message": "This field is required."})
            continue
        try:
            msgspec.json.decode(given[name], type=field.type)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            found.append(_told(error, below=f"/{name}"))
    return sorted(found, key=lambda violation: violation["key"])


def _told(error: Exception, below: str = "") -> dict[str, str]:
    message, _, place = str(error).partition(" - at `$")
    pointer = re.sub(r"\.|\[", "/", place.removesuffix("`")).replace("]", "")
    return {"key": below + pointer, "message": message}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")[:200]


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list):
        return any(map(_holds_nul, cast("list[object]", value)))
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return any("\0" in name or _holds_nul(inner) for name, inner in fields.items())
    return False


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decodable(text: bytes | bytearray, charset: str = "utf-8") -> bool:
    try:
        text.decode(charset)
    except UnicodeDecodeError:
        return False
    return True
