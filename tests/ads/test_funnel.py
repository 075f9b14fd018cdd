"""Where a line is lost on its way to a page, step by step, and what it would take to win."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ads.funnel import Funnel, funnel
from ads.index import Index
from ads.lines import HOURS, Cap, Line, Suitability, Targeting
from ads.page import Slot
from ads.probability import Probabilities
from ads.record import Context
from ads.replaying import Market, Recorded, decided, of_line
from ads.rules import Rules
from ads.viewer import Viewer
from myriorama.bench.ad_markets import NOW_MS, line, page

RULES = Rules(explore=0.0)
EVERYBODY = range(12)
KIWI = {"country": "NZ", "language": "en", "age_band": "18+", "platform": "ios"}


def seen(
    slots: Sequence[Slot] | None = None, *, viewers: Sequence[int] = EVERYBODY, **of: object
) -> Sequence[Recorded]:
    """Return a page of each viewer."""
    shown = tuple(page(8) if slots is None else slots)
    return [
        Recorded(
            NOW_MS,
            each,
            1.0,
            Context(msgspec.convert({"pseudonym": each, **KIWI, **of}, Viewer), shown),
        )
        for each in viewers
    ]


def told(pages: Sequence[Recorded], mine: Line, *others: Line) -> Funnel:
    return funnel(pages, Market(others, {}, RULES), mine, 1.0)


@pytest.mark.parametrize(
    ("step", "mine", "viewer"),
    [
        ("page_full", {}, {"ads_in_hour": 1000}),
        ("hours", {"daypart": (False,) * HOURS}, {}),
        ("country", {"targeting": Targeting(countries=frozenset({"DE"}))}, {}),
        ("language", {"targeting": Targeting(languages=frozenset({"de"}))}, {}),
        ("age", {"targeting": Targeting(age_bands=frozenset({"18+"}))}, {"is_minor": True}),
        ("platform", {"targeting": Targeting(platforms=frozenset({"web"}))}, {}),
        ("interests", {"targeting": Targeting(interests=frozenset({"tea"}))}, {}),
        ("hidden_or_minor", {}, {"hidden_advertisers": [str(UUID(int=2001))]}),
        ("hidden_or_minor", {"category": "alcohol"}, {"is_minor": True}),
        ("frequency_caps", {"caps": (Cap("line", 1, 60),)}, {"shown_ms": {1: [NOW_MS - 1]}}),
        ("below_reserve", {"bid_micros": 499}, {}),
    ],
)
def test_what_a_page_is_lost_by_is_told(
    step: str, mine: dict[str, object], viewer: dict[str, Any]
) -> None:
    found = told(seen(**viewer), line(1, **mine))

    assert [(lost.steps, lost.pages) for lost in found.lost] == [([step], 12)]
    assert (found.pages, found.viewers, found.won) == (12, 12, 0)


def test_what_stands_beside_is_told_apart_from_what_nobody_may_stand_beside() -> None:
    war = [msgspec.structs.replace(each, keywords=frozenset({"war"})) for each in page(8)]
    peaceful = line(1, suitability=Suitability(blocked_keywords=frozenset({"war"})))

    beside, unsafe = told(seen(war), peaceful), told(seen(page(8, "unsafe")), peaceful)

    assert [lost.steps for lost in beside.lost] == [["neighbours"]]
    assert [lost.steps for lost in unsafe.lost] == [["unsafe_page"]]


def test_what_is_outbid_is_told_with_the_bid_that_would_win() -> None:
    short = page(5)
    found = told(seen(short), line(1, bid_micros=3000), line(2, bid_micros=5000))

    assert [(lost.steps, lost.pages) for lost in found.lost] == [(["outbid"], 12)]
    assert found.price_to_win_micros == 6000  # twice: at half as much more it is still below
    higher = told(seen(short), line(1, bid_micros=6000), line(2, bid_micros=5000))
    assert (higher.won, higher.lost, higher.price_to_win_micros) == (12, [], None)


def test_who_is_outbid_goes_by_the_chances_in_force() -> None:
    prior = Probabilities.prior()
    effects = {f"creative={line(2).creatives[0].creative_id}": -3.0}
    view = msgspec.structs.replace(prior.view, effects=effects)
    learnt = msgspec.structs.replace(prior, view=view)
    market = Market([line(2, bid_micros=5000)], {}, RULES, learnt)

    found = funnel(seen(page(5)), market, line(1, bid_micros=3000), 1.0)

    assert (found.won, found.lost) == (12, [])


def test_no_bid_is_told_where_none_that_is_tried_wins() -> None:
    found = told(seen(page(5)), line(1, bid_micros=3000), line(2, bid_micros=500_000))

    assert found.price_to_win_micros is None


def test_what_few_viewers_are_lost_by_is_told_together() -> None:
    few = seen(viewers=range(3), country="DE")
    many = seen(viewers=range(20, 40), language="mi")
    mine = line(1, targeting=Targeting(frozenset({"NZ"}), frozenset({"en"})))

    found = told([*few, *many, *seen()], mine)

    assert [(lost.steps, lost.pages) for lost in found.lost] == [(["country", "language"], 23)]
    assert found.won == 12
    assert [(lost.steps, lost.pages) for lost in told([*few, *seen()], mine).lost] == [([], 3)]


def test_targeting_is_told_as_the_decision_has_it() -> None:
    chance = Random(3)  # noqa: S311 - viewers, not secrets

    def some(values: str, most: int) -> list[str]:
        return chance.sample(values.split(), chance.randint(0, most))

    found = Counter[bool]()
    for number in range(300):
        mine = line(
            1,
            category=chance.choice(("toys", "alcohol")),
            targeting=msgspec.convert(
                {
                    "countries": some("NZ DE", 2),
                    "age_bands": some("18+ 16-17", 1),
                    "interests": some("tea surf", 2),
                },
                Targeting,
            ),
        )
        (one,) = seen(
            viewers=[number],
            country=chance.choice(("NZ", "DE")),
            age_band=chance.choice(("18+", "16-17", "")),
            interests=some("tea surf", 1),
            is_minor=chance.random() < 0.3,
            contextual_only=chance.random() < 0.3,
            hidden_categories=some("toys", 1),
        )

        is_won = told([one], mine).won == 1

        index = Index.of([mine], {}, version=1)
        assert is_won == bool(len(index.eligible(one.context.viewer, NOW_MS)))
        assert is_won == (of_line(decided(index, one, one.context.viewer, RULES), mine) is not None)
        found[is_won] += 1
    assert min(found[True], found[False]) > 50
