"""Ads that were shown, in tests: on record in the view log, as a server would put them there."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ads.insertion import Reason
from ads.record import AdRecord, Auction, Shown
from myriorama.store.identity import new_id
from myriorama.store.viewlog import Served
from tests.api.advertised import Advertised
from tests.viewing import append

EVERYBODY = ("everybody",)


def shown_ad(of: Advertised, *, reasons: Sequence[str] = EVERYBODY, **differing: Any) -> Shown:
    """Return what is on record of a showing; `differing` is what is particular about it."""
    shown = Shown(
        ad_decision_id=new_id(),
        position=3,
        line_id=of.line_item_id,
        campaign_id=of.campaign_id,
        advertiser_id=of.advertiser_id,
        creative_id=of.creative_id,
        kind="cpm",
        price_micros=1500,
        bid_micros=4200,
        multiplier=1.0,
        ecpm_micros=3_000_000,
        runner_up_micros=1500,
        reserve_micros=500,
        p_view=0.7,
        p_click=0.01,
        p_billed=0.7,
        propensity=0.99,
        lease_id=1,
        day=739_578,
        surface=1,
        above=uuid4(),
        below=uuid4(),
        reasons=tuple(reasons),
        expires_ms=time.time_ns() // 1_000_000 + 600_000,
    )
    return msgspec.structs.replace(shown, **differing)


def show(
    url: str, viewer_id: UUID, *shown: Shown, reason: Reason = "sold", at_ms: int | None = None
) -> UUID:
    """Put a page with ads on record; return the ID of the first of them."""
    at_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    auction = Auction(
        at_ms, version=7, reason=reason, exact=True, seed=1, rules="0" * 16, share=0.01
    )
    ads = AdRecord(auction, shown).encode()
    videos = [uuid4().bytes for _ in range(5)]
    append(url, (), [Served(uuid4().bytes, viewer_id.bytes, "latest", None, videos, None, ads)])
    return shown[0].ad_decision_id
