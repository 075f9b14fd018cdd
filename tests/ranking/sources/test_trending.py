"""Trending: what is watched long right now."""

from datetime import timedelta

from ranking.deeds import Kind
from ranking.sources import trending
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def test_what_many_watch_long_trends_and_yesterdays_hit_counts_half() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    hit, last_weeks, unseen = (crowd.publish(bob) for _ in range(3))
    viewers = [crowd.account(f"viewer {number}") for number in range(6)]
    for viewer in viewers[:4]:
        crowd.watch(viewer, last_weeks)
    crowd.now += timedelta(days=3)
    for viewer in viewers[4:]:
        crowd.watch(viewer, hit)

    found = found_by(trending, crowd, alice)

    assert found == [hit, last_weeks]
    assert unseen not in found


def test_one_who_watches_again_and_again_does_not_make_a_trend() -> None:
    crowd = Crowd()
    bob, mallory = crowd.account("bob"), crowd.account("mallory")
    pushed = crowd.publish(mallory)

    for _ in range(30):
        crowd.watch(mallory, pushed)

    assert crowd.state.coviews.lately[0] == 1
    assert found_by(trending, crowd, bob) == [pushed]


def test_what_the_viewer_saw_or_was_just_served_takes_nobodys_place() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    videos = [crowd.publish(bob) for _ in range(4)]
    for viewer in (crowd.account("carol"), crowd.account("dave")):
        crowd.watch(viewer, *videos[:3])
    crowd.watch(crowd.account("erin"), videos[3])
    crowd.do(alice, videos[:1], Kind.WATCH)

    found = found_by(trending, crowd, alice, limit=2, pending=(videos[1].bytes,))

    assert found == [videos[2], videos[3]]
