"""A forecast is what the decision does when the line really runs over the same pages."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

import msgspec
import pytest

from ads.forecast import day_ahead, forecast
from ads.frequency import Showing, shown
from ads.index import Index
from ads.insertion import decide
from ads.lines import Cap, Line, Targeting
from ads.record import Context
from ads.replaying import Market, Recorded
from ads.rules import Rules
from ads.viewer import Viewer
from myriorama.bench.ad_markets import PATIENCE_US, Purse, line, page

DAY = date(2026, 11, 23)
MIDNIGHT_MS = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
PLENTY = 10**12
RULES = Rules(explore=0.0)
OTHERS = [line(number, bid_micros=3000 + 900 * number) for number in range(4)]


def recorded(count: int = 60, *, weight: float = 1.0) -> Sequence[Recorded]:
    """Return pages of forty viewers, some of whom look again, on the day before."""
    chance = Random(7)  # noqa: S311 - pages, not secrets
    return [
        Recorded(
            MIDNIGHT_MS - DAY_MS + number * 600_000,
            number,
            weight,
            Context(
                Viewer(chance.randrange(40), country=chance.choice(("DE", "NZ"))),
                tuple(page(chance.randint(5, 12))),
            ),
        )
        for number in range(count)
    ]


class Cut(Purse):
    """A purse in which one line has so much, of which is spent what is likely billed."""

    def __init__(self, index: Index, line_id: UUID, micros: int) -> None:
        super().__init__()
        self._row = next(row for row, each in enumerate(index.lines) if each.line_id == line_id)
        self.left = float(micros)

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        if line_row == self._row and self.left <= 0:
            return None
        return super().hold(line_row, micros, now_ms, probability)


def really_run(pages: Sequence[Recorded], proposed: Line, budget_micros: int) -> tuple[int, float]:
    """Serve the pages with the line; return how often it was shown, and what is likely billed."""
    index = Index.of([*OTHERS, proposed], {}, version=1)
    purse = Cut(index, proposed.line_id, budget_micros)
    rules = msgspec.structs.replace(RULES, deadline_us=PATIENCE_US)
    showings, count, spent = dict[int, list[Showing]](), 0, 0.0
    for each in pages:
        viewer, now_ms = each.context.viewer, each.at_ms + DAY_MS
        seen = shown(showings.get(viewer.pseudonym, ()), now_ms)
        viewer = msgspec.structs.replace(viewer, shown_ms=seen)
        placed = decide(index, viewer, each.context.page, purse, rules, now_ms, each.seed)
        for one in placed.placements:
            if one.line.line_id == proposed.line_id:
                cost = one.price_micros * one.p_billed * index.reach.item(one.position)
                count, spent = count + 1, spent + min(cost, purse.left)
                purse.left -= cost
                ids = one.line.ids_of(one.creative)
                seen_now = Showing(ids, now_ms, now_ms, seen=True)
                showings.setdefault(viewer.pseudonym, []).append(seen_now)
    return count, spent


@pytest.mark.parametrize("kind", ["cpm", "cpc"])
@pytest.mark.parametrize(
    "differing",
    [
        {},
        {"caps": (Cap("line", 1, 86_400),)},
        {"targeting": Targeting(countries=frozenset({"DE"}))},
    ],
)
def test_a_forecast_is_what_happens_when_the_line_runs(
    kind: str, differing: dict[str, object]
) -> None:
    bid = {"cpm": 5200, "cpc": 2_000_000}[kind]
    proposed = line(9, kind=kind, bid_micros=bid, **differing)
    pages = recorded()

    expected = forecast(
        pages,
        Market(OTHERS, {}, RULES),
        proposed,
        day=DAY,
        budget_micros=PLENTY,
        is_paced=True,
        seed=1,
    )

    count, spent = really_run(pages, proposed, PLENTY)
    assert expected.impressions.expected == count > 0
    assert expected.spend_micros.expected == pytest.approx(spent)
    assert expected.win_rate == pytest.approx(count / len(pages))
    assert expected.multiplier == 1.0


def test_the_budget_ends_when_it_would_really_end() -> None:
    proposed = line(9, bid_micros=9000)
    pages = recorded()
    _, whole = really_run(pages, proposed, PLENTY)
    budget = int(whole / 3)

    expected = forecast(
        pages,
        Market(OTHERS, {}, RULES),
        proposed,
        day=DAY,
        budget_micros=budget,
        is_paced=False,
        seed=1,
    )

    count, spent = really_run(pages, proposed, budget)
    assert expected.spend_micros.expected == pytest.approx(spent) == pytest.approx(budget)
    assert count - 1 < expected.impressions.expected <= count
    assert expected.spend_micros.high <= budget


def test_what_is_paced_pays_less_for_each() -> None:
    proposed = line(9, bid_micros=9000)
    pages, market = recorded(), Market(OTHERS, {}, RULES)
    whole = forecast(pages, market, proposed, day=DAY, budget_micros=PLENTY, is_paced=False, seed=1)
    budget = int(whole.spend_micros.expected / 2)

    fast, even = (
        forecast(pages, market, proposed, day=DAY, budget_micros=budget, is_paced=paced, seed=1)
        for paced in (False, True)
    )

    assert fast.multiplier == 1.0 > even.multiplier
    assert even.price_micros is not None
    assert fast.price_micros is not None
    assert even.price_micros <= fast.price_micros
    assert even.spend_micros.expected == pytest.approx(budget)


def test_each_page_counts_for_those_that_it_stands_for() -> None:
    proposed, market = line(9, bid_micros=5200), Market(OTHERS, {}, RULES)

    once, often = (
        forecast(
            recorded(weight=weight),
            market,
            proposed,
            day=DAY,
            budget_micros=PLENTY,
            is_paced=False,
            seed=1,
        )
        for weight in (1.0, 25.0)
    )

    assert often.impressions.expected == 25 * once.impressions.expected
    assert often.spend_micros.low == pytest.approx(25 * once.spend_micros.low)
    assert often.win_rate == once.win_rate
    assert (often.recorded_pages, often.pages) == (60, 1500.0)


def test_the_range_is_the_same_by_the_same_seed_and_wider_over_fewer_pages() -> None:
    proposed, market = line(9, bid_micros=5200), Market(OTHERS, {}, RULES)

    many, again, few = (
        forecast(
            recorded(count),
            market,
            proposed,
            day=DAY,
            budget_micros=PLENTY,
            is_paced=False,
            seed=1,
        ).impressions
        for count in (60, 60, 12)
    )

    assert many == again
    assert many.low < many.expected < many.high
    assert (many.high - many.low) / many.expected < (few.high - few.low) / few.expected


def test_without_pages_nothing_is_expected() -> None:
    nothing = forecast(
        [],
        Market(OTHERS, {}, RULES),
        line(9),
        day=DAY,
        budget_micros=PLENTY,
        is_paced=True,
        seed=1,
    )

    assert (nothing.recorded_pages, nothing.impressions.high, nothing.price_micros) == (0, 0, None)


def test_the_day_is_the_first_whole_one_of_the_flight() -> None:
    noon_ms = MIDNIGHT_MS + DAY_MS // 2
    at_midnight = line(1, flight_from_ms=MIDNIGHT_MS + DAY_MS)
    today_only = line(1, flight_until_ms=MIDNIGHT_MS + DAY_MS)

    assert day_ahead(line(1), noon_ms) == date(2026, 11, 24)
    assert day_ahead(at_midnight, noon_ms) == date(2026, 11, 24)
    assert day_ahead(today_only, noon_ms) == date(2026, 11, 23)
