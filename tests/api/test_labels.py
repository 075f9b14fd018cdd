"""What a moderator labelled is shown to nobody whom it is not for, in whatever list."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.api.tokens import AccessTokens
from myriorama.processes import invite
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.people import Person, application_form
from tests.publishing import publish

pytestmark = pytest.mark.usefixtures("ranked")

People = Callable[[str], Person]
Looker = Person | TestClient[Litestar]

LISTS = (
    "/v1/feed?kind=latest",
    "/v1/feed?kind=following",
    "/v1/feed?kind=popular",
    "/v1/search?q=fox",
    "/v1/hashtags/fox",
    "/v1/accounts/alice/videos",
    "/v1/bookmarks",
)
WARNED = {"rule": "labelled"}


@pytest.fixture
def moderator(person: People, settings: Settings) -> Person:
    carol = person("carol")
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    scopes = ("viewer", "moderator", "admin")
    carol.tokens["access_token"] = tokens.issue(carol.account_id, uuid4(), scopes, now=time.time())
    return carol


def minor(api: TestClient[Litestar], settings: Settings, handle: str) -> Person:
    code = invite(settings, at=datetime.now(UTC))
    form = application_form(handle, code) | {"age_band": "13-15"}
    tokens = api.post("/v1/accounts", json=form).json()
    return Person(api, handle, UUID(tokens["account_id"]), tokens)


def shown(who: Looker, url: str) -> dict[str, Any]:
    """Return why a warning stands before each video of a list."""
    answer = who.get(url)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    videos = page["items"] if "items" in page else page["videos"]
    return {video["video_id"]: video.get("interstitial") for video in videos}


def test_who_is_not_of_age_is_shown_nothing_that_is_not_for_them(
    person: People, api: TestClient[Litestar], settings: Settings, log: Log, moderator: Person
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), minor(api, settings, "mallory")
    plain, mature, flashing, spam = (
        str(publish(log, alice.account_id, f"a #fox {n}").id) for n in range(4)
    )
    everything = (plain, mature, flashing, spam)
    for who in (bob, mallory):
        assert who.put("/v1/accounts/alice/follow").status_code == 204
        for video in everything:
            assert who.put(f"/v1/videos/{video}/bookmark").status_code == 204

    labels = {mature: ["mature"], flashing: ["flashing"], spam: ["spam", "political"]}
    for video, said in labels.items():
        answer = moderator.put(f"/v1/moderation/videos/{video}/labels", json={"labels": said})
        assert answer.status_code == 204

    for url in LISTS:
        kept = {spam: WARNED} if url == "/v1/bookmarks" else {}
        of_age = {plain: None, mature: WARNED, flashing: WARNED, **kept}
        if "popular" not in url:  # who ranks may still be loading, or behind
            assert shown(bob, url) == of_age, url
            assert shown(mallory, url) == {plain: None, flashing: WARNED}, url
        assert not {mature, spam} & set(shown(mallory, url)), url
    for url in ("/v1/search?q=fox", "/v1/hashtags/fox", "/v1/accounts/alice/videos"):
        assert shown(api, url) == {plain: None, flashing: WARNED}, url
        assert shown(alice, url) == dict.fromkeys(everything), url
    assert shown(alice, "/v1/feed?kind=latest") == dict.fromkeys(everything)


def test_by_a_link_who_is_of_age_comes_to_a_warning_and_others_to_nothing(
    person: People, api: TestClient[Litestar], settings: Settings, log: Log, moderator: Person
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), minor(api, settings, "mallory")
    video = publish(log, alice.account_id)
    url = f"/v1/videos/{video.id}"
    assert "interstitial" not in mallory.get(url).json()

    moderator.put(f"/v1/moderation/videos/{video.id}/labels", json={"labels": ["graphic"]})

    assert bob.get(url).json()["interstitial"] == WARNED
    assert "interstitial" not in alice.get(url).json()
    for who in (mallory, api):
        assert who.get(url).json()["code"] == "video_not_found"
        assert who.get(f"{url}/comments").status_code == 404


def test_another_policy_acts_in_lists_too(person: People, log: Log, moderator: Person) -> None:
    alice, bob = person("alice"), person("bob")
    video = str(publish(log, alice.account_id, "a #fox").id)
    moderator.put(f"/v1/moderation/videos/{video}/labels", json={"labels": ["mature"]})
    assert shown(bob, "/v1/feed?kind=latest") == {video: WARNED}

    mature = {"mature": {"adult": "drop", "minor": "drop"}}
    strict = {"version": "strict-1", "labels": mature}
    assert moderator.put("/v1/rankings/policy", json=strict).status_code == 204

    for url in ("/v1/feed?kind=latest", "/v1/search?q=fox", "/v1/accounts/alice/videos"):
        assert shown(bob, url) == {}
