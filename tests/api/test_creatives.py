"""Creatives over HTTP: what is checked, what people decide, and what stops being shown."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from myriorama.api.tokens import Scope
from myriorama.feed.ad_lines import ServableLine, servable_lines
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import async_pool
from tests.api.advertised import with_scopes
from tests.api.generating import lend
from tests.api.test_advertisers import opened, refusal
from tests.api.test_line_items import BID, CAMPAIGN
from tests.drafts import draft
from tests.people import Person

LANDING = "https://shop.example.com/spring"


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("alice"), settings, Scope.ADVERTISER)


@pytest.fixture
def moderator(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("maud"), settings, Scope.MODERATOR)


@pytest.fixture
def hers(alice: Person) -> str:
    return opened(alice)


def sketch(alice: Person, log: Log, **differing: Any) -> dict[str, Any]:
    cameo_ids = differing.pop("cameo_ids", ())
    made = draft(log, alice.account_id, cameo_ids=cameo_ids)
    return {
        "name": "Fox",
        "source": {"kind": "generation", "id": str(made)},
        "landing_url": LANDING,
        "call_to_action": "shop_now",
        **differing,
    }


def drafted(alice: Person, hers: str, log: Log, **differing: Any) -> str:
    answer = alice.post(f"{hers}/creatives", json=sketch(alice, log, **differing))
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def submitted(alice: Person, url: str) -> str:
    answer = alice.post(f"{url}/submit")
    assert answer.status_code == 200, answer.text
    state: str = answer.json()["state"]
    return state


def line_of(alice: Person, hers: str, creative_url: str) -> str:
    """Open a line item that shows a creative, and submit it; return its URL."""
    campaign = alice.post(f"{hers}/campaigns", json=CAMPAIGN).headers["location"]
    body = {**BID, "creative_ids": [creative_url.rpartition("/")[2]]}
    line: str = alice.post(f"{campaign}/line-items", json=body).headers["location"]
    assert alice.post(f"{line}/submit").status_code == 200
    return line


def servable(settings: Settings) -> list[ServableLine]:
    async def read() -> list[ServableLine]:
        async with async_pool(settings.database_url) as pool:
            return list(await servable_lines(pool, at=datetime.now(UTC)))

    return asyncio.run(read())


def test_what_no_check_doubts_is_approved_at_once_and_served_until_it_is_paused(
    alice: Person, hers: str, log: Log, settings: Settings
) -> None:
    url = drafted(alice, hers, log)
    assert submitted(alice, url) == "approved"

    line_url = line_of(alice, hers, url)

    assert alice.get(line_url).json()["state"] == "active"
    (serving,) = servable(settings)
    (shown,) = serving.line.creatives
    assert shown.click_url == LANDING
    assert (serving.line.bid_micros, serving.line.zone) == (4_200, "Europe/Berlin")
    assert serving.line.targeting.countries == {"DE"}
    assert [cap.scope for cap in serving.line.caps] == ["line"]
    assert (serving.pacing, serving.daily_budget_micros) == ("even", 10_000_000)
    assert alice.post(f"{line_url}/pause").status_code == 204
    assert servable(settings) == []
    assert alice.post(f"{line_url}/resume").status_code == 204
    assert len(servable(settings)) == 1


def test_what_a_check_doubts_waits_for_a_person_who_says_why(
    alice: Person, hers: str, log: Log, moderator: Person, settings: Settings
) -> None:
    url = drafted(alice, hers, log, category="alcohol")
    assert submitted(alice, url) == "in_review"
    line_url = line_of(alice, hers, url)
    assert alice.get(line_url).json()["state"] == "in_review"
    assert servable(settings) == []

    (waiting,) = moderator.get("/v1/ad-review/creatives").json()["items"]
    doubts = {check["code"] for check in waiting["creative"]["checks"]} - {""}
    decision = f"/v1/ad-review/creatives/{waiting['creative']['creative_id']}/decision"
    note = {"version": waiting["version"], "note": "Wine, for adults."}
    assert moderator.post(decision, json=note).status_code == 204

    assert (doubts, waiting["website"]) == ({"restricted_category"}, "shop.example.com")
    assert moderator.get("/v1/ad-review/creatives").json()["items"] == []
    shown = alice.get(url).json()
    assert (shown["state"], shown["note"]) == ("approved", "Wine, for adults.")
    assert alice.get(line_url).json()["state"] == "active"
    (serving,) = servable(settings)
    assert serving.line.targeting.age_bands == {"18+"}


@pytest.mark.parametrize("reasons", [[], ["deceptive"]])
def test_nobody_decides_on_what_they_have_not_seen(
    alice: Person, hers: str, log: Log, moderator: Person, reasons: list[str]
) -> None:
    url = drafted(alice, hers, log, category="health", headline="Vitamins")
    submitted(alice, url)
    decision = f"/v1/ad-review{url.removeprefix('/v1')}/decision"
    (seen,) = moderator.get("/v1/ad-review/creatives").json()["items"]
    alice.patch(url, json={"headline": "Cures everything in a day"})
    said = {"reasons": reasons, "note": "As I have seen it."}

    blind = moderator.post(decision, json=said)
    late = moderator.post(decision, json={**said, "version": seen["version"]})

    assert blind.status_code == 400
    assert refusal(late) == (409, "creative_changed")
    (waiting,) = moderator.get("/v1/ad-review/creatives").json()["items"]
    assert waiting["creative"]["headline"] == "Cures everything in a day"
    again = moderator.post(decision, json={**said, "version": waiting["version"]})
    assert again.status_code == 204


def test_a_rejection_says_why_and_is_appealed_once(
    alice: Person, hers: str, log: Log, moderator: Person
) -> None:
    url = drafted(alice, hers, log, landing_url="https://elsewhere.example.org/")
    assert submitted(alice, url) == "in_review"
    decision = f"/v1/ad-review{url.removeprefix('/v1')}/decision"
    (waiting,) = moderator.get("/v1/ad-review/creatives").json()["items"]

    rejected = {"reasons": ["deceptive"], "note": "It leads elsewhere."}
    moderator.post(decision, json={**rejected, "version": waiting["version"]})
    first = alice.get(url).json()
    alice.post(f"{url}/appeal", json={"statement": "It is our other shop."})
    (waiting,) = moderator.get("/v1/ad-review/creatives").json()["items"]
    moderator.post(decision, json={**rejected, "version": waiting["version"]})

    assert (first["state"], first["reasons"]) == ("rejected", ["deceptive"])
    assert waiting["creative"]["statement"] == "It is our other shop."
    assert alice.get(url).json()["state"] == "rejected"
    assert refusal(alice.post(f"{url}/appeal", json={"statement": "Please."})) == (
        409,
        "creative_appeal_impossible",
    )


def test_another_landing_page_is_reviewed_anew_and_another_bid_is_not(
    alice: Person, hers: str, log: Log, settings: Settings
) -> None:
    url = drafted(alice, hers, log)
    submitted(alice, url)
    line_url = line_of(alice, hers, url)

    alice.patch(line_url, json={"bid_micros": 9_000_000, "lifetime_budget_micros": 200_000_000})
    assert alice.get(line_url).json()["state"] == "active"
    assert alice.patch(url, json={"name": "A fox"}).json()["state"] == "approved"
    moved = alice.patch(url, json={"landing_url": "https://elsewhere.example.org/"})

    assert moved.json()["state"] == "in_review"
    assert alice.get(line_url).json()["state"] == "in_review"
    assert servable(settings) == []


@pytest.mark.parametrize(
    "landing_url",
    [
        "javascript:alert(1)",
        "http://shop.example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://shop.example.com@evil.example.org/",
    ],
)
def test_a_landing_page_that_is_none_is_refused(
    alice: Person, hers: str, log: Log, landing_url: str
) -> None:
    answer = alice.post(f"{hers}/creatives", json=sketch(alice, log, landing_url=landing_url))

    assert refusal(answer) == (422, "landing_page_invalid")
    assert alice.get(f"{hers}/creatives").json()["items"] == []


def test_only_ones_own_video_becomes_an_ad(
    alice: Person, hers: str, log: Log, person: Callable[[str], Person]
) -> None:
    theirs = draft(log, person("bob").account_id)
    published = alice.post("/v1/videos", json={"generation_id": str(draft(log, alice.account_id))})

    stolen = sketch(alice, log, source={"kind": "generation", "id": str(theirs)})
    own = sketch(alice, log, source={"kind": "video", "id": published.json()["video_id"]})

    refused = alice.post(f"{hers}/creatives", json=stolen)
    assert refusal(refused) == (404, "creative_source_not_found")
    assert alice.post(f"{hers}/creatives", json=own).status_code == 201


def test_an_ad_of_a_deleted_video_is_shown_no_more(
    alice: Person, hers: str, log: Log, settings: Settings
) -> None:
    made = draft(log, alice.account_id)
    video = alice.post("/v1/videos", json={"generation_id": str(made)}).json()["video_id"]
    url = drafted(alice, hers, log, source={"kind": "video", "id": video})
    submitted(alice, url)
    line_of(alice, hers, url)
    assert len(servable(settings)) == 1

    alice.delete(f"/v1/videos/{video}")

    assert servable(settings) == []
    assert alice.get(url).json()["recalled"]


def test_a_cameo_in_an_ad_takes_a_commercial_grant_and_its_end_ends_the_ad(
    alice: Person, hers: str, log: Log, person: Callable[[str], Person], settings: Settings
) -> None:
    bob = person("bob")
    cameo = lend(bob, settings.home, "everyone")
    grant = f"/v1/cameos/{cameo}/commercial-grants{hers.removeprefix('/v1/advertisers')}"
    refused = drafted(alice, hers, log, cameo_ids=[UUID(cameo)])
    assert submitted(alice, refused) == "rejected"
    assert alice.get(refused).json()["reasons"] == ["cameo_not_granted"]

    assert refusal(alice.put(grant, json={})) == (404, "cameo_not_found")
    assert bob.put(grant, json={}).status_code == 204
    url = drafted(alice, hers, log, cameo_ids=[UUID(cameo)])
    assert submitted(alice, url) == "approved"
    line_of(alice, hers, url)
    assert len(servable(settings)) == 1
    (granted,) = bob.get(f"/v1/cameos/{cameo}/commercial-grants").json()
    assert granted["name"] == "Fox and Sons"
    assert bob.delete(grant).status_code == 204
    assert servable(settings) == []
    bob.put(grant, json={})
    assert len(servable(settings)) == 1
    bob.delete(f"/v1/cameos/{cameo}")
    assert servable(settings) == []


def test_nobody_reviews_what_they_advertise_themselves(
    alice: Person, hers: str, log: Log, settings: Settings
) -> None:
    url = drafted(alice, hers, log, category="alcohol")
    submitted(alice, url)
    moderating = with_scopes(alice, settings, Scope.ADVERTISER, Scope.MODERATOR)

    answer = moderating.post(
        f"/v1/ad-review{url.removeprefix('/v1')}/decision", json={"version": 2, "note": "Fine."}
    )

    assert refusal(answer) == (403, "own_review")
    assert alice.get(url).json()["state"] == "in_review"
