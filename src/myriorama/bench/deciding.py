"""Bench `decision`: what it takes to decide the ads of a page, and whether it is decided rightly.

A page has 20 videos; lines target countries, languages and interests, are capped, and veto authors,
categories and keywords. A decision is all of it: who may be shown, chances, the auction with its
prices, and what is placed. Time is that of the thread, which does not tell of others who are at
work on the machine; what the wall clock says stands beside it. `pages_per_s` is of two processes
at once, by the wall; `pages_per_cpu_s` is what they would come to with a core for each. Small
markets are compared with a search through all pages.
`added_p99_ms` is by how long ads keep a page of the feed, all around the decision included.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from ads.holds import Numbers
from ads.index import Index
from ads.insertion import decide
from ads.lines import KINDS, Cap, Creative, Kind, Line, Suitability, Targeting
from ads.page import Safety, Slot
from ads.rules import Rules
from ads.viewer import Viewer
from ads.warming import warm_up
from myriorama.bench import advertised_pages
from myriorama.bench.ad_markets import Search, decided, drawn, gains
from myriorama.bench.outcome import Outcome, Progress, percentile

LENGTH = 20
DECISIONS = 4000
MARKETS = 1000
DEVIATING = 60

_COUNTRIES = ("US", "GB", "DE", "FR", "JP")
_LANGUAGES = ("en", "de", "fr", "ja")
_INTERESTS = tuple(f"interest-{number}" for number in range(24))
_CATEGORIES = tuple(f"category-{number}" for number in range(20))
_KEYWORDS = tuple(f"word-{number}" for number in range(200))
_SAFETIES: tuple[Safety | None, ...] = (
    "safe",
    "safe",
    "safe",
    "safe",
    "safe",
    "safe",
    "safe",
    "safe",
    "limited",
    None,
)
_AUTHORS = 500
_BIDS = {"cpm": 4000, "cpv": 15_000, "cpc": 300_000}
_NOW_MS = 1_800_000_000_000
_HOUR_MS = 3_600_000
_NEAR = 1e-6
_FACTORS = (0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 1.01, 1.05, 1.1, 1.3, 2.0, 4.0)


class Timed(NamedTuple):
    """What decisions took, in microseconds of the thread and of the wall, and how many ads."""

    worked: list[float]
    wall: list[float]
    ads: float
    searched: float


class Wealth:
    """Money for everybody who is `funded`."""

    def __init__(self, funded: NDArray[np.bool_]) -> None:
        self._funded = funded

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        del micros, now_ms, probability
        return 1 if self._funded[line_row] else None

    def unfunded(self) -> Numbers:
        return np.flatnonzero(~self._funded).astype(np.int32)


def measure(progress: Progress) -> Outcome:
    """Decide pages among 1,000 and among 10,000 lines, and compare small ones with a search."""
    timed = dict[int, Timed]()
    for lines in (1000, 10_000):
        timed[lines] = _timed(lines)
        progress(f"{lines:,} lines: {percentile(timed[lines].worked, 0.5):.0f} us in the middle")
    added = advertised_pages.added(progress, _world(1000)[0])
    pages_per_s, pages_per_cpu_s = _pages_per_s()
    progress(f"{pages_per_s:,.0f} pages a second by two processes")
    mismatches = sum(_differs(seed) for seed in range(MARKETS))
    gain = max(_deviation_gain(seed) for seed in range(DEVIATING))
    few, many = timed[1000], timed[10_000]
    broke = _timed(1000, unfunded=0.5)
    progress(f"half of 1,000 lines without money: {percentile(broke.worked, 0.99):.0f} us at p99")
    return Outcome(
        "decision",
        figures={
            "p99_us_1k": percentile(few.worked, 0.99),
            "p99_us_10k": percentile(many.worked, 0.99),
            "p99_us_1k_half_unfunded": percentile(broke.worked, 0.99),
            "p50_us_1k": percentile(few.worked, 0.5),
            "p50_us_10k": percentile(many.worked, 0.5),
            "wall_p99_us_1k": percentile(few.wall, 0.99),
            "wall_p99_us_10k": percentile(many.wall, 0.99),
            "pages_per_s": pages_per_s,
            "pages_per_cpu_s": pages_per_cpu_s,
            **added,
            "ads_per_page": few.ads,
            "searched_share": few.searched,
            "mismatches": float(mismatches),
            "deviation_gain": gain,
        },
        ratios={},
    )


def _timed(count: int, *, unfunded: float = 0.0) -> Timed:
    """Time decisions among so many lines, of which so large a part has no money."""
    warm_up()
    index, viewers, pages = _world(count)
    funded = np.random.default_rng(count).random(len(index)) >= unfunded
    rules = Rules(deadline_us=10**9)
    worked, wall = list[float](), list[float]()
    ads, searched = 0, 0
    for turn in range(DECISIONS):
        viewer, page = viewers[turn % len(viewers)], pages[turn % len(pages)]
        began, began_wall = time.thread_time_ns(), time.perf_counter_ns()
        insertion = decide(index, viewer, page, Wealth(funded), rules, _NOW_MS, turn)
        wall.append((time.perf_counter_ns() - began_wall) / 1000)
        worked.append((time.thread_time_ns() - began) / 1000)
        ads += len(insertion.placements)
        searched += insertion.searched
    return Timed(worked, wall, ads / DECISIONS, searched / DECISIONS)


def _pages_per_s() -> tuple[float, float]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        wall, worked = zip(*pool.map(_paged, (1000, 1000)), strict=True)
    return sum(wall), sum(worked)


def _paged(count: int) -> tuple[float, float]:
    """Return how many pages one process decides in a second of the wall, and of its own."""
    warm_up()
    index, viewers, pages = _world(count)
    rules, holds = Rules(), Wealth(np.ones(len(index), np.bool_))
    began, began_worked = time.perf_counter(), time.thread_time()
    for turn in range(DECISIONS):
        page = pages[turn % len(pages)]
        decide(index, viewers[turn % len(viewers)], page, holds, rules, _NOW_MS, turn)
    worked = time.thread_time() - began_worked
    return DECISIONS / (time.perf_counter() - began), DECISIONS / worked


def _world(count: int) -> tuple[Index, list[Viewer], list[list[Slot]]]:
    chance = Random(count)  # noqa: S311 - a market, not a secret
    advertisers = max(2, count // 4)
    lines = [_line(number, chance, advertisers) for number in range(count)]
    viewers = [_viewer(number, chance, count) for number in range(300)]
    pages = [[_slot(chance) for _ in range(LENGTH)] for _ in range(200)]
    return Index.of(lines, {}, version=1), viewers, pages


def _line(number: int, chance: Random, advertisers: int) -> Line:
    kind: Kind = chance.choice(KINDS)
    advertiser = chance.randrange(advertisers)
    countries = chance.sample(_COUNTRIES, chance.choice((0, 1, 2)))
    vetoed = chance.sample(_KEYWORDS, chance.choice((0, 0, 0, 5)))
    authors = chance.sample(range(_AUTHORS), chance.choice((0, 0, 0, 3)))
    return Line(
        line_id=UUID(int=number),
        campaign_id=UUID(int=(1 << 40) + number // 2),
        advertiser_id=UUID(int=(2 << 40) + advertiser),
        kind=kind,
        bid_micros=int(_BIDS[kind] * chance.lognormvariate(0.0, 0.7)),
        creatives=tuple(
            Creative(
                UUID(int=(3 << 40) + 4 * number + each),
                f"{number}.mp4",
                15_000,
                "https://a.example/",
            )
            for each in range(chance.choice((1, 1, 2)))
        ),
        targeting=Targeting(
            countries=frozenset(countries),
            languages=frozenset(chance.sample(_LANGUAGES, chance.choice((0, 0, 1)))),
            interests=frozenset(chance.sample(_INTERESTS, chance.choice((0, 0, 3)))),
        ),
        caps=(Cap("line", 3, 86_400), Cap("campaign", 5, 86_400)),
        suitability=Suitability(
            tier=chance.choice(("full", "standard", "standard", "standard")),
            blocked_keywords=frozenset(vetoed),
            blocked_authors=frozenset(UUID(int=(4 << 40) + each) for each in authors),
        ),
        category=_CATEGORIES[advertiser % len(_CATEGORIES)],
    )


def _viewer(number: int, chance: Random, lines: int) -> Viewer:
    return Viewer(
        number,
        country=chance.choice(_COUNTRIES),
        language=chance.choice(_LANGUAGES),
        interests=frozenset(chance.sample(_INTERESTS, 5)),
        shown_ms={chance.randrange(lines): (_NOW_MS - _HOUR_MS,) * 3 for _ in range(10)},
        videos_in_session=chance.choice((0, 20)),
    )


def _slot(chance: Random) -> Slot:
    return Slot(
        video_id=UUID(int=chance.getrandbits(100)),
        author_id=UUID(int=(4 << 40) + chance.randrange(_AUTHORS)),
        category=chance.choice(_CATEGORIES),
        keywords=frozenset(chance.sample(_KEYWORDS, 5)),
        safety=chance.choice(_SAFETIES),
        worth=chance.uniform(0.0, 2.0),
    )


def _differs(seed: int) -> bool:
    """Return whether a small market's page, or a price on it, is another than the search finds."""
    market = drawn(seed)
    index = Index.of(market.lines, {}, version=1)
    search = Search(market, index)
    bids = {each.line_id: each.bid_micros for each in market.lines}
    placements = decided(market, index).placements
    chosen = [(each.position - ads, each.line) for ads, each in enumerate(placements)]
    best, _ = search.best(bids)
    if abs(search.value(chosen, bids) - best) > _NEAR:
        return True
    for place, each in enumerate(placements):
        price = max(search.price(bids, place), each.reserve_micros)
        if not price - 1 - _NEAR <= each.price_micros <= price + _NEAR:
            return True
    return False


def _deviation_gain(seed: int) -> float:
    """Return the share of their value that an advertiser gains at best by another bid.

    Prices are whole micros, rounded down: less than one of them, an ad, is no gain.
    """
    market = drawn(seed, lines_max=12, length_max=LENGTH)
    index = Index.of(market.lines, {}, version=1)
    search = Search(market, index)
    worth = {each.line_id: each.bid_micros for each in market.lines}
    honest = gains(market, index, search, worth)
    best = 0.0
    for line in market.lines:
        for factor in _FACTORS:
            bid = max(1, int(line.bid_micros * factor))
            bids = [
                msgspec.structs.replace(each, bid_micros=bid) if each is line else each
                for each in market.lines
            ]
            tried = gains(market, Index.of(bids, {}, version=2), search, worth)
            owner = line.advertiser_id
            gain = tried.get(owner, 0.0) - honest.get(owner, 0.0) - 1.0
            best = max(best, gain / line.bid_micros)
    return best
