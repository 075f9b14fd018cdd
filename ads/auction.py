"""The auction of one page: which candidates, in which gaps, at which price. Exact, to the sum.

The k-th ad of a page, in gap q, stands at place q + k - 1. It brings its worth times the reach of
its place, and takes from the viewer what the videos behind it lose by moving down one place. The
best sum is found by a dynamic programme over gaps and ads; where its ads may not stand there, or
not on one page, by another one over gaps and sets of candidates, which knows every veto.

Prices are those of Vickrey, Clarke and Groves by advertiser: what the others, the viewer and the
reserve lose by it. Nobody bids against their own lines, and no other bid than the true one pays.
"""

from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.adjacency import PAGE_MAX, allowed
from ads.candidates import (
    CANDIDATES_MAX,
    CLICK,
    Found,
    Moment,
    chance_of,
    free_of,
    shortlist,
)
from ads.compiled import compiled
from ads.index import Floats, Longs, Table
from ads.rules import ADS_MAX

_CLASSES = np.cumsum([0, *(comb(CANDIDATES_MAX, size) for size in range(ADS_MAX + 1))])
_STATES = int(_CLASSES[-1])
_NEVER = -np.inf


class Board(NamedTuple):
    """Room for the programmes of one thread, used again by every decision."""

    best: Floats
    order: Longs
    at: Longs
    over_sets: Floats
    taken: NDArray[np.int8]
    cost: Floats
    feasible: NDArray[np.bool_]
    states: Longs
    sizes: Longs
    open: Longs


class Awards(NamedTuple):
    """What was sold: which candidate of which row and creative, in which gap.

    `price` is for a billed event, `runner_up` what the best one that was not shown and could stand
    there would have paid for it. `seen`, `clicked` and `billed` are how likely it is to be seen,
    clicked and billed by whoever comes there; `gaps` and `free` in how many gaps the line could
    stand, by how many creatives.
    """

    candidate: Longs
    gap: Longs
    row: Longs
    creative: Longs
    price: Floats
    runner_up: Floats
    seen: Floats
    clicked: Floats
    billed: Floats
    gaps: Longs
    free: Longs


def board() -> Board:
    """Return room for the programmes of one thread."""
    return Board(
        best=np.zeros((PAGE_MAX + 1, ADS_MAX + 1)),
        order=np.zeros(ADS_MAX, np.int64),
        at=np.zeros(ADS_MAX, np.int64),
        over_sets=np.zeros((PAGE_MAX + 1, _STATES)),
        taken=np.zeros((PAGE_MAX + 1, _STATES), np.int8),
        cost=np.zeros((ADS_MAX + 1, PAGE_MAX + 1)),
        feasible=np.zeros(_STATES, np.bool_),
        states=np.zeros(_STATES, np.int64),
        sizes=np.zeros(_STATES, np.int64),
        open=np.zeros(PAGE_MAX + 1, np.int64),
    )


def awards() -> Awards:
    """Return room for what is sold on one page."""
    return Awards(
        candidate=np.zeros(ADS_MAX, np.int64),
        gap=np.zeros(ADS_MAX, np.int64),
        row=np.zeros(ADS_MAX, np.int64),
        creative=np.zeros(ADS_MAX, np.int64),
        price=np.zeros(ADS_MAX),
        runner_up=np.zeros(ADS_MAX),
        seen=np.zeros(ADS_MAX),
        clicked=np.zeros(ADS_MAX),
        billed=np.zeros(ADS_MAX),
        gaps=np.zeros(ADS_MAX, np.int64),
        free=np.zeros(ADS_MAX, np.int64),
    )


