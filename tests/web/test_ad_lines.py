"""A line item looked at closer, webhooks, exports and sandboxes on pages: what they show."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.advertised import Advertised, advertised, with_scopes
from tests.people import Person


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("alice"), settings, Scope.ADVERTISER)


@pytest.fixture
def ads(alice: Person, log: Log) -> Advertised:
    recorded = advertised(log, alice.account_id)
    alice.post("/v1/invitations")  # an answer to a command waits until all of it can be read
    return recorded


def _proposed(**other: object) -> dict[str, object]:
    return {
        "name": "Foxes",
        "kind": "cpm",
        "bid_micros": 4_200_000,
        "lifetime_budget_micros": 50_000_000,
        "starts_at": datetime.now(UTC).isoformat(),
        **other,
    }


def test_a_day_is_drawn_with_axes_and_units_and_told_in_words(
    alice: Person, ads: Advertised
) -> None:
    path = f"/web/advertise/line-items/{ads.line_item_id}/pacing"
    today, before = alice.get(path).text, alice.get(path, params={"day": "2026-11-01"}).text

    assert '<svg width="100%"' in today
    assert "0.00 USD of the day&#39;s budget were spent" in today
    assert ">06:00</text>" in today
    assert 'class="now"' in today
    assert "1 Nov 2026" in before
    assert 'class="now"' not in before
    assert "Nothing was planned for this day." in before


def test_a_day_that_is_none_is_refused_in_words(alice: Person, ads: Advertised) -> None:
    page = alice.get(
        f"/web/advertise/line-items/{ads.line_item_id}/pacing", params={"day": "1003-01-01"}
    )

    assert page.status_code == 422
    assert "2000 to 2199" in page.text


def test_why_a_draft_is_not_shown_is_told(alice: Person, ads: Advertised) -> None:
    page = alice.get(f"/web/advertise/line-items/{ads.line_item_id}/diagnosis").text

    assert "It is not shown" in page
    assert "It is a draft: submit it." in page
    assert "Fewer than ten viewers looked at a page" in page


def test_a_forecast_is_shown_before_a_line_item_is_opened(alice: Person, ads: Advertised) -> None:
    form = alice.get(f"/web/advertise/campaigns/{ads.campaign_id}").text
    path = f"/web/advertise/campaigns/{ads.campaign_id}/forecast"
    forecast = alice.post(path, json=_proposed())
    lines = alice.get(f"/v1/campaigns/{ads.campaign_id}/line-items").json()["items"]

    assert f'data-forecast="{path}"' in form
    assert forecast.status_code == 200, forecast.text
    assert "No page was recorded in the last day" in forecast.text
    assert [each["line_item_id"] for each in lines] == [str(ads.line_item_id)]


def test_what_a_forecast_cannot_be_made_of_is_told_at_its_field(
    alice: Person, ads: Advertised
) -> None:
    path = f"/web/advertise/campaigns/{ads.campaign_id}/forecast"
    proposed = _proposed(daily_budget_micros=90_000_000)

    malformed = alice.post(path, json=_proposed(bid_micros="much"))
    refused = alice.post(path, json=proposed)
    as_refused = alice.post(f"/v1/campaigns/{ads.campaign_id}/forecasts", json=proposed)

    assert malformed.status_code == 400
    assert malformed.json()["errors"][0]["where"].endswith("bid_micros")
    assert refused.status_code == as_refused.status_code == 422
    assert refused.json()["code"] == as_refused.json()["code"]


def test_nobody_forecasts_in_the_campaign_of_another(
    ads: Advertised,
    person: Callable[[str], Person],
    settings: Settings,
    api: TestClient[Litestar],
) -> None:
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)
    path = f"/web/advertise/campaigns/{ads.campaign_id}/forecast"

    assert mallory.post(path, json=_proposed()).status_code == 404
    assert api.post(path, json=_proposed()).status_code == 401


def test_every_edit_of_the_console_names_what_was_read(alice: Person, ads: Advertised) -> None:
    for kind, page, of in (
        ("campaigns", "campaigns", ads.campaign_id),
        ("line-items", "line-items", ads.line_item_id),
        ("creatives", "creatives", ads.creative_id),
    ):
        tag = alice.get(f"/v1/{kind}/{of}").headers["etag"]
        shown = alice.get(f"/web/advertise/{page}/{of}").text.replace("&#34;", "&quot;")
        assert f'data-send="PATCH /v1/{kind}/{of}" data-if-match="{escape(tag)}"' in shown


def test_a_webhook_is_added_told_of_and_removed(alice: Person, ads: Advertised) -> None:
    page, url = (
        f"/web/advertise/{ads.advertiser_id}/webhooks",
        "https://shop.example.com/hooks?a=1&b=2",
    )
    none = alice.get(page).text
    added = alice.post(f"/v1/advertisers/{ads.advertiser_id}/webhooks", json={"url": url}).json()
    some = alice.get(page).text
    one = alice.get(f"{page}/{added['webhook_id']}").text

    base = f"/v1/advertisers/{ads.advertiser_id}/webhooks"
    assert f'data-send="POST {base}" data-done="secret"' in none
    assert "Nowhere yet." in none
    assert escape(url) in some
    assert added["secret"] not in some + one
    assert f'data-do="POST {base}/{added["webhook_id"]}/rotate" data-done="secret"' in one
    assert f'data-do="DELETE {base}/{added["webhook_id"]}"' in one
    assert "Nothing yet. It begins when something happens." in one
    assert alice.get(f"{page}/{uuid4()}").status_code == 404


def test_the_files_of_a_bill_come_with_how_to_check_them(alice: Person, ads: Advertised) -> None:
    page = alice.get(f"/web/advertise/campaigns/{ads.campaign_id}/exports").text

    assert f'data-do="POST /v1/campaigns/{ads.campaign_id}/exports"' in page
    assert 'data-download="/v1/ads/recompute_bill.py"' in page
    assert "python recompute_bill.py HEAD" in page


def test_receipts_are_those_of_a_line_item_and_a_day(alice: Person, ads: Advertised) -> None:
    path = f"/advertise/{ads.advertiser_id}/decisions"
    asked = {"line_item_id": str(ads.line_item_id), "day": "2026-11-01"}
    page = alice.client.get(
        f"/web{path}",
        params=asked,
        headers={"HX-Request": "true", "Authorization": f"Bearer {alice.tokens['access_token']}"},
    )

    assert "Nothing was shown on that day." in page.text
    assert page.headers["HX-Push-Url"] == f"{path}?line_item_id={ads.line_item_id}&day=2026-11-01"
    assert alice.get(f"/web{path}", params={"line_item_id": "", "day": ""}).status_code == 200


def test_a_sandbox_is_marked_on_its_pages(alice: Person) -> None:
    form = {
        "name": "Trial",
        "website": "shop.example.com",
        "category": "toys",
        "zone": "UTC",
        "currency": "EUR",
        "sandbox": True,
    }
    opened = alice.post("/v1/advertisers", json=form).json()

    page = alice.get(f"/web/advertise/{opened['advertiser_id']}").text
    listed = alice.get("/web/advertise").text
    simulations = alice.get(f"/web/advertise/{opened['advertiser_id']}/simulations").text

    base = f"/v1/advertisers/{opened['advertiser_id']}"
    assert f'data-send="POST {base}/billing/sandbox-top-ups"' in page
    assert f'data-send="POST {base}/simulations" data-done="reload"' in simulations
    assert "None yet." in simulations
    assert '<span class="state sandbox"' in page
    assert '<span class="state sandbox"' in listed
    assert 'name="sandbox"' in listed
