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
from ads.adjacency import PAGE_MAX
from ads.candidates import CANDIDATES_MAX, Found
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


class Awards(NamedTuple):
    """What was sold: candidates, gaps, and what each impression that is come to pays.

    `paid` is for an impression where everybody comes; `runner_up` is what the best one that was
    not shown and could stand there would have brought there, in the same measure.
    """

    candidate: Longs
    gap: Longs
    paid: Floats
    runner_up: Floats


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
    )


def awards() -> Awards:
    """Return room for what is sold on one page."""
    longs = (np.zeros(ADS_MAX, np.int64) for _ in range(2))
    floats = (np.zeros(ADS_MAX) for _ in range(2))
    return Awards(*longs, *floats)


def _sets() -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Return all sets of candidates up to `ADS_MAX`, and each one's without each of its members.

    Within a size they are in colexicographic order: those of the first candidates come first.
    """
    members = np.full((_STATES, ADS_MAX), -1, np.int8)
    without = np.zeros((_STATES, ADS_MAX), np.int32)
    place: dict[tuple[int, ...], int] = {(): 0}
    ordered = [()]
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
    kept: Found,
    size: int,
    ads: int,
    gap: int,
    worths: Floats,
    reach: Floats,
    board: Board,
    out: Awards,
) -> tuple[int, bool]:
    """Sell the gaps of a page of videos of these worths; write what was sold, first gap first.

    Returns:
        How many ads there are, and whether the sets of candidates had to be looked at.
    """
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
            winner = out.candidate[one]
            away = table.advertiser[kept.row[winner]]
            others, without = _relaxed(
                table, kept, size, ads, gap, gaps, length, reach, away, board
            )
            fits = fits and _fit(table, kept, others, board)
            came = reach[out.gap[one] + one]
            out.paid[one] = (without - total) / came + kept.paid[winner]
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
    return sold, best[0, 0]


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
        candidate = board.order[one]
        if not bits.has(kept.gaps[candidate], board.at[one]):
            return False
        for other in range(one):
            if not _apart(table, kept.row[candidate], kept.row[board.order[other]]):
                return False
    return True


@compiled
def _exact(  # noqa: C901, PLR0913, PLR0917 - a loop over arrays takes what it reads
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
    _mark_feasible(table, kept, size, ads, board)
    over, taken = board.over_sets, board.taken
    for ad in range(ads + 1):
        for state in range(_CLASSES[ad], _CLASSES[ad] + _SIZES[size, ad]):
            over[0, state] = 0.0 if ad == 0 else _NEVER
    for video in range(1, length):
        before = max(video - gap, 0)
        is_open = bits.has(gaps, video)
        for ad in range(ads + 1):
            for state in range(_CLASSES[ad], _CLASSES[ad] + _SIZES[size, ad]):
                value, by = over[video - 1, state], -1
                if is_open and board.feasible[state]:
                    for member in range(ad):
                        candidate = _MEMBERS[state, member]
                        if bits.has(kept.gaps[candidate], video):
                            gain = (
                                over[before, _WITHOUT[state, member]]
                                + kept.worth[candidate] * reach[video + ad - 1]
                                - board.cost[ad, video]
                            )
                            if gain > value:
                                value, by = gain, member
                over[video, state] = value
                taken[video, state] = by
    chosen = _best_without(table, kept, size, ads, length, -1, board)
    sold = _traced(chosen, length, gap, board, out)
    total = over[length - 1, chosen]
    for one in range(sold):
        winner = out.candidate[one]
        away = table.advertiser[kept.row[winner]]
        other = _best_without(table, kept, size, ads, length, away, board)
        came = reach[out.gap[one] + one]
        out.paid[one] = (over[length - 1, other] - total) / came + kept.paid[winner]
    return sold


@compiled
def _mark_feasible(table: Table, kept: Found, size: int, ads: int, board: Board) -> None:
    """Write which sets may be on one page."""
    feasible = board.feasible
    feasible[0] = True
    for ad in range(1, ads + 1):
        for state in range(_CLASSES[ad], _CLASSES[ad] + _SIZES[size, ad]):
            fits = feasible[_WITHOUT[state, ad - 1]]
            last = kept.row[_MEMBERS[state, ad - 1]]
            for member in range(ad - 1):
                fits = fits and _apart(table, kept.row[_MEMBERS[state, member]], last)
            feasible[state] = fits


@compiled
def _best_without(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, kept: Found, size: int, ads: int, length: int, away: int, board: Board
) -> int:
    """Return the best set of a whole page that has no candidate of the advertiser `away`."""
    chosen = 0
    for ad in range(1, ads + 1):
        for state in range(_CLASSES[ad], _CLASSES[ad] + _SIZES[size, ad]):
            if board.over_sets[length - 1, state] > board.over_sets[length - 1, chosen]:
                there = False
                for member in range(ad):
                    row = kept.row[_MEMBERS[state, member]]
                    there = there or table.advertiser[row] == away
                if not there:
                    chosen = state
    return chosen


@compiled
def _traced(chosen: int, length: int, gap: int, board: Board, out: Awards) -> int:
    """Write the candidates of a set into the gaps in which they bring the best sum."""
    sold = 0
    for member in range(ADS_MAX):
        sold += _MEMBERS[chosen, member] >= 0
    video, left, state = length - 1, sold, chosen
    while left > 0:
        by = board.taken[video, state]
        if by < 0:
            video -= 1
            continue
        left -= 1
        out.candidate[left] = _MEMBERS[state, by]
        out.gap[left] = video
        state = _WITHOUT[state, by]
        video = max(video - gap, 0)
    return sold


@compiled
def _runners_up(
    table: Table, kept: Found, size: int, sold: int, out: Awards
) -> None:
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
            if not shown and bits.has(kept.gaps[candidate], out.gap[one]):
                out.runner_up[one] = max(out.runner_up[one], kept.paid[candidate])
