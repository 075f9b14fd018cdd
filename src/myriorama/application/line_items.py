"""Commands on line items: open, edit, submit, pause, resume, exhaust and complete them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.advertiser.errors import AdvertiserNotFound
from domain.campaign.aggregate import Campaign
from domain.creative.aggregate import Creative
from domain.line_item.aggregate import LineItem
from domain.line_item.bidder import require_bidder
from domain.line_item.errors import CreativesInvalid, LineItemNotFound
from domain.line_item.states import State, state_of
from domain.line_item.terms import Terms
from myriorama.application.campaigns import campaign_of
from myriorama.application.tenancy import advertiser_of
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried

_SCHEDULED = ("starts_at", "ends_at", "hours", "pacing")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A line item that is to be opened. Without a category it has the advertiser's."""

    terms: Terms
    kind: str
    category: str | None
    guaranteed: bool


class LineItems:
    """What is bid for which viewers. What changes nothing records nothing."""

    def __init__(self, log: Log, *, inside: Collection[str] = ()) -> None:
        """Take the hosts (host:port) at which bidders may be asked though they are inside."""
        self._log = log
        self._inside = inside

    @retried
    def open(self, campaign_id: UUID, proposal: Proposal, *, by: UUID, at: datetime) -> UUID:
        """Open a draft in a campaign; return its ID.

        Raises:
            CampaignNotFound, RoleTooLow: `by` may not.
            CampaignOver: the campaign is completed.
            Invalid: it cannot be like this; the error says what.
        """
        line_item, expect = self._drafted(campaign_id, proposal, by=by, at=at)
        self._log.save(line_item, expect=expect)
        return line_item.id

    def propose(self, campaign_id: UUID, proposal: Proposal, *, by: UUID, at: datetime) -> Proposal:
        """Return what would be opened, with the category that it would have; record nothing.

        Raises:
            CampaignNotFound, RoleTooLow, CampaignOver, Invalid: as for `open`.
        """
        line_item, _ = self._drafted(campaign_id, proposal, by=by, at=at)
        return replace(proposal, category=line_item.category)

    @retried
    def edit(
        self,
        line_item_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> LineItem:
        """Change any field of the terms or of their schedule; what is not named stays.

        Raises:
            LineItemNotFound, RoleTooLow: `by` may not.
            LineItemOver: it is completed.
            Invalid: it cannot be like this; the error says what.
        """
        line_item, read = self._line_item(line_item_id, by=by)
        precondition(line_item.version)
        scheduled = {name: edits[name] for name in _SCHEDULED if name in edits}
        others = {name: value for name, value in edits.items() if name not in _SCHEDULED}
        terms = replace(line_item.terms, **others)
        terms = replace(terms, schedule=replace(terms.schedule, **scheduled))
        self._require_bidder(terms)
        self._creatives(terms.creative_ids, line_item.advertiser_id)
        line_item.edit(terms, by=by, at=at)
        self._log.save(line_item, expect=read)
        return line_item

    @retried
    def submit(self, line_item_id: UUID, *, by: UUID, at: datetime) -> State:
        """Let it be shown as soon as a creative of it is approved; return the state it is in.

        Raises:
            LineItemNotFound, RoleTooLow: `by` may not.
            LineItemOver, NothingToShow: it cannot be.
        """
        line_item, read = self._line_item(line_item_id, by=by)
        creatives = self._creatives(line_item.creative_ids, line_item.advertiser_id)
        waits = any(each.state in {"approved", "in_review"} for each in creatives)
        line_item.submit(has_creative=waits, by=by, at=at)
        self._log.save(line_item, expect=read)
        campaign = self._log.find(Campaign, line_item.campaign_id)
        ends_at = line_item.schedule.ends_at
        is_over = (ends_at is not None and ends_at <= at) or bool(campaign and campaign.is_over(at))
        states = [creative.state for creative in creatives]
        return state_of(line_item.stage, states, is_over=is_over)

    @retried
    def pause(self, line_item_id: UUID, *, by: UUID, at: datetime) -> None:
        """Show nothing of it.

        Raises:
            LineItemNotFound, RoleTooLow: `by` may not.
            LineItemOver, LineItemNotSubmitted: it cannot be.
        """
        line_item, read = self._line_item(line_item_id, by=by)
        line_item.pause(by=by, at=at)
        self._log.save(line_item, expect=read)

    @retried
    def resume(self, line_item_id: UUID, *, by: UUID, at: datetime) -> None:
        """Let it be shown again.

        Raises:
            LineItemNotFound, RoleTooLow: `by` may not.
            LineItemOver, LineItemNotSubmitted, BudgetSpent: it cannot be.
        """
        line_item, read = self._line_item(line_item_id, by=by)
        line_item.resume(by=by, at=at)
        self._log.save(line_item, expect=read)

    @retried
    def complete(self, line_item_id: UUID, *, by: UUID, at: datetime) -> None:
        """End it for good.

        Raises:
            LineItemNotFound, RoleTooLow: `by` may not.
        """
        line_item, read = self._line_item(line_item_id, by=by)
        line_item.complete(by=by, at=at)
        self._log.save(line_item, expect=read)

    @retried
    def exhaust(self, line_item_id: UUID, spent_micros: int, *, at: datetime) -> None:
        """Note that the lifetime budget is spent, as settlement found it. Again changes nothing.

        Raises:
            LineItemNotFound: there is none.
        """
        line_item = self._log.find(LineItem, line_item_id)
        if line_item is None:
            raise LineItemNotFound("There is no such line item.")
        line_item.exhaust(spent_micros, at=at)
        self._log.save(line_item)

    def _line_item(self, line_item_id: UUID, *, by: UUID) -> tuple[LineItem, dict[UUID, int]]:
        line_item = self._log.find(LineItem, line_item_id)
        if line_item is None:
            raise LineItemNotFound("There is no such line item.")
        try:
            advertiser = advertiser_of(self._log, line_item.advertiser_id, by=by, needs="editor")
        except AdvertiserNotFound as error:
            raise LineItemNotFound("There is no such line item.") from error
        return line_item, {advertiser.id: advertiser.version}

    def _drafted(
        self, campaign_id: UUID, proposal: Proposal, *, by: UUID, at: datetime
    ) -> tuple[LineItem, dict[UUID, int]]:
        """Return a draft that is not recorded, and at which versions it is what it is."""
        campaign, read = campaign_of(self._log, campaign_id, by=by, needs="editor")
        campaign.require_open()
        advertiser = advertiser_of(self._log, campaign.advertiser_id, by=by, needs="editor")
        self._creatives(proposal.terms.creative_ids, advertiser.id)
        self._require_bidder(proposal.terms)
        line_item = LineItem.open(
            new_id(),
            proposal.terms,
            advertiser_id=campaign.advertiser_id,
            campaign_id=campaign_id,
            kind=proposal.kind,
            category=proposal.category or advertiser.category,
            guaranteed=proposal.guaranteed,
            by=by,
            at=at,
        )
        return line_item, {**read, campaign_id: campaign.version}

    def _require_bidder(self, terms: Terms) -> None:
        if terms.bidder is not None:
            require_bidder(terms.bidder, inside=self._inside)

    def _creatives(self, creative_ids: Sequence[UUID], advertiser_id: UUID) -> list[Creative]:
        found = [self._log.find(Creative, creative_id) for creative_id in creative_ids]
        own = [each for each in found if each and each.advertiser_id == advertiser_id]
        if len(own) < len(creative_ids):
            raise CreativesInvalid("A creative is not there, or is another advertiser's.")
        return own
