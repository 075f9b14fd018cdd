"""Why a line is not shown: where on the way to a place it is lost, by the recorded pages.

What the line asks for is looked at by itself, dimension by dimension; what the house and the others
do with it is asked of the real decision, over less and less of what is in its way.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from ads.flights import Flights
from ads.index import Index
from ads.insertion import Insertion
from ads.lines import Line, Suitability
from ads.replaying import Market, Recorded, decided, of_line
from ads.viewer import Viewer

Step = Literal[
    "page_full",
    "hours",
    "country",
    "language",
    "age",
    "platform",
    "interests",
    "hidden_or_minor",
    "frequency_caps",
    "unsafe_page",
    "neighbours",
    "below_reserve",
    "outbid",
]
"""What a page is lost by, in this order; each only where nothing before it did."""

STEPS: Sequence[Step] = get_args(Step)

VIEWERS_MIN = 10
"""What fewer viewers were lost by is told together with what comes next."""

GRID = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""So many times its bid is tried to win what is lost by it."""

_LOST_MAX = 200
_BID_MAX = 1 << 50


class Lost(NamedTuple):
    """Pages that are lost by one of these steps; by which is not told where few viewers are."""

    steps: Sequence[Step]
    pages: int


class Funnel(NamedTuple):
    """What becomes of recorded pages. `won` are those on which the line would stand now.

    `price_to_win_micros` is the smallest bid tried by which half of the pages that are lost by the
    bid alone would be won; None: nothing is lost by it, or not even the largest would do.
    """

    pages: int
    viewers: int
    lost: Sequence[Lost]
    won: int
    price_to_win_micros: int | None


def funnel(pages: Sequence[Recorded], market: Market, line: Line, multiplier: float) -> Funnel:
    """Tell by what each page is lost; as if flights were open, and hours those of the page."""
    opened = [_in_flight(each) for each in market.lines]
    walk = _Walk(market._replace(lines=opened), _in_flight(line), multiplier)
    found = [walk.step(each) for each in pages]
    by_bid = [
        each for each, step in zip(pages, found, strict=True) if step in {"outbid", "below_reserve"}
    ]
    viewers = {
        step: {
            each.context.viewer.pseudonym
            for each, lost in zip(pages, found, strict=True)
            if lost == step
        }
        for step in STEPS
    }
    counted: list[tuple[Step, int, int]] = [
        (step, found.count(step), len(viewers[step])) for step in STEPS if viewers[step]
    ]
    return Funnel(
        pages=len(pages),
        viewers=len({each.context.viewer.pseudonym for each in pages}),
        lost=_together(counted),
        won=found.count(None),
        price_to_win_micros=walk.price_to_win(by_bid[:_LOST_MAX]),
    )


class _Walk:
    """Takes pages through what is in the way of a line."""

    def __init__(self, market: Market, line: Line, multiplier: float) -> None:
        self._market, self._line, self._multiplier = market, line, multiplier
        self._flights = Flights([line])
        largest = msgspec.structs.replace(line, bid_micros=_BID_MAX, bidder="")
        anywhere = msgspec.structs.replace(largest, suitability=Suitability(tier="full"))
        chances = market.chances
        paced = {line.line_id: multiplier}
        self._caps = Index.of([line], {}, 0, chances)
        self._ladder: Sequence[tuple[Step, Line, Index]] = (
            ("unsafe_page", anywhere, Index.of([anywhere], {}, 0, chances)),
            ("neighbours", largest, Index.of([largest], {}, 0, chances)),
            ("below_reserve", line, Index.of([line], paced, 0, chances)),
            ("outbid", line, market.index_with(line, multiplier)),
        )

    def step(self, page: Recorded) -> Step | None:
        """Return what a page is lost by; None: it is won."""
        viewer = page.context.viewer
        if (missed := self._missed(viewer, page.at_ms)) is not None:
            return "page_full" if self._is_full(page) else missed
        for step, line, index in self._ladder:
            insertion = self._decided(index, page)
            if insertion.reason in {"load", "short_page"}:
                return "page_full"
            if of_line(insertion, line) is None:
                return step
        return None

    def price_to_win(self, lost: Sequence[Recorded]) -> int | None:
        """Return the smallest bid tried that wins half of what is lost."""
        for times in GRID if lost else ():
            bid = min(_BID_MAX, round(self._line.bid_micros * times))
            line = msgspec.structs.replace(self._line, bid_micros=bid)
            index = self._market.index_with(line, self._multiplier)
            won = sum(of_line(self._decided(index, page), line) is not None for page in lost)
            if 2 * won >= len(lost):
                return bid
        return None

    def _decided(self, index: Index, page: Recorded) -> Insertion:
        return decided(index, page, page.context.viewer, self._market.rules)

    def _is_full(self, page: Recorded) -> bool:
        _, _, index = self._ladder[0]
        return self._decided(index, page).reason in {"load", "short_page"}

    def _missed(self, viewer: Viewer, now_ms: int) -> Step | None:
        """Return what of the line itself keeps it from a viewer, now."""
        if not self._flights.live(now_ms)[0]:
            return "hours"
        if (missed := _untargeted(self._line, viewer)) is not None:
            return missed
        if _is_closed(self._line, viewer, self._market.rules.adult_categories):
            return "hidden_or_minor"
        rows, creatives, _ = self._caps.caps.reached(viewer.shown_ms, now_ms)
        if rows or len({*creatives}) == len(self._line.creatives):
            return "frequency_caps"
        return None


def _in_flight(line: Line) -> Line:
    return msgspec.structs.replace(line, flight_from_ms=0, flight_until_ms=1 << 62)


def _untargeted(line: Line, viewer: Viewer) -> Step | None:
    """Return the first axis on which a viewer is none of those whom the line is for."""
    want = line.targeting
    contextual = viewer.is_minor or viewer.contextual_only
    age = frozenset[str]() if contextual else frozenset({viewer.age_band})
    interests = frozenset[str]() if contextual else viewer.interests
    axes: Sequence[tuple[Step, frozenset[str], frozenset[str]]] = (
        ("country", want.countries, frozenset({viewer.country})),
        ("language", want.languages, frozenset({viewer.language})),
        ("age", want.age_bands, age),
        ("platform", want.platforms, frozenset({viewer.platform})),
        ("interests", want.interests, interests),
    )
    return next((step for step, asked, has in axes if asked and not asked & has), None)


def _is_closed(line: Line, viewer: Viewer, adult: frozenset[str]) -> bool:
    """Return whether the viewer has hidden it, or is too young for what it is of."""
    closed = viewer.hidden_categories | (adult if viewer.is_minor else frozenset[str]())
    categories = {line.category, *(each.category for each in line.creatives)}
    return line.advertiser_id in viewer.hidden_advertisers or not closed.isdisjoint(categories)


def _together(counted: Sequence[tuple[Step, int, int]]) -> Sequence[Lost]:
    """Join steps until each is of enough viewers, so that none tells of somebody."""
    groups = list[tuple[list[Step], int, int]]()
    for step, pages, viewers in counted:
        if groups and groups[-1][2] < VIEWERS_MIN:
            steps, before, fewest = groups.pop()
            groups.append(([*steps, step], before + pages, max(fewest, viewers)))
        else:
            groups.append(([step], pages, viewers))
    if len(groups) > 1 and groups[-1][2] < VIEWERS_MIN:
        last, few, _ = groups.pop()
        steps, before, fewest = groups.pop()
        groups.append(([*steps, *last], before + few, fewest))
    return [Lost(steps if of >= VIEWERS_MIN else [], pages) for steps, pages, of in groups]
