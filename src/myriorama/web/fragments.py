"""What fills the shell: pieces of pages at /web/..., made from answers of the API.

They only show. Whatever a person does goes from the browser straight to the API.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.rendering import render


class Tab(NamedTuple):
    """One of the feeds that there is to choose from."""

    path: str
    kind: str
    name: str
    label: str


TABS = (
    Tab("/", "for_you", "For you", "Videos for you"),
    Tab("/following", "following", "Following", "Videos of people you follow"),
    Tab("/latest", "latest", "Latest", "Latest videos"),
    Tab("/popular", "popular", "Popular", "Popular videos"),
)

_UNKNOWN_VISITOR = 401
# What the ranking was in no state to decide, so that what is newest is shown. Without a model it
# decides all the same, and nobody who only watches need know.
_UNRANKED = frozenset({"state loading", "ranking failed", "busy"})
_DEGRADED = "Newest first for the moment: your feed is being prepared."
_SLIDES = "6"
_TILES = "24"
_REFUSED = 3
_LIVE = frozenset({"queued", "dispatched", "running"})


@get([f"/{tab.kind}" for tab in TABS])
async def show_feed(
    request: PageRequest, api: NamedDependency[Api], cursor: FromQuery[str | None] = None
) -> Response[str]:
    """Show a stretch of a feed; the next one is asked for when its end comes into view."""
    tab = next(tab for tab in TABS if request.url.path.endswith(f"/{tab.kind}"))
    page = await api.get("/v1/feed", kind=tab.kind, cursor=cursor, limit=_SLIDES)
    return render(
        "slides.html" if cursor else "feed.html",
        **tab._asdict(),
        tabs=TABS,
        items=with_ads(page["items"], page["ads"]),
        next_cursor=page["next_cursor"],
        decision_id=page["decision_id"],
        degraded=_DEGRADED if page["degraded"] in _UNRANKED else None,
        continued=cursor is not None,
    )


@get("/feed/{decision_id:uuid}/why/{video_id:uuid}")
async def show_why(
    decision_id: FromPath[UUID], video_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show why somebody was shown a video."""
    return render("why.html", why=await api.get(f"/v1/feed/{decision_id}/why/{video_id}"))


