"""Routes of an ad that you were shown: read why, hide what is like it, report it."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from domain.ad_report.reasons import NOTE_LENGTH_MAX, Reason
from myriorama.api.ad_terms import Instant
from myriorama.api.tokens import Principal, Scope
from myriorama.application.ad_opinions import AdOpinions, Complaint
from myriorama.feed.ad_items import LABEL
from myriorama.feed.ad_reasons import ShownAds, told
from myriorama.store.front import Front

_AUCTION = {
    "explored": (
        "Its place was left to chance: one page in a hundred shows an ad drawn among all that may"
        " be shown, to learn what people make of it."
    ),
}
_WON = "It won the auction of its place on your page."


class AdAdvertiser(msgspec.Struct, frozen=True):
    """On whose behalf an ad is shown."""

    advertiser_id: UUID
    name: str
    website: str


class AdChange(msgspec.Struct, frozen=True):
    """Something that you can do about such ads: what it does, and the request that does it."""

    meaning: str
    method: Literal["POST", "PATCH"]
    path: str
    body: dict[str, object]


class WhyAd(msgspec.Struct, frozen=True):
    """Why you were shown an ad, as it was logged when your page was made.

    `payer` is who pays for it. `targeting` says whom it is for, in sentences; `reasons` the same
    for programs. `is_contextual`: nothing of your age and interests chose it.
    """

    ad_decision_id: UUID
    decided_at: Instant
    label: str
    advertiser: AdAdvertiser
    payer: str
    category: str
    ai_label: str
    targeting: list[str]
    reasons: Annotated[list[str], msgspec.Meta(examples=[["country:NZ", "interest:surfing"]])]
    auction: str
    is_contextual: bool
    change: list[AdChange]


class AdHiding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to see no more of: all ads of its advertiser, or all of its category."""

    what: Literal["advertiser", "category"]


class NewAdReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the ad should not be shown. "unlabelled": it hides that it is an ad, or generated."""

    reason: Reason
    note: Annotated[
        str, msgspec.Meta(max_length=NOTE_LENGTH_MAX, examples=["It promises what it cannot do."])
    ] = ""


@get("/why", opt={"scope": Scope.VIEWER})
async def read_why_ad(
    ad_decision_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    shown_ads: NamedDependency[ShownAds],
) -> WhyAd:
    """Read why you were shown an ad, who pays for it, and how to change what you are shown."""
    shown = await shown_ads.of(principal.account_id, ad_decision_id)
    return WhyAd(
        ad_decision_id=shown.ad_decision_id,
        decided_at=shown.decided_at,
        label=LABEL,
        advertiser=AdAdvertiser(shown.advertiser_id, shown.name, shown.website),
        payer=shown.name,
        category=shown.category,
        ai_label=shown.ai_label,
        targeting=told(shown.reasons),
        reasons=shown.reasons,
        auction=_AUCTION.get(shown.reason, _WON),
        is_contextual=shown.is_contextual,
        change=_changes(ad_decision_id),
    )


@post("/hide", opt={"scope": Scope.VIEWER}, status_code=204)
async def hide_ads(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    ad_decision_id: FromPath[UUID],
    data: JSONBody[AdHiding],
    principal: NamedDependency[Principal],
    shown_ads: NamedDependency[ShownAds],
    ad_opinions: NamedDependency[AdOpinions],
    front: NamedDependency[Front],
) -> None:
    """See no more ads of its advertiser, or of its category, from your next page on."""
    shown = await shown_ads.of(principal.account_id, ad_decision_id)
    by, at = principal.account_id, datetime.now(UTC)
    if data.what == "advertiser":
        await front.command(ad_opinions.hide_advertiser, shown.advertiser_id, by=by, at=at)
    else:
        await front.command(ad_opinions.hide_category, shown.category, by=by, at=at)


@post("/report", opt={"scope": Scope.VIEWER}, status_code=204)
async def report_ad(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    ad_decision_id: FromPath[UUID],
    data: JSONBody[NewAdReport],
    principal: NamedDependency[Principal],
    shown_ads: NamedDependency[ShownAds],
    ad_opinions: NamedDependency[AdOpinions],
    front: NamedDependency[Front],
) -> None:
    """Tell who reviews ads that this one should not be shown. Each account counts once."""
    shown = await shown_ads.of(principal.account_id, ad_decision_id)
    complaint = Complaint(
        ad_decision_id=ad_decision_id,
        creative_id=shown.creative_id,
        advertiser_id=shown.advertiser_id,
        reason=data.reason,
        note=data.note,
    )
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(ad_opinions.report, complaint, by=by, at=at)


def _changes(ad_decision_id: UUID) -> list[AdChange]:
    ad = f"/v1/ads/{ad_decision_id}"
    mine = "/v1/me/ad-preferences"
    return [
        AdChange("See no more ads of this advertiser.", "POST", f"{ad}/hide", _hide("advertiser")),
        AdChange("See no more ads of this category.", "POST", f"{ad}/hide", _hide("category")),
        AdChange(
            "See ads that nothing of your age and interests chose.",
            "PATCH",
            mine,
            {"contextual_only": True},
        ),
        AdChange(
            "Report it to those who review ads.", "POST", f"{ad}/report", {"reason": "deception"}
        ),
    ]


def _hide(what: str) -> dict[str, object]:
    return {"what": what}


router = Router(
    "/v1/ads/{ad_decision_id:uuid}",
    route_handlers=[read_why_ad, hide_ads, report_ad],
    tags=["Ads"],
)
