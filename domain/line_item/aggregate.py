"""The rules of a line item."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.ad_categories import check_category
from domain.aggregate import Aggregate
from domain.frequency import FrequencyCap
from domain.line_item.bidder import check_bidder
from domain.line_item.errors import (
    BudgetSpent,
    LineItemNotFound,
    LineItemNotSubmitted,
    LineItemOver,
    NothingToShow,
)
from domain.line_item.events import (
    BidChanged,
    BidderChanged,
    BudgetsChanged,
    CreativesAssigned,
    LineItemCapsChanged,
    LineItemCompleted,
    LineItemEvent,
    LineItemExhausted,
    LineItemOpened,
    LineItemPaused,
    LineItemRenamed,
    LineItemResumed,
    LineItemSubmitted,
    ScheduleChanged,
    SuitabilityChanged,
    TargetingChanged,
)
from domain.line_item.states import Stage
from domain.line_item.terms import (
    Schedule,
    Suitability,
    Targeting,
    Terms,
    check_kind,
    check_terms,
)


class LineItem(Aggregate):
    """What is bid for which viewers. A draft, then submitted or paused, exhausted or completed.

    What is exhausted is submitted or paused again, as it was, when its lifetime budget is raised.
    """

    TOPIC = "line_item"

    def __init__(  # noqa: PLR0913 - as many as the commands need of the first event
        self,
        *,
        advertiser_id: UUID,
        campaign_id: UUID,
        name: str,
        kind: str,
        category: str,
        guaranteed: bool,
        bid_micros: int,
        daily_budget_micros: int | None,
        lifetime_budget_micros: int,
        schedule: Schedule,
        targeting: Targeting,
        caps: tuple[FrequencyCap, ...],
        suitability: Suitability,
        creative_ids: tuple[UUID, ...],
    ) -> None:
        self.advertiser_id = advertiser_id
        self.campaign_id = campaign_id
        self.kind = kind
        self.category = category
        self.guaranteed = guaranteed
        self.name = name
        self.bid_micros = bid_micros
        self.daily_budget_micros = daily_budget_micros
        self.lifetime_budget_micros = lifetime_budget_micros
        self.schedule = schedule
        self.targeting = targeting
        self.caps = tuple(caps)
        self.suitability = suitability
        self.creative_ids = tuple(creative_ids)
        self.bidder: str | None = None
        self.spent_micros = 0
        self._stage: Stage = "draft"

    @classmethod
    def open(  # noqa: PLR0913 - what is for good, and the terms
        cls,
        line_item_id: UUID,
        terms: Terms,
        *,
        advertiser_id: UUID,
        campaign_id: UUID,
        kind: str,
        category: str,
        guaranteed: bool,
        by: UUID,
        at: datetime,
    ) -> Self:
        """Return a new draft.

        Raises:
            KindUnknown, CategoryUnknown: there is no such one.
            Invalid: the terms cannot be kept; see `check_terms` and `check_bidder`.
        """
        check_kind(kind)
        check_category(category)
        check_terms(terms, kind)
        check_bidder(terms.bidder, kind=kind, guaranteed=guaranteed)
        opened = cls.begin(
            LineItemOpened,
            line_item_id,
            at,
            advertiser_id=advertiser_id,
            campaign_id=campaign_id,
            name=terms.name,
            kind=kind,
            category=category,
            guaranteed=guaranteed,
            bid_micros=terms.bid_micros,
            daily_budget_micros=terms.daily_budget_micros,
            lifetime_budget_micros=terms.lifetime_budget_micros,
            schedule=terms.schedule,
            targeting=terms.targeting,
            caps=terms.caps,
            suitability=terms.suitability,
            creative_ids=terms.creative_ids,
            by=by,
        )
        if terms.bidder is not None:
            opened.trigger(BidderChanged, at, bidder=terms.bidder, by=by)
        return opened

    @property
    def stage(self) -> Stage:
        """How far it has come, whatever becomes of its creatives."""
        is_spent = 0 < self.lifetime_budget_micros <= self.spent_micros
        return "exhausted" if is_spent and self._stage in {"submitted", "paused"} else self._stage

    @property
    def terms(self) -> Terms:
        """All that may be changed, as it is now."""
        return Terms(
            name=self.name,
            bid_micros=self.bid_micros,
            daily_budget_micros=self.daily_budget_micros,
            lifetime_budget_micros=self.lifetime_budget_micros,
            schedule=self.schedule,
            targeting=self.targeting,
            caps=self.caps,
            suitability=self.suitability,
            creative_ids=self.creative_ids,
            bidder=self.bidder,
        )

    def require_of(self, advertiser_id: UUID) -> None:
        """Let pass the advertiser whose line item it is.

        Raises:
            LineItemNotFound: it is another's.
        """
        if advertiser_id != self.advertiser_id:
            raise LineItemNotFound("There is no such line item.")

    def edit(self, terms: Terms, *, by: UUID, at: datetime) -> None:
        """Change the terms. What stays the same records nothing; nothing of it is reviewed.

        Raises:
            LineItemOver: it is completed.
            Invalid: the terms cannot be kept; see `check_terms` and `check_bidder`.
        """
        self._require_open()
        check_terms(terms, self.kind)
        check_bidder(terms.bidder, kind=self.kind, guaranteed=self.guaranteed)
        if terms.name != self.name:
            self.trigger(LineItemRenamed, at, name=terms.name, by=by)
        if terms.bid_micros != self.bid_micros:
            self.trigger(BidChanged, at, bid_micros=terms.bid_micros, by=by)
        budgets = (terms.daily_budget_micros, terms.lifetime_budget_micros)
        if budgets != (self.daily_budget_micros, self.lifetime_budget_micros):
            daily, lifetime = budgets
            self.trigger(
                BudgetsChanged,
                at,
                daily_budget_micros=daily,
                lifetime_budget_micros=lifetime,
                by=by,
            )
        if terms.schedule != self.schedule:
            self.trigger(ScheduleChanged, at, schedule=terms.schedule, by=by)
        if terms.targeting != self.targeting:
            self.trigger(TargetingChanged, at, targeting=terms.targeting, by=by)
        if terms.caps != self.caps:
            self.trigger(LineItemCapsChanged, at, caps=terms.caps, by=by)
        if terms.suitability != self.suitability:
            self.trigger(SuitabilityChanged, at, suitability=terms.suitability, by=by)
        if terms.creative_ids != self.creative_ids:
            self.trigger(CreativesAssigned, at, creative_ids=terms.creative_ids, by=by)
        if terms.bidder != self.bidder:
            self.trigger(BidderChanged, at, bidder=terms.bidder, by=by)

    def submit(self, *, has_creative: bool, by: UUID, at: datetime) -> None:
        """Let it be shown as soon as it may be. Again records nothing.

        Raises:
            LineItemOver: it is completed.
            NothingToShow: none of its creatives is approved or in review.
        """
        self._require_open()
        if self._stage == "draft":
            if not has_creative:
                raise NothingToShow("None of its creatives is approved or in review.")
            self.trigger(LineItemSubmitted, at, by=by)

    def pause(self, *, by: UUID, at: datetime) -> None:
        """Show nothing of it. Again records nothing.

        Raises:
            LineItemOver, LineItemNotSubmitted: there is nothing to pause.
        """
        self._require_submitted()
        if self._stage == "submitted":
            self.trigger(LineItemPaused, at, by=by)

    def resume(self, *, by: UUID, at: datetime) -> None:
        """Let it be shown again. Again records nothing.

        Raises:
            LineItemOver, LineItemNotSubmitted: there is nothing to resume.
            BudgetSpent: its lifetime budget is spent.
        """
        self._require_submitted()
        if self.stage == "exhausted":
            raise BudgetSpent("The lifetime budget is spent: raise it first.")
        if self._stage == "paused":
            self.trigger(LineItemResumed, at, by=by)

    def exhaust(self, spent_micros: int, *, at: datetime) -> None:
        """Note that its lifetime budget is spent. A budget raised meanwhile, or again: nothing."""
        is_live = self.stage in {"submitted", "paused"}
        if is_live and spent_micros >= self.lifetime_budget_micros:
            self.trigger(LineItemExhausted, at, spent_micros=spent_micros)

    def complete(self, *, by: UUID, at: datetime) -> None:
        """End it for good. Again records nothing."""
        if self._stage != "completed":
            self.trigger(LineItemCompleted, at, by=by)

    def evolve(self, event: LineItemEvent) -> None:  # noqa: C901, PLR0912 - one case an event
        match event:
            case LineItemOpened():
                pass  # __init__ took its fields.
            case LineItemRenamed():
                self.name = event.name
            case BidChanged():
                self.bid_micros = event.bid_micros
            case BudgetsChanged():
                self.daily_budget_micros = event.daily_budget_micros
                self.lifetime_budget_micros = event.lifetime_budget_micros
            case ScheduleChanged():
                self.schedule = event.schedule
            case TargetingChanged():
                self.targeting = event.targeting
            case LineItemCapsChanged():
                self.caps = tuple(event.caps)
            case SuitabilityChanged():
                self.suitability = event.suitability
            case CreativesAssigned():
                self.creative_ids = tuple(event.creative_ids)
            case BidderChanged():
                self.bidder = event.bidder
            case LineItemSubmitted() | LineItemResumed():
                self._stage = "submitted"
            case LineItemPaused():
                self._stage = "paused"
            case LineItemExhausted():
                self.spent_micros = event.spent_micros
            case LineItemCompleted():
                self._stage = "completed"
            case _:
                assert_never(event)

    def _require_open(self) -> None:
        if self._stage == "completed":
            raise LineItemOver("The line item is completed.")

    def _require_submitted(self) -> None:
        self._require_open()
        if self._stage == "draft":
            raise LineItemNotSubmitted("It is a draft: submit it first.")
