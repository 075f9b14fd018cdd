"""Commands on advertisers: open one, edit it, and say whose accounts act for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.account.aggregate import Account
from domain.account.errors import AccountNotFound
from domain.advertiser.aggregate import Advertiser
from myriorama.application.tenancy import advertiser_of
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What an advertiser is opened with. Currency, zone and being a sandbox are for good."""

    name: str
    website: str
    category: str
    currency: str
    zone: str
    sandbox: bool = False


class Advertisers:
    """Who pays for ads. What changes nothing records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def open(self, registration: Registration, *, by: UUID, at: datetime) -> UUID:
        """Open an advertiser, whose owner is `by`; return its ID.

        Raises:
            Invalid: it cannot be like this; the error says what.
        """
        advertiser = Advertiser.open(
            new_id(),
            name=registration.name,
            website=registration.website,
            category=registration.category,
            currency=registration.currency,
            zone=registration.zone,
            sandbox=registration.sandbox,
            by=by,
            at=at,
        )
        self._log.save(advertiser)
        return advertiser.id

    @retried
    def edit(
        self,
        advertiser_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Advertiser:
        """Change any of `name`, `website`, `category` and `caps`; what is not named stays.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            Invalid: it cannot be like this; the error says what.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="editor")
        precondition(advertiser.version)
        present: dict[str, Any] = {
            "name": advertiser.name,
            "website": advertiser.website,
            "category": advertiser.category,
            "caps": advertiser.caps,
        }
        advertiser.edit(**{**present, **edits}, by=by, at=at)
        self._log.save(advertiser)
        return advertiser

    @retried
    def admit(
        self, advertiser_id: UUID, account_id: UUID, role: str, *, by: UUID, at: datetime
    ) -> None:
        """Let an account act for the advertiser, or give a member another role.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` is no owner of it.
            AccountNotFound: there is no such account.
            RoleUnknown, LastOwner, TooManyMembers: it cannot be.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="owner")
        if self._log.find(Account, account_id) is None:
            raise AccountNotFound("There is no such account.")
        advertiser.admit(account_id, role, by=by, at=at)
        self._log.save(advertiser)

    @retried
    def remove(self, advertiser_id: UUID, account_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let an account act no longer for the advertiser.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            MemberNotFound, LastOwner: it cannot be.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="reader")
        advertiser.remove(account_id, by=by, at=at)
        self._log.save(advertiser)
