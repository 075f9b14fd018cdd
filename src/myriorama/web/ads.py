"""Ads as who is shown them sees them: why this one, what can be said of it, what one wants of all.

What is said goes from the browser straight to the API.
"""

from collections.abc import Sequence
from typing import Any, get_args
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from domain.ad_categories import Category
from myriorama.web.asking import Api, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

REASONS = (
    ("deception", "It deceives"),
    ("offensive", "It offends"),
    ("illegal", "It is against the law"),
    ("unlabelled", "It hides that it is an ad, or generated"),
    ("likeness", "It shows somebody who did not agree"),
    ("minor_safety", "It endangers a child"),
    ("other", "Something else"),
)


@get("/ads/{ad_decision_id:uuid}/why")
async def show_why_ad(ad_decision_id: FromPath[UUID], api: NamedDependency[Api]) -> Response[str]:
    """Show why somebody was shown an ad, and who pays for it."""
    why = await api.get(f"/v1/ads/{ad_decision_id}/why")
    return render("why_ad.html", why=why, reasons=REASONS)


@get("/ads/{ad_decision_id:uuid}/more")
async def show_more_of_ad(
    ad_decision_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show what can be said against an ad."""
    why = await api.get(f"/v1/ads/{ad_decision_id}/why")
    return render("more_of_ad.html", why=why, reasons=REASONS)


@get("/ad-preferences")
async def show_preferences(api: NamedDependency[Api]) -> Response[str]:
    """Show what somebody said of their ads, to say otherwise."""
    preferences = await api.get("/v1/me/ad-preferences")
    hidden: Sequence[Any] = preferences["hidden_advertisers"]
    return render(
        "ad_preferences.html",
        preferences=preferences,
        hidden=[{**each, "others": _others(hidden, each)} for each in hidden],
        categories=get_args(Category),
    )


def _others(hidden: Sequence[Any], shown_again: Any) -> list[str]:
    return [each["advertiser_id"] for each in hidden if each is not shown_again]


router = Router(
    "/web",
    route_handlers=[show_why_ad, show_more_of_ad, show_preferences],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
