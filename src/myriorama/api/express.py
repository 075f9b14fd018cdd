"""The express lane of the feed: pages for known viewers, past the framework.

To find the route, to read its parameters and to make the answer takes the framework longer than a
page takes us. So what apps ask for all day is answered here, by the same parts and the same rules;
whatever is unusual about a request, or goes wrong, is left to the route.
"""

import re
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from myriorama.api.authentication import Authentication
from myriorama.api.feed import DEGRADED_HEADER, Answer, FeedKind, FeedPages
from myriorama.api.limits import RateLimits
from myriorama.api.paging import PAGE_LIMIT
from myriorama.api.tokens import Principal
from myriorama.api.tokens import Scope as TokenScope
from myriorama.feed.ad_clients import Headers

_PATH = "/v1/feed"
_ASKED = re.compile(
    rb"kind=(following|latest|for_you|popular)(?:&limit=([1-9][0-9]?|100))?"
    rb"(?:&cursor=([A-Za-z0-9_-]{1,400}))?"
)
_ELSEWHERE = b"origin"
_DEGRADED = DEGRADED_HEADER.lower().encode()
_JSON = (b"content-type", b"application/json")


class FeedExpress:
    """Wraps the application. Looks at nothing but `GET /v1/feed`.

    A page that cannot be made for the viewer is asked for again by the route, which tells why.
    """

    def __init__(
        self, app: ASGIApp, authentication: Authentication, limits: RateLimits, pages: FeedPages
    ) -> None:
        self._app = app
        self._authentication = authentication
        self._limits = limits
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"] == _PATH and scope["method"] == "GET":
            page = await self._page(scope)
            if page is not None:
                length = (b"content-length", str(len(page.body)).encode())
                headers: list[tuple[bytes, bytes]] = [_JSON, length]
                if page.degraded is not None:
                    headers.append((_DEGRADED, page.degraded.encode()))
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": page.body, "more_body": False})
                return
        await self._app(scope, receive, send)

    async def _page(self, scope: HTTPScope) -> Answer | None:
        asked = _ASKED.fullmatch(scope["query_string"])
        if asked is None or [name for name, _ in scope["headers"] if name == _ELSEWHERE]:
            return None
        noted = scope["state"]["answer_headers"]
        try:
            principal = self._authentication.principal(scope)
            if principal is None or TokenScope.VIEWER not in principal.scopes:
                return None
            self._limits.count(scope, "requests", principal)
            page = await self._made(principal, scope["headers"], *asked.groups())
        except Exception:  # noqa: BLE001 - whatever it is, the route comes upon it too, and tells
            noted.clear()
            return None
        scope["user"] = principal
        scope["path_template"] = _PATH
        return page

    async def _made(
        self,
        principal: Principal,
        headers: Headers,
        kind: bytes,
        limit: bytes | None,
        cursor: bytes | None,
    ) -> Answer:
        return await self._pages.page(
            principal.account_id,
            cast("FeedKind", kind.decode()),
            cursor=cursor.decode() if cursor else None,
            limit=int(limit) if limit else PAGE_LIMIT,
            headers=headers,
        )
