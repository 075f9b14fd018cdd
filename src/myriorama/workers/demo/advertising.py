"""Advertisers move in: they top up, render a video, have it reviewed and bid, as a visitor would.

Money comes from the page to pay on of Stripe's double, with its test card; no other is paid on.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from myriorama.workers.demo.businesses import Bid, Business
from myriorama.workers.seed import Inhabitant, Operator, Person, WorldIncomplete, enter

_TEST_CARD = "4242424242424242"
_DAYS = 30
_NOTE = "Nothing here deceives anybody."
_PATIENCE_S = 30.0
_POLL_S = 0.2


def advertise(
    api: httpx.Client,
    operator: Operator,
    businesses: Sequence[Business],
    *,
    reviewer: Inhabitant,
) -> Iterator[str]:
    """Let advertisers move in; what of them is there already stays as it is. Yields what is done.

    Raises:
        WorldIncomplete: something was refused, or took longer than five minutes.
    """
    judge = _appointed(api, operator, reviewer, "moderator")
    owners = [_appointed(api, operator, each.owner, "advertiser") for each in businesses]
    rendering = [owner.ask(owner.inhabitant.prompts[0]) for owner in owners]
    for owner, business, generation_id in zip(owners, businesses, rendering, strict=True):
        owner.await_completion(generation_id)
        advertiser_id = _opened(owner, business)
        _top_up(owner, advertiser_id, business.top_up_micros)
        creative_id = _show(owner, judge, advertiser_id, business, generation_id)
        if _bid(owner, advertiser_id, business, creative_id):
            yield f"{business.name} advertises"


def _appointed(api: httpx.Client, operator: Operator, inhabitant: Inhabitant, scope: str) -> Person:
    person = enter(api, operator, inhabitant)
    if person.is_new:
        operator.appoint(inhabitant.handle, [scope])
    person.scopes = (*person.scopes, scope)
    return person


def _opened(owner: Person, business: Business) -> str:
    for each in owner.call("GET", "/v1/advertisers"):
        if each["name"] == business.name:
            return str(each["advertiser_id"])
    form = {
        "name": business.name,
        "website": business.website,
        "category": business.category,
        "zone": business.zone,
        "currency": "USD",
    }
    return str(owner.call("POST", "/v1/advertisers", form)["advertiser_id"])


def _top_up(owner: Person, advertiser_id: str, micros: int) -> None:
    """Pay on the page of the double, and wait until the money has arrived; once for good."""
    billing = f"/v1/advertisers/{advertiser_id}/billing"
    if owner.call("GET", f"{billing}/balance")["topped_up_micros"]:
        return
    url = f"{billing}/top-ups"
    asked = owner.call("POST", url, {"amount_micros": micros, "method": "checkout"})
    of = f"{url}/{asked['top_up_id']}"
    page = asked["checkout_url"] or owner.await_state(of, "open")["checkout_url"]
    paid = httpx.post(page, data={"card": _TEST_CARD}, timeout=30)
    if not paid.is_redirect:
        raise WorldIncomplete(f"paying for {advertiser_id}: {paid.status_code} {paid.text}")
    owner.await_state(of, "succeeded")


def _show(
    owner: Person, judge: Person, advertiser_id: str, business: Business, generation_id: str
) -> str:
    """Make a creative of what was rendered; who reviews ads decides where the checks do not."""
    creative = _drafted(owner, advertiser_id, business, generation_id)
    creative_id = str(creative["creative_id"])
    state = creative["state"]
    if state == "draft":
        state = owner.call("POST", f"/v1/creatives/{creative_id}/submit")["state"]
    if state == "in_review":
        _approve(judge, creative_id)
    owner.await_state(f"/v1/creatives/{creative_id}", "approved")
    return creative_id


def _approve(judge: Person, creative_id: str) -> None:
    queue = "/v1/ad-review/creatives"
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for waiting in judge.call("GET", f"{queue}?limit=100")["items"]:
            if waiting["creative"]["creative_id"] == creative_id:
                decision = {"version": waiting["version"], "note": _NOTE}
                judge.call("POST", f"{queue}/{creative_id}/decision", decision)
                return
        time.sleep(_POLL_S)
    raise WorldIncomplete(f"creative {creative_id} is not among those that wait for a decision")


def _drafted(owner: Person, advertiser_id: str, business: Business, generation_id: str) -> Any:
    url = f"/v1/advertisers/{advertiser_id}/creatives"
    for each in owner.call("GET", url)["items"]:
        if each["name"] == business.headline:
            return each
    content = {
        "name": business.headline,
        "source": {"kind": "generation", "id": generation_id},
        "landing_url": f"https://{business.website}/",
        "call_to_action": business.call_to_action,
        "headline": business.headline,
    }
    return {**owner.call("POST", url, content), "state": "draft"}


def _bid(owner: Person, advertiser_id: str, business: Business, creative_id: str) -> bool:
    """Open what is bid, as far as it is not yet; return whether anything was not."""
    now, is_new = datetime.now(UTC).isoformat(), False
    campaign_id = _planned(owner, advertiser_id, business, starts_at=now)
    url = f"/v1/campaigns/{campaign_id}/line-items"
    lines = {each["name"]: each for each in owner.call("GET", url)["items"]}
    for bid in business.bids:
        line = lines.get(bid.name)
        if line is None:
            opened = owner.call("POST", url, _line(bid, creative_id, starts_at=now))
            line = {**opened, "state": "draft"}
        if line["state"] == "draft":
            owner.call("POST", f"/v1/line-items/{line['line_item_id']}/submit")
            is_new = True
    return is_new


def _planned(owner: Person, advertiser_id: str, business: Business, *, starts_at: str) -> str:
    url = f"/v1/advertisers/{advertiser_id}/campaigns"
    for each in owner.call("GET", url)["items"]:
        if each["name"] == business.headline:
            return str(each["campaign_id"])
    campaign = {
        "name": business.headline,
        "objective": business.objective,
        "starts_at": starts_at,
    }
    return str(owner.call("POST", url, campaign)["campaign_id"])


def _line(bid: Bid, creative_id: str, *, starts_at: str) -> dict[str, Any]:
    return {
        "name": bid.name,
        "kind": bid.kind,
        "bid_micros": bid.bid_micros,
        "daily_budget_micros": bid.daily_budget_micros,
        "lifetime_budget_micros": bid.daily_budget_micros * _DAYS,
        "starts_at": starts_at,
        "pacing": bid.pacing,
        "guaranteed": bid.guaranteed,
        "targeting": {"interests": list(bid.interests)},
        "creative_ids": [creative_id],
    }
