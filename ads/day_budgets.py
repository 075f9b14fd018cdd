"""What each line is to spend today: its part of what it, its campaign and its advertiser have left.

The pacer's plan, in whole micros of which no cap depends: a line may be given less than it can have
because its campaign's or its advertiser's money has to last for the others as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ads.targets import daily_slice_micros

_DAY_MS = 86_400_000
_DAYS_AHEAD = 400


@dataclass(frozen=True, kw_only=True)
class Funds:
    """What a line, its campaign and its advertiser may spend, and what they have spent, in micros.

    `daily_micros` is None for a line without a daily budget. `spent_today_micros` is of the line;
    the other amounts are of all times.
    """

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    daily_micros: int | None
    lifetime_micros: int
    spent_today_micros: int
    spent_micros: int
    campaign_micros: int
    campaign_spent_micros: int
    advertiser_micros: int
    advertiser_spent_micros: int
    day_ends_ms: int
    line_until_ms: int
    campaign_until_ms: int


def day_budgets(funds: Sequence[Funds]) -> dict[UUID, int]:
    """Return what each line is to spend today, with what it has spent of it already.

    What has to last for days is divided by them; where several want more than they have together,
    each gets the same part of what it wants.
    """
    wanted = {one.line_id: _of_line(one) for one in funds}
    for lines in _by(funds, lambda one: one.campaign_id):
        first = lines[0]
        today = sum(one.spent_today_micros for one in lines)
        left = max(0, first.campaign_micros - first.campaign_spent_micros + today)
        days = _days_after(first.day_ends_ms, first.campaign_until_ms)
        _share_out(wanted, lines, daily_slice_micros(left, 1.0, days))
    for lines in _by(funds, lambda one: one.advertiser_id):
        first = lines[0]
        today = sum(one.spent_today_micros for one in lines)
        left = max(0, first.advertiser_micros - first.advertiser_spent_micros + today)
        _share_out(wanted, lines, left)
    return wanted


def _of_line(one: Funds) -> int:
    left = one.lifetime_micros - one.spent_micros + one.spent_today_micros
    days = _days_after(one.day_ends_ms, one.line_until_ms)
    whole = left if one.daily_micros is None else min(left, one.daily_micros)
    # Who names a daily budget says how it is to be divided.
    today = daily_slice_micros(left, 1.0, days) if one.daily_micros is None else whole
    return max(0, min(whole, today))


def _days_after(day_ends_ms: int, until_ms: int) -> float:
    """Return how many days come after the present one; without an end, none is planned for."""
    days = (until_ms - day_ends_ms) / _DAY_MS
    return 0.0 if days > _DAYS_AHEAD else max(0.0, days)


def _by(funds: Sequence[Funds], whose: Callable[[Funds], UUID]) -> Iterable[Sequence[Funds]]:
    groups = dict[UUID, list[Funds]]()
    for one in funds:
        groups.setdefault(whose(one), []).append(one)
    return groups.values()


def _share_out(wanted: dict[UUID, int], lines: Sequence[Funds], left: int) -> None:
    """Give lines that want more than is left the same part of what each wants."""
    together = sum(wanted[one.line_id] for one in lines)
    if together > left:
        for one in lines:
            wanted[one.line_id] = wanted[one.line_id] * left // together
