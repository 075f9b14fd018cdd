"""Advertisers move in: they top up, render a video, have it reviewed and bid, as a visitor would.

Money comes from the page to pay on of Stripe's double, with its test card; no other is paid on.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from myriorama.workers.demo.businesses import Bid, Business
from myriorama.workers.seed import Inhabitant, Person, WorldIncomplete, sign_up, wanted

_TEST_CARD = "4242424242424242"
_DAYS = 30
_NOTE = "Nothing here deceives anybody."


class Operator(NamedTuple):
    """What only whoever runs the house can do: issue an invitation, and give scopes."""

    invite: Callable[[], str]
    appoint: Callable[[str, Sequence[str]], object]


def advertise(
    api: httpx.Client,
    operator: Operator,
    businesses: Sequence[Business],
    *,
    reviewer: Inhabitant,
) -> Iterator[str]:
    """Let advertisers move in, unless the first of them is here already. Yields what is done.

    Raises:
        WorldIncomplete: something was refused, or took longer than five minutes.
    """
    if api.get(f"/v1/accounts/{businesses[0].owner.handle}").is_success:
        return
    judge = _appointed(api, operator, reviewer, "moderator")
    owners = [_appointed(api, operator, each.owner, "advertiser") for each in businesses]
    rendering = [
        owner.call("POST", "/v1/generations", wanted(owner.inhabitant.prompts[0]))
        for owner in owners
    ]
    for owner, business, generation in zip(owners, businesses, rendering, strict=True):
        owner.await_completion(generation["generation_id"])
        advertiser_id = _open(owner, business)
        _top_up(owner, advertiser_id, business.top_up_micros)
        creative_id = _show(owner, judge, advertiser_id, business, generation["generation_id"])
        _bid(owner, advertiser_id, business, creative_id)
        yield f"{business.name} advertises"


def _appointed(api: httpx.Client, operator: Operator, inhabitant: Inhabitant, scope: str) -> Person:
    person = sign_up(api, inhabitant, operator.invite())
    operator.appoint(inhabitant.handle, [scope])
    person.renew()
    return person


def _open(owner: Person, business: Business) -> str:
    form = {
        "name": business.name,
        "website": business.website,
        "category": business.category,
        "zone": business.zone,
        "currency": "USD",
    }
    return str(owner.call("POST", "/v1/advertisers", form)["advertiser_id"])


def _top_up(owner: Person, advertiser_id: str, micros: int) -> None:
    """Pay on the page of the double, and wait until the money has arrived."""
    url = f"/v1/advertisers/{advertiser_id}/billing/top-ups"
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
    content = {
        "name": business.headline,
        "source": {"kind": "generation", "id": generation_id},
        "landing_url": f"https://{business.website}/",
        "call_to_action": business.call_to_action,
        "headline": business.headline,
    }
    drafted = owner.call("POST", f"/v1/advertisers/{advertiser_id}/creatives", content)
    url = f"/v1/creatives/{drafted['creative_id']}"
    if owner.call("POST", f"{url}/submit")["state"] == "in_review":
        decision: dict[str, Any] = {"note": _NOTE, "reasons": []}
        judge.call("POST", f"/v1/ad-review/creatives/{drafted['creative_id']}/decision", decision)
    owner.await_state(url, "approved")
    return str(drafted["creative_id"])


def _bid(owner: Person, advertiser_id: str, business: Business, creative_id: str) -> None:
    now = datetime.now(UTC).isoformat()
    campaign = {"name": business.headline, "objective": business.objective, "starts_at": now}
    opened = owner.call("POST", f"/v1/advertisers/{advertiser_id}/campaigns", campaign)
    for bid in business.bids:
        line = _line(bid, creative_id, starts_at=now)
        url = f"/v1/campaigns/{opened['campaign_id']}/line-items"
        line_item_id = owner.call("POST", url, line)["line_item_id"]
        owner.call("POST", f"/v1/line-items/{line_item_id}/submit")


def _line(bid: Bid, creative_id: str, *, starts_at: str) -> dict[str, Any]:
    return {
        "name": bid.name,
        "kind": bid.kind,
        "bid_micros": bid.bid_micros,
        "daily_budget_micros": bid.daily_budget_micros,
        "lifetime_budget_micros": bid.daily_budget_micros * _DAYS,
        "starts_at": starts_at,
        "pacing": bid.pacing,
        "targeting": {"interests": list(bid.interests)},
        "creative_ids": [creative_id],
    }
