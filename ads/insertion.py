"""The decision: which ads stand between the videos of a page, and what each would pay.

No I/O, and no error that reaches the feed: whatever goes wrong, or takes too long, the page stays
as it is, and the reason is told. The order of the videos is never changed.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from ads import auction
from ads.adjacency import PAGE_MAX
from ads.holds import Holds
from ads.index import Index, Numbers, Table
from ads.lines import Creative, Kind, Line
from ads.moment import Moment, Scratch, scratch
from ads.outside import Offer, bidding
from ads.page import Slot
from ads.price import price_micros
from ads.rules import Rules
from ads.viewer import Viewer

logger = logging.getLogger(__name__)

Reason = Literal[
    "sold", "explored", "load", "short_page", "unsafe", "no_demand", "no_money", "late", "error"
]
"""Why a page has the ads that it has, or none."""

_SEED_MASK = (1 << 64) - 1
_NONE = np.zeros(0, np.int32)


class Placement(msgspec.Struct, frozen=True, gc=False):
    """An ad of a page.

    `position` is its place on the page with its ads, from 0 on: inserted in order, each lands
    there. `bid_micros` is the line's bid, or what somebody outside bids for it, before pacing;
    `price_micros` is for the billed event and never above it. `ecpm_micros` is what a thousand such
    showings are bid; `runner_up_micros` what the best one that is not on the page would have paid
    for the same event at most. `p_view` and `p_click` are of this showing, before it is known
    whether the viewer comes there. `propensity` is how likely this ad was to stand here, over the
    seeds.
    """

    position: int
    line_row: int
    line: Line
    creative: Creative
    price_micros: int
    bid_micros: int
    ecpm_micros: int
    runner_up_micros: int
    reserve_micros: int
    p_view: float
    p_click: float
    p_billed: float
    propensity: float
    displaced_micros: float
    viewer_micros: float
    p_reached: float
    lease_id: int


class Insertion(msgspec.Struct, frozen=True, gc=False):
    """What was decided for a page, by the index of a version.

    `exact` is False where more lines vetoed one another than could be compared: then the page
    holds fewer ads than it might. `searched` tells that sets of ads had to be looked at.
    """

    placements: tuple[Placement, ...]
    version: int
    reason: Reason
    exact: bool = True
    searched: bool = False


class _Room(threading.local):
    """What decisions of one thread work in, used again by each."""

    def __init__(self) -> None:
        self._size = -1, -1
        self._room: tuple[Scratch, auction.Desk]

    def of(self, index: Index) -> tuple[Scratch, auction.Desk]:
        """Return room for an index."""
        size = len(index), index.vetoes.count
        if self._size != size:
            self._room = scratch(*size), auction.desk(len(index))
            self._size = size
        return self._room


_ROOM = _Room()


class _Late(Exception):
    """The deadline has passed."""


def decide(  # noqa: PLR0913, PLR0917 - all that a decision rests on
    index: Index,
    viewer: Viewer,
    page: Sequence[Slot],
    holds: Holds,
    rules: Rules,
    now_ms: int,
    seed: int,
) -> Insertion:
    """Decide which ads stand on a page, and hold their prices; the same again by the same seed."""
    late_ns = time.perf_counter_ns() + 1000 * rules.deadline_us
    try:
        return _decided(index, viewer, page[:PAGE_MAX], holds, rules, now_ms, seed, late_ns)
    except _Late:
        return Insertion((), index.version, "late")
    except Exception:
        # The feed is never without its page because of an ad.
        logger.exception("an ad decision failed")
        return Insertion((), index.version, "error")


def _decided(  # noqa: PLR0913, PLR0917 - all that a decision rests on
    index: Index,
    viewer: Viewer,
    page: Sequence[Slot],
    holds: Holds,
    rules: Rules,
    now_ms: int,
    seed: int,
    late_ns: int,
) -> Insertion:
    ads = min(
        rules.ads_page_max,
        rules.ads_session_max - viewer.ads_in_session,
        rules.ads_hour_max - viewer.ads_in_hour,
    )
    if ads <= 0:
        return Insertion((), index.version, "load")
    first = max(1, rules.first_position - viewer.videos_in_session)
    if viewer.since_last_ad is not None:
        first = max(first, rules.gap - viewer.since_last_ad)
    if first >= len(page):
        return Insertion((), index.version, "short_page")
    if not len(index):
        return Insertion((), index.version, "no_demand")
    table = index.table
    offers = index.outside.offers(viewer, table.bid, table.creatives) if index.outside else ()
    if offers:
        table = table._replace(bid=bidding(table.bid, offers))
    moment = _moment(index, viewer, page, rules, now_ms, seed, first, ads, offers)
    return _Sale(index, table, moment, rules, holds, now_ms, late_ns, offers).held()


def _moment(  # noqa: PLR0913, PLR0917 - all that a decision rests on
    index: Index,
    viewer: Viewer,
    page: Sequence[Slot],
    rules: Rules,
    now_ms: int,
    seed: int,
    first: int,
    ads: int,
    offers: Sequence[Offer],
) -> Moment:
    targeted, some, never = index.columns.of(viewer, rules.adult_categories)
    left_out, closed, tired = index.caps.reached(viewer.shown_ms, now_ms)
    if viewer.hidden_advertisers:
        left_out += index.columns.hidden(viewer)
    for offer in offers:
        closed += offer.closed
    floor = index.floor(
        (rules.reserve_cpm_micros, rules.reserve_cpv_micros, rules.reserve_cpc_micros)
    )
    mood = index.mood(viewer)
    return Moment(
        targeted,
        some,
        never,
        _numbers(left_out),
        _numbers(closed),
        _numbers(tired),
        # Outside bids are by the thousand alone.
        index.outside.running(index.flights.live(now_ms), offers, rules.reserve_cpm_micros),
        floor.words,
        floor.reserves,
        mood.terms,
        mood.rise,
        index.vetoes.read(page),
        np.array([slot.worth for slot in page], np.float64),
        first,
        rules.gap,
        ads,
        float(rules.ad_cost_micros),
        float(rules.worth_micros),
        np.uint64(seed & _SEED_MASK),
        float(rules.explore),
    )


class _Sale:
    """The auction of one page, and the money for it."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a decision rests on
        self,
        index: Index,
        table: Table,
        moment: Moment,
        rules: Rules,
        holds: Holds,
        now_ms: int,
        late_ns: int,
        offers: Sequence[Offer],
    ) -> None:
        self._index = index
        self._table = table
        self._bids = {offer.row: offer.bid_micros for offer in offers}
        self._moment = moment
        self._reserves: Mapping[Kind, int] = {
            "cpm": rules.reserve_cpm_micros,
            "cpv": rules.reserve_cpv_micros,
            "cpc": rules.reserve_cpc_micros,
        }
        self._holds = holds
        self._now_ms = now_ms
        self._late_ns = late_ns
        self._held: dict[int, tuple[int, int]] = {}

    def held(self) -> Insertion:
        """Sell and hold; whoever cannot pay does not take part in another try.

        Nor does then who is known to have nothing: or else many who bid much and have nothing,
        being refused one after the other, would take all the time there is.
        """
        index, moment, refused = self._index, self._moment, list[int]()
        scratch, desk = _ROOM.of(index)
        while True:
            sold, drawn, exact, searched = auction.sell(self._table, moment, scratch, desk)
            self._check_time()
            if sold == auction.NOT_A_NUMBER:
                raise ValueError("the worth of a video is a number")
            if sold == auction.UNSAFE:
                return Insertion((), index.version, "unsafe")
            rows = desk.sold
            rows = rows[:sold] if drawn < 0 else rows[auction.EXPLORED :][:drawn]
            placements, unpaid = self._placed(rows.tolist())
            self._check_time()
            if not unpaid:
                break
            refused += unpaid
            left_out = np.concatenate(
                [self._moment.left_out, np.array(refused, np.int32), self._holds.unfunded()]
            )
            moment = self._moment._replace(left_out=left_out)
        reason: Reason = "sold" if drawn < 0 else "explored"
        if not placements:
            reason = "no_money" if refused else "no_demand"
        return Insertion(tuple(placements), index.version, reason, exact=exact, searched=searched)

    def _placed(self, sold: list[list[float]]) -> tuple[list[Placement], list[int]]:
        """Return what was sold, at its prices, and the rows of what cannot pay them."""
        placements, unpaid = list[Placement](), list[int]()
        index = self._index
        bids, creatives, reach = self._table.bid, self._table.creatives, index.reach
        for place, each in enumerate(sold):
            gap, number, creative, displaced, taken, runner_up, *chances = each
            seen, clicked, billed, propensity = chances
            row, position = int(number), int(gap) + place
            line, bid = index.lines[row], bids.item(row)
            reserve = self._reserves[line.kind]
            bid_micros = self._bids.get(row, line.bid_micros)
            most = min(int(bid), bid_micros)
            reached = reach.item(position)
            micros = price_micros(displaced, taken, reached * billed, reserve, most)
            # What is billed is rare unless it is the impression: then less is at stake.
            lease_id = self._lease(row, micros, 1.0 if line.kind == "cpm" else billed)
            if lease_id is None:
                unpaid.append(row)
                continue
            placements.append(
                Placement(
                    position=position,
                    line_row=row,
                    line=line,
                    creative=line.creatives[int(creative) - creatives.item(row)],
                    price_micros=micros,
                    bid_micros=bid_micros,
                    ecpm_micros=int(1000 * bid * billed * reached),
                    runner_up_micros=int(runner_up),
                    reserve_micros=reserve,
                    p_view=seen,
                    p_click=clicked,
                    p_billed=billed,
                    propensity=propensity,
                    displaced_micros=displaced,
                    viewer_micros=taken,
                    p_reached=reached,
                    lease_id=lease_id,
                )
            )
        return placements, unpaid

    def _lease(self, row: int, micros: int, probability: float) -> int | None:
        """Hold what an ad may cost; what was held for it in an earlier try still counts."""
        lease_id, held = self._held.get(row, (0, -1))
        if held >= micros:
            return lease_id
        lease = self._holds.hold(row, micros, self._now_ms, probability)
        if lease is not None:
            self._held[row] = lease, micros
        return lease

    def _check_time(self) -> None:
        if time.perf_counter_ns() > self._late_ns:
            raise _Late


def _numbers(found: list[int]) -> Numbers:
    return np.array(found, np.int32) if found else _NONE
