"""The rules of what may be shown: each holds at once, whatever a video is worth."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest

from ranking.filters import Judged, judge, still_allowed
from ranking.policy import DEFAULT, LabelRule, Policy
from ranking.query import resolve
from tests.ranking.crowds import Crowd


class Two:
    """ALICE, who looks, and BOB, who has published a video with a cameo of MALLORY's."""

    def __init__(self, band: str = "18+") -> None:
        self.crowd = Crowd()
        self.alice = self.crowd.account("alice", band)
        self.bob, self.mallory = self.crowd.account("bob"), self.crowd.account("mallory")
        self.cameo = self.crowd.cameo(self.mallory)
        self.video = self.crowd.publish(self.bob, cameos=[self.cameo])

    def judged(
        self, *, policy: Policy = DEFAULT, by: UUID | None = None, late: bool = False
    ) -> Judged:
        state = self.crowd.state
        query = resolve(self.crowd.ask(by or self.alice), state.people, state.videos)
        ask = still_allowed if late else judge
        return ask(state, query, policy, np.arange(len(state.videos), dtype=np.int32))


def test_a_public_video_of_a_stranger_may_be_shown() -> None:
    judged = Two().judged()

    assert judged.is_shown.all()
    assert judged.counts() == {}


HAPPENED: dict[str, Callable[[Two], object]] = {
    "removed": lambda two: two.crowd.delete(two.video),
    "muted": lambda two: two.crowd.mute(two.alice, two.bob),
    "blocked": lambda two: two.crowd.block(two.alice, two.bob),
    "blocked ": lambda two: two.crowd.block(two.bob, two.alice),
    "blocked  ": lambda two: two.crowd.block(two.alice, two.mallory),
    "consent": lambda two: two.crowd.revoke(two.cameo),
    "labelled": lambda two: two.crowd.label(two.video, "spam"),
    "seen": lambda two: two.crowd.do(two.alice, [two.video]),
}


@pytest.mark.parametrize("rule", HAPPENED)
def test_from_the_moment_on_it_is_not_shown(rule: str) -> None:
    two = Two()

    HAPPENED[rule](two)

    assert two.judged().counts() == {rule.strip(): 1}
    assert not two.judged().is_shown.any()


def test_nobody_is_shown_their_own() -> None:
    two = Two()

    assert two.judged(by=two.bob).counts() == {"own": 1}


@pytest.mark.parametrize("visibility", ["followers", "link"])
def test_a_hidden_video_is_not_for_strangers(visibility: str) -> None:
    two = Two()
    two.crowd.publish(two.bob, visibility=visibility)

    assert two.judged().counts() == {"visibility": 1}


def test_a_video_for_followers_is_for_followers() -> None:
    two = Two()
    two.crowd.publish(two.bob, visibility="followers")

    two.crowd.follow(two.alice, two.bob)

    assert two.judged().is_shown.all()


def test_an_unlisted_video_is_in_no_feed_of_a_follower_either() -> None:
    two = Two()
    two.crowd.publish(two.bob, visibility="link")

    two.crowd.follow(two.alice, two.bob)

    assert two.judged().counts() == {"visibility": 1}


def test_an_adult_is_warned_of_what_is_for_adults() -> None:
    two = Two()

    two.crowd.label(two.video, "mature")

    assert two.judged().warning(0) == "labelled"
    assert two.judged().counts() == {"labelled:interstitial": 1}


@pytest.mark.parametrize("band", ["13-15", "16-17"])
def test_a_minor_is_not_shown_what_is_for_adults(band: str) -> None:
    two = Two(band)

    two.crowd.label(two.video, "mature")

    assert two.judged().counts() == {"age": 1}


def test_who_is_not_known_yet_is_treated_as_a_minor() -> None:
    two = Two()
    two.crowd.label(two.video, "mature")

    judged = two.judged(by=UUID(int=99))

    assert judged.counts() == {"age": 1}


def test_what_follows_from_a_label_is_a_matter_of_the_policy() -> None:
    two = Two()
    two.crowd.label(two.video, "political")
    strict = DEFAULT.patched({"labels": {"political": {"adult": "drop", "minor": "drop"}}})

    assert strict.labels["political"] == LabelRule(adult="drop", minor="drop")
    assert two.judged().counts() == {}
    assert two.judged(policy=strict).counts() == {"labelled": 1}


def test_a_label_that_was_taken_back_has_no_consequence() -> None:
    two = Two()
    two.crowd.label(two.video, "mature", "graphic")

    two.crowd.label(two.video)

    assert two.judged().counts() == {}


def test_what_was_served_and_is_not_known_to_be_seen_yet_is_not_shown_twice() -> None:
    two = Two()
    state = two.crowd.state
    query = two.crowd.ask(two.alice, pending=(two.video.bytes, UUID(int=5).bytes))

    resolved = resolve(query, state.people, state.videos)

    assert judge(state, resolved, DEFAULT, np.zeros(1, np.int32)).counts() == {"seen": 1}


def test_what_was_decided_to_be_shown_is_not_held_to_have_been_seen() -> None:
    two = Two()
    two.crowd.do(two.alice, [two.video])

    assert two.judged(late=True).is_shown.all()
    two.crowd.delete(two.video)
    assert not two.judged(late=True).is_shown.any()
