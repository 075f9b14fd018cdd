"""What fills the pages of explore and of the search: pieces made from answers of the API."""

import asyncio
from urllib.parse import urlencode

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

_TILES = "24"
_BESIDE = "6"


@get("/explore")
async def show_explore(
    api: NamedDependency[Api], cursor: FromQuery[str | None] = None
) -> Response[str]:
    """Show what trends; the next stretch of it is asked for when its end comes into view."""
    page = await api.get("/v1/explore", cursor=cursor, limit=_TILES)
    more = _more("/web/explore", page["next_cursor"])
    return render("tiles.html" if cursor else "explore.html", **page, typed="", more=more)


@get("/search")
async def show_found(
    request: PageRequest,
    api: NamedDependency[Api],
    typed: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show what was found; the address of the page tells what was looked for."""
    if cursor is not None:
        videos = await api.get("/v1/search", q=typed, cursor=cursor, limit=_TILES)
        more = _more("/web/search", videos["next_cursor"], typed)
        return render("tiles.html", videos=videos["videos"], more=more)
    videos, people, hashtags = await asyncio.gather(
        api.get("/v1/search", q=typed, limit=_TILES),
        api.get("/v1/search", q=typed, type="people", limit=_BESIDE),
        api.get("/v1/search", q=typed, type="hashtags", limit=_BESIDE),
    )
    page = render(
        "search.html",
        typed=typed,
        people=people["people"],
        hashtags=hashtags["hashtags"],
        videos=videos["videos"],
        more=_more("/web/search", videos["next_cursor"], typed),
    )
    if "hx-request" in request.headers:
        page.headers["HX-Push-Url"] = f"/search?{urlencode({'typed': typed})}"
    return page


@get("/hashtags/{tag:str}")
async def show_tagged(
    tag: FromPath[str], api: NamedDependency[Api], cursor: FromQuery[str | None] = None
) -> Response[str]:
    """Show the videos that carry a hashtag."""
    path = f"/hashtags/{tag}"
    page = await api.get(f"/v1{path}", cursor=cursor, limit=_TILES)
    more = _more(f"/web{path}", page["next_cursor"])
    template = "tiles.html" if cursor else "hashtag.html"
    return render(template, tag=tag, videos=page["items"], more=more)


def _more(path: str, cursor: str | None, typed: str | None = None) -> str | None:
    if cursor is None:
        return None
    asked = {"cursor": cursor} | ({"typed": typed} if typed is not None else {})
    return f"{path}?{urlencode(asked)}"


router = Router(
    "/web",
    route_handlers=[show_explore, show_found, show_tagged],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
