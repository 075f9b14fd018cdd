"""Tenancy: the one place where the read side asks whether an account acts for an advertiser."""

from uuid import UUID

import msgspec

from domain.advertiser.errors import AdvertiserNotFound
from domain.advertiser.membership import Role, require_role
from domain.errors import NotFound
from myriorama.api.reads import Reads

MEMBER = "SELECT role FROM advertiser_members WHERE advertiser_id = %s AND account_id = %s"


class Tenancy:
    """Lets members of an advertiser read what is its own. To others, it is not there."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def require(self, advertiser_id: UUID, *, by: UUID, needs: Role = "reader") -> str:
        """Let a member pass who has the role, or a higher one; return the role that they have.

        Raises:
            AdvertiserNotFound: there is none, or `by` does not act for it.
            RoleTooLow: another member may do this.
        """
        row = await self._reads.one(_Member, MEMBER, (advertiser_id, by))
        require_role(row.role if row else None, needs)
        return row.role if row else ""

    async def require_of(
        self, advertiser_id: UUID | None, refusal: NotFound, *, by: UUID, needs: Role = "reader"
    ) -> None:
        """Do the same for what belongs to an advertiser (None: there is no such thing).

        Raises:
            NotFound: the refusal, if there is none, or `by` does not act for its advertiser.
            RoleTooLow: another member may do this.
        """
        if advertiser_id is None:
            raise refusal
        try:
            await self.require(advertiser_id, by=by, needs=needs)
        except AdvertiserNotFound as error:
            raise refusal from error


class _Member(msgspec.Struct, frozen=True):
    role: str
