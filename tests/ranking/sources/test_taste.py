"""Taste: what means something like what one favoured."""

from ranking.deeds import Kind
from ranking.sources import taste
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def test_what_is_alike_in_meaning_is_found_also_when_it_was_just_published() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    liked = crowd.publish(bob, "clay fox dancing")
    crowd.publish(bob, "stormy harbour night")
    crowd.do(alice, [liked], Kind.WATCH)
    crowd.do(alice, [liked], Kind.LIKE)
    alike = crowd.publish(bob, "clay fox sleeping")

    found = found_by(taste, crowd, alice, limit=1)

    assert found == [alike]


def test_a_like_says_more_than_a_long_watch() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    watched, liked = crowd.publish(bob, "harbour"), crowd.publish(bob, "fox")
    crowd.watch(alice, watched)
    crowd.do(alice, [liked], Kind.LIKE)
    crowd.do(alice, [liked], Kind.WATCH)
    more = [crowd.publish(bob, "harbour"), crowd.publish(bob, "fox")]

    found = found_by(taste, crowd, alice)

    assert found == more[::-1]


def test_who_did_nothing_has_no_taste() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    crowd.publish(bob)

    assert found_by(taste, crowd, alice) == []
    assert not taste.vector(crowd.state, -1).any()
