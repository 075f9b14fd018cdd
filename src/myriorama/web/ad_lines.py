"""A line item looked at closer: its day against the plan, why it is not shown, what it would bring.

Nothing here is stored: a forecast is asked of the API by the same form that opens a line item.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.pacing_charts import chart_of
from myriorama.web.rendering import render

_ONE = timedelta(days=1)
_OF_THE_BID = frozenset({"below_reserve", "outbid"})


@get("/advertise/line-items/{line_item_id:uuid}/pacing")
async def show_pacing(
    line_item_id: FromPath[UUID],
    api: NamedDependency[Api],
    day: FromQuery[date | None] = None,
) -> Response[str]:
    """Show a day of a line item: what it was to spend, and what it spent, by the half hour."""
    path = f"/v1/line-items/{line_item_id}"
    asked = day.isoformat() if day else None
    line, paced = await asyncio.gather(api.get(path), api.get(f"{path}/pacing", day=asked))
    advertiser, campaign = await _around(api, line)
    now = datetime.now(UTC)
    shown, today = date.fromisoformat(paced["day"]), now.astimezone(ZoneInfo(paced["zone"])).date()
    began = _moment(line["starts_at"]).astimezone(ZoneInfo(paced["zone"])).date()
    return render(
        "ad_pacing.html",
        advertiser=advertiser,
        campaign=campaign,
        line=line,
        paced=paced,
        chart=chart_of(paced, now),
        is_today=shown == today,
        before=shown - _ONE if began < shown else None,
        after=shown + _ONE if shown < today else None,
        over=list(_told(paced["half_hours"], now)),
    )


@get("/advertise/line-items/{line_item_id:uuid}/diagnosis")
async def show_diagnosis(line_item_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show why a line item is not shown, or by what it loses single pages."""
    path = f"/v1/line-items/{line_item_id}"
    line, diagnosis = await asyncio.gather(api.get(path), api.get(f"{path}/diagnostics"))
    advertiser, campaign = await _around(api, line)
    lost: Sequence[Any] = diagnosis["recorded"]["lost"] if diagnosis["recorded"] else ()
    return render(
        "ad_diagnosis.html",
        advertiser=advertiser,
        campaign=campaign,
        line=line,
        diagnosis=diagnosis,
        is_lost_by_bid=any(not _OF_THE_BID.isdisjoint(each["steps"]) for each in lost),
    )


@post("/advertise/campaigns/{campaign_id:uuid}/forecast", status_code=200)
async def show_forecast(
    request: PageRequest, campaign_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str] | Response[Any]:
    """Show what a line item would bring if it were opened as the form has it.

    What the API refuses is handed on as it is: the form shows it at the field that it is about.
    """
    try:
        forecast = await api.post(f"/v1/campaigns/{campaign_id}/forecasts", await request.body())
    except Refused as refused:
        return Response(refused.problem, status_code=refused.problem.status)
    campaign = await api.get(f"/v1/campaigns/{campaign_id}")
    advertiser = await api.get(f"/v1/advertisers/{campaign['advertiser_id']}")
    return render("ad_forecast.html", advertiser=advertiser, forecast=forecast)


async def _around(api: Api, line: Any) -> tuple[Any, Any]:
    """Return the advertiser and the campaign of a line item."""
    return await asyncio.gather(
        api.get(f"/v1/advertisers/{line['advertiser_id']}"),
        api.get(f"/v1/campaigns/{line['campaign_id']}"),
    )


def _told(halves: Sequence[Any], now: datetime) -> Iterator[Any]:
    """Yield the half hours that have begun, from the first that was planned or cost something."""
    begun = [half for half in halves if _moment(half["begins_at"]) < now]
    return dropwhile(
        lambda half: half["plan_total_micros"] is None and not half["spent_micros"], begun
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


router = Router(
    "/web",
    route_handlers=[show_pacing, show_diagnosis, show_forecast],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted, and refused, there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
