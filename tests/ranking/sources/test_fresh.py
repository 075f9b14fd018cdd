"""Fresh: what is owed its first showings."""

from ranking.deeds import Kind
from ranking.policy import DEFAULT
from ranking.sources import fresh
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def test_every_new_video_is_brought_until_it_was_shown_as_often_as_is_promised() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    videos = [crowd.publish(bob) for _ in range(12)]
    viewers = [crowd.account(f"viewer {number}") for number in range(20)]
    promised = DEFAULT.exploration.guarantee

    rounds = 0
    while found := found_by(fresh, crowd, alice, limit=4, seed=rounds):
        for viewer in viewers:
            crowd.do(viewer, found)
        rounds += 1
        assert rounds <= len(videos) * promised

    shown = crowd.state.counts.video.totals[:, 0]
    assert len(shown) == len(videos)
    assert shown.min() >= promised
    assert shown.max() < promised + len(viewers)


def test_a_flood_of_new_videos_leaves_none_half_tried() -> None:
    crowd = Crowd()
    alice, bob, mallory = map(crowd.account, ("alice", "bob", "mallory"))
    half_tried = crowd.publish(bob)
    for number in range(50):
        crowd.do(crowd.account(f"viewer {number}"), [half_tried])

    for _ in range(200):
        crowd.publish(mallory)

    assert half_tried in found_by(fresh, crowd, alice, limit=4)


def test_what_was_reported_twice_is_promised_nothing() -> None:
    crowd = Crowd()
    alice, bob, carol, mallory = map(crowd.account, ("alice", "bob", "carol", "mallory"))
    reported = crowd.publish(mallory)

    for witness in (bob, carol):
        crowd.do(witness, [reported], Kind.REPORT)

    assert found_by(fresh, crowd, alice) == []


def test_the_seed_alone_decides_between_equals() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    for _ in range(40):
        crowd.publish(bob)

    first, again, other = (found_by(fresh, crowd, alice, limit=10, seed=s) for s in (1, 1, 2))

    assert first == again
    assert first != other
