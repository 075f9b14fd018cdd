"""The rules of an advertiser."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.ad_categories import check_category
from domain.advertiser.errors import (
    AdvertiserNameInvalid,
    CurrencyUnknown,
    LastOwner,
    MemberNotFound,
    RoleUnknown,
    TooManyMembers,
    WebsiteInvalid,
    ZoneUnknown,
)
from domain.advertiser.events import (
    AdvertiserCapsChanged,
    AdvertiserEdited,
    AdvertiserEvent,
    AdvertiserOpened,
    MemberAdmitted,
    MemberRemoved,
    MemberRoleChanged,
)
from domain.advertiser.membership import ROLES, Role, require_role
from domain.aggregate import Aggregate
from domain.frequency import FrequencyCap, check_caps
from domain.hosts import is_public_host
from domain.micros import CURRENCIES
from domain.text import is_name

NAME_LENGTH_MAX = 100
MEMBERS_MAX = 100


class Advertiser(Aggregate):
    """Who pays for ads. Its money is of one currency, its days are those of one zone."""

    TOPIC = "advertiser"

    def __init__(  # noqa: PLR0913 - as many as the first event has
        self,
        *,
        name: str,
        website: str,
        category: str,
        currency: str,
        zone: str,
        owner_id: UUID,
        sandbox: bool,
    ) -> None:
        self.name = name
        self.website = website
        self.category = category
        self.currency = currency
        self.zone = zone
        self.sandbox = sandbox
        self.caps: tuple[FrequencyCap, ...] = ()
        # A dictionary with str keys: a snapshot is JSON. Role by account.
        self._roles: dict[str, str] = {str(owner_id): "owner"}

    @classmethod
    def open(  # noqa: PLR0913 - the fields of the first event
        cls,
        advertiser_id: UUID,
        *,
        name: str,
        website: str,
        category: str,
        currency: str,
        zone: str,
        by: UUID,
        at: datetime,
        sandbox: bool = False,
    ) -> Self:
        """Return a new advertiser, whose first owner is `by`. A sandbox is one for good.

        Raises:
            AdvertiserNameInvalid, WebsiteInvalid, CategoryUnknown, CurrencyUnknown, ZoneUnknown:
                it cannot be like this.
        """
        _check(name, website, category)
        if currency not in CURRENCIES:
            raise CurrencyUnknown(f"The currencies are {', '.join(sorted(CURRENCIES))}.")
        _check_zone(zone)
        return cls.begin(
            AdvertiserOpened,
            advertiser_id,
            at,
            name=name,
            website=website,
            category=category,
            currency=currency,
            zone=zone,
            owner_id=by,
            sandbox=sandbox,
        )

    def role_of(self, account_id: UUID) -> str | None:
        """Return as what an account acts for the advertiser, or None if it does not."""
        return self._roles.get(str(account_id))

    def require(self, needs: Role, *, by: UUID) -> None:
        """Let a member pass who has the role, or more.

        Raises:
            AdvertiserNotFound: `by` does not act for it.
            RoleTooLow: another member may.
        """
        require_role(self.role_of(by), needs)

    def edit(  # noqa: PLR0913 - what may be changed
        self,
        *,
        name: str,
        website: str,
        category: str,
        caps: Sequence[FrequencyCap],
        by: UUID,
        at: datetime,
    ) -> None:
        """Change how the advertiser presents itself, and caps. As it is records nothing.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            AdvertiserNameInvalid, WebsiteInvalid, CategoryUnknown, FrequencyCapInvalid: it cannot
                be like this.
        """
        self.require("editor", by=by)
        _check(name, website, category)
        check_caps(caps)
        if (name, website, category) != (self.name, self.website, self.category):
            self.trigger(AdvertiserEdited, at, name=name, website=website, category=category, by=by)
        if tuple(caps) != self.caps:
            self.trigger(AdvertiserCapsChanged, at, caps=tuple(caps), by=by)

    def admit(self, account_id: UUID, role: str, *, by: UUID, at: datetime) -> None:
        """Let an account act for the advertiser, or give a member another role.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` is no owner.
            RoleUnknown, TooManyMembers, LastOwner: it cannot be.
        """
        self.require("owner", by=by)
        if role not in ROLES:
            raise RoleUnknown(f"A role is one of {', '.join(ROLES)}.")
        before = self.role_of(account_id)
        if before is None:
            if len(self._roles) >= MEMBERS_MAX:
                raise TooManyMembers(f"An advertiser has {MEMBERS_MAX} members at most.")
            self.trigger(MemberAdmitted, at, account_id=account_id, role=role, by=by)
        elif before != role:
            self._require_another_owner(account_id)
            self.trigger(MemberRoleChanged, at, account_id=account_id, role=role, by=by)

    def remove(self, account_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let an account act no longer for the advertiser. Who is a member may go by themselves.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            MemberNotFound: it does not act for it.
            LastOwner: nobody would be left to decide.
        """
        self.require("reader" if account_id == by else "owner", by=by)
        if self.role_of(account_id) is None:
            raise MemberNotFound("This account does not act for the advertiser.")
        self._require_another_owner(account_id)
        self.trigger(MemberRemoved, at, account_id=account_id, by=by)

    def evolve(self, event: AdvertiserEvent) -> None:
        match event:
            case AdvertiserOpened():
                pass  # __init__ took its fields.
            case AdvertiserEdited():
                self.name, self.website = event.name, event.website
                self.category = event.category
            case AdvertiserCapsChanged():
                self.caps = tuple(event.caps)
            case MemberAdmitted() | MemberRoleChanged():
                self._roles[str(event.account_id)] = event.role
            case MemberRemoved():
                self._roles.pop(str(event.account_id), None)
            case _:
                assert_never(event)

    def _require_another_owner(self, account_id: UUID) -> None:
        owners = {account for account, role in self._roles.items() if role == "owner"}
        if owners == {str(account_id)}:
            raise LastOwner("Name another owner first.")


def _check(name: str, website: str, category: str) -> None:
    if not is_name(name) or len(name) > NAME_LENGTH_MAX:
        raise AdvertiserNameInvalid(f"A name is one line of 1 to {NAME_LENGTH_MAX} characters.")
    if not is_public_host(website):
        raise WebsiteInvalid("A website is a public host in lower case, such as shop.example.com.")
    check_category(category)


def _check_zone(zone: str) -> None:
    # Other names in the database are links, or are what the machine makes of them.
    if zone != "UTC" and ("/" not in zone or zone.startswith(("posix/", "right/"))):
        raise ZoneUnknown("A zone is named by area and city, such as Europe/Berlin, or is UTC.")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ZoneUnknown("The zone is none of the IANA database.") from error
