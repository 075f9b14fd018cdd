"""Following: the newest videos of whom one follows now."""

from datetime import timedelta
from uuid import uuid4

from domain.following.events import AccountUnfollowed
from ranking.sources import following
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def test_the_newest_videos_of_the_people_one_follows_come_first() -> None:
    crowd = Crowd()
    alice, bob, mallory = (crowd.account(name) for name in ("alice", "bob", "mallory"))
    crowd.follow(alice, bob)
    older = crowd.publish(bob)
    crowd.publish(mallory)
    crowd.now += timedelta(hours=2)
    newer = crowd.publish(bob)

    found = found_by(following, crowd, alice)

    assert found == [newer, older]


def test_whom_one_unfollows_or_blocks_is_gone_at_once() -> None:
    crowd = Crowd()
    alice, bob, mallory = (crowd.account(name) for name in ("alice", "bob", "mallory"))
    for other in (bob, mallory):
        crowd.follow(alice, other)
        crowd.publish(other)
    assert len(found_by(following, crowd, alice)) == 2

    crowd.happen(AccountUnfollowed(uuid4(), 3, crowd.now, alice, bob))
    crowd.block(mallory, alice)

    assert found_by(following, crowd, alice) == []


def test_an_author_of_many_videos_brings_the_last_fifty() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    crowd.follow(alice, bob)
    videos = [crowd.publish(bob) for _ in range(following.PER_AUTHOR + 10)]

    found = found_by(following, crowd, alice, limit=200)

    assert set(found) == set(videos[-following.PER_AUTHOR :])


def test_who_follows_hundreds_is_served_from_the_newest_of_all() -> None:
    crowd = Crowd()
    alice, mallory = crowd.account("alice"), crowd.account("mallory")
    authors = [crowd.account(f"author {n}") for n in range(following.AUTHORS_ONE_BY_ONE + 1)]
    for author in authors:
        crowd.follow(alice, author)
    videos = [crowd.publish(author) for author in (authors[0], authors[-1])]
    crowd.publish(mallory)

    found = found_by(following, crowd, alice)

    assert found == videos[::-1]
