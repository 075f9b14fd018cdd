"""Steering over HTTP: what is said, understood, shown, edited and undone."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from myriorama.api.tokens import AccessTokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.authors import open_account
from tests.people import Person
from tests.publishing import publish

pytestmark = pytest.mark.usefixtures("ranked")

People = Callable[[str], Person]

SAID = "less food, more claymation, nothing political this week"


@pytest.fixture
def moderator(person: People, settings: Settings) -> Person:
    """Somebody who may moderate."""
    carol = person("carol")
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    token = tokens.issue(carol.account_id, uuid4(), ("viewer", "moderator"), now=time.time())
    carol.tokens["access_token"] = token
    return carol


def rules(who: Person) -> list[tuple[str, str, list[str], int]]:
    shown = who.get("/v1/feed/steer").json()["rules"]
    return [(rule["kind"], rule["about"], rule["terms"], rule["strength"]) for rule in shown]


def test_what_is_said_is_shown_edited_and_undone_one_by_one(person: People) -> None:
    alice, bob = person("alice"), person("bob")

    said = alice.post("/v1/feed/steer", json={"say": SAID}).json()

    assert said["not_understood"] == []
    assert rules(alice) == [
        ("limit", "topic", ["food"], 50),
        ("boost", "topic", ["claymation"], 50),
        ("hide", "topic", ["political"], 100),
    ]
    assert rules(bob) == []
    food, claymation, political = (rule["rule_id"] for rule in said["rules"])
    edit = {"strength": 90, "expires_at": None}
    assert alice.patch(f"/v1/feed/steer/{food}", json=edit).json() == {"rule_id": food, **edit}
    assert alice.delete(f"/v1/feed/steer/{claymation}").status_code == 204
    assert bob.delete(f"/v1/feed/steer/{political}").status_code == 204
    assert rules(alice) == [
        ("limit", "topic", ["food"], 90),
        ("hide", "topic", ["political"], 100),
    ]
    assert alice.delete("/v1/feed/steer").status_code == 204
    assert rules(alice) == []


def test_an_edit_keeps_what_it_leaves_out_and_refuses_what_cannot_be(person: People) -> None:
    alice, bob = person("alice"), person("bob")
    (rule,) = alice.post("/v1/feed/steer", json={"say": "no food for 3 days"}).json()["rules"]
    url = f"/v1/feed/steer/{rule['rule_id']}"

    weaker = alice.patch(url, json={"strength": 10}).json()

    assert weaker["strength"] == 10
    assert weaker["expires_at"] == rule["expires_at"]
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert alice.patch(url, json={"expires_at": past}).json()["code"] == "steering_rule_invalid"
    for never in ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"):
        refused = alice.patch(url, json={"expires_at": never})
        assert (refused.status_code, refused.json()["code"]) == (422, "steering_rule_invalid")
    assert [rule[3] for rule in rules(alice)] == [10]
    assert alice.patch(url, json={"strength": 0}).status_code == 400
    assert alice.patch(url, json={"expires_at": "2030-01-01T00:00:00"}).status_code == 400
    assert bob.patch(url, json={"strength": 10}).json()["code"] == "steering_rule_not_found"


def test_what_is_not_understood_is_told_and_changes_nothing(person: People) -> None:
    alice = person("alice")

    said = alice.post("/v1/feed/steer", json={"say": "もっと猫。 hide @nobody_at_all"})

    assert said.status_code == 200
    assert said.json() == {
        "rules": [],
        "not_understood": [
            {"said": "もっと猫", "reason": "nothing_asked"},
            {"said": "hide @nobody_at_all", "reason": "unknown_account"},
        ],
    }
    assert rules(alice) == []


def test_ten_kilobytes_are_answered_and_more_is_a_problem(person: People) -> None:
    alice = person("alice")

    answered = alice.post("/v1/feed/steer", json={"say": ("less a, " * 1250)[:10_000]})
    refused = alice.post("/v1/feed/steer", json={"say": "x" * 10_001})

    assert answered.status_code == 200
    assert answered.json()["not_understood"]
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    unseen = alice.post("/v1/feed/steer", json={"say": " \u200b\n"})
    assert (unseen.status_code, unseen.json()["code"]) == (422, "steering_text_invalid")


def test_a_feed_has_no_more_rules_than_it_may_have(person: People) -> None:
    alice = person("alice")

    answers = [
        alice.post("/v1/feed/steer", json={"say": f"more {', '.join(things)}"})
        for n in range(4)
        for things in [[f"thing{n}x{m}" for m in range(20)]]
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 409]
    assert answers[-1].json()["code"] == "too_many_steering_rules"
    assert len(rules(alice)) == 60


def test_people_are_named_by_their_handles(person: People) -> None:
    alice, bob = person("alice"), person("bob")

    (rule,) = alice.post("/v1/feed/steer", json={"say": "more @Bob today"}).json()["rules"]

    assert (rule["about"], rule["author_id"]) == ("author", str(bob.account_id))


def test_less_like_a_video_is_shown_and_taken_back(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    video = publish(log, bob.account_id)

    for _ in range(2):
        asked = alice.post("/v1/feed/less", json={"video_id": str(video.id)})
        assert asked.status_code == 204
    missing = alice.post("/v1/feed/less", json={"video_id": str(uuid4())})

    assert missing.json()["code"] == "video_not_found"
    shown = alice.get("/v1/feed/steer").json()["less"]
    assert [each["video_id"] for each in shown] == [str(video.id)]
    assert alice.delete(f"/v1/feed/less/{video.id}").status_code == 204
    assert alice.get("/v1/feed/steer").json()["less"] == []


def test_an_account_may_be_known_by_nothing_and_forgotten(person: People) -> None:
    alice = person("alice")
    before = alice.get("/v1/feed/steer").json()

    assert alice.put("/v1/feed/personalisation", json={"personalised": False}).status_code == 204
    assert alice.delete("/v1/feed/history").status_code == 204

    after = alice.get("/v1/feed/steer").json()
    assert (before["personalised"], before["history_forgotten_at"]) == (True, None)
    assert after["personalised"] is False
    assert after["history_forgotten_at"] is not None


def test_a_report_reaches_the_moderators_once(person: People, log: Log, moderator: Person) -> None:
    alice, bob = person("alice"), person("bob")
    video = publish(log, alice.account_id)
    report = {"reason": "likeness", "note": "That is me."}

    for _ in range(2):
        assert bob.post(f"/v1/videos/{video.id}/report", json=report).status_code == 204

    (item,) = moderator.get("/v1/moderation/reports").json()["items"]
    assert (item["video_id"], item["reason"], item["note"], item["reports"]) == (
        str(video.id),
        "likeness",
        "That is me.",
        1,
    )
    unknown = {"reason": "boring"}
    assert bob.post(f"/v1/videos/{video.id}/report", json=unknown).status_code == 400
    alice.delete(f"/v1/videos/{video.id}")
    assert moderator.get("/v1/moderation/reports").json()["items"] == []


@pytest.mark.parametrize("kind", ["for_you", "popular"])
def test_what_was_said_holds_on_the_next_page(person: People, log: Log, kind: str) -> None:
    alice = person("alice")
    authors = [open_account(log, f"author_{n}") for n in range(8)]
    for n in range(24):
        publish(log, authors[n % 8], f"A {('clown laughs', 'paper boat sails')[n % 2]}, take {n}")
    assert alice.patch("/v1/me", json={"bio": "Now it is all there."}).status_code == 200

    def shown() -> list[str]:
        page = alice.get("/v1/feed", params={"kind": kind, "limit": 30}).json()
        return [item["caption"] for item in page["items"]]

    (rule,) = alice.post("/v1/feed/steer", json={"say": "no clowns"}).json()["rules"]
    hidden = shown()
    alice.delete(f"/v1/feed/steer/{rule['rule_id']}")
    again = shown()

    assert hidden
    assert not any("clown" in caption for caption in hidden)
    assert any("clown" in caption for caption in again)
