"""The console of advertisers over HTTP: what it shows to whom, and where each command goes."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import get_args
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.creative.review import REASONS
from domain.line_item.states import State
from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.web import ad_words
from tests.advertising import advertiser, campaign, creative, line_item
from tests.api.advertised import Advertised, advertised, with_scopes
from tests.people import Person

ATTACK = '<script>alert("ad")</script>'


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("alice"), settings, Scope.ADVERTISER)


@pytest.fixture
def ads(alice: Person, log: Log) -> Advertised:
    recorded = advertised(log, alice.account_id)
    alice.post("/v1/invitations")  # an answer to a command waits until all of it can be read
    return recorded


def test_every_state_and_reason_that_there_is_has_its_words() -> None:
    assert ad_words.REVIEW_REASONS.keys() == REASONS
    assert set(get_args(State)) <= ad_words.STATES.keys()


@pytest.mark.parametrize(
    ("micros", "said"),
    [
        (12_500_000, "12.50 USD"),
        (1_234_567_890, "1,234.57 USD"),
        (4_200, "0.0042 USD"),
        (300_000, "0.30 USD"),
        (0, "0.00 USD"),
        (-2_000_000, "-2.00 USD"),
    ],
)
def test_an_amount_is_said_in_coins_or_exactly_below_one(micros: int, said: str) -> None:
    assert ad_words.money(micros, "USD") == said


def test_a_moment_is_said_by_the_clocks_of_a_zone() -> None:
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC).isoformat()

    assert ad_words.local(moment, "Europe/Berlin") == "29 Mar 2026, 03:30"
    assert ad_words.wall(moment, "America/New_York") == "2026-03-28T21:30"
    assert ad_words.wall(None, "UTC") == ""


@pytest.mark.parametrize(
    ("week", "said"),
    [
        (None, "at all hours"),
        ("1" * 168, "at all hours"),
        ("0" * 168, "never"),
        ("0" * 8 + "1" * 12 + "0" * 148, "Mon 8–20"),  # noqa: RUF001 - a span has an en dash
        ("0" * 144 + "11" + "0" * 20 + "11", "Sun 0–2, 22–24"),  # noqa: RUF001 - as above
    ],
)
def test_the_hours_of_a_week_are_said_as_spans(week: str | None, said: str) -> None:
    assert ad_words.hours(week) == said


def test_who_may_not_advertise_is_told_who_decides_it(person: Callable[[str], Person]) -> None:
    bob = person("bob")

    page = bob.get("/web/advertise").text

    assert "myriorama appoint" in page
    assert "data-renew" in page
    assert "data-send=" not in page


def test_an_advertiser_is_opened_and_found_again(alice: Person, ads: Advertised) -> None:
    page = alice.get("/web/advertise").text

    assert f'href="/advertise/{ads.advertiser_id}"' in page
    assert 'data-send="POST /v1/advertisers"' in page
    assert 'data-goto="/advertise/{advertiser_id}"' in page
    assert "<option >Europe/Berlin</option>" in page


def test_an_advertiser_sees_the_wallet_the_campaigns_and_the_creatives(
    alice: Person, ads: Advertised
) -> None:
    page = alice.get(f"/web/advertise/{ads.advertiser_id}").text

    billing = f"/v1/advertisers/{ads.advertiser_id}/billing"
    assert '<p class="sum">0.00 USD</p>' in page
    assert f'data-send="POST {billing}/top-ups" data-done="pay"' in page
    assert f'href="/advertise/campaigns/{ads.campaign_id}"' in page
    assert f'href="/advertise/creatives/{ads.creative_id}"' in page
    assert 'data-zone="Europe/Berlin"' in page


def test_a_campaign_leads_to_its_line_items_and_is_paused(alice: Person, ads: Advertised) -> None:
    path = f"/web/advertise/campaigns/{ads.campaign_id}"
    page = alice.get(path).text
    alice.post(f"/v1/campaigns/{ads.campaign_id}/pause")
    paused = alice.get(path).text

    assert f'href="/advertise/line-items/{ads.line_item_id}"' in page
    assert f'data-do="POST /v1/campaigns/{ads.campaign_id}/pause"' in page
    assert f'data-send="POST /v1/campaigns/{ads.campaign_id}/line-items"' in page
    assert f'data-do="POST /v1/campaigns/{ads.campaign_id}/resume"' in paused
    assert f'data-do="POST /v1/campaigns/{ads.campaign_id}/exports"' in paused


def test_a_report_is_told_apart_one_way_and_kept_as_files(alice: Person, ads: Advertised) -> None:
    path = f"/web/advertise/{ads.advertiser_id}/reports"

    by_day, by_feed = alice.get(path).text, alice.get(path, params={"by": "surface"}).text

    assert '<dd id="report-paid">0.00 USD</dd>' in by_day
    assert 'class="chip chosen"' in by_feed
    assert f'data-download="/v1/advertisers/{ads.advertiser_id}/reports?by=day' in by_feed
    assert "format=parquet" in by_feed
    assert "Nothing was shown yet." in alice.get(path.replace("/reports", "/decisions")).text


def test_a_line_item_is_changed_as_it_was_read(alice: Person, ads: Advertised) -> None:
    url = f"/v1/line-items/{ads.line_item_id}"
    page = alice.get(f"/web/advertise/line-items/{ads.line_item_id}").text

    tag = alice.get(url).headers["etag"]
    assert f'data-send="PATCH {url}" data-if-match="{escape(tag)}"' in page.replace(
        "&#34;", "&quot;"
    )
    assert "It is a draft" in page
    assert f'data-do="POST {url}/submit"' in page
    assert 'name="bid_micros"' in page
    assert 'value="4.2"' in page
    assert 'name="kind"' not in page


def test_a_creative_tells_how_its_review_stands_and_why(
    alice: Person, ads: Advertised, person: Callable[[str], Person], settings: Settings
) -> None:
    moderator = with_scopes(person("carol"), settings, Scope.MODERATOR)
    path, url = f"/web/advertise/creatives/{ads.creative_id}", f"/v1/creatives/{ads.creative_id}"
    draft = alice.get(path).text
    alice.patch(url, json={"category": "finance"})
    alice.post(f"{url}/submit")
    waiting, queue = alice.get(path).text, moderator.get("/web/ad-review").text
    decision = f"/v1/ad-review/creatives/{ads.creative_id}/decision"
    (seen,) = moderator.get("/v1/ad-review/creatives").json()["items"]
    told = {"version": seen["version"], "reasons": ["deceptive"], "note": "No such fox."}
    moderator.post(decision, json=told)
    rejected = alice.get(path).text

    assert f'data-do="POST {url}/submit"' in draft
    assert "A person looks at it" in waiting
    assert f'data-send="POST {decision}"' in queue
    assert f'name="version" data-as="json" value="{seen["version"]}"' in queue
    assert "Fox and Sons" in queue
    assert "It deceives" in rejected
    assert "No such fox." in rejected
    assert f'data-send="POST {url}/appeal"' in rejected


def test_the_console_is_there_for_members_alone(
    alice: Person,
    ads: Advertised,
    person: Callable[[str], Person],
    settings: Settings,
    api: TestClient[Litestar],
) -> None:
    assert alice.handle == "alice"
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)

    for page in (
        f"{ads.advertiser_id}",
        f"{ads.advertiser_id}/wallet",
        f"{ads.advertiser_id}/creatives/new",
        f"{ads.advertiser_id}/reports",
        f"{ads.advertiser_id}/decisions",
        f"{ads.advertiser_id}/decisions/{uuid4()}",
        f"{ads.advertiser_id}/webhooks",
        f"{ads.advertiser_id}/webhooks/{uuid4()}",
        f"campaigns/{ads.campaign_id}/exports",
        f"line-items/{ads.line_item_id}/pacing",
        f"line-items/{ads.line_item_id}/diagnosis",
        f"campaigns/{ads.campaign_id}",
        f"line-items/{ads.line_item_id}",
        f"creatives/{ads.creative_id}",
        f"creatives/{uuid4()}",
    ):
        assert mallory.get(f"/web/advertise/{page}").status_code == 404
        assert 'data-send="POST /v1/accounts"' in api.get(f"/web/advertise/{page}").text
    assert mallory.get("/web/ad-review").status_code == 403


def test_what_an_advertiser_wrote_is_text_on_every_page(alice: Person, log: Log) -> None:
    opened = advertiser(alice.account_id)
    planned = campaign(opened, name=ATTACK)
    bid, shown = line_item(planned, name=ATTACK), creative(opened.id)
    log.save(opened, planned, bid, shown)
    alice.post("/v1/invitations")

    for page in (
        f"{opened.id}",
        f"{opened.id}/decisions",
        f"campaigns/{planned.id}",
        f"campaigns/{planned.id}/exports",
        f"line-items/{bid.id}",
        f"line-items/{bid.id}/pacing",
        f"line-items/{bid.id}/diagnosis",
    ):
        answer = alice.get(f"/web/advertise/{page}")
        assert answer.status_code == 200, answer.text
        assert ATTACK not in answer.text
        assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("path", ["advertise", "ad-review", f"advertise/{UUID(int=1)}"])
def test_each_page_of_the_console_has_an_address(api: TestClient[Litestar], path: str) -> None:
    page = api.get(f"/{path}?top_up=1")

    assert page.status_code == 200
    assert f'data-fragment="/web/{path}?top_up=1"' in page.text
