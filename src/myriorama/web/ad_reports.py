"""What ads did and cost, on pages: reports of an advertiser and of one line item."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render


class Apart(NamedTuple):
    """What the rows of a report are told apart by."""

    by: str
    words: str
    column: str


APART = (
    Apart("day", "By day", "day"),
    Apart("campaign", "By campaign", "campaign_id"),
    Apart("line", "By line item", "line_item_id"),
    Apart("creative", "By creative", "creative_id"),
    Apart("surface", "By feed", "surface"),
    Apart("place", "By place", "place"),
)
SURFACES: Mapping[int, str] = {
    1: "Following",
    2: "Latest",
    3: "For you",
    4: "Popular",
    5: "Elsewhere",
    6: "Simulated",
}

_ALL = "100"
_LISTED = "30"


@get("/advertise/{advertiser_id:uuid}/reports")
async def show_report(
    advertiser_id: FromPath[UUID], api: NamedDependency[Api], by: FromQuery[str] = "day"
) -> Response[str]:
    """Show what the ads of the last thirty days did and cost, told apart one way."""
    path = f"/v1/advertisers/{advertiser_id}"
    apart = next((each for each in APART if each.by == by), APART[0])
    advertiser, report, names = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/reports", by=apart.by, limit=_ALL),
        _names(api, advertiser_id),
    )
    return render(
        "ad_report.html",
        advertiser=advertiser,
        report=report,
        rows=[(_named(row, apart, names), row) for row in report["items"]],
        apart=apart,
        all_apart=APART,
    )


@get("/advertise/{advertiser_id:uuid}/decisions")
async def show_decisions(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    request: PageRequest,
    advertiser_id: FromPath[UUID],
    api: NamedDependency[Api],
    line_item_id: FromQuery[str] = "",
    day: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show each ad that was shown, newest first: of one line item and day, or of all.

    A form that is sent with nothing chosen says "": that is all of them.
    """
    path, here = f"/v1/advertisers/{advertiser_id}", f"/advertise/{advertiser_id}/decisions"
    asked = {"line_item_id": line_item_id or None, "day": day or None}
    advertiser, page, lines = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/decisions", **asked, cursor=cursor, limit=_LISTED),
        _lines(api, advertiser_id),
    )
    more = _address(f"/web{here}", **asked, cursor=page["next_cursor"])
    answer = render(
        "ad_decision_rows.html" if cursor else "ad_decisions.html",
        advertiser=advertiser,
        decisions=page["items"],
        lines=lines,
        line=next((each for each in lines if each["line_item_id"] == line_item_id), None),
        names={each["line_item_id"]: each["name"] for each in lines},
        day=day,
        more=more if page["next_cursor"] else None,
    )
    if "hx-request" in request.headers and not cursor:
        answer.headers["HX-Push-Url"] = _address(here, **asked)
    return answer


@get("/advertise/{advertiser_id:uuid}/decisions/{ad_decision_id:uuid}")
async def show_receipt(
    advertiser_id: FromPath[UUID], ad_decision_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show the receipt of one ad: what was bid, what it cost and why, and what was reported."""
    path = f"/v1/advertisers/{advertiser_id}"
    advertiser, receipt = await asyncio.gather(
        api.get(path), api.get(f"{path}/decisions/{ad_decision_id}")
    )
    return render("ad_receipt.html", advertiser=advertiser, receipt=receipt)


async def _names(api: Api, advertiser_id: UUID) -> Mapping[str, str]:
    """Return the names of campaigns, line items and creatives by their IDs."""
    path = f"/v1/advertisers/{advertiser_id}"
    campaigns, creatives, lines = await asyncio.gather(
        api.get(f"{path}/campaigns", limit=_ALL),
        api.get(f"{path}/creatives", limit=_ALL),
        _lines(api, advertiser_id),
    )
    return {
        **{each["campaign_id"]: each["name"] for each in campaigns["items"]},
        **{each["creative_id"]: each["name"] for each in creatives["items"]},
        **{each["line_item_id"]: each["name"] for each in lines},
    }


async def _lines(api: Api, advertiser_id: UUID) -> Sequence[Any]:
    """Return the line items of an advertiser, campaign by campaign."""
    campaigns = await api.get(f"/v1/advertisers/{advertiser_id}/campaigns", limit=_ALL)
    pages = await asyncio.gather(
        *(
            api.get(f"/v1/campaigns/{each['campaign_id']}/line-items", limit=_ALL)
            for each in campaigns["items"]
        )
    )
    return [
        {**each, "campaign": campaign["name"]}
        for campaign, page in zip(campaigns["items"], pages, strict=True)
        for each in page["items"]
    ]


def _address(path: str, **query: str | None) -> str:
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{asked}" if asked else path


def _named(row: Mapping[str, Any], apart: Apart, names: Mapping[str, str]) -> str:
    """Say what a row is of."""
    value = row[apart.column]
    if value is None:
        return "seen by fewer than ten" if row["withheld"] else "all"
    if apart.by == "surface":
        return SURFACES.get(value, str(value))
    if apart.by == "place":
        return f"number {value + 1} of a page"
    return names.get(str(value), str(value))


router = Router(
    "/web",
    route_handlers=[show_report, show_decisions, show_receipt],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted, and refused, there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
