"""Steering on the pages: what was said is shown in a few words, and each can be taken back."""

from collections.abc import Callable

import pytest

from myriorama.store.log import Log
from myriorama.web.steering import REASONS, label
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]


@pytest.mark.parametrize(
    ("kind", "about", "terms", "words"),
    [
        ("limit", "topic", ["fast food"], "Less fast food"),
        ("boost", "hashtag", ["claymation"], "More #claymation"),
        ("hide", "author", ["mallory"], "No @mallory"),
        ("hide", "length", ["over", "10000"], "No videos over 10 seconds"),
        ("boost", "mood", ["funny"], "More funny videos"),
        ("limit", "form", ["remix"], "Less remixes"),
        ("boost", "circle", ["following"], "More people you follow"),
    ],
)
def test_a_rule_is_told_in_a_few_words(kind: str, about: str, terms: list[str], words: str) -> None:
    assert label({"kind": kind, "about": about, "terms": terms}) == words


def test_what_was_said_is_shown_and_can_be_taken_back(person: People) -> None:
    alice = person("alice")
    said = alice.post("/v1/feed/steer", json={"say": "less <food, no #politics this week"}).json()
    (rule,) = alice.post("/v1/feed/steer", json={"say": "no 'quotes\" today"}).json()["rules"]

    sheet = alice.get("/web/steer").text

    assert [missed["reason"] for missed in said["not_understood"]] == ["unreadable"]
    assert "No quotes" in sheet
    assert f'data-do="DELETE /v1/feed/steer/{rule["rule_id"]}"' in sheet
    assert 'data-send="POST /v1/feed/steer"' in sheet
    assert 'data-do="DELETE /v1/feed/steer"' in sheet
    alice.delete("/v1/feed/steer")
    assert "No quotes" not in alice.get("/web/steer").text


def test_a_video_can_be_reported_and_its_author_hidden_by_others(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    video = publish(log, alice.account_id)
    for who in (alice, bob):
        who.put(f"/v1/videos/{video.id}/like")

    others, own = (who.get(f"/web/videos/{video.id}/more").text for who in (bob, alice))

    assert f'data-send="POST /v1/videos/{video.id}/report"' in others
    assert all(f'value="{reason}"' in others for reason, _ in REASONS)
    assert 'data-do="PUT /v1/accounts/alice/mute"' in others
    assert "/mute" not in own


def test_the_feed_that_is_personal_leads_to_its_steering(person: People, log: Log) -> None:
    alice = person("alice")
    video = publish(log, alice.account_id)
    alice.put(f"/v1/videos/{video.id}/like")

    assert 'hx-get="/web/steer"' in alice.get("/web/for_you").text
    assert 'hx-get="/web/steer"' not in alice.get("/web/latest").text
    assert f'hx-get="/web/videos/{video.id}/more"' in alice.get(f"/web/videos/{video.id}/rail").text
