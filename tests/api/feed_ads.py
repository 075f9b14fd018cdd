"""A house in which somebody advertises, for the tests of ads in feeds."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg

from domain.advertiser.aggregate import Advertiser
from domain.campaign.aggregate import Campaign
from domain.commercial_grant.aggregate import CommercialGrant
from domain.creative.aggregate import Creative
from domain.creative.review import Check
from domain.line_item.aggregate import LineItem
from myriorama.billing.budgets import follow
from myriorama.billing.spending import set_cap
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.advertising import NOON, advertiser, campaign, creative, line_item
from tests.people import Person

PATIENCE_S = 240.0
BY_THE_ROUTE = {"Origin": "https://app.example"}

Page = dict[str, Any]

# A line and its campaign are projected one after the other: a lease needs the budgets of both.
MAY_SPEND = """
    SELECT FROM budgeted_lines b JOIN spending s ON s.scope = 'campaign' AND s.id = b.campaign_id
    WHERE b.line_id = %s AND b.may_spend
"""


class Advertised:
    """An advertiser with money, a campaign, a line item and a creative, which may be shown."""

    def __init__(self, log: Log, **terms: Any) -> None:
        self._log = log
        self.advertiser: Advertiser = advertiser(uuid4())
        self.campaign: Campaign = campaign(self.advertiser)
        self.cameo_id = uuid4()
        self.creative: Creative = creative(self.advertiser.id, cameo_ids=(self.cameo_id,))
        differing: dict[str, Any] = {"creative_ids": (self.creative.id,), **terms}
        self.line: LineItem = line_item(self.campaign, **differing)
        self.grant: CommercialGrant = CommercialGrant.give(
            cameo_id=self.cameo_id, advertiser_id=self.advertiser.id, expires_at=None, at=NOON
        )
        self.creative.submit([Check("format", "1", "allow")], by=uuid4(), at=NOON)
        self.line.submit(has_creative=True, by=uuid4(), at=NOON)
        log.save(self.advertiser, self.campaign, self.creative, self.line, self.grant)

    def pay_in(self, settings: Settings, micros: int = 100_000_000) -> None:
        """Give the advertiser money, and the line its budgets, as soon as they are projected."""
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            set_cap(
                connection,
                "advertiser",
                self.advertiser.id,
                micros,
                advertiser_id=self.advertiser.id,
            )

            def may_spend() -> bool:
                follow(connection)
                return connection.execute(MAY_SPEND, (self.line.id,)).fetchone() is not None

            until(may_spend)

    def pause(self) -> None:
        self.campaign.pause(by=uuid4(), at=datetime.now(UTC))
        self._log.save(self.campaign)

    def resume(self) -> None:
        self.campaign.resume(by=uuid4(), at=datetime.now(UTC))
        self._log.save(self.campaign)

    def withdraw_grant(self) -> None:
        """Take back what the cameo's owner has granted."""
        self.grant.withdraw(at=datetime.now(UTC))
        self._log.save(self.grant)

    def withdraw_creative(self) -> None:
        self.creative.withdraw(by=uuid4(), at=datetime.now(UTC))
        self._log.save(self.creative)


def page_of(who: Person, query: str = "kind=latest", *, routed: bool = False) -> Page:
    answer = who.get(f"/v1/feed?{query}", headers=BY_THE_ROUTE if routed else {})
    assert answer.status_code == 200, answer.text
    page: Page = answer.json()
    return page


def scroll(who: Person, query: str, *, pages: int) -> Iterator[Page]:
    """Yield pages as the cursors lead, by one lane and the other in turn."""
    cursor = ""
    for number in range(pages):
        page = page_of(who, f"{query}{cursor}", routed=bool(number % 2))
        yield page
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def joined(page: Page) -> list[str]:
    """Return what stands on a page from the first to the last: "video" or "ad"."""
    out = ["video"] * len(page["items"])
    for ad in page["ads"]:
        out.insert(ad["position"], "ad")
    return out


def advertised_page(who: Person, query: str = "kind=latest") -> Page:
    """Return a page with ads, once there is money at hand and what decides on them is compiled."""
    found: list[Page] = []

    def has_ads() -> bool:
        found[:] = [page_of(who, query)]
        return bool(found[0]["ads"])

    until(has_ads)
    return found[0]


def until(holds: Callable[[], bool]) -> None:
    """Ask until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
