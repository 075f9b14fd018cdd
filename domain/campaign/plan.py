"""What an advertiser may say of a campaign: purpose, flight, budget, caps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from domain.campaign.errors import CampaignNameInvalid, ObjectiveUnknown
from domain.flight import check_flight
from domain.frequency import FrequencyCap, check_caps
from domain.micros import check_micros
from domain.text import is_name

Objective = Literal["awareness", "views", "visits"]
NAME_LENGTH_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that an advertiser may change of a campaign: its fields are those of the events."""

    name: str
    objective: str
    budget_micros: int | None
    starts_at: datetime
    ends_at: datetime | None
    caps: Sequence[FrequencyCap] = ()


def check_plan(plan: Plan) -> None:
    """Let a plan pass that can be kept.

    Raises:
        CampaignNameInvalid, ObjectiveUnknown, FlightInvalid, AmountInvalid,
        FrequencyCapInvalid: it cannot.
    """
    if not is_name(plan.name) or len(plan.name) > NAME_LENGTH_MAX:
        raise CampaignNameInvalid(f"A name is one line of 1 to {NAME_LENGTH_MAX} characters.")
    if plan.objective not in get_args(Objective):
        raise ObjectiveUnknown(f"The objective is one of {', '.join(get_args(Objective))}.")
    if plan.budget_micros is not None:
        check_micros(plan.budget_micros)
    check_flight(plan.starts_at, plan.ends_at)
    check_caps(plan.caps)
