"""Commands on allowances: see what is left, and credit what was bought."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.allowance.aggregate import Allowance, Credit
from domain.allowance.limit import Limit
from myriorama.application.accounts import account_named
from myriorama.store.log import Log, retried


@dataclass(frozen=True)
class Remaining:
    """What is left: of the window's `limit_seconds`, and of the balance beside it.

    `returns_at` is when the next seconds of the window come back; None if all are there.
    """

    limit_seconds: int
    remaining_seconds: int
    purchased_seconds: int
    returns_at: datetime | None


class Allowances:
    """How many seconds of video each account may ask for."""

    def __init__(self, log: Log, *, limit: Limit) -> None:
        self._log = log
        self._limit = limit

    def remaining(self, account_id: UUID, *, at: datetime) -> Remaining:
        """Return what is left of an account's allowance."""
        allowance = self._log.find(Allowance, Allowance.identify(account_id))
        return remaining(allowance, self._limit, at=at)

    @retried
    def credit(
        self, name: str, seconds: int, *, source_key: str, reason: str, at: datetime
    ) -> Remaining:
        """Raise an account's balance, and return what is left. The same again changes nothing.

        Args:
            name: the account's handle, or its ID.
            seconds: of video.
            source_key: names what it is for: a payment, say.
            reason: for who reads the log.
            at: when.

        Raises:
            AccountNotFound: there is none.
            CreditInvalid: it has no seconds or too many, or no key.
            CreditDiffers: something else was credited under this key.
        """
        account_id = account_named(self._log, name).id
        allowance = self._log.find(Allowance, Allowance.identify(account_id))
        allowance = allowance or Allowance.open(account_id, at=at)
        credit = self._log.find(Credit, Credit.identify(source_key))
        if credit is not None:
            credit.require_same(account_id, seconds)
            return remaining(allowance, self._limit, at=at)
        credit = Credit.claim(source_key, account_id=account_id, seconds=seconds, at=at)
        allowance.credit(seconds, source_key=source_key, reason=reason, at=at)
        self._log.save(credit, allowance)
        return remaining(allowance, self._limit, at=at)


def remaining(allowance: Allowance | None, limit: Limit, *, at: datetime) -> Remaining:
    """Return what is left of an allowance, which may not have been opened yet."""
    if allowance is None:
        return Remaining(limit.seconds, limit.seconds, 0, None)
    return Remaining(
        limit.seconds,
        allowance.left(limit, at=at),
        allowance.balance,
        allowance.returns_at(limit, at=at),
    )