def _sets() -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Return all sets of candidates up to `ADS_MAX`, and each one's without each of its members.

    Within a size they are in colexicographic order: those of the first candidates come first.
    """
    members = np.full((_STATES, ADS_MAX), -1, np.int8)
    without = np.zeros((_STATES, ADS_MAX), np.int32)
    place: dict[tuple[int, ...], int] = {(): 0}
    ordered: list[tuple[int, ...]] = [()]
    state = 1
    for size in range(1, ADS_MAX + 1):
        larger = [
            (*each, last)
            for each in (each for each in ordered if len(each) == size - 1)
            for last in range((each[-1] if each else -1) + 1, CANDIDATES_MAX)
        ]
        for each in sorted(larger, key=lambda chosen: chosen[::-1]):
            place[each] = state
            members[state, :size] = each
            for out in range(size):
                without[state, out] = place[each[:out] + each[out + 1 :]]
            ordered.append(each)
            state += 1
    return members, without


_MEMBERS, _WITHOUT = _sets()
_SIZES = np.array(
    [[comb(count, size) for size in range(ADS_MAX + 1)] for count in range(CANDIDATES_MAX + 1)]
)


@compiled
def sell(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    moment: Moment,
    words: bits.Words,
    ads: int,
    gap: int,
    worths: Floats,
    reach: Floats,
    found: Found,
    kept: Found,
    board: Board,
    out: Awards,
) -> tuple[int, int, bool, bool]:
    """Sell a page of videos of these worths to the rows that may be shown; write what was sold.

    Returns:
        How many ads there are, first gap first; how many rows could be shown at their reserve;
        whether all candidates could be compared, at least on a page of fewer ads; and whether
        sets of candidates had to be looked at.
    """
    size, drawable, exact = shortlist(table, moment, words, ads, found, kept)
    fits = exact
    while not fits and ads > 1:
        ads -= 1
        size, drawable, fits = shortlist(table, moment, words, ads, found, kept)
    sold, searched = sell_to(table, kept, size, ads, gap, worths, reach, board, out)
    for one in range(sold):
        at = int(out.candidate[one])
        row, creative = int(kept.row[at]), int(kept.creative[at])
        out.row[one] = row
        out.creative[one] = creative
        out.price[one] /= kept.chance[at]
        out.runner_up[one] /= kept.chance[at]
        out.seen[one] = kept.seen[at]
        out.clicked[one] = kept.seen[at] * chance_of(table, moment, row, creative, CLICK)
        out.billed[one] = kept.chance[at]
        gaps = moment.gaps[int(table.tier[row])]
        out.gaps[one] = bits.count(allowed(gaps, moment.vetoes, moment.starts, moment.columns, row))
        out.free[one] = free_of(table, moment, row)
    return sold, drawable, exact, searched


@compiled
def sell_to(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    kept: Found,
    size: int,
    ads: int,
    gap: int,
    worths: Floats,
    reach: Floats,
    board: Board,
    out: Awards,
) -> tuple[int, bool]:
    """Sell a page to its candidates; write what an impression pays where everybody comes."""
    _costs(worths, reach, ads, board)
    gaps = np.uint64(0)
    for one in range(size):
        gaps |= kept.gaps[one]
    if gaps == 0:
        return 0, False
    length = worths.shape[0]
    sold, total = _relaxed(table, kept, size, ads, gap, gaps, length, reach, -1, board)
    fits = _fit(table, kept, sold, board)
    if fits:
        out.candidate[:sold] = board.order[:sold]
        out.gap[:sold] = board.at[:sold]
        for one in range(sold):
            winner = int(out.candidate[one])
            away = int(table.advertiser[kept.row[winner]])
            others, without = _relaxed(
                table, kept, size, ads, gap, gaps, length, reach, away, board
            )
            fits = fits and _fit(table, kept, others, board)
            came = reach[out.gap[one] + one]
            out.price[one] = (without - total) / came + kept.paid[winner]
    if not fits:
        sold = _exact(table, kept, size, ads, gap, gaps, length, reach, board, out)
    _runners_up(table, kept, size, sold, out)
    return sold, not fits


@compiled
def _costs(worths: Floats, reach: Floats, ads: int, board: Board) -> None:
    """Write what the k-th ad in each gap takes from the viewer: what is behind it moves down."""
    for ad in range(1, ads + 1):
        behind = 0.0
        for video in range(worths.shape[0] - 1, -1, -1):
            behind += worths[video] * (reach[video + ad - 1] - reach[video + ad])
            board.cost[ad, video] = behind


@compiled
def _relaxed(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    kept: Found,
    size: int,
    ads: int,
    gap: int,
    gaps: np.uint64,
    length: int,
    reach: Floats,
    away: int,
    board: Board,
) -> tuple[int, float]:
    """Sell as if every candidate could stand in every gap, beside every other one.

    Then the better ones stand first, since reach never rises. Those of the advertiser `away` do
    not take part.
    """
    order = board.order
    count = 0
    for one in range(size):
        if count < ads and table.advertiser[kept.row[one]] != away:
            order[count] = one
            count += 1
    best = board.best
    for ad in range(count + 1):
        best[length, ad] = 0.0
    for video in range(length - 1, -1, -1):
        for ad in range(count + 1):
            best[video, ad] = best[video + 1, ad]
        if bits.has(gaps, video):
            further = min(video + gap, length)
            for ad in range(count):
                gain = (
                    kept.worth[order[ad]] * reach[video + ad]
                    - board.cost[ad + 1, video]
                    + best[further, ad + 1]
                )
                best[video, ad] = max(best[video, ad], gain)
    sold, video = 0, 0
    while video < length and sold < count:
        if best[video, sold] != best[video + 1, sold]:
            board.at[sold] = video
            sold += 1
            video += gap
        else:
            video += 1
    return sold, float(best[0, 0])


@compiled
def _apart(table: Table, one: int, other: int) -> bool:
    """Return whether two rows may be on one page."""
    return bool(
        table.advertiser[one] != table.advertiser[other]
        and table.category[one] != table.category[other]
    )


@compiled
def _fit(table: Table, kept: Found, sold: int, board: Board) -> bool:
    """Return whether all that would be sold may stand where it does, on one page."""
    for one in range(sold):
        candidate = int(board.order[one])
        if not bits.has(kept.gaps[candidate], int(board.at[one])):
            return False
        for other in range(one):
            if not _apart(table, int(kept.row[candidate]), int(kept.row[int(board.order[other])])):
                return False
    return True


@compiled
def _exact(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    kept: Found,
    size: int,
    ads: int,
    gap: int,
    gaps: np.uint64,
    length: int,
    reach: Floats,
    board: Board,
    out: Awards,
) -> int:
    """Sell by the best of all sets of candidates that may be on one page, in every gap."""
    count = _list_feasible(table, kept, size, ads, board)
    over, taken = board.over_sets, board.taken
    for each in range(count):
        over[0, board.states[each]] = _NEVER
    over[0, 0] = 0.0
    last = 0
    board.open[0] = -gap
    for video in range(1, length):
        if not bits.has(gaps, video):
            continue
        last += 1
        board.open[last] = video
        before = last - 1
        while board.open[before] + gap > video:
            before -= 1
        for each in range(count):
            state, ad = int(board.states[each]), int(board.sizes[each])
            value, by = over[last - 1, state], -1
            for member in range(ad):
                candidate = int(_MEMBERS[state, member])
                if bits.has(kept.gaps[candidate], video):
                    gain = (
                        over[before, _WITHOUT[state, member]]
                        + kept.worth[candidate] * reach[video + ad - 1]
                        - board.cost[ad, video]
                    )
                    if gain > value:
                        value, by = gain, member
            over[last, state] = value
            taken[last, state] = by
    chosen = _best_without(table, kept, count, last, -1, board)
    sold = _trace(chosen, last, gap, board, out)
    for one in range(sold):
        winner = int(out.candidate[one])
        away = int(table.advertiser[kept.row[winner]])
        other = _best_without(table, kept, count, last, away, board)
        came = reach[out.gap[one] + one]
        out.price[one] = (over[last, other] - over[last, chosen]) / came + kept.paid[winner]
    return sold


@compiled
def _list_feasible(table: Table, kept: Found, size: int, ads: int, board: Board) -> int:
    """Write the sets that may be on one page, the smaller ones first; return how many."""
    feasible = board.feasible
    feasible[0] = True
    board.states[0] = 0
    board.sizes[0] = 0
    count = 1
    for ad in range(1, ads + 1):
        for state in range(_CLASSES[ad], _CLASSES[ad] + _SIZES[size, ad]):
            fits = feasible[_WITHOUT[state, ad - 1]]
            last = int(kept.row[int(_MEMBERS[state, ad - 1])])
            for member in range(ad - 1):
                fits = fits and _apart(table, int(kept.row[int(_MEMBERS[state, member])]), last)
            feasible[state] = fits
            if fits:
                board.states[count] = state
                board.sizes[count] = ad
                count += 1
    return count


@compiled
def _best_without(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, kept: Found, count: int, last: int, away: int, board: Board
) -> int:
    """Return the best set of a whole page that has no candidate of the advertiser `away`."""
    chosen = 0
    for each in range(count):
        state = int(board.states[each])
        if board.over_sets[last, state] > board.over_sets[last, chosen]:
            there = False
            for member in range(board.sizes[each]):
                row = int(kept.row[int(_MEMBERS[state, member])])
                there = there or table.advertiser[row] == away
            if not there:
                chosen = state
    return chosen


@compiled
def _trace(chosen: int, last: int, gap: int, board: Board, out: Awards) -> int:
    """Write the candidates of a set into the gaps in which they bring the best sum."""
    sold = 0
    for member in range(ADS_MAX):
        sold += _MEMBERS[chosen, member] >= 0
    left, state = sold, chosen
    while left > 0:
        by = int(board.taken[last, state])
        if by < 0:
            last -= 1
            continue
        left -= 1
        video = int(board.open[last])
        out.candidate[left] = _MEMBERS[state, by]
        out.gap[left] = video
        state = int(_WITHOUT[state, by])
        while board.open[last] + gap > video:
            last -= 1
    return sold


@compiled
def _runners_up(table: Table, kept: Found, size: int, sold: int, out: Awards) -> None:
    """Write what the best that is not shown would have brought in each gap that was sold."""
    for one in range(sold):
        out.runner_up[one] = 0.0
        for candidate in range(size):
            shown = False
            for other in range(sold):
                if (
                    table.advertiser[kept.row[candidate]]
                    == (table.advertiser[kept.row[out.candidate[other]]])
                ):
                    shown = True
            if not shown and bits.has(kept.gaps[candidate], int(out.gap[one])):
                out.runner_up[one] = max(out.runner_up[one], kept.paid[candidate])
