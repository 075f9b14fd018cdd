"""How fragments come to know what they show: they ask the API, as every other client does.

So a rule about who may see what stands once, at the API's routes; a fragment only puts the answer
into words and pictures. The request goes through the whole application, inside this process.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

import msgspec
from httpx import ASGITransport
from httpx import Request as OutgoingRequest
from httpx import Response as Answer
from litestar import Request
from litestar.datastructures import State

# What is of this one exchange; all else that an app, or a proxy of ours, says is handed on.
_OF_THE_EXCHANGE = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "if-modified-since",
        "if-none-match",
        "range",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)


class Visitor(Protocol):
    """Who looks at a page, if they are signed in."""

    @property
    def account_id(self) -> UUID: ...

    @property
    def scopes(self) -> frozenset[str]: ...


PageRequest = Request[Visitor | None, None, State]


class Wrong(msgspec.Struct, frozen=True):
    """A part of what was sent that the API cannot take."""

    where: str
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """Why the API did not answer: what of a problem document a page shows."""

    status: int
    title: str
    code: str
    detail: str
    errors: Sequence[Wrong] = ()


class Refused(Exception):
    """The API refused what a fragment asked for."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Api:
    """Asks the API on behalf of whoever sent a request for a fragment."""

    def __init__(self, request: PageRequest) -> None:
        client = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)
        self._transport = ASGITransport(app=request.app, client=client)  # type: ignore[arg-type]  # Litestar types ASGI more closely
        self._headers = [
            (name, value)
            for name, value in request.headers.multi_items()
            if name.lower() not in _OF_THE_EXCHANGE
        ]

    async def get(self, path: str, **query: str | None) -> Any:
        """Return what the API answers, as plain objects.

        Raises:
            Refused: it answered with a problem.
        """
        answered, _ = await self.get_tagged(path, **query)
        return answered

    async def get_tagged(self, path: str, **query: str | None) -> tuple[Any, str]:
        """Return what the API answers, and its ETag, which a later edit shows as If-Match.

        Raises:
            Refused: it answered with a problem.
        """
        params = {name: value for name, value in query.items() if value is not None}
        answer = await self._answer(
            OutgoingRequest("GET", f"http://inside{path}", params=params, headers=self._headers)
        )
        return msgspec.json.decode(answer.content), answer.headers.get("etag", "")

    async def post(self, path: str, body: bytes) -> Any:
        """Ask what needs a document (JSON) to be asked; return what the API answers.

        Raises:
            Refused: it answered with a problem.
        """
        headers = [*self._headers, ("content-type", "application/json")]
        answer = await self._answer(
            OutgoingRequest("POST", f"http://inside{path}", content=body, headers=headers)
        )
        return msgspec.json.decode(answer.content)

    async def _answer(self, request: OutgoingRequest) -> Answer:
        answer = await self._transport.handle_async_request(request)
        await answer.aread()
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise Refused(msgspec.json.decode(answer.content, type=Problem))
        return answer


def provide_api(request: PageRequest) -> Api:
    """Return who asks the API for the fragment of this request."""
    return Api(request)
