"""Ads on the pages of who is shown them: between the videos, labelled, with why and what to do."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from ads.surfaces import SURFACES
from domain.ad_report.reasons import Reason
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.web.ad_reports import SURFACES as NAMED
from myriorama.web.ads import REASONS
from myriorama.web.fragments import with_ads
from tests.api.feed_ads import Advertised, until
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]


def test_every_ad_lands_at_its_position_and_the_videos_stay_in_order() -> None:
    videos = [{"video_id": name} for name in "abcdef"]
    ads: list[dict[str, Any]] = [{"position": 6, "ad": 2}, {"position": 3, "ad": 1}]

    shown = with_ads(videos, ads)

    assert [shown.index(ad) for ad in ads] == [6, 3]
    assert [each for each in shown if "video_id" in each] == videos
    assert with_ads(videos, []) == videos


def test_every_reason_and_every_feed_has_its_words() -> None:
    assert {reason for reason, _ in REASONS} == set(get_args(Reason))
    assert set(NAMED) == set(SURFACES.values())


@pytest.fixture
def shown(person: People, log: Log, settings: Settings) -> tuple[Person, str]:
    """An ad on a page of Bob's."""
    author, bob = person("alice"), person("bob")
    for _ in range(8):
        publish(log, author.account_id)
    Advertised(log).pay_in(settings)
    pages = list[str]()

    def is_shown() -> bool:
        pages.append(bob.get("/web/latest").text)
        return "data-ad-token=" in pages[-1]

    until(is_shown)
    return bob, pages[-1]


def test_an_ad_is_labelled_says_who_pays_and_leads_out(shown: tuple[Person, str]) -> None:
    bob, page = shown
    ad = page[page.index('<article class="slide ad"') :]
    ad = ad[: ad.index("</article>")]
    why = ad.split('hx-get="')[1].split('"')[0]

    sheet, more = bob.get(why), bob.get(why.replace("/why", "/more"))

    assert page.count('<article class="slide"') == 6
    assert '<span class="badge sponsored">Sponsored</span>' in ad
    assert "Paid for by Fox and Sons" in ad
    assert 'target="_blank" rel="noopener nofollow sponsored" data-ad-click' in ad
    assert "data-view-token" not in ad
    assert "pays to show you this" in sheet.text
    decision = why.split("/")[3]
    assert f'data-do="POST /v1/ads/{decision}/hide"' in more.text
    assert f'data-send="POST /v1/ads/{decision}/report"' in more.text


def test_what_was_hidden_is_shown_among_the_preferences(shown: tuple[Person, str]) -> None:
    bob, page = shown
    decision = page.split('data-ad-decision="')[1].split('"')[0]

    bob.post(f"/v1/ads/{decision}/hide", json={"what": "advertiser"})

    preferences = bob.get("/web/ad-preferences").text
    assert "Fox and Sons" in preferences
    assert """data-body='{"hidden_advertisers": []}'""" in preferences
    assert 'data-send="PATCH /v1/me/ad-preferences"' in preferences