@get("/videos/{video_id:uuid}")
async def show_video(video_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show one video by itself."""
    video = await api.get(f"/v1/videos/{video_id}")
    return render("video.html", item=video)


@get("/videos/{video_id:uuid}/rail")
async def show_rail(
    request: PageRequest, video_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show what can be done with a video, and what the one who looks has done."""
    video = await api.get(f"/v1/videos/{video_id}")
    own = _is_own(request, video)
    return render("rail.html", item=video, viewer=video["viewer"], own=own, lazy=False)


@get("/videos/{video_id:uuid}/comments")
async def show_comments(
    request: PageRequest,
    video_id: FromPath[UUID],
    api: NamedDependency[Api],
    parent_id: FromQuery[UUID | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show the comments on a video, or the replies to one of them."""
    page = await api.get(
        f"/v1/videos/{video_id}/comments",
        parent_id=str(parent_id) if parent_id else None,
        cursor=cursor,
    )
    continued = parent_id is not None or cursor is not None
    return render(
        "comment_list.html" if continued else "comments.html",
        video_id=video_id,
        parent_id=parent_id,
        comments=page["items"],
        next_cursor=page["next_cursor"],
        viewer_id=str(request.user.account_id) if request.user else None,
    )


@get("/accounts/{handle:str}")
async def show_account(
    request: PageRequest, handle: FromPath[str], api: NamedDependency[Api]
) -> Response[str]:
    """Show how an account presents itself, and its videos."""
    account, page = await asyncio.gather(
        api.get(f"/v1/accounts/{handle}"),
        api.get(f"/v1/accounts/{handle}/videos", limit=_TILES),
    )
    own = request.user is not None and str(request.user.account_id) == account["account_id"]
    more = _more(f"/web/accounts/{handle}/videos", page)
    return render("account.html", account=account, videos=page["items"], more=more, own=own)


@get("/accounts/{handle:str}/videos")
async def show_videos(
    handle: FromPath[str], cursor: FromQuery[str], api: NamedDependency[Api]
) -> Response[str]:
    """Show more of the videos of an account."""
    page = await api.get(f"/v1/accounts/{handle}/videos", cursor=cursor, limit=_TILES)
    more = _more(f"/web/accounts/{handle}/videos", page)
    return render("tiles.html", videos=page["items"], more=more)


@get("/saved")
async def show_saved(
    api: NamedDependency[Api], cursor: FromQuery[str | None] = None
) -> Response[str]:
    """Show what the one who looks has bookmarked."""
    page = await api.get("/v1/bookmarks", cursor=cursor, limit=_TILES)
    template = "tiles.html" if cursor else "saved.html"
    return render(template, videos=page["items"], more=_more("/web/saved", page))


@get("/create")
async def show_create(
    api: NamedDependency[Api], remix_of: FromQuery[UUID | None] = None
) -> Response[str]:
    """Show where videos are asked for, what is in the making, what was refused, and the drafts."""
    models, allowance, cameos, generations, drafts = await asyncio.gather(
        api.get("/v1/models"),
        api.get("/v1/allowance"),
        api.get("/v1/cameos/usable"),
        api.get("/v1/generations"),
        api.get("/v1/drafts"),
    )
    source = await api.get(f"/v1/videos/{remix_of}") if remix_of else None
    return render(
        "create.html",
        models=models,
        allowance=allowance,
        cameos=cameos["items"],
        source=source,
        **_made(generations, drafts),
    )


@get("/making")
async def show_making(api: NamedDependency[Api]) -> Response[str]:
    """Show what is in the making, what was refused, and the drafts."""
    allowance, generations, drafts = await asyncio.gather(
        api.get("/v1/allowance"), api.get("/v1/generations"), api.get("/v1/drafts")
    )
    return render("making.html", allowance=allowance, **_made(generations, drafts))


@get("/cameos")
async def show_cameos(api: NamedDependency[Api]) -> Response[str]:
    """Show the cameos of the one who looks, and who asks to cast them."""
    recorded = (await api.get("/v1/cameos"))["items"]
    cameos = [cameo for cameo in recorded if cameo["state"] == "active"]
    asking = await asyncio.gather(
        *(api.get(f"/v1/cameos/{cameo['cameo_id']}/requests") for cameo in cameos)
    )
    requests = {
        cameo["cameo_id"]: page["items"] for cameo, page in zip(cameos, asking, strict=True)
    }
    return render("cameos.html", cameos=cameos, requests=requests)


@get("/settings")
async def show_settings(request: PageRequest, api: NamedDependency[Api]) -> Response[str]:
    """Show what an account's owner may change, their invitations, and the ways out."""
    me, invitations = await asyncio.gather(api.get("/v1/me"), api.get("/v1/invitations"))
    return render(
        "settings.html",
        me=me,
        invitations=invitations["items"],
        is_analyst=request.user is not None and "analyst" in request.user.scopes,
        is_moderator=request.user is not None and "moderator" in request.user.scopes,
    )


def with_ads(items: Sequence[Any], ads: Sequence[Any]) -> Sequence[Any]:
    """Return a page as it is shown: each ad at the place that was decided, the rest in order."""
    shown = list(items)
    for ad in sorted(ads, key=lambda ad: int(ad["position"])):
        shown.insert(ad["position"], ad)
    return shown


def show_refusal(request: PageRequest, refused: Refused) -> Response[str]:
    """Show why there is nothing to show; to who is not signed in, how to come in."""
    problem = refused.problem
    if problem.status == _UNKNOWN_VISITOR and "authorization" not in request.headers:
        return render("welcome.html")
    return render("problem.html", problem.status, problem=problem)


def _made(generations: Any, drafts: Any) -> dict[str, Any]:
    return {
        "live": [item for item in generations["items"] if item["state"] in _LIVE],
        "refused": [item for item in generations["items"] if _may_appeal(item)][:_REFUSED],
        "drafts": drafts["items"],
    }


def _may_appeal(generation: Any) -> bool:
    """Say whether screening refused it; what a cameo's owner refused is for them to say."""
    recipe = generation["recipe"]
    return (
        generation["state"] == "refused"
        and recipe is not None
        and any(verdict["verdict"] == "refuse" for verdict in recipe["verdicts"])
    )


def _more(path: str, page: Any) -> str | None:
    cursor = page["next_cursor"]
    return f"{path}?cursor={cursor}" if cursor else None


def _is_own(request: PageRequest, video: Any) -> bool:
    return (
        request.user is not None and str(request.user.account_id) == video["author"]["account_id"]
    )


router = Router(
    "/web",
    route_handlers=[
        show_feed,
        show_why,
        show_video,
        show_rail,
        show_comments,
        show_account,
        show_videos,
        show_saved,
        show_create,
        show_making,
        show_cameos,
        show_settings,
    ],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
