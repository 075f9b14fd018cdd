"""What a line item could expect and why one is not shown, over HTTP, and nothing of viewers."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest

from ads.chances import FEATURES, Learnt, Ratio
from ads.probability import Probabilities
from ads.record import AdRecord, Auction, Context
from ads.viewer import Viewer
from domain.campaign.aggregate import Campaign
from myriorama.api.tokens import Scope
from myriorama.bench.ad_markets import page
from myriorama.billing.budgets import follow
from myriorama.billing.spending import set_cap
from myriorama.feed.ad_chances import publish
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock
from tests.api.advertised import Advertised, advertised, approve, with_scopes
from tests.api.feed_ads import MAY_SPEND, until
from tests.people import Person

NEW = {
    "name": "Berlin",
    "kind": "cpm",
    "bid_micros": 4_200_000,
    "lifetime_budget_micros": 100_000_000,
    "starts_at": "2026-11-22T12:00:00Z",
}
SERVE = """
    SELECT append_slates(%s, gen_random_uuid(), ARRAY[gen_random_uuid()], ARRAY[gen_random_uuid()],
                         ARRAY['for_you'], ARRAY[NULL::bigint], ARRAY[0], ARRAY[]::uuid[],
                         ARRAY[NULL::text], ARRAY[%s])
