"""A line item: what it may say, and how it goes from a draft to its end."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.ad_categories import CategoryUnknown
from domain.errors import DomainError
from domain.flight import FlightInvalid
from domain.frequency import FrequencyCap, FrequencyCapInvalid
from domain.line_item.aggregate import LineItem
from domain.line_item.bidder import require_bidder
from domain.line_item.errors import (
    BidderInvalid,
    BudgetsInvalid,
    BudgetSpent,
    CreativesInvalid,
    HoursInvalid,
    LineItemNotSubmitted,
    LineItemOver,
    NothingToShow,
    PacingUnknown,
    SuitabilityInvalid,
    TargetingInvalid,
)
from domain.line_item.events import (
    BidChanged,
    BidderChanged,
    BudgetsChanged,
    LineItemCompleted,
    LineItemExhausted,
    LineItemOpened,
    LineItemPaused,
    LineItemResumed,
    LineItemSubmitted,
    ScheduleChanged,
)
from domain.line_item.states import Stage, State, state_of
from domain.line_item.terms import Schedule, Suitability, Targeting
from domain.micros import AmountInvalid
from tests.advertising import NOON, TERMS, advertiser, campaign, line_item

ALICE, CREATIVE = uuid4(), uuid4()
BIDDER = "https://bidder.example.com/openrtb2"


def recorded(of: LineItem) -> list[type]:
    return [type(event) for event in of.collect_events()]


def stage_of(line_item: LineItem) -> str:
    return line_item.stage


@pytest.fixture
def draft() -> LineItem:
    return line_item(campaign(advertiser(ALICE)))


@pytest.fixture
def submitted(draft: LineItem) -> LineItem:
    draft.submit(has_creative=True, by=ALICE, at=NOON)
    assert recorded(draft) == [LineItemOpened, LineItemSubmitted]
    return draft


def test_a_draft_with_nothing_to_show_is_not_submitted(draft: LineItem) -> None:
    with pytest.raises(NothingToShow):
        draft.submit(has_creative=False, by=ALICE, at=NOON)
    for command in (draft.pause, draft.resume):
        with pytest.raises(LineItemNotSubmitted):
            command(by=ALICE, at=NOON)

    assert stage_of(draft) == "draft"


def test_it_is_paused_resumed_and_completed_for_good(submitted: LineItem) -> None:
    for _ in range(2):
        submitted.pause(by=ALICE, at=NOON)
    assert stage_of(submitted) == "paused"
    for _ in range(2):
        submitted.resume(by=ALICE, at=NOON)
    submitted.complete(by=ALICE, at=NOON)
    submitted.complete(by=ALICE, at=NOON)

    assert recorded(submitted) == [LineItemPaused, LineItemResumed, LineItemCompleted]
    for command in (submitted.pause, submitted.resume):
        with pytest.raises(LineItemOver):
            command(by=ALICE, at=NOON)
    with pytest.raises(LineItemOver):
        submitted.edit(TERMS, by=ALICE, at=NOON)


def test_what_is_exhausted_goes_on_as_it_was_once_its_budget_is_raised(submitted: LineItem) -> None:
    budget = submitted.lifetime_budget_micros
    submitted.exhaust(budget - 1, at=NOON)
    assert stage_of(submitted) == "submitted"
    for _ in range(2):
        submitted.exhaust(budget, at=NOON)
    submitted.pause(by=ALICE, at=NOON)

    assert stage_of(submitted) == "exhausted"
    with pytest.raises(BudgetSpent):
        submitted.resume(by=ALICE, at=NOON)
    submitted.edit(replace(TERMS, lifetime_budget_micros=budget + 1), by=ALICE, at=NOON)
    assert stage_of(submitted) == "paused"
    assert recorded(submitted) == [LineItemExhausted, LineItemPaused, BudgetsChanged]


def test_an_edit_records_what_changed_alone_and_leaves_the_stage(submitted: LineItem) -> None:
    schedule = replace(TERMS.schedule, pacing="asap")

    submitted.edit(TERMS, by=ALICE, at=NOON)
    submitted.edit(replace(TERMS, bid_micros=5_000_000), by=ALICE, at=NOON)
    submitted.edit(replace(submitted.terms, daily_budget_micros=None), by=ALICE, at=NOON)
    submitted.edit(replace(submitted.terms, schedule=schedule), by=ALICE, at=NOON)

    assert recorded(submitted) == [BidChanged, BudgetsChanged, ScheduleChanged]
    assert stage_of(submitted) == "submitted"


@pytest.mark.parametrize(
    ("differing", "refusal"),
    [
        ({"bid_micros": 999}, AmountInvalid),
        ({"bid_micros": 10**15 + 1}, AmountInvalid),
        ({"lifetime_budget_micros": 0}, AmountInvalid),
        ({"daily_budget_micros": 100_000_001}, BudgetsInvalid),
        ({"daily_budget_micros": 4_199}, BudgetsInvalid),
        ({"schedule": Schedule(NOON, NOON, None, "even")}, FlightInvalid),
        ({"schedule": Schedule(NOON, None, "0" * 168, "even")}, HoursInvalid),
        ({"schedule": Schedule(NOON, None, "1" * 167, "even")}, HoursInvalid),
        ({"schedule": Schedule(NOON, None, None, "fast")}, PacingUnknown),
        ({"targeting": Targeting(countries=("de",))}, TargetingInvalid),
        ({"targeting": Targeting(languages=("german",))}, TargetingInvalid),
        ({"targeting": Targeting(age_bands=("0-12",))}, TargetingInvalid),
        ({"targeting": Targeting(interests=("Cats",))}, TargetingInvalid),
        ({"targeting": Targeting(platforms=("ios", "ios"))}, TargetingInvalid),
        ({"caps": (FrequencyCap(1001, 60),)}, FrequencyCapInvalid),
        ({"suitability": Suitability(tier="none")}, SuitabilityInvalid),
        ({"suitability": Suitability(blocked_categories=("guns",))}, CategoryUnknown),
        ({"suitability": Suitability(blocked_keywords=("two\nlines",))}, SuitabilityInvalid),
        ({"suitability": Suitability(blocked_authors=(ALICE, ALICE))}, SuitabilityInvalid),
        ({"creative_ids": (CREATIVE, CREATIVE)}, CreativesInvalid),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_and_change_nothing(
    submitted: LineItem, differing: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        submitted.edit(replace(TERMS, **differing), by=ALICE, at=NOON)

    assert recorded(submitted) == []


def test_a_bidder_is_named_changed_and_taken_away(submitted: LineItem) -> None:
    named = replace(TERMS, bidder=BIDDER)

    submitted.edit(named, by=ALICE, at=NOON)
    submitted.edit(named, by=ALICE, at=NOON)
    assert submitted.terms == named
    submitted.edit(replace(named, bidder=f"{BIDDER}/v2"), by=ALICE, at=NOON)
    submitted.edit(TERMS, by=ALICE, at=NOON)

    assert recorded(submitted) == [BidderChanged] * 3
    assert submitted.terms.bidder is None
    assert stage_of(submitted) == "submitted"


def test_a_line_item_may_have_a_bidder_from_the_beginning() -> None:
    opened = line_item(campaign(advertiser(ALICE)), bidder=BIDDER)

    assert opened.terms.bidder == BIDDER
    assert recorded(opened) == [LineItemOpened, BidderChanged]


@pytest.mark.parametrize(("kind", "guaranteed"), [("cpv", False), ("cpc", False), ("cpm", True)])
def test_nobody_bids_for_a_line_item_that_has_no_bids_by_the_thousand(
    kind: str, *, guaranteed: bool
) -> None:
    with pytest.raises(BidderInvalid):
        LineItem.open(
            uuid4(),
            replace(TERMS, bidder=BIDDER),
            advertiser_id=uuid4(),
            campaign_id=uuid4(),
            kind=kind,
            category="toys",
            guaranteed=guaranteed,
            by=ALICE,
            at=NOON,
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://bidder.example.com/",
        "ftp://bidder.example.com/",
        "https://bidder.example.com:8443/",
        "https://alice:secret@bidder.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://",
        "bidder.example.com",
        f"https://bidder.example.com/{'a' * 512}",
        "",
    ],
)
def test_a_bidder_is_asked_by_https_at_a_public_host(url: str) -> None:
    require_bidder(BIDDER, inside=())

    with pytest.raises(BidderInvalid):
        require_bidder(url, inside=())


def test_a_bidder_may_be_inside_where_its_host_is_named() -> None:
    require_bidder("http://10.0.0.1:8080/bids", inside={"10.0.0.1:8080"})

    with pytest.raises(BidderInvalid):
        require_bidder("http://10.0.0.1:8081/bids", inside={"10.0.0.1:8080"})


@pytest.mark.parametrize(
    ("stage", "creatives", "state"),
    [
        ("draft", ["approved"], "draft"),
        ("submitted", ["in_review", "rejected"], "in_review"),
        ("submitted", ["in_review", "approved"], "active"),
        ("submitted", ["rejected", "draft"], "rejected"),
        ("submitted", [], "rejected"),
        ("paused", ["approved"], "paused"),
        ("exhausted", ["approved"], "exhausted"),
        ("completed", ["approved"], "completed"),
    ],
)
def test_its_state_follows_from_how_far_it_has_come_and_from_its_creatives(
    stage: Stage, creatives: list[str], state: State
) -> None:
    assert state_of(stage, creatives, is_over=False) == state
    assert state_of(stage, creatives, is_over=True) == (
        "draft" if stage == "draft" else "completed"
    )
