"""The rules of how one account stands to all others: whom it follows, blocks and mutes."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.following.errors import BlockedByYou, RelationToOneself
from domain.following.events import (
    AccountBlocked,
    AccountFollowed,
    AccountMuted,
    AccountUnblocked,
    AccountUnfollowed,
    AccountUnmuted,
    FollowingBegun,
    FollowingEvent,
)
from domain.identity import named


class Following(Aggregate):
    """Whom one account follows, blocks and mutes. There is one an account, begun when first needed.

    That the other does not block the account is for who commands to see to: only the other's
    `Following` knows.
    """

    TOPIC = "following"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        # Dictionaries with str keys: a snapshot is JSON.
        self._follows: dict[str, bool] = {}
        self._blocks: dict[str, bool] = {}
        self._mutes: dict[str, bool] = {}

    @staticmethod
    def identify(account_id: UUID) -> UUID:
        """Return the ID of an account's following."""
        return named("following", account_id)

    @classmethod
    def start(cls, account_id: UUID, *, at: datetime) -> Self:
        """Return the following of an account that had none."""
        return cls.begin(FollowingBegun, cls.identify(account_id), at, account_id=account_id)

    def is_following(self, other_id: UUID) -> bool:
        return str(other_id) in self._follows

    def is_blocking(self, other_id: UUID) -> bool:
        return str(other_id) in self._blocks

    def is_muting(self, other_id: UUID) -> bool:
        return str(other_id) in self._mutes

    def follow(self, other_id: UUID, *, at: datetime) -> None:
        """Follow somebody. Again records nothing.

        Raises:
            RelationToOneself: it is the account itself.
            BlockedByYou: the account blocks them; to follow does not take a block back.
        """
        self._refuse_oneself(other_id)
        if self.is_blocking(other_id):
            raise BlockedByYou("You block this account; take that back first.")
        if not self.is_following(other_id):
            self.trigger(AccountFollowed, at, account_id=self.account_id, other_id=other_id)

    def unfollow(self, other_id: UUID, *, at: datetime) -> None:
        if self.is_following(other_id):
            self.trigger(AccountUnfollowed, at, account_id=self.account_id, other_id=other_id)

    def block(self, other_id: UUID, *, at: datetime) -> None:
        """Block somebody, who is thereby not followed any more. Again records nothing.

        Raises:
            RelationToOneself: it is the account itself.
        """
        self._refuse_oneself(other_id)
        self.unfollow(other_id, at=at)
        if not self.is_blocking(other_id):
            self.trigger(AccountBlocked, at, account_id=self.account_id, other_id=other_id)

    def unblock(self, other_id: UUID, *, at: datetime) -> None:
        if self.is_blocking(other_id):
            self.trigger(AccountUnblocked, at, account_id=self.account_id, other_id=other_id)

    def mute(self, other_id: UUID, *, at: datetime) -> None:
        """Mute somebody, who may go on to be followed. Again records nothing.

        Raises:
            RelationToOneself: it is the account itself.
        """
        self._refuse_oneself(other_id)
        if not self.is_muting(other_id):
            self.trigger(AccountMuted, at, account_id=self.account_id, other_id=other_id)

    def unmute(self, other_id: UUID, *, at: datetime) -> None:
        if self.is_muting(other_id):
            self.trigger(AccountUnmuted, at, account_id=self.account_id, other_id=other_id)

    def evolve(self, event: FollowingEvent) -> None:
        match event:
            case FollowingBegun():
                pass  # __init__ took its fields.
            case AccountFollowed():
                self._follows[str(event.other_id)] = True
            case AccountUnfollowed():
                self._follows.pop(str(event.other_id), None)
            case AccountBlocked():
                self._blocks[str(event.other_id)] = True
            case AccountUnblocked():
                self._blocks.pop(str(event.other_id), None)
            case AccountMuted():
                self._mutes[str(event.other_id)] = True
            case AccountUnmuted():
                self._mutes.pop(str(event.other_id), None)
            case _:
                assert_never(event)

    def _refuse_oneself(self, other_id: UUID) -> None:
        if other_id == self.account_id:
            raise RelationToOneself("Nobody follows, blocks or mutes themselves.")
