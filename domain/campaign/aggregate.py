"""The rules of a campaign."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.campaign.errors import (
    CampaignNotFound,
    CampaignOver,
)
from domain.campaign.events import (
    CampaignBudgetChanged,
    CampaignCompleted,
    CampaignEdited,
    CampaignEvent,
    CampaignOpened,
    CampaignPaused,
    CampaignResumed,
)
from domain.campaign.plan import Plan, check_plan
from domain.frequency import FrequencyCap


class Campaign(Aggregate):
    """A purpose, a flight and a budget for some line items. Active or paused, then completed."""

    TOPIC = "campaign"

    def __init__(  # noqa: PLR0913 - as many as the commands need of the first event
        self,
        *,
        advertiser_id: UUID,
        name: str,
        objective: str,
        budget_micros: int | None,
        starts_at: datetime,
        ends_at: datetime | None,
        caps: Sequence[FrequencyCap],
    ) -> None:
        self.advertiser_id = advertiser_id
        self.name = name
        self.objective = objective
        self.budget_micros = budget_micros
        self.starts_at = starts_at
        self.ends_at = ends_at
        self.caps = tuple(caps)
        self.state: Literal["active", "paused", "completed"] = "active"

    @property
    def plan(self) -> Plan:
        """All that may be changed, as it is now."""
        return Plan(
            name=self.name,
            objective=self.objective,
            budget_micros=self.budget_micros,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            caps=self.caps,
        )

    @classmethod
    def open(
        cls, campaign_id: UUID, plan: Plan, *, advertiser_id: UUID, by: UUID, at: datetime
    ) -> Self:
        """Return a new campaign, which is active: its line items are drafts at first.

        Raises:
            CampaignNameInvalid, ObjectiveUnknown, FlightInvalid, AmountInvalid,
            FrequencyCapInvalid: it cannot be like this.
        """
        check_plan(plan)
        return cls.begin(
            CampaignOpened,
            campaign_id,
            at,
            advertiser_id=advertiser_id,
            name=plan.name,
            objective=plan.objective,
            budget_micros=plan.budget_micros,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            caps=tuple(plan.caps),
            by=by,
        )

    def require_of(self, advertiser_id: UUID) -> None:
        """Let pass the advertiser whose campaign it is.

        Raises:
            CampaignNotFound: it is another's.
        """
        if advertiser_id != self.advertiser_id:
            raise CampaignNotFound("There is no such campaign.")

    def require_open(self) -> None:
        """Let pass as long as it is not over.

        Raises:
            CampaignOver: it is completed.
        """
        if self.state == "completed":
            raise CampaignOver("The campaign is completed.")

    def edit(self, plan: Plan, *, by: UUID, at: datetime) -> None:
        """Change what may be changed. As it is records nothing.

        Raises:
            CampaignOver: it is completed.
            CampaignNameInvalid, ObjectiveUnknown, FlightInvalid, AmountInvalid,
            FrequencyCapInvalid: it cannot be like this.
        """
        self.require_open()
        check_plan(plan)
        if plan.budget_micros != self.budget_micros:
            self.trigger(CampaignBudgetChanged, at, budget_micros=plan.budget_micros, by=by)
        now = (self.name, self.objective, self.starts_at, self.ends_at, self.caps)
        if (plan.name, plan.objective, plan.starts_at, plan.ends_at, tuple(plan.caps)) != now:
            self.trigger(
                CampaignEdited,
                at,
                name=plan.name,
                objective=plan.objective,
                starts_at=plan.starts_at,
                ends_at=plan.ends_at,
                caps=tuple(plan.caps),
                by=by,
            )

    def pause(self, *, by: UUID, at: datetime) -> None:
        """Show none of its ads. Again records nothing.

        Raises:
            CampaignOver: it is completed.
        """
        self.require_open()
        if self.state == "active":
            self.trigger(CampaignPaused, at, by=by)

    def resume(self, *, by: UUID, at: datetime) -> None:
        """Let its ads be shown again. Again records nothing.

        Raises:
            CampaignOver: it is completed.
        """
        self.require_open()
        if self.state == "paused":
            self.trigger(CampaignResumed, at, by=by)

    def is_over(self, at: datetime) -> bool:
        """Tell whether it is completed, or its flight has ended."""
        return self.state == "completed" or (self.ends_at is not None and self.ends_at <= at)

    def complete(self, *, by: UUID, at: datetime) -> None:
        """End it for good. Again records nothing."""
        if self.state != "completed":
            self.trigger(CampaignCompleted, at, by=by)

    def evolve(self, event: CampaignEvent) -> None:
        match event:
            case CampaignOpened():
                pass  # __init__ took its fields.
            case CampaignEdited():
                self.name, self.objective = event.name, event.objective
                self.starts_at, self.ends_at = event.starts_at, event.ends_at
                self.caps = tuple(event.caps)
            case CampaignBudgetChanged():
                self.budget_micros = event.budget_micros
            case CampaignPaused():
                self.state = "paused"
            case CampaignResumed():
                self.state = "active"
            case CampaignCompleted():
                self.state = "completed"
            case _:
                assert_never(event)
