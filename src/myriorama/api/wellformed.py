"""What a request must be before any route sees it: text that can be stored, JSON of its type."""

import re
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException, ValidationException
from litestar.types import Scope

from myriorama.api.tokens import Principal

# PostgreSQL stores no NUL; JSON writes it as an escape, which is looked for before it is parsed.
_NUL_ESCAPE = re.compile(rb"\\u0000", re.IGNORECASE)


class ContentTypeUnsupported(HTTPException):
    """The body is of a media type that the route does not read."""

    status_code = 415


class TypedRequest(Request[Principal | None, None, State]):
    """Reads a JSON body strictly as the type that its route declares: `"5"` is no number.

    Every violation is told with the JSON pointer of its place.
    """

    async def json(self) -> Any:
        """Return the body.

        Raises:
            ContentTypeUnsupported: it says that it is something else than JSON.
            ClientException: it is not JSON.
            ValidationException: it is not of the route's type.
        """
        media_type, _ = self.content_type
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            raise ContentTypeUnsupported(f"Send application/json, not {media_type[:100]}.")
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


def _decodable(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
