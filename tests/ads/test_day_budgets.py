"""What a line is to spend today: its own, and no more than its campaign and advertiser have."""

from dataclasses import replace
from uuid import UUID

from ads.day_budgets import Funds, day_budgets

DAY_MS = 86_400_000
NEVER_MS = 1 << 62
LINE = Funds(
    line_id=UUID(int=1),
    campaign_id=UUID(int=10),
    advertiser_id=UUID(int=20),
    daily_micros=None,
    lifetime_micros=1_000_000,
    spent_today_micros=0,
    spent_micros=0,
    campaign_micros=1 << 60,
    campaign_spent_micros=0,
    advertiser_micros=1 << 60,
    advertiser_spent_micros=0,
    day_ends_ms=DAY_MS,
    line_until_ms=NEVER_MS,
    campaign_until_ms=NEVER_MS,
)


def budget(line: Funds) -> int:
    return day_budgets([line])[line.line_id]


def test_a_daily_budget_is_what_is_spent_in_a_day() -> None:
    assert budget(replace(LINE, daily_micros=100_000)) == 100_000


def test_a_daily_budget_is_no_more_than_is_left() -> None:
    assert budget(replace(LINE, daily_micros=100_000, spent_micros=960_000)) == 40_000


def test_a_lifetime_budget_is_divided_by_the_days_of_the_flight() -> None:
    assert budget(replace(LINE, line_until_ms=4 * DAY_MS)) == 250_000


def test_what_was_spent_today_is_of_todays_part() -> None:
    spent = replace(LINE, spent_micros=400_000, spent_today_micros=200_000)

    assert budget(replace(spent, line_until_ms=4 * DAY_MS)) == 200_000


def test_without_an_end_nothing_is_kept_for_later() -> None:
    assert budget(LINE) == 1_000_000


def test_lines_that_want_more_than_their_campaign_has_get_the_same_part() -> None:
    lines = [
        replace(LINE, line_id=UUID(int=n), daily_micros=n * 100_000, campaign_micros=150_000)
        for n in (1, 2)
    ]

    assert day_budgets(lines) == {UUID(int=1): 50_000, UUID(int=2): 100_000}


def test_a_campaigns_budget_is_divided_by_its_days() -> None:
    line = replace(LINE, campaign_micros=200_000, campaign_until_ms=2 * DAY_MS)

    assert budget(line) == 100_000


def test_an_empty_wallet_is_nothing_to_spend() -> None:
    paid = replace(LINE, advertiser_micros=300_000, advertiser_spent_micros=300_000)

    assert budget(paid) == 0
    assert budget(replace(paid, advertiser_spent_micros=100_000)) == 200_000
