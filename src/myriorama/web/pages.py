"""The addresses that people see: each is the shell, told which fragment to open."""

from urllib.parse import quote
from uuid import UUID

from litestar import Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.params import FromPath
from litestar.static_files import (
    create_static_files_router,  # pyright: ignore[reportUnknownVariableType]  # PathLike is bare
)

from myriorama.web import (
    ad_deliveries,
    ad_lines,
    ad_reports,
    ads,
    advertising,
    discovery,
    experiments,
    fragments,
    steering,
)
from myriorama.web.asking import PageRequest
from myriorama.web.rendering import HTMX, HTMX_URL, STATIC, STATIC_URL, render

# Their addresses change with their content, so that what has been fetched never goes stale.
_FOREVER = CacheControlHeader(public=True, max_age=31_536_000, immutable=True)


_FEEDS = ("following", "latest", "popular")
_OWN = (
    *_FEEDS,
    "explore",
    "search",
    "create",
    "saved",
    "cameos",
    "settings",
    "experiments",
    "advertise",
    "ad-review",
    "ad-preferences",
)


@get(["/", *(f"/{name}" for name in _OWN)])
async def show_page(request: PageRequest) -> Response[str]:
    """Show a page of our own."""
    path = "/for_you" if request.url.path == "/" else request.url.path
    return _shell(request, path)


@get("/accounts/{handle:str}")
async def show_account(request: PageRequest, handle: FromPath[str]) -> Response[str]:
    """Show an account and its videos."""
    return _shell(request, f"/accounts/{handle}")


@get("/hashtags/{tag:str}")
async def show_hashtag(request: PageRequest, tag: FromPath[str]) -> Response[str]:
    """Show the videos that carry a hashtag."""
    return _shell(request, f"/hashtags/{quote(tag)}")


@get("/experiments/{experiment_id:uuid}")
async def show_experiment(request: PageRequest, experiment_id: FromPath[UUID]) -> Response[str]:
    """Show what an experiment came to."""
    return _shell(request, f"/experiments/{experiment_id}")


@get("/videos/{video_id:uuid}")
async def show_video(request: PageRequest, video_id: FromPath[UUID]) -> Response[str]:
    """Show one video: where a shared link leads."""
    return _shell(request, f"/videos/{video_id}")


@get(
    [
        "/advertise/{advertiser_id:uuid}",
        "/advertise/{advertiser_id:uuid}/creatives/new",
        "/advertise/{advertiser_id:uuid}/reports",
        "/advertise/{advertiser_id:uuid}/decisions",
        "/advertise/{advertiser_id:uuid}/decisions/{ad_decision_id:uuid}",
        "/advertise/{advertiser_id:uuid}/webhooks",
        "/advertise/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}",
        "/advertise/{advertiser_id:uuid}/simulations",
        "/advertise/campaigns/{campaign_id:uuid}",
        "/advertise/campaigns/{campaign_id:uuid}/exports",
        "/advertise/line-items/{line_item_id:uuid}",
        "/advertise/line-items/{line_item_id:uuid}/pacing",
        "/advertise/line-items/{line_item_id:uuid}/diagnosis",
        "/advertise/creatives/{creative_id:uuid}",
    ]
)
async def show_console(request: PageRequest) -> Response[str]:
    """Show a page of an advertiser's console."""
    return _shell(request, request.url.path)


def _shell(request: PageRequest, path: str) -> Response[str]:
    query = f"?{request.url.query}" if request.url.query else ""
    return render("shell.html", fragment=f"/web{path}{query}")


routers = (
    Router(
        "/",
        route_handlers=[
            show_page,
            show_account,
            show_hashtag,
            show_experiment,
            show_video,
            show_console,
        ],
        opt={"scope": "public"},
        include_in_schema=False,
    ),
    ad_deliveries.router,
    ad_lines.router,
    ad_reports.router,
    ads.router,
    advertising.router,
    discovery.router,
    experiments.router,
    fragments.router,
    steering.router,
    *(
        create_static_files_router(
            path=url,
            directories=[folder],
            cache_control=_FOREVER,
            opt={"scope": "public", "limit": "none"},
            include_in_schema=False,
        )
        for url, folder in ((STATIC_URL, STATIC), (HTMX_URL, HTMX))
    ),
)
