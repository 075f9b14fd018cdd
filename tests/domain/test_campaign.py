"""A campaign, from its opening to its end."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.campaign.aggregate import Campaign
from domain.campaign.errors import CampaignNameInvalid, CampaignOver, ObjectiveUnknown
from domain.campaign.events import (
    CampaignBudgetChanged,
    CampaignCompleted,
    CampaignEdited,
    CampaignOpened,
    CampaignPaused,
    CampaignResumed,
)
from domain.errors import DomainError
from domain.flight import FlightInvalid
from domain.micros import AmountInvalid
from tests.advertising import DAY, NOON, PLAN, advertiser, campaign

ALICE = uuid4()


@pytest.fixture
def spring() -> Campaign:
    return campaign(advertiser(ALICE))


def recorded(of: Campaign) -> list[type]:
    return [type(event) for event in of.collect_events()]


def test_it_is_paused_resumed_and_completed_for_good(spring: Campaign) -> None:
    for _ in range(2):
        spring.pause(by=ALICE, at=NOON)
    spring.resume(by=ALICE, at=NOON)
    spring.complete(by=ALICE, at=NOON)
    spring.complete(by=ALICE, at=NOON)

    assert recorded(spring) == [CampaignOpened, CampaignPaused, CampaignResumed, CampaignCompleted]
    for command in (spring.pause, spring.resume):
        with pytest.raises(CampaignOver):
            command(by=ALICE, at=NOON)
    with pytest.raises(CampaignOver):
        spring.edit(replace(PLAN, name="Summer"), by=ALICE, at=NOON)


def test_an_edit_records_what_changed_alone(spring: Campaign) -> None:
    spring.edit(spring.plan, by=ALICE, at=NOON)
    spring.edit(replace(spring.plan, budget_micros=5), by=ALICE, at=NOON)
    spring.edit(replace(spring.plan, ends_at=NOON + DAY), by=ALICE, at=NOON)

    assert recorded(spring) == [CampaignOpened, CampaignBudgetChanged, CampaignEdited]
    assert (spring.budget_micros, spring.ends_at) == (5, NOON + DAY)


@pytest.mark.parametrize(
    ("differing", "refusal"),
    [
        ({"name": "two\nlines"}, CampaignNameInvalid),
        ({"objective": "fame"}, ObjectiveUnknown),
        ({"budget_micros": 0}, AmountInvalid),
        ({"budget_micros": 10**15 + 1}, AmountInvalid),
        ({"ends_at": NOON}, FlightInvalid),
        ({"ends_at": NOON + 4000 * DAY}, FlightInvalid),
        ({"starts_at": datetime.fromisoformat("0001-01-01T00:00:00+14:00")}, FlightInvalid),
        ({"starts_at": datetime.fromisoformat("9999-12-31T23:59:59-14:00")}, FlightInvalid),
    ],
)
def test_what_no_campaign_can_be_is_refused_and_changes_nothing(
    spring: Campaign, differing: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        spring.edit(replace(PLAN, **differing), by=ALICE, at=NOON)

    assert recorded(spring) == [CampaignOpened]
