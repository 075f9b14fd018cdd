"""A forecast: what one day would bring a line, by the recorded pages of the last one.

They are decided once more with the line among the others, moved by whole days into a day of the
advertiser's. What it would be billed counts against its budget in order of time; one that is paced
bids the part of its bid by which the budget lasts.
"""

from collections.abc import Sequence
from datetime import date
from math import exp, log
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from ads.days import bounds_ms, day_of
from ads.lines import Line
from ads.replaying import Market, Recorded, won
from ads.viewer import Viewer

Floats = NDArray[np.float64]

MULTIPLIER_MIN = 0.05
"""Nobody is paced to less of a bid in a forecast."""

_DAY_MS = 86_400_000
_HALVINGS = 6
_DRAWS = 400
_LOW, _HIGH = 5.0, 95.0


class Range(NamedTuple):
    """What is expected, and between what it lies nine times of ten by the pages that there are."""

    low: float
    expected: float
    high: float


class Forecast(NamedTuple):
    """What a day would bring.

    `recorded_pages` were decided once more, `viewers` had looked at them, `pages` is for how many
    they stand. `impressions` are ads on pages, `billed` what costs something. `price_micros` is of
    one billed event on average, None if there is none; `multiplier` the part of the bid.
    """

    day: date
    recorded_pages: int
    viewers: int
    viewers_won: int
    pages: float
    impressions: Range
    billed: Range
    spend_micros: Range
    win_rate: float
    price_micros: int | None
    multiplier: float


class _Day(NamedTuple):
    """By page: what is shown, billed and spent, were there no budget; and by how much of it."""

    sums: Floats
    part: Floats


def forecast(  # noqa: PLR0913 - all that a forecast rests on
    pages: Sequence[Recorded],
    market: Market,
    line: Line,
    *,
    day: date,
    budget_micros: int,
    is_paced: bool,
    seed: int,
) -> Forecast:
    """Forecast a day of a line; the same again by the same seed.

    Args:
        pages: of the last day, from anywhere in it.
        market: those who bid against it.
        line: may be one of them, as it is or as it would be.
        day: of the line's zone.
        budget_micros: of the day.
        is_paced: whether the budget is to last for all of it.
        seed: of the interval.
    """
    moved = sorted((_into(each, day, line.zone) for each in pages), key=lambda each: each.at_ms)
    multiplier = 1.0
    found = _played(moved, market, line, multiplier, budget_micros)
    if is_paced and found.sums[:, 2].sum() > budget_micros:
        multiplier = _lasting(moved, market, line, budget_micros)
        found = _played(moved, market, line, multiplier, budget_micros)
    impressions, billed, spend = _ranges(found, budget_micros, seed)
    weights = sum(each.weight for each in moved)
    return Forecast(
        day=day,
        recorded_pages=len(moved),
        viewers=len({each.context.viewer.pseudonym for each in moved}),
        viewers_won=len(
            {
                each.context.viewer.pseudonym
                for each, sums in zip(moved, found.sums, strict=True)
                if sums[0]
            }
        ),
        pages=weights,
        impressions=impressions,
        billed=billed,
        spend_micros=spend,
        win_rate=impressions.expected / weights if weights else 0.0,
        price_micros=round(spend.expected / billed.expected) if billed.expected else None,
        multiplier=multiplier,
    )


def day_ahead(line: Line, now_ms: int) -> date:
    """Return the first whole day of a flight from now on, or the one in which it is over."""
    zone = ZoneInfo(line.zone)
    begins_ms = max(now_ms, line.flight_from_ms)
    first = day_of(begins_ms, zone)
    starts_ms, ends_ms = bounds_ms(first, zone)
    is_whole = begins_ms == starts_ms or line.flight_until_ms <= ends_ms
    return first if is_whole else day_of(ends_ms, zone)


def _into(recorded: Recorded, day: date, zone: str) -> Recorded:
    """Move a page by whole days into a day, with what its viewer was shown before it."""
    begins_ms, _ = bounds_ms(day, ZoneInfo(zone))
    by_ms = -((recorded.at_ms - begins_ms) // _DAY_MS) * _DAY_MS
    viewer = _moved(recorded.context.viewer, by_ms)
    context = msgspec.structs.replace(recorded.context, viewer=viewer)
    return recorded._replace(at_ms=recorded.at_ms + by_ms, context=context)


def _moved(viewer: Viewer, by_ms: int) -> Viewer:
    shown = {of: tuple(at + by_ms for at in times) for of, times in viewer.shown_ms.items()}
    return msgspec.structs.replace(viewer, shown_ms=shown)


def _played(
    pages: Sequence[Recorded], market: Market, line: Line, multiplier: float, budget_micros: int
) -> _Day:
    sums, part = np.zeros((len(pages), 3)), np.zeros(len(pages))
    left = float(budget_micros)
    for at, win in enumerate(won(pages, market, line, multiplier)):
        if win is None:
            continue
        placement, chance = win
        weight = pages[at].weight
        spend = weight * chance * placement.price_micros
        sums[at] = weight, weight * chance, spend
        part[at] = min(1.0, left / spend)
        left -= spend * part[at]
    return _Day(sums, part)


def _lasting(pages: Sequence[Recorded], market: Market, line: Line, budget_micros: int) -> float:
    """Return the largest part of the bid, nearly, by which the budget lasts for the whole day."""
    low, high = log(MULTIPLIER_MIN), 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        spent = _played(pages, market, line, exp(middle), budget_micros).sums[:, 2].sum()
        low, high = (low, middle) if spent > budget_micros else (middle, high)
    # Rather a little too much, which the budget cuts, than less than could be spent.
    return exp(high)


def _ranges(found: _Day, budget_micros: int, seed: int) -> tuple[Range, Range, Range]:
    """Return ranges of what is shown, billed and spent, by drawing pages again and again."""
    count = len(found.part)
    expected = found.part @ found.sums
    if not count:
        return Range(0, 0, 0), Range(0, 0, 0), Range(0, 0, 0)
    chance = np.random.default_rng(seed)
    drawn = chance.multinomial(count, np.full(count, 1 / count), _DRAWS) @ found.sums
    spends = drawn[:, 2]
    drawn *= np.minimum(1.0, budget_micros / np.maximum(spends, 1e-9))[:, None]
    low, high = np.percentile(drawn, [_LOW, _HIGH], axis=0)
    one, two, three = (
        Range(min(a, b), b, max(b, c))
        for a, b, c in zip(low.tolist(), expected.tolist(), high.tolist(), strict=True)
    )
    return one, two, three
