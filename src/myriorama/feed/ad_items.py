"""Ads as they go over the wire: what is shown, who pays, where it leads, what to report with."""

from uuid import UUID

import msgspec

LABEL = "Sponsored"


class AdAdvertiser(msgspec.Struct, frozen=True):
    """Who advertises."""

    advertiser_id: UUID
    name: str
    website: str


class AdCreative(msgspec.Struct, frozen=True):
    """The video that is shown; its URLs are signed as those of a card.

    `ai_label` says what of it was generated; the file says more, by its manifest.
    """

    creative_id: UUID
    headline: str
    width: int
    height: int
    duration_ms: int
    video_url: str
    poster_url: str
    thumbnail_url: str


class AdItem(msgspec.Struct, frozen=True):
    """An ad of a page.

    `position` is its place on the page together with its ads, from 0 on: insert them in their order
    and each lands there. Report what becomes of it with its `token` (`POST /v1/ad-events`), within
    ten minutes, and label it as `label` says. `why` is where the viewer is told why they see it.
    """

    position: int
    ad_decision_id: UUID
    token: str
    label: str
    advertiser: AdAdvertiser
    payer: str
    creative: AdCreative
    call_to_action: str
    click_url: str
    ai_label: str
    category: str
    why: str


def why_path(ad_decision_id: UUID) -> str:
    """Return the path at which a viewer is told why they were shown an ad."""
    return f"/v1/ads/{ad_decision_id}/why"
