"""The rules of the commercial use of a cameo by one advertiser."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.commercial_grant.errors import CommercialGrantNotFound, GrantExpiryPast
from domain.commercial_grant.events import (
    CommercialGrantEvent,
    CommercialUseGranted,
    CommercialUseRenewed,
    CommercialUseWithdrawn,
)
from domain.identity import named


class CommercialGrant(Aggregate):
    """Whether an advertiser may show a cameo in ads: nobody may whom its owner did not name.

    That it is the owner who says so, and that the cameo is there, is for who commands to see to.
    """

    TOPIC = "commercial_grant"

    def __init__(self, *, cameo_id: UUID, advertiser_id: UUID, expires_at: datetime | None) -> None:
        self.cameo_id = cameo_id
        self.advertiser_id = advertiser_id
        self.expires_at = expires_at
        self.withdrawn = False

    @staticmethod
    def identify(cameo_id: UUID, advertiser_id: UUID) -> UUID:
        """Return the ID of the grant of a cameo to an advertiser."""
        return named("commercial_grant", cameo_id, advertiser_id)

    @classmethod
    def give(
        cls, cameo_id: UUID, advertiser_id: UUID, *, expires_at: datetime | None, at: datetime
    ) -> Self:
        """Return the first grant of a cameo to an advertiser.

        Raises:
            GrantExpiryPast: it would be over already.
        """
        _check_expiry(expires_at, at)
        return cls.begin(
            CommercialUseGranted,
            cls.identify(cameo_id, advertiser_id),
            at,
            cameo_id=cameo_id,
            advertiser_id=advertiser_id,
            expires_at=expires_at,
        )

    def holds(self, at: datetime) -> bool:
        """Tell whether the advertiser may show the cameo."""
        return not self.withdrawn and (self.expires_at is None or at < self.expires_at)

    def renew(self, *, expires_at: datetime | None, at: datetime) -> None:
        """Grant it again, or until another time. The same again records nothing.

        Raises:
            GrantExpiryPast: it would be over already.
        """
        _check_expiry(expires_at, at)
        if self.withdrawn or expires_at != self.expires_at:
            self.trigger(
                CommercialUseRenewed,
                at,
                cameo_id=self.cameo_id,
                advertiser_id=self.advertiser_id,
                expires_at=expires_at,
            )

    def withdraw(self, *, at: datetime) -> None:
        """Let the advertiser show the cameo no more.

        Raises:
            CommercialGrantNotFound: it was withdrawn before.
        """
        if self.withdrawn:
            raise CommercialGrantNotFound("The advertiser has no grant of this cameo.")
        self.trigger(
            CommercialUseWithdrawn, at, cameo_id=self.cameo_id, advertiser_id=self.advertiser_id
        )

    def evolve(self, event: CommercialGrantEvent) -> None:
        match event:
            case CommercialUseGranted():
                pass  # __init__ took its fields.
            case CommercialUseRenewed():
                self.expires_at, self.withdrawn = event.expires_at, False
            case CommercialUseWithdrawn():
                self.withdrawn = True
            case _:
                assert_never(event)


def _check_expiry(expires_at: datetime | None, at: datetime) -> None:
    if expires_at is not None and expires_at <= at:
        raise GrantExpiryPast("A grant ends at a moment to come, or never.")
