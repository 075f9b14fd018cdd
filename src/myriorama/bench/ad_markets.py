"""Markets drawn by a seed: lines, viewers and pages that veto one another; and a plain search.

The search knows the rules from their text alone: it tries every set of lines in every gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from uuid import UUID

import msgspec
import numpy as np

from ads.calibration import applied
from ads.holds import Numbers
from ads.index import Index
from ads.insertion import Insertion, decide
from ads.lines import KINDS, Creative, Line, Suitability
from ads.page import Safety, Slot
from ads.probability import EVENTS
from ads.rules import Rules
from ads.viewer import Viewer

NOW_MS = 1_800_000_000_000

# A first decision waits for the compiler.
PATIENCE_US = 10**9


class Purse:
    """Money without end, but for the rows that have none."""

    def __init__(self, *, empty: Iterable[int] = ()) -> None:
        self.empty = set(empty)
        self.held: list[tuple[int, int, float]] = []

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        del now_ms
        if line_row in self.empty:
            return None
        self.held.append((line_row, micros, probability))
        return len(self.held)

    def unfunded(self) -> Numbers:
        return np.array(sorted(self.empty), np.int32)


def line(number: int, **changed: object) -> Line:
    """Return a line by the thousand of an advertiser of its own."""
    given: dict[str, object] = {
        "line_id": UUID(int=number),
        "campaign_id": UUID(int=1000 + number),
        "advertiser_id": UUID(int=2000 + number),
        "kind": "cpm",
        "bid_micros": 5000,
        "creatives": (creative(number),),
    }
    return Line(**(given | changed))  # type: ignore[arg-type]  # whatever the test asks for


def creative(number: int, **changed: object) -> Creative:
    """Return a video of ten seconds."""
    given: dict[str, object] = {
        "creative_id": UUID(int=3000 + number),
        "video_key": f"creatives/{number}.mp4",
        "duration_ms": 10_000,
        "click_url": "https://advertiser.example/",
    }
    return Creative(**(given | changed))  # type: ignore[arg-type]  # whatever the test asks for


def page(length: int, safety: Safety | None = "safe") -> list[Slot]:
    """Return a page of videos that nobody vetoes."""
    return [Slot(UUID(int=i), UUID(int=100 + i), safety=safety) for i in range(length)]


class Market(msgspec.Struct, frozen=True):
    """Lines that want a page."""

    lines: tuple[Line, ...]
    page: tuple[Slot, ...]
    viewer: Viewer
    rules: Rules


def drawn(seed: int, *, lines_max: int = 7, length_max: int = 9) -> Market:
    """Return a small market in which little goes together."""
    chance = Random(seed)  # noqa: S311 - a market, not a secret
    authors = [UUID(int=100 + i) for i in range(4)]
    advertisers = chance.randint(1, 6)
    categories = ["", *("abcdef"[: chance.randint(1, 6)])]
    lines = [
        line(
            number,
            advertiser_id=UUID(int=2000 + chance.randrange(advertisers)),
            kind=(kind := chance.choice(KINDS)),
            bid_micros=int(
                {"cpm": 4000, "cpv": 15_000, "cpc": 300_000}[kind] * chance.lognormvariate(0, 0.7)
            ),
            category=chance.choice(categories),
            suitability=Suitability(
                tier=chance.choice(("full", "standard", "standard", "limited")),
                blocked_authors=frozenset(chance.sample(authors, chance.choice((0, 0, 1)))),
                blocked_keywords=frozenset(chance.sample(["War", "sad"], chance.choice((0, 1)))),
                blocked_categories=frozenset(chance.sample(["x", "y"], chance.choice((0, 0, 1)))),
            ),
        )
        for number in range(chance.randint(1, lines_max))
    ]
    slots = [
        Slot(
            UUID(int=place),
            chance.choice(authors),
            category=chance.choice(("x", "y", "z", None)),
            keywords=frozenset(chance.sample(["war", "sad", "sun"], chance.choice((0, 1)))),
            safety=chance.choice(("safe", "safe", "safe", "safe", "limited", "unsafe", None)),
            worth=chance.uniform(0, 3),
        )
        for place in range(chance.randint(2, length_max))
    ]
    rules = Rules(
        first_position=chance.randint(1, 3),
        gap=chance.randint(1, 3),
        ads_page_max=chance.randint(1, 4),
        explore=0.0,
        deadline_us=PATIENCE_US,
    )
    viewer = Viewer(
        seed,
        since_last_ad=chance.choice((None, 0, 1)),
        videos_in_session=chance.randint(0, 3),
    )
    return Market(tuple(lines), tuple(slots), viewer, rules)


class Search:
    """Every way to place ads on a page, one after the other."""

    def __init__(self, market: Market, index: Index) -> None:
        self._market = market
        self._lines = index.lines
        self._reach = index.probabilities.reach
        rules, viewer = market.rules, market.viewer
        self._first = max(1, rules.first_position - viewer.videos_in_session)
        if viewer.since_last_ad is not None:
            self._first = max(self._first, rules.gap - viewer.since_last_ad)
        learnt = index.probabilities
        rates = {
            of: applied(np.array(learnt.head(of).table), learnt.head(of).intercept) for of in EVENTS
        }
        self.chance = {
            "cpm": rates["view"],
            "cpv": rates["view"] * rates["complete"],
            "cpc": rates["view"] * rates["click"],
        }
        self._reserve = {
            "cpm": rules.reserve_cpm_micros,
            "cpv": rules.reserve_cpv_micros,
            "cpc": rules.reserve_cpc_micros,
        }

    def best(
        self, bids: Mapping[UUID, int], *, away: UUID | None = None
    ) -> tuple[float, Sequence[tuple[int, Line]]]:
        """Return the best sum there is, and the gaps and lines of it."""
        found: tuple[float, Sequence[tuple[int, Line]]] = (-float("inf"), ())
        stack: list[tuple[tuple[int, Line], ...]] = [()]
        while stack:
            chosen = stack.pop()
            value = self.value(chosen, bids)
            if value > found[0]:
                found = value, chosen
            if len(chosen) == self._market.rules.ads_page_max:
                continue
            start = chosen[-1][0] + self._market.rules.gap if chosen else self._first
            stack += [
                (*chosen, (gap, line))
                for gap in range(start, len(self._market.page))
                for line in self._lines
                if line.advertiser_id != away
                and bids[line.line_id] >= self._reserve[line.kind]
                and self._may_stand(line, gap)
                and all(_go_together(line, other) for _, other in chosen)
            ]
        return found

    def value(self, chosen: Sequence[tuple[int, Line]], bids: Mapping[UUID, int]) -> float:
        """Return what a page of these ads is worth to everybody."""
        rules = self._market.rules
        total = sum(
            self._reach[gap + ads]
            * (
                (bids[line.line_id] - self._reserve[line.kind]) * self.chance[line.kind]
                - rules.ad_cost_micros
            )
            for ads, (gap, line) in enumerate(chosen)
        )
        for place, slot in enumerate(self._market.page):
            before = sum(gap <= place for gap, _ in chosen)
            total += rules.worth_micros * slot.worth * self._reach[place + before]
        return total

    def price(self, bids: Mapping[UUID, int], place: int) -> float:
        """Return what the advertiser of one of the best ads takes from all others, an event."""
        total, chosen = self.best(bids)
        gap, line = chosen[place]
        without, _ = self.best(bids, away=line.advertiser_id)
        expected = self.chance[line.kind] * self._reach[gap + place]
        return bids[line.line_id] - (total - without) / expected

    def _may_stand(self, line: Line, gap: int) -> bool:
        page, asked = self._market.page, line.suitability
        sides = page[gap - 1 : gap + 1]
        safeties = {slot.safety for slot in sides}
        suits = {
            "full": safeties <= {"safe", "limited"},
            "standard": safeties == {"safe"},
            "limited": {slot.safety for slot in page[max(gap - 2, 0) : gap + 2]} == {"safe"},
        }[asked.tier]
        return suits and not any(
            slot.author_id in asked.blocked_authors
            or slot.category in asked.blocked_categories
            or {each.casefold() for each in slot.keywords}
            & {each.casefold() for each in asked.blocked_keywords}
            for slot in sides
        )


def decided(market: Market, index: Index) -> Insertion:
    """Return what is decided of the market's page."""
    return decide(index, market.viewer, market.page, Purse(), market.rules, NOW_MS, seed=3)


def gains(
    market: Market, index: Index, search: Search, worth: Mapping[UUID, int]
) -> Mapping[UUID, float]:
    """Return what each advertiser has of a page beyond what it is expected to pay, in micros."""
    left_over: dict[UUID, float] = {}
    for each in decided(market, index).placements:
        reach = index.probabilities.reach[each.position]
        left = worth[each.line.line_id] - each.price_micros
        left_over[each.line.advertiser_id] = left * search.chance[each.line.kind] * reach
    return left_over


def _go_together(one: Line, other: Line) -> bool:
    return one.advertiser_id != other.advertiser_id and (
        not one.category or one.category != other.category
    )
