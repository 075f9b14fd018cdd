"""The auction of one page: which candidates, in which gaps, at which price. Exact, to the sum.

Prices are those of Vickrey, Clarke and Groves by advertiser: what the others, the viewer and the
reserve lose by it. Nobody bids against their own lines, and no other bid than the true one pays.
"""

from math import isfinite
from typing import NamedTuple

import numpy as np

from ads import bits
from ads.branching import STEPS_MAX, Board, best_page, board, lay_out
from ads.candidates import CANDIDATES_MAX, Found, Queue, queue, room, shortlist
from ads.chance import uniform
from ads.compiled import borrowing, inner
from ads.index import Floats, Table
from ads.moment import Moment, Scratch, chance_of, creative_of, enter, free_of, gaps_of, leave
from ads.rules import ADS_MAX

CLICK = 2
"""The place of a click among the events."""

GAP, ROW, CREATIVE, DISPLACED, TAKEN, RUNNER_UP, SEEN, CLICKED, BILLED, PROPENSITY = range(10)
"""The columns of what is sold. `DISPLACED` is what the page without this advertiser is worth beyond
its other ads, `TAKEN` what the viewer loses, `RUNNER_UP` what the best one that is not shown and
could stand there would have paid for a billed event; chances are of whoever comes there."""

UNSAFE, NOT_A_NUMBER = -1, -2
"""In place of a count of ads: no gap suits any tier; the worth of a video is not a number."""

EXPLORED = ADS_MAX
"""The row of what is drawn, among those of what is sold."""

_EXPLORE, _ROW, _GAP = range(3)


class Desk(NamedTuple):
    """What one thread works in, used again by every decision; `sold` is what comes of it."""

    queue: Queue
    kept: Found
    board: Board
    sold: Floats


def desk(rows: int) -> Desk:
    """Return what one thread works in, for an index of so many rows."""
    sold = np.zeros((ADS_MAX + 1, PROPENSITY + 1))
    return Desk(queue(rows), room(CANDIDATES_MAX), board(), sold)


@borrowing
def sell(table: Table, moment: Moment, scratch: Scratch, desk: Desk) -> tuple[int, int, bool, bool]:
    """Sell a page to the rows that may be shown, and draw one to explore; write what comes of it.

    Returns:
        How many ads are sold, first gap first, or why none are; how many are drawn, -1 where
        nothing is explored; whether all that was needed could be compared, at least on a page of
        fewer ads; and whether the bound was not enough, so that pages were compared.
    """
    for video in range(moment.worths.shape[0]):
        if not isfinite(moment.worths[video]):
            return NOT_A_NUMBER, -1, True, False
    sold, drawn, exact, searched = UNSAFE, -1, True, False
    if enter(table, moment, scratch):
        drawable = bits.count(scratch.words)
        sold = 0
        if drawable:
            sold, exact, searched = _auction(table, moment, scratch, desk)
            _propensities(table, moment, scratch, drawable, sold, desk.sold)
            if moment.explore > 0.0 and uniform(moment.seed, _EXPLORE) < moment.explore:
                drawn = _explore(table, moment, scratch, drawable, sold, desk.sold)
    leave(moment, scratch)
    return sold, drawn, exact, searched


@inner
def _auction(table: Table, moment: Moment, scratch: Scratch, desk: Desk) -> tuple[int, bool, bool]:
    """Sell the page to the best of all; write everything but propensities."""
    ads = moment.ads
    size, exact = shortlist(table, moment, scratch, ads, desk.queue, desk.kept)
    fits = exact
    while not fits and ads > 1:
        ads -= 1
        size, fits = shortlist(table, moment, scratch, ads, desk.queue, desk.kept)
    sold, steps = -1, 0
    while sold < 0:
        sold, taken = _sell_to(table, moment, size, ads, desk)
        steps += taken
        exact = exact and sold >= 0
        ads -= 1
    kept, out = desk.kept, desk.sold
    for one in range(sold):
        at = int(out[one, ROW])
        row, creative = int(kept.row[at]), int(kept.creative[at])
        out[one, ROW] = row
        out[one, CREATIVE] = creative
        out[one, RUNNER_UP] /= kept.chance[at]
        out[one, SEEN] = kept.seen[at]
        clicked = chance_of(table, moment, scratch, row, creative, CLICK)
        out[one, CLICKED] = kept.seen[at] * clicked
        out[one, BILLED] = kept.chance[at]
    return sold, exact, steps > 0


