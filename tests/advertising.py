"""Advertisers in tests: what they say of campaigns, line items and creatives by default."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.advertiser.aggregate import Advertiser
from domain.campaign.aggregate import Campaign
from domain.campaign.plan import Plan
from domain.creative.aggregate import Creative
from domain.creative.content import Content, Footage
from domain.line_item.aggregate import LineItem
from domain.line_item.terms import Schedule, Terms

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)

TERMS = Terms(
    name="Berlin",
    bid_micros=4_200_000,
    daily_budget_micros=10_000_000,
    lifetime_budget_micros=100_000_000,
    schedule=Schedule(NOON, None, None, "even"),
)
PLAN = Plan(name="Spring", objective="visits", budget_micros=None, starts_at=NOON, ends_at=None)
FOOTAGE = Footage(
    source_kind="generation",
    source_id=uuid4(),
    video_key="videos/ab/ab.mp4",
    poster_key="posters/ab/ab.jpg",
    thumbnail_key="thumbnails/ab/ab.webp",
    width=480,
    height=832,
    duration_ms=4000,
    cameo_ids=(),
    ai_label="generated",
)
CONTENT = Content(FOOTAGE, "https://shop.example.com/spring", "shop_now", "Spring", "toys")


def advertiser(owner_id: UUID) -> Advertiser:
    """Return an advertiser whose owner an account is."""
    return Advertiser.open(
        uuid4(),
        name="Fox and Sons",
        website="shop.example.com",
        category="toys",
        currency="USD",
        zone="Europe/Berlin",
        by=owner_id,
        at=NOON,
    )


def campaign(of: Advertiser, **differing: Any) -> Campaign:
    """Return an active campaign of an advertiser."""
    plan = replace(PLAN, **differing)
    return Campaign.open(uuid4(), plan, advertiser_id=of.id, by=uuid4(), at=NOON)


def line_item(of: Campaign, *, kind: str = "cpm", **differing: Any) -> LineItem:
    """Return a draft of a line item in a campaign."""
    return LineItem.open(
        uuid4(),
        replace(TERMS, **differing),
        advertiser_id=of.advertiser_id,
        campaign_id=of.id,
        kind=kind,
        category="toys",
        guaranteed=False,
        by=uuid4(),
        at=NOON,
    )


def creative(advertiser_id: UUID, content: Content = CONTENT, **differing: Any) -> Creative:
    """Return a draft of a creative; `differing` is what is particular about its footage."""
    shown = replace(content, footage=replace(content.footage, **differing))
    return Creative.draft(
        uuid4(),
        advertiser_id=advertiser_id,
        name="Fox",
        content=shown,
        caps=(),
        by=uuid4(),
        at=NOON,
    )
