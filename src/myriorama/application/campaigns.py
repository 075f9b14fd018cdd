"""Commands on campaigns: open, edit, pause, resume and complete them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.advertiser.errors import AdvertiserNotFound
from domain.advertiser.membership import Role
from domain.campaign.aggregate import Campaign
from domain.campaign.errors import CampaignNotFound
from domain.campaign.plan import Plan
from myriorama.application.tenancy import advertiser_of
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried


def campaign_of(
    log: Log, campaign_id: UUID, *, by: UUID, needs: Role
) -> tuple[Campaign, dict[UUID, int]]:
    """Return a campaign of an advertiser that `by` acts for, and the read set of that.

    Raises:
        CampaignNotFound: there is none, or it is of another's advertiser.
        RoleTooLow: another member may do this.
    """
    campaign = log.find(Campaign, campaign_id)
    if campaign is None:
        raise CampaignNotFound("There is no such campaign.")
    try:
        advertiser = advertiser_of(log, campaign.advertiser_id, by=by, needs=needs)
    except AdvertiserNotFound as error:
        raise CampaignNotFound("There is no such campaign.") from error
    return campaign, {advertiser.id: advertiser.version}


class Campaigns:
    """What advertisers want. What changes nothing records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def open(self, advertiser_id: UUID, plan: Plan, *, by: UUID, at: datetime) -> UUID:
        """Open a campaign; return its ID.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            Invalid: it cannot be like this; the error says what.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="editor")
        campaign = Campaign.open(new_id(), plan, advertiser_id=advertiser_id, by=by, at=at)
        self._log.save(campaign, expect={advertiser.id: advertiser.version})
        return campaign.id

    @retried
    def edit(
        self,
        campaign_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Campaign:
        """Change any field of the plan; what is not named stays.

        Raises:
            CampaignNotFound, RoleTooLow: `by` may not.
            CampaignOver: it is completed.
            Invalid: it cannot be like this; the error says what.
        """
        campaign, read = campaign_of(self._log, campaign_id, by=by, needs="editor")
        precondition(campaign.version)
        campaign.edit(replace(campaign.plan, **edits), by=by, at=at)
        self._log.save(campaign, expect=read)
        return campaign

    @retried
    def pause(self, campaign_id: UUID, *, by: UUID, at: datetime) -> None:
        """Show none of its ads.

        Raises:
            CampaignNotFound, RoleTooLow, CampaignOver: it cannot be.
        """
        campaign, read = campaign_of(self._log, campaign_id, by=by, needs="editor")
        campaign.pause(by=by, at=at)
        self._log.save(campaign, expect=read)

    @retried
    def resume(self, campaign_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let its ads be shown again.

        Raises:
            CampaignNotFound, RoleTooLow, CampaignOver: it cannot be.
        """
        campaign, read = campaign_of(self._log, campaign_id, by=by, needs="editor")
        campaign.resume(by=by, at=at)
        self._log.save(campaign, expect=read)

    @retried
    def complete(self, campaign_id: UUID, *, by: UUID, at: datetime) -> None:
        """End it for good.

        Raises:
            CampaignNotFound, RoleTooLow: `by` may not.
        """
        campaign, read = campaign_of(self._log, campaign_id, by=by, needs="editor")
        campaign.complete(by=by, at=at)
        self._log.save(campaign, expect=read)