"""


class House:
    """Where Alice advertises, and pages were looked at."""

    def __init__(self, alice: Person, ads: Advertised, log: Log, settings: Settings) -> None:
        self.alice, self.ads, self.log = alice, ads, log
        self._url = settings.database_url

    def look(self, viewers: int, *, share: float = 1.0, **of: Any) -> None:
        """Record a page of each of so many viewers."""
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        with psycopg.connect(self._url, autocommit=True) as connection:
            for number in range(viewers):
                viewer = Viewer(number, **of)
                context = Context(viewer, tuple(page(8)))
                auction = Auction(
                    now_ms,
                    1,
                    "no_demand",
                    exact=True,
                    seed=number,
                    rules="",
                    share=share,
                    context=context,
                )
                with connection.transaction():
                    connection.execute("SET LOCAL ROLE myriorama_recorder")
                    record = AdRecord(auction).encode()
                    connection.execute(SERVE, (AdvisoryLock.VIEW_LOG, record))

    def run(self) -> None:
        """Let the line item be shown, and pay for it."""
        approve(self.log, self.ads.creative_id)
        line, edit = (
            f"/v1/line-items/{self.ads.line_item_id}",
            {"creative_ids": [str(self.ads.creative_id)]},
        )
        tag = self.alice.get(line).headers["etag"]
        assert self.alice.patch(line, json=edit, headers={"If-Match": tag}).status_code == 200
        assert self.alice.post(f"{line}/submit").json()["state"] == "active"
        self.pay_in(100_000_000)

    def pay_in(self, micros: int) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            of = self.ads.advertiser_id
            set_cap(connection, "advertiser", of, micros, advertiser_id=of)

            def may_spend() -> bool:
                follow(connection)
                return (
                    connection.execute(MAY_SPEND, (self.ads.line_item_id,)).fetchone() is not None
                )

            until(may_spend)

    def learn(self, *, seen: float) -> None:
        """Publish chances by which fewer ads, or more, are seen."""
        prior = Probabilities.prior()
        view = msgspec.structs.replace(prior.view, intercept=seen)
        chances = msgspec.structs.replace(prior, version=FEATURES, view=view)
        with psycopg.connect(self._url, autocommit=True) as connection:
            publish(connection, Learnt(chances, Ratio(1.0, 1.0), Ratio(1.0, 1.0)), 1)

    def forecast(self, **differing: Any) -> Any:
        url = f"/v1/campaigns/{self.ads.campaign_id}/forecasts"
        answer = self.alice.post(url, json={**NEW, **differing})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def diagnosis(self) -> Any:
        answer = self.alice.get(f"/v1/line-items/{self.ads.line_item_id}/diagnostics")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def house(person: Callable[[str], Person], settings: Settings, log: Log) -> House:
    alice = with_scopes(person("alice"), settings, Scope.ADVERTISER)
    ads = advertised(log, alice.account_id)
    until(lambda: alice.get(f"/v1/line-items/{ads.line_item_id}").status_code == 200)
    return House(alice, ads, log, settings)


def codes(diagnosis: Any) -> list[str]:
    return [each["code"] for each in diagnosis["reasons"]]


def test_a_line_item_is_forecast_before_it_is_opened_and_nothing_is_stored(house: House) -> None:
    house.look(40, share=0.5)
    of_campaign = f"/v1/campaigns/{house.ads.campaign_id}/line-items"
    before = house.alice.get(of_campaign).json()

    found, again = house.forecast(), house.forecast()

    assert found == again
    assert (found["recorded_pages"], found["viewers"], found["pages"]) == (40, 40, 80.0)
    assert found["impressions"]["expected"] == 80.0  # nobody else bids
    assert found["win_rate"] == 1.0
    assert 0 < found["spend_micros"]["expected"] <= 100_000_000
    assert found["billed"]["low"] <= found["billed"]["expected"] <= found["billed"]["high"]
    assert found["trust"] == "little"
    assert "40 pages" in found["words"]
    assert house.alice.get(of_campaign).json() == before


def test_a_forecast_goes_by_the_chances_in_force(house: House) -> None:
    house.look(40)
    by_prior = house.forecast()

    house.learn(seen=0.0)
    unlikely = house.forecast()

    assert by_prior["impressions"]["expected"] == unlikely["impressions"]["expected"] == 40.0
    # Half of the ads are seen instead of seven of ten.
    part = unlikely["billed"]["expected"] / by_prior["billed"]["expected"]
    assert part == pytest.approx(0.5 / 0.7, rel=0.01)


def test_a_forecast_of_few_viewers_tells_none(house: House) -> None:
    house.look(40)
    house.look(9, country="NZ")

    found = house.forecast(targeting={"countries": ["NZ"]})

    assert (found["impressions"], found["spend_micros"], found["win_rate"]) == (None, None, None)
    assert found["trust"] == "none"


def test_without_recorded_pages_a_forecast_says_so(house: House) -> None:
    found = house.forecast()

    assert (found["recorded_pages"], found["impressions"], found["trust"]) == (0, None, "none")
    assert "nothing to forecast from" in found["words"]


@pytest.mark.parametrize(
    ("differing", "code"),
    [
        ({"daily_budget_micros": 200_000_000}, "budgets_invalid"),
        ({"targeting": {"countries": ["DE", "DE"]}}, "targeting_invalid"),
        ({"creative_ids": ["0198c6f2-7d7e-7b9a-8f53-2f6c5b1f2a10"]}, "creatives_invalid"),
    ],
)
def test_what_could_not_be_opened_is_not_forecast(
    house: House, differing: dict[str, Any], code: str
) -> None:
    url = f"/v1/campaigns/{house.ads.campaign_id}/forecasts"

    refused = house.alice.post(url, json={**NEW, **differing})

    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_what_keeps_a_line_item_from_all_pages_is_told(house: House) -> None:
    draft = house.diagnosis()
    house.run()
    active = house.diagnosis()
    campaign = house.log.find(Campaign, house.ads.campaign_id)
    assert campaign is not None
    campaign.pause(by=house.alice.account_id, at=datetime.now(UTC))
    house.log.save(campaign)
    house.alice.post(f"/v1/line-items/{house.ads.line_item_id}/pause")
    until(lambda: "campaign_paused" in codes(house.diagnosis()))
    paused = house.diagnosis()

    assert codes(draft)[:2] == ["draft", "no_creative_approved"]
    assert (active["state"], active["reasons"], active["is_serving"]) == ("active", [], True)
    assert {each["scope"] for each in active["budgets"]} >= {"advertiser", "line"}
    assert codes(paused)[:2] == ["paused", "campaign_paused"]
    assert not paused["is_serving"]


def test_what_was_paid_in_and_spent_is_told(house: House) -> None:
    house.run()

    house.pay_in(100)

    assert codes(house.diagnosis()) == ["advertiser_spent"]


def test_a_campaign_without_a_budget_has_no_cap(house: House) -> None:
    house.run()

    budgets = {each["scope"]: each for each in house.diagnosis()["budgets"]}

    assert budgets["campaign"]["cap_micros"] is None
    assert budgets["advertiser"]["cap_micros"] == 100_000_000


def test_by_what_recorded_pages_are_lost_is_told_without_anything_of_viewers(house: House) -> None:
    house.run()
    house.look(15, interests=frozenset({"origami"}))
    house.look(12, ads_in_hour=1000)

    recorded = house.diagnosis()["recorded"]

    assert (recorded["pages"], recorded["viewers"], recorded["won"]) == (27, 15, 15)
    assert [(each["steps"], each["pages"]) for each in recorded["lost"]] == [(["page_full"], 12)]
    assert recorded["lost"][0]["words"] == "there was no room for another ad"
    assert "origami" not in json.dumps(recorded)


def test_pages_of_few_viewers_are_not_told(house: House) -> None:
    house.look(9)

    assert house.diagnosis()["recorded"] is None
