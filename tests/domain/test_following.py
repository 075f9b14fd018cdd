"""How accounts stand to one another: what is recorded, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.following.aggregate import Following
from domain.following.errors import BlockedByYou, RelationToOneself
from domain.following.events import (
    AccountBlocked,
    AccountFollowed,
    AccountMuted,
    AccountUnblocked,
    AccountUnfollowed,
    AccountUnmuted,
    FollowingBegun,
)

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

COMMANDS: dict[str, Callable[[Following], None]] = {
    "follow": lambda alice: alice.follow(BOB, at=NOON),
    "unfollow": lambda alice: alice.unfollow(BOB, at=NOON),
    "block": lambda alice: alice.block(BOB, at=NOON),
    "unblock": lambda alice: alice.unblock(BOB, at=NOON),
    "mute": lambda alice: alice.mute(BOB, at=NOON),
    "unmute": lambda alice: alice.unmute(BOB, at=NOON),
}


def alice_after(*names: str) -> Following:
    alice = Following.start(ALICE, at=NOON)
    for name in names:
        COMMANDS[name](alice)
    return alice


@pytest.mark.parametrize(
    ("names", "events"),
    [
        (["follow", "follow"], [AccountFollowed]),
        (["unfollow"], []),
        (["follow", "unfollow", "unfollow"], [AccountFollowed, AccountUnfollowed]),
        (["block", "block"], [AccountBlocked]),
        (["follow", "block"], [AccountFollowed, AccountUnfollowed, AccountBlocked]),
        (["unblock"], []),
        (["block", "unblock", "unblock"], [AccountBlocked, AccountUnblocked]),
        (["mute", "mute"], [AccountMuted]),
        (["follow", "mute"], [AccountFollowed, AccountMuted]),
        (["unmute"], []),
        (["mute", "unmute", "unmute"], [AccountMuted, AccountUnmuted]),
    ],
)
def test_what_changes_nothing_records_nothing(names: list[str], events: list[type]) -> None:
    alice = alice_after(*names)

    assert [type(event) for event in alice.collect_events()] == [FollowingBegun, *events]


def test_one_account_has_one_following() -> None:
    assert alice_after().id == Following.identify(ALICE) != Following.identify(BOB)


@pytest.mark.parametrize("command", [Following.follow, Following.block, Following.mute])
def test_nobody_relates_to_themselves(command: Callable[..., None]) -> None:
    alice = alice_after()

    with pytest.raises(RelationToOneself):
        command(alice, ALICE, at=NOON)


def test_to_follow_takes_no_block_back() -> None:
    alice = alice_after("block")

    with pytest.raises(BlockedByYou):
        alice.follow(BOB, at=NOON)

    assert alice.is_blocking(BOB)


def test_a_relation_to_one_is_none_to_another() -> None:
    alice = alice_after("follow", "mute")

    assert alice.is_following(BOB)
    assert alice.is_muting(BOB)
    assert not alice.is_following(MALLORY)
    assert not alice.is_muting(MALLORY)
    assert not alice.is_blocking(MALLORY)


@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=30))
def test_nobody_ever_follows_whom_they_block(names: list[str]) -> None:
    alice = Following.start(ALICE, at=NOON)

    for name in names:
        try:
            COMMANDS[name](alice)
        except BlockedByYou:
            assert name == "follow"
        assert not (alice.is_following(BOB) and alice.is_blocking(BOB))
