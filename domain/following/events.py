"""What can happen between one account and the others it follows, blocks or mutes."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class FollowingBegun(InitialEvent):
    """The account related to another for the first time."""

    TOPIC = "following.begun"

    account_id: UUID


@dataclass(frozen=True)
class AccountFollowed(Event):
    """`account_id` wants to see what `other_id` publishes."""

    TOPIC = "following.account_followed"

    account_id: UUID
    other_id: UUID


@dataclass(frozen=True)
class AccountUnfollowed(Event):
    """`account_id` does not follow `other_id` any more."""

    TOPIC = "following.account_unfollowed"

    account_id: UUID
    other_id: UUID


@dataclass(frozen=True)
class AccountBlocked(Event):
    """Neither `account_id` nor `other_id` sees or reaches the other any more."""

    TOPIC = "following.account_blocked"

    account_id: UUID
    other_id: UUID


@dataclass(frozen=True)
class AccountUnblocked(Event):
    """`account_id` took the block of `other_id` back."""

    TOPIC = "following.account_unblocked"

    account_id: UUID
    other_id: UUID


@dataclass(frozen=True)
class AccountMuted(Event):
    """`account_id` does not want to see `other_id`, who is not told."""

    TOPIC = "following.account_muted"

    account_id: UUID
    other_id: UUID


@dataclass(frozen=True)
class AccountUnmuted(Event):
    """`account_id` took the mute of `other_id` back."""

    TOPIC = "following.account_unmuted"

    account_id: UUID
    other_id: UUID


FollowingEvent = (
    FollowingBegun
    | AccountFollowed
    | AccountUnfollowed
    | AccountBlocked
    | AccountUnblocked
    | AccountMuted
    | AccountUnmuted
)
