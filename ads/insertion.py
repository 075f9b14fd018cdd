"""The decision: which ads stand between the videos of a page, and what each would pay.

No I/O, and no error that reaches the feed: whatever goes wrong, or takes too long, the page stays
as it is, and the reason is told. The order of the videos is never changed.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from math import floor
from typing import Literal

import msgspec
import numpy as np

from ads import auction, bits, candidates, targeting
from ads.adjacency import PAGE_MAX, Beside, allowed, gaps_by_tier
from ads.candidates import CANDIDATES_MAX, CLICK, TOP, Moment, chance_of, creative_of, free_of
from ads.chance import uniform
from ads.compiled import compiled
from ads.holds import Holds
from ads.index import Index, Table, close, keep_live
from ads.lines import KINDS, TIERS, Creative, Kind, Line
from ads.page import Slot
from ads.probability import TIRED_MAX
from ads.rules import Rules
from ads.viewer import Viewer

logger = logging.getLogger(__name__)

Reason = Literal[
    "sold", "explored", "load", "short_page", "unsafe", "no_demand", "no_money", "late", "error"
]
"""Why a page has the ads that it has, or none."""

_SEED_MASK = (1 << 64) - 1
_EXPLORE, _ROW, _GAP = range(3)
_NONE = np.zeros(0, np.uint64)


class Placement(msgspec.Struct, frozen=True):
    """An ad of a page.

    `position` is its place on the page with its ads, from 0 on: inserted in order, each lands
    there. `price_micros` is for the billed event and never above the bid. `ecpm_micros` is what a
    thousand such showings are bid; `runner_up_micros` what the best one that is not on the page
    would have paid for the same event at most. `p_view` and `p_click` are of this showing, before
    it is known whether the viewer comes there. `propensity` is how likely this ad was to stand
    here, over the seeds.
    """

    position: int
    line_row: int
    line: Line
    creative: Creative
    price_micros: int
    ecpm_micros: int
    runner_up_micros: int
    reserve_micros: int
    p_view: float
    p_click: float
    p_billed: float
    propensity: float
    lease_id: int


class Insertion(msgspec.Struct, frozen=True):
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
        self.found = candidates.room(TOP)
        self.kept = candidates.room(CANDIDATES_MAX)
        self.board = auction.board()
        self.awards = auction.awards()
        self.gaps = np.zeros(len(TIERS), np.uint64)
        self.shown = np.zeros(0, np.uint8)
        self.most = np.zeros(len(KINDS))


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
    began_ns = time.perf_counter_ns()
    try:
        return _Decision(index, viewer, page, rules, now_ms, seed, began_ns).taken(holds)
    except _Late:
        return Insertion((), index.version, "late")
    except Exception:
        # The feed is never without its page because of an ad.
        logger.exception("an ad decision failed")
        return Insertion((), index.version, "error")


class _Decision:
    """One decision on its way."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a decision rests on
        self,
        index: Index,
        viewer: Viewer,
        page: Sequence[Slot],
        rules: Rules,
        now_ms: int,
        seed: int,
        began_ns: int,
    ) -> None:
        self._index = index
        self._viewer = viewer
        self._page = page[:PAGE_MAX]
        self._rules = rules
        self._now_ms = now_ms
        self._seed = np.uint64(seed & _SEED_MASK)
        self._reserves: Mapping[Kind, int] = {
            "cpm": rules.reserve_cpm_micros,
            "cpv": rules.reserve_cpv_micros,
            "cpc": rules.reserve_cpc_micros,
        }
        self._late_ns = began_ns + 1000 * rules.deadline_us

    def taken(self, holds: Holds) -> Insertion:
        """Decide, and hold; whoever cannot pay does not take part in another try."""
        rules, viewer = self._rules, self._viewer
        ads = min(
            rules.ads_page_max,
            rules.ads_session_max - viewer.ads_in_session,
            rules.ads_hour_max - viewer.ads_in_hour,
        )
        if ads <= 0:
            return self._none("load")
        first = max(1, rules.first_position - viewer.videos_in_session)
        if viewer.since_last_ad is not None:
            first = max(first, rules.gap - viewer.since_last_ad)
        if first >= len(self._page):
            return self._none("short_page")
        if not len(self._index):
            return self._none("no_demand")
        room = _ROOM
        beside = self._index.vetoes.beside(self._page)
        gaps_by_tier(beside.safety, first, room.gaps)
        if not room.gaps.any():
            return self._none("unsafe")
        words, closed = self._rows()
        moment = self._moment(beside, closed)
        tired = self._index.caps.tired(viewer.shown_ms)
        for row, times in tired:
            moment.shown[row] = min(times, TIRED_MAX)
        try:
            return self._sold(moment, words, ads, holds)
        finally:
            for row, _ in tired:
                moment.shown[row] = 0

    def _sold(self, moment: Moment, words: bits.Words, ads: int, holds: Holds) -> Insertion:
        rules, table, room = self._rules, self._index.table, _ROOM
        worths = np.array([slot.worth for slot in self._page])
        if not np.isfinite(worths).all():
            raise ValueError("the worth of a video is a number")
        worths = np.maximum(worths, 0.0) * rules.worth_micros
        held: dict[int, tuple[int, int]] = {}
        explores = rules.explore > 0 and uniform(self._seed, _EXPLORE) < rules.explore
        refused = False
        while True:
            sold, drawable, exact, searched = auction.sell(
                table,
                moment,
                words,
                ads,
                rules.gap,
                worths,
                self._index.reach,
                room.found,
                room.kept,
                room.board,
                room.awards,
            )
            self._check_time()
            placements = self._awarded(sold, drawable)
            if explores and drawable:
                placements = self._explored(moment, words, drawable, placements)
            paid = [self._paid(each, holds, held) for each in placements]
            self._check_time()
            if None not in paid:
                break
            refused = True
            for each, lease in zip(placements, paid, strict=True):
                if lease is None:
                    close(words, np.array([each.line_row], np.int32))
        reason: Reason = "explored" if explores else "sold"
        if not paid:
            reason = "no_money" if refused else "no_demand"
        leased = tuple(
            msgspec.structs.replace(each, lease_id=lease)
            for each, lease in zip(placements, paid, strict=True)
        )
        return Insertion(leased, self._index.version, reason, exact=exact, searched=searched)

    def _paid(self, each: Placement, holds: Holds, held: dict[int, tuple[int, int]]) -> int | None:
        """Hold what a placement may cost; what was held for it in an earlier try still counts."""
        lease_id, micros = held.get(each.line_row, (0, -1))
        if micros >= each.price_micros:
            return lease_id
        lease = holds.hold(each.line_row, each.price_micros, self._now_ms, self._chance(each))
        if lease is not None:
            held[each.line_row] = lease, each.price_micros
        return lease

    @staticmethod
    def _chance(each: Placement) -> float:
        """Return how much of a price is at stake: all of it, unless what is billed is rare."""
        return 1.0 if each.line.kind == "cpm" else each.p_billed

    def _awarded(self, sold: int, drawable: int) -> list[Placement]:
        """Return what the auction sold, at its prices."""
        awards, explore = _ROOM.awards, self._rules.explore
        out = list[Placement]()
        for one in range(sold):
            drawn = explore / (drawable * int(awards.gaps[one]))
            out.append(
                self._placement(
                    int(awards.row[one]),
                    int(awards.creative[one]),
                    position=int(awards.gap[one]) + one,
                    price=float(awards.price[one]),
                    runner_up=float(awards.runner_up[one]),
                    chances=(
                        float(awards.seen[one]),
                        float(awards.clicked[one]),
                        float(awards.billed[one]),
                    ),
                    propensity=(1.0 - explore + drawn) / int(awards.free[one]),
                )
            )
        return out

    def _explored(
        self, moment: Moment, words: bits.Words, drawable: int, sold: list[Placement]
    ) -> list[Placement]:
        """Return one ad drawn among all, in one of its gaps, at its reserve; or none."""
        table, explore = self._index.table, self._rules.explore
        row, creative = _drawn(table, moment, words, int(uniform(self._seed, _ROW) * drawable))
        gaps = _gaps_of(table, moment, row) if row >= 0 else 0
        open_gaps = [gap for gap in range(PAGE_MAX) if gaps >> gap & 1]
        if not open_gaps:
            return []
        gap = open_gaps[int(uniform(self._seed, _GAP) * len(open_gaps))]
        # The auction may have chosen the same: then it stands here either way.
        same = any(
            (each.line_row, each.position - place) == (row, gap) for place, each in enumerate(sold)
        )
        share = explore / (drawable * len(open_gaps)) + (1.0 - explore if same else 0.0)
        kind = int(table.kind[row])
        seen, clicked, billed = (
            float(chance_of(table, moment, row, creative, event)) for event in (0, CLICK, kind)
        )
        return [
            self._placement(
                row,
                creative,
                position=gap,
                price=0.0,
                runner_up=0.0,
                chances=(seen, seen * clicked, seen * billed if kind else seen),
                propensity=share / int(free_of(table, moment, row)),
            )
        ]

    def _placement(  # noqa: PLR0913 - each by its name
        self,
        row: int,
        creative: int,
        *,
        position: int,
        price: float,
        runner_up: float,
        chances: tuple[float, float, float],
        propensity: float,
    ) -> Placement:
        index = self._index
        line = index.lines[row]
        p_view, p_click, p_billed = chances
        bid, reserve = float(index.table.bid[row]), self._reserves[line.kind]
        most = min(int(bid), line.bid_micros)
        return Placement(
            position=position,
            line_row=row,
            line=line,
            creative=line.creatives[creative - int(index.table.creatives[row])],
            price_micros=min(max(floor(price), reserve), most),
            ecpm_micros=int(1000 * bid * p_billed * float(index.reach[position])),
            runner_up_micros=int(runner_up),
            reserve_micros=reserve,
            p_view=p_view,
            p_click=p_click,
            p_billed=p_billed,
            propensity=propensity,
            lease_id=0,
        )

    def _none(self, reason: Reason) -> Insertion:
        return Insertion((), self._index.version, reason)

    def _check_time(self) -> None:
        if time.perf_counter_ns() > self._late_ns:
            raise _Late

    def _rows(self) -> tuple[bits.Words, bits.Words]:
        """Return the rows that may be shown to this viewer now, and the creatives that may not."""
        index = self._index
        rows, creatives = index.caps.reached(self._viewer.shown_ms, self._now_ms)
        rows += index.columns.hidden(self._viewer)
        columns = index.columns.of(self._viewer, self._rules.adult_categories)
        words = np.empty((len(index) + bits.WORD - 1) // bits.WORD, np.uint64)
        targeting.mark(index.columns.matrix, *columns, words)
        if rows:
            close(words, np.array(rows, np.int32))
        keep_live(words, index.table, index.hours(self._now_ms), self._now_ms)
        return words, bits.of_rows(creatives, len(index.table.terms)) if creatives else _NONE

    def _moment(self, beside: Beside, closed: bits.Words) -> Moment:
        index, rules, room = self._index, self._rules, _ROOM
        if len(room.shown) < len(index):
            room.shown = np.zeros(2 * len(index), np.uint8)
        return Moment(
            reserves=np.array([*self._reserves.values()], np.float64),
            ad_cost=float(rules.ad_cost_micros),
            terms=index.moment(self._viewer),
            tired=index.tired,
            shown=room.shown,
            closed=closed,
            seed=self._seed,
            gaps=room.gaps,
            vetoes=index.vetoes.matrix,
            starts=beside.starts,
            columns=beside.columns,
            most=room.most,
        )


@compiled
def _gaps_of(table: Table, moment: Moment, row: int) -> int:
    """Return the gaps that a row may stand in."""
    gaps = moment.gaps[int(table.tier[row])]
    return int(allowed(gaps, moment.vetoes, moment.starts, moment.columns, row))


@compiled
def _drawn(table: Table, moment: Moment, words: bits.Words, number: int) -> tuple[int, int]:
    """Return the row of this number among those that could be shown at their reserve."""
    for word in range(words.shape[0]):
        left = words[word]
        while left:
            row = (word << 6) + bits.lowest(left)
            left &= left - np.uint64(1)
            if moment.gaps[table.tier[row]] == 0:
                continue
            if table.bid[row] < moment.reserves[table.kind[row]]:
                continue
            creative = creative_of(table, moment, row)
            if creative < 0:
                continue
            if number == 0:
                return row, creative
            number -= 1
    return -1, -1
