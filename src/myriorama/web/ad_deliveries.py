"""What an advertiser is told, keeps and tries: webhooks, the files of its bill, simulations."""

import asyncio
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from myriorama.web.asking import Api, Problem, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

_LISTED = "30"


@get("/advertise/{advertiser_id:uuid}/webhooks")
async def show_webhooks(advertiser_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show where an advertiser is told what happens, and how to be told at another place."""
    path = f"/v1/advertisers/{advertiser_id}"
    advertiser, webhooks = await asyncio.gather(api.get(path), api.get(f"{path}/webhooks"))
    return render("ad_webhooks.html", advertiser=advertiser, webhooks=webhooks)


@get("/advertise/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}")
async def show_webhook(
    advertiser_id: FromPath[UUID],
    webhook_id: FromPath[UUID],
    api: NamedDependency[Api],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show what was told by a webhook, newest first, and what came of each."""
    path = f"/v1/advertisers/{advertiser_id}"
    advertiser, webhooks, page = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/webhooks"),
        api.get(f"{path}/webhooks/{webhook_id}/deliveries", cursor=cursor, limit=_LISTED),
    )
    webhook = next((each for each in webhooks if each["webhook_id"] == str(webhook_id)), None)
    if webhook is None:
        raise Refused(Problem(404, "Not found", "not_found", "There is no such webhook."))
    here = f"/web/advertise/{advertiser_id}/webhooks/{webhook_id}"
    return render(
        "ad_delivery_rows.html" if cursor else "ad_webhook.html",
        advertiser=advertiser,
        webhook=webhook,
        deliveries=page["items"],
        more=_more(here, page["next_cursor"]),
    )


@get("/advertise/campaigns/{campaign_id:uuid}/exports")
async def show_exports(
    campaign_id: FromPath[UUID],
    api: NamedDependency[Api],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show the exports of a campaign's bill, newest first, and how anybody checks them."""
    path = f"/v1/campaigns/{campaign_id}"
    campaign, page = await asyncio.gather(
        api.get(path), api.get(f"{path}/exports", cursor=cursor, limit=_LISTED)
    )
    return render(
        "ad_export_rows.html" if cursor else "ad_exports.html",
        advertiser=await api.get(f"/v1/advertisers/{campaign['advertiser_id']}"),
        campaign=campaign,
        exports=page["items"],
        more=_more(f"/web/advertise/campaigns/{campaign_id}/exports", page["next_cursor"]),
    )


@get("/advertise/{advertiser_id:uuid}/simulations")
async def show_simulations(
    advertiser_id: FromPath[UUID],
    api: NamedDependency[Api],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show the simulations of a sandbox, newest first, how far each is, and start another."""
    path = f"/v1/advertisers/{advertiser_id}"
    advertiser, page = await asyncio.gather(
        api.get(path), api.get(f"{path}/simulations", cursor=cursor, limit=_LISTED)
    )
    return render(
        "ad_simulation_rows.html" if cursor else "ad_simulations.html",
        advertiser=advertiser,
        simulations=page["items"],
        is_running=any(each["ended_at"] is None for each in page["items"]),
        more=_more(f"/web/advertise/{advertiser_id}/simulations", page["next_cursor"]),
    )


def _more(path: str, cursor: str | None) -> str | None:
    return f"{path}?cursor={cursor}" if cursor else None


router = Router(
    "/web",
    route_handlers=[show_webhooks, show_webhook, show_exports, show_simulations],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted, and refused, there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
