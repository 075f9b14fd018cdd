"""Commands on commercial grants: whose cameo an advertiser may show in ads, as its owner says."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.advertiser.aggregate import Advertiser
from domain.advertiser.errors import AdvertiserNotFound
from domain.cameo.aggregate import Cameo
from domain.cameo.errors import CameoNotFound, CameoWithdrawn
from domain.commercial_grant.aggregate import CommercialGrant
from domain.commercial_grant.errors import CommercialGrantNotFound
from myriorama.store.log import Log, retried


class CommercialGrants:
    """What owners of cameos let advertisers do. What changes nothing records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def require_owner(self, cameo_id: UUID, *, by: UUID) -> Cameo:
        """Let pass only who owns the cameo.

        Raises:
            CameoNotFound: there is none, or it is another's.
        """
        cameo = self._log.find(Cameo, cameo_id)
        if cameo is None or cameo.owner_id != by:
            raise CameoNotFound(cameo_id)
        return cameo

    @retried
    def give(
        self,
        cameo_id: UUID,
        advertiser_id: UUID,
        *,
        expires_at: datetime | None,
        by: UUID,
        at: datetime,
    ) -> None:
        """Let an advertiser show a cameo in ads, from now on or still, until `expires_at`.

        Raises:
            CameoNotFound: there is none, or it is another's.
            CameoWithdrawn: it is there no more.
            AdvertiserNotFound: there is no such advertiser.
            GrantExpiryPast: it would be over already.
        """
        cameo = self.require_owner(cameo_id, by=by)
        if cameo.revoked:
            raise CameoWithdrawn("The cameo has been withdrawn.")
        if self._log.find(Advertiser, advertiser_id) is None:
            raise AdvertiserNotFound("There is no such advertiser.")
        grant = self._log.find(CommercialGrant, CommercialGrant.identify(cameo_id, advertiser_id))
        if grant is None:
            grant = CommercialGrant.give(cameo_id, advertiser_id, expires_at=expires_at, at=at)
        else:
            grant.renew(expires_at=expires_at, at=at)
        self._log.save(grant, expect={cameo.id: cameo.version})

    @retried
    def withdraw(self, cameo_id: UUID, advertiser_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let an advertiser show a cameo no more.

        Raises:
            CameoNotFound: there is none, or it is another's.
            CommercialGrantNotFound: the advertiser may not show it anyway.
        """
        self.require_owner(cameo_id, by=by)
        grant = self._log.find(CommercialGrant, CommercialGrant.identify(cameo_id, advertiser_id))
        if grant is None:
            raise CommercialGrantNotFound("The advertiser has no grant of this cameo.")
        grant.withdraw(at=at)
        self._log.save(grant)


def ungranted(
    log: Log, cameo_ids: Sequence[UUID], advertiser_id: UUID, *, at: datetime
) -> tuple[list[UUID], dict[UUID, int]]:
    """Return the cameos that an advertiser may not show now, and the read set of that."""
    missing: list[UUID] = []
    read: dict[UUID, int] = {}
    for cameo_id in dict.fromkeys(cameo_ids):
        identity = CommercialGrant.identify(cameo_id, advertiser_id)
        grant, cameo = log.find(CommercialGrant, identity), log.find(Cameo, cameo_id)
        read[identity] = grant.version if grant else 0
        read[cameo_id] = cameo.version if cameo else 0
        if grant is None or not grant.holds(at) or cameo is None or cameo.revoked:
            missing.append(cameo_id)
    return missing, read
