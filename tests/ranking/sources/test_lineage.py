"""Lineage: the kin of what one favoured."""

from ranking.deeds import Kind
from ranking.sources import lineage
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def test_parents_come_before_remixes_and_these_before_siblings() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    parent = crowd.publish(bob)
    liked = crowd.publish(bob, parent=parent)
    sibling = crowd.publish(bob, parent=parent)
    child = crowd.publish(bob, parent=liked)
    crowd.publish(bob)
    crowd.do(alice, [liked], Kind.LIKE)

    found = found_by(lineage, crowd, alice)

    assert found == [parent, child, sibling]


def test_a_like_that_was_taken_back_has_no_kin() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    liked = crowd.publish(bob)
    crowd.publish(bob, parent=liked)
    crowd.do(alice, [liked], Kind.LIKE)

    crowd.do(alice, [liked], Kind.UNLIKE)

    assert found_by(lineage, crowd, alice) == []
