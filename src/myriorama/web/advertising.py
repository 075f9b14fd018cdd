"""The console of advertisers: whom one acts for, their wallet, campaigns, line items, creatives.

It shows; what is commanded goes from the browser straight to the API, as everywhere on the pages.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID
from zoneinfo import available_timezones

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from domain.ad_categories import Category
from domain.micros import CURRENCIES
from domain.top_up.currencies import MINOR_DIGITS
from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

CATEGORIES = get_args(Category)

_PENDING = frozenset({"requested", "submitted", "open", "action_required", "unresolved"})
_ENTRIES = "8"
_ALL = "100"
_NEWEST = "3"
_DAYS = 14
_MONTH = timedelta(days=30)
_UPRIGHT_MIN, _UPRIGHT_MAX = 0.95, 1.05


@get("/advertise")
async def show_advertisers(request: PageRequest, api: NamedDependency[Api]) -> Response[str]:
    """Show whom one acts for, and how to open another; to who may not advertise, who may."""
    if request.user is not None and "advertiser" not in request.user.scopes:
        return render("advertise_closed.html")
    return render(
        "advertisers.html",
        advertisers=await api.get("/v1/advertisers"),
        categories=CATEGORIES,
        currencies=sorted(CURRENCIES & MINOR_DIGITS.keys()),
        zones=sorted(available_timezones()),
    )


@get("/advertise/{advertiser_id:uuid}")
async def show_advertiser(
    advertiser_id: FromPath[UUID],
    api: NamedDependency[Api],
    top_up: FromQuery[UUID | None] = None,
) -> Response[str]:
    """Show what an advertiser has, runs and shows. `top_up`: the one they come back from paying."""
    path = f"/v1/advertisers/{advertiser_id}"
    advertiser, campaigns, creatives = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/campaigns", limit=_ALL),
        api.get(f"{path}/creatives", limit=_ALL),
    )
    return render(
        "advertiser.html",
        advertiser=advertiser,
        campaigns=campaigns["items"],
        creatives=creatives["items"],
        now=datetime.now(UTC).isoformat(),
        in_a_month=(datetime.now(UTC) + _MONTH).isoformat(),
        **await _wallet(api, advertiser_id, top_up),
    )


@get("/advertise/{advertiser_id:uuid}/wallet")
async def show_wallet(
    advertiser_id: FromPath[UUID],
    api: NamedDependency[Api],
    top_up: FromQuery[UUID | None] = None,
) -> Response[str]:
    """Show what is in a wallet, and what has become of a top-up."""
    advertiser = await api.get(f"/v1/advertisers/{advertiser_id}")
    wallet = await _wallet(api, advertiser_id, top_up)
    return render("wallet.html", advertiser=advertiser, **wallet)


@get("/advertise/campaigns/{campaign_id:uuid}")
async def show_campaign(campaign_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show a campaign and its line items, and where to open another."""
    path = f"/v1/campaigns/{campaign_id}"
    (campaign, tag), lines, exports = await asyncio.gather(
        api.get_tagged(path),
        api.get(f"{path}/line-items", limit=_ALL),
        api.get(f"{path}/exports", limit=_NEWEST),
    )
    of = f"/v1/advertisers/{campaign['advertiser_id']}"
    advertiser, creatives = await asyncio.gather(
        api.get(of), api.get(f"{of}/creatives", limit=_ALL)
    )
    return render(
        "campaign.html",
        advertiser=advertiser,
        campaign=campaign,
        tag=tag,
        lines=lines["items"],
        line=None,
        exports=exports["items"],
        creatives=_usable(creatives),
        categories=CATEGORIES,
        now=datetime.now(UTC).isoformat(),
    )


