"""Co-view: what goes with what a viewer watched, of the tables and of what came after them."""

import pytest

from ranking.sources import coview
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import Tables, found_by

pytest.importorskip("scipy")


def test_what_the_same_people_watched_is_found_without_any_training() -> None:
    crowd = Crowd()
    alice, bob, carol = map(crowd.account, ("alice", "bob", "carol"))
    fox, wolf, cake = (crowd.publish(carol) for _ in range(3))
    crowd.watch(bob, fox, wolf)
    crowd.watch(carol, cake)
    crowd.watch(alice, fox)

    found = found_by(coview, crowd, alice)

    assert found == [wolf]


def test_what_was_learnt_of_and_what_came_after_are_found_together() -> None:
    from ranking.training.affinities import fit  # noqa: PLC0415 - needs scipy

    crowd = Crowd()
    alice, carol = crowd.account("alice"), crowd.account("carol")
    fox, wolf, cake = (crowd.publish(carol) for _ in range(3))
    fans = [crowd.account(f"fan {number}") for number in range(30)]
    for number, fan in enumerate(fans):
        crowd.watch(fan, *((fox, wolf) if number % 2 else (cake,)))
    learnt = Tables(fit(crowd.state))
    new = crowd.publish(carol)
    for fan in fans[1::2]:
        crowd.watch(fan, new)
    crowd.watch(alice, fox)

    found = found_by(coview, crowd, alice, learnt=learnt, limit=10)

    assert found[0] in {wolf, new}
    assert {wolf, new} <= set(found)
    assert fox not in found


def test_who_asked_to_be_forgotten_is_known_by_nothing_they_did_before() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    fox, wolf = crowd.publish(bob), crowd.publish(bob)
    crowd.watch(bob, fox, wolf)
    crowd.watch(alice, fox)
    state = crowd.state

    state.people.forget(state.people.serial(alice.bytes), crowd.now_ms)

    assert found_by(coview, crowd, alice) == []