@inner
def _sell_to(table: Table, moment: Moment, size: int, ads: int, desk: Desk) -> tuple[int, int]:
    """Sell a page to its candidates; write what each ad takes from the others and the viewer.

    Returns:
        How many ads there are, or -1 where it takes too long to know; how many steps it took.
    """
    kept, board, out, reach = desk.kept, desk.board, desk.sold, table.reach
    gaps = lay_out(table, kept, size, moment.gap, moment.worths, moment.worth_micros, reach, board)
    away = np.uint64(0)
    sold, _, steps = best_page(table, kept, size, ads, gaps, reach, away, STEPS_MAX, board)
    for one in range(sold):
        out[one, ROW] = board.best[one]
        out[one, GAP] = board.best_at[one]
    if steps > STEPS_MAX:
        return -1, steps
    for one in range(sold):
        winner = int(out[one, ROW])
        away = np.uint64(0)
        for other in range(size):
            if table.advertiser[kept.row[other]] == table.advertiser[kept.row[winner]]:
                away |= np.uint64(1) << np.uint64(other)
        left = STEPS_MAX - steps
        _, without, taken = best_page(table, kept, size, ads, gaps, reach, away, left, board)
        steps += taken
        if steps > STEPS_MAX:
            return -1, steps
        rest = 0.0
        for other in range(sold):
            if other != one:
                at, gap = int(out[other, ROW]), int(out[other, GAP])
                rest += kept.worth[at] * reach[gap + other] - board.cost[other + 1, gap]
        gap = int(out[one, GAP])
        out[one, DISPLACED] = without - rest
        out[one, TAKEN] = board.cost[one + 1, gap] + moment.ad_cost * reach[gap + one]
    _runners_up(table, kept, size, sold, out)
    return sold, steps


@inner
def _runners_up(table: Table, kept: Found, size: int, sold: int, out: Floats) -> None:
    """Write what the best that is not shown would have brought in each gap that was sold."""
    for one in range(sold):
        out[one, RUNNER_UP] = 0.0
    for candidate in range(size):
        shown = False
        for other in range(sold):
            row = kept.row[int(out[other, ROW])]
            shown = shown or table.advertiser[kept.row[candidate]] == table.advertiser[row]
        if shown:
            continue
        for one in range(sold):
            if bits.has(kept.gaps[candidate], int(out[one, GAP])):
                out[one, RUNNER_UP] = max(out[one, RUNNER_UP], kept.paid[candidate])


@inner
def _propensities(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, scratch: Scratch, drawable: int, sold: int, out: Floats
) -> None:
    """Write how likely what is sold stands where it does: by the auction, or drawn."""
    explore = moment.explore
    for one in range(sold):
        row = int(out[one, ROW])
        drawn = explore / (drawable * bits.size(gaps_of(table, scratch, row)))
        out[one, PROPENSITY] = (1.0 - explore + drawn) / free_of(table, moment, row)


@inner
def _explore(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, scratch: Scratch, drawable: int, sold: int, out: Floats
) -> int:
    """Write one ad drawn among all, in one of its gaps, at its reserve; return whether it has any.

    The auction may have chosen the same: then it stands there either way.
    """
    row = bits.nth(scratch.words, int(uniform(moment.seed, _ROW) * drawable))
    gaps = gaps_of(table, scratch, row)
    count = bits.size(gaps)
    if count == 0:
        return 0
    gap = bits.nth_of(gaps, int(uniform(moment.seed, _GAP) * count))
    creative, kind = creative_of(table, moment, row), int(table.kind[row])
    share = moment.explore / (drawable * count)
    for one in range(sold):
        if int(out[one, ROW]) == row and int(out[one, GAP]) == gap:
            share += 1.0 - moment.explore
    seen = chance_of(table, moment, scratch, row, creative, 0)
    out[EXPLORED, GAP] = gap
    out[EXPLORED, ROW] = row
    out[EXPLORED, CREATIVE] = creative
    out[EXPLORED, DISPLACED] = 0.0
    out[EXPLORED, TAKEN] = 0.0
    out[EXPLORED, RUNNER_UP] = 0.0
    out[EXPLORED, SEEN] = seen
    out[EXPLORED, CLICKED] = seen * chance_of(table, moment, scratch, row, creative, CLICK)
    out[EXPLORED, BILLED] = seen
    if kind:
        out[EXPLORED, BILLED] *= chance_of(table, moment, scratch, row, creative, kind)
    out[EXPLORED, PROPENSITY] = share / free_of(table, moment, row)
    return 1