@get("/advertise/line-items/{line_item_id:uuid}")
async def show_line_item(line_item_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show a line item: its state, what it has spent, what it bids, and where to change it."""
    line, tag = await api.get_tagged(f"/v1/line-items/{line_item_id}")
    of = f"/v1/advertisers/{line['advertiser_id']}"
    advertiser, campaign, creatives, report = await asyncio.gather(
        api.get(of),
        api.get(f"/v1/campaigns/{line['campaign_id']}"),
        api.get(f"{of}/creatives", limit=_ALL),
        api.get(f"{of}/reports", by="day", line_item_id=str(line_item_id), limit=_ALL),
    )
    return render(
        "line_item.html",
        advertiser=advertiser,
        campaign=campaign,
        line=line,
        tag=tag,
        totals=report["totals"],
        days=report["items"][-_DAYS:],
        today=next((row for row in report["items"] if row["day"] == report["last_day"]), None),
        creatives=_usable(creatives, line["creative_ids"]),
        categories=CATEGORIES,
        now=datetime.now(UTC).isoformat(),
    )


@get("/advertise/{advertiser_id:uuid}/creatives/new")
async def show_new_creative(
    advertiser_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show the videos of the one who looks that can be a creative."""
    advertiser, sources = await asyncio.gather(
        api.get(f"/v1/advertisers/{advertiser_id}"), _sources(api)
    )
    return render(
        "creative_new.html",
        advertiser=advertiser,
        creative=None,
        sources=sources,
        categories=CATEGORIES,
    )


@get("/advertise/creatives/{creative_id:uuid}")
async def show_creative(creative_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show a creative, how its review stands and why, and where to change it."""
    creative, tag = await api.get_tagged(f"/v1/creatives/{creative_id}")
    advertiser = await api.get(f"/v1/advertisers/{creative['advertiser_id']}")
    return render(
        "creative.html",
        advertiser=advertiser,
        creative=creative,
        tag=tag,
        categories=CATEGORIES,
    )


@get("/ad-review")
async def show_review(api: NamedDependency[Api]) -> Response[str]:
    """Show the creatives that wait for somebody to decide, the longest waiting first."""
    page = await api.get("/v1/ad-review/creatives")
    return render("ad_review.html", waiting=page["items"], more=page["next_cursor"] is not None)


async def _wallet(api: Api, advertiser_id: UUID, top_up_id: UUID | None) -> dict[str, Any]:
    path = f"/v1/advertisers/{advertiser_id}/billing"
    balance, ledger, top_ups = await asyncio.gather(
        api.get(f"{path}/balance"),
        api.get(f"{path}/ledger", limit=_ENTRIES),
        api.get(f"{path}/top-ups", limit=_ENTRIES),
    )
    paid = await api.get(f"{path}/top-ups/{top_up_id}") if top_up_id else None
    return {
        "balance": balance,
        "entries": ledger["items"],
        "has_card": any(each["state"] == "succeeded" for each in top_ups["items"]),
        "top_up": paid,
        "is_pending": paid is not None and paid["state"] in _PENDING,
    }


async def _sources(api: Api) -> list[dict[str, Any]]:
    """Return the upright videos of the one who looks: what they published, then their drafts."""
    me, drafts = await asyncio.gather(api.get("/v1/me"), api.get("/v1/drafts"))
    videos = await api.get(f"/v1/accounts/{me['handle']}/videos", limit=_ALL)
    return [
        {
            **each,
            "kind": "video",
            "id": each["video_id"],
            "words": _words(each),
        }
        for each in videos["items"]
        if _is_upright(each["width"], each["height"])
    ] + [
        {**each, "kind": "generation", "id": each["generation_id"], "words": each["prompt"]}
        for each in drafts["items"]
        if each["orientation"] == "portrait"
    ]


def _words(video: Any) -> str:
    return str(video["caption"] or video["prompt"])


def _is_upright(width: int, height: int) -> bool:
    return _UPRIGHT_MIN <= width * 16 / (height * 9) <= _UPRIGHT_MAX


def _usable(page: Any, chosen: Any = ()) -> list[Any]:
    return [
        each
        for each in page["items"]
        if each["creative_id"] in chosen
        or (each["state"] not in {"withdrawn", "rejected"} and not each["recalled"])
    ]


router = Router(
    "/web",
    route_handlers=[
        show_advertisers,
        show_advertiser,
        show_wallet,
        show_campaign,
        show_line_item,
        show_new_creative,
        show_creative,
        show_review,
    ],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted, and refused, there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
