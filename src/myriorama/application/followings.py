"""Commands on how accounts stand to one another: follow, block, mute, and take each back."""

from datetime import datetime
from uuid import UUID

from domain.account.aggregate import Handle
from domain.account.errors import AccountNotFound, HandleInvalid
from domain.following.aggregate import Following
from myriorama.application.relations import stand, started
from myriorama.store.log import Log, retried


class Followings:
    """Who follows, blocks and mutes whom. Every command may be repeated: again changes nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def follow(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Follow the account that has the handle.

        Raises:
            AccountNotFound: there is none, or it blocks the one who asks.
            BlockedByYou: who asks blocks it.
            RelationToOneself: it is the account itself.
        """
        other_id = self._account_id(handle)
        standing = stand(self._log, account_id, other_id)
        if standing.theirs and standing.theirs.is_blocking(account_id):
            raise AccountNotFound("There is no such account.")
        mine = started(standing.mine, account_id, at=at)
        mine.follow(other_id, at=at)
        self._log.save(mine, expect=standing.read)

    @retried
    def unfollow(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Stop to follow.

        Raises:
            AccountNotFound: no account has the handle.
        """
        other_id = self._account_id(handle)
        if mine := self._following(account_id):
            mine.unfollow(other_id, at=at)
            self._log.save(mine)

    @retried
    def block(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Block an account; neither of the two follows the other any more.

        Raises:
            AccountNotFound: no account has the handle.
            RelationToOneself: it is the account itself.
        """
        other_id = self._account_id(handle)
        standing = stand(self._log, account_id, other_id)
        mine = started(standing.mine, account_id, at=at)
        mine.block(other_id, at=at)
        if standing.theirs:
            standing.theirs.unfollow(account_id, at=at)
        both = [mine, *([standing.theirs] if standing.theirs else [])]
        self._log.save(*both, expect=standing.read)

    @retried
    def unblock(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Take a block back; who followed before follows anew, if they want to.

        Raises:
            AccountNotFound: no account has the handle.
        """
        other_id = self._account_id(handle)
        if mine := self._following(account_id):
            mine.unblock(other_id, at=at)
            self._log.save(mine)

    @retried
    def mute(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Mute an account, which is not told.

        Raises:
            AccountNotFound: no account has the handle.
            RelationToOneself: it is the account itself.
        """
        other_id = self._account_id(handle)
        mine = started(self._following(account_id), account_id, at=at)
        mine.mute(other_id, at=at)
        self._log.save(mine)

    @retried
    def unmute(self, account_id: UUID, handle: str, *, at: datetime) -> None:
        """Take a mute back.

        Raises:
            AccountNotFound: no account has the handle.
        """
        other_id = self._account_id(handle)
        if mine := self._following(account_id):
            mine.unmute(other_id, at=at)
            self._log.save(mine)

    def _following(self, account_id: UUID) -> Following | None:
        return self._log.find(Following, Following.identify(account_id))

    def _account_id(self, handle: str) -> UUID:
        try:
            claim = self._log.find(Handle, Handle.identify(handle))
        except HandleInvalid:
            claim = None
        if claim is None:
            raise AccountNotFound("There is no such account.")
        return claim.account_id
