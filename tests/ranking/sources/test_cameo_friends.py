"""Cameo friends: videos with people who lent each other their likeness."""

from uuid import UUID

from domain.cameo.events import PermissionCleared, PermissionGranted
from ranking.sources import cameo_friends
from tests.ranking.crowds import Crowd
from tests.ranking.sources.asking import found_by


def granted(crowd: Crowd, owner: UUID, grantee: UUID) -> UUID:
    """Let an account cast the cameo of another; return the cameo."""
    cameo = crowd.cameo(owner)
    crowd.happen(PermissionGranted(cameo, 2, crowd.now, grantee, None))
    return cameo


def test_videos_with_whom_one_lent_or_who_lent_are_found() -> None:
    crowd = Crowd()
    alice, bob, carol, mallory = map(crowd.account, ("alice", "bob", "carol", "mallory"))
    bobs, carols = granted(crowd, bob, alice), crowd.cameo(carol)
    granted(crowd, alice, carol)
    with_bob = crowd.publish(mallory, cameos=[bobs])
    with_both = crowd.publish(mallory, cameos=[bobs, carols])
    crowd.publish(mallory, cameos=[crowd.cameo(mallory)])
    crowd.publish(bob)

    found = found_by(cameo_friends, crowd, alice)

    assert found == [with_both, with_bob]


def test_who_ends_the_permission_is_no_friend_any_more() -> None:
    crowd = Crowd()
    alice, bob = crowd.account("alice"), crowd.account("bob")
    cameo = granted(crowd, bob, alice)
    crowd.publish(bob, cameos=[cameo])
    assert len(found_by(cameo_friends, crowd, alice)) == 1

    crowd.happen(PermissionCleared(cameo, 3, crowd.now, alice))

    assert found_by(cameo_friends, crowd, alice) == []
