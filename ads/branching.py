"""Branching: the best page of a few candidates, found by bounds on what the rest of it can bring.

The k-th ad of a page, in gap q, stands at place q + k - 1. It brings its worth times the reach of
its place, and takes from the viewer what the videos behind it lose by moving down one place. A
bound lets ads stand in any gap, of each category the best: since reach never rises with the place,
the better ones stand first, and a table of gaps, ads, and categories that are used up is all there
is to it. Where its ads may stand, it is the answer; elsewhere, only what it leaves open is tried.
"""

from typing import NamedTuple

import numpy as np

from ads import bits
from ads.adjacency import PAGE_MAX
from ads.candidates import CANDIDATES_MAX, Found
from ads.compiled import inner
from ads.index import Floats, Longs, Table
from ads.rules import ADS_MAX

STEPS_MAX = 20_000
"""So many ads are tried in gaps, for the page and all its prices, before it is given up for one of
fewer ads: half a millisecond. Pages of twenty videos mostly take less than a hundred."""

# Sums of the same numbers in another order differ by less.
_ROUNDING = 1.0 + 1e-12


class Board(NamedTuple):
    """Room to find pages in, used again by every decision of a thread.

    `cost` is by number of ads and video, `bound` by leaders used up, ads placed and open gap. An
    open gap has a video, the first one `after` it that may have an ad too, and those who may stand
    there. A candidate has its rivals, itself among them, and the bit of its category if that is
    among the best ones, whose worth `lead` holds. The other columns are those of a page on its way,
    an ad each; the last two are of the best page so far.
    """

    cost: Floats
    bound: Floats
    video: Longs
    after: Longs
    suited: bits.Words
    rivals: bits.Words
    category: Longs
    lead: Floats
    at: Longs
    left: bits.Words
    banned: bits.Words
    used: Longs
    value: Floats
    chosen: Longs
    best: Longs
    best_at: Longs


def board() -> Board:
    """Return room for the pages of one thread."""
    return Board(
        cost=np.zeros((ADS_MAX + 1, PAGE_MAX)),
        bound=np.zeros((1 << ADS_MAX, ADS_MAX + 1, PAGE_MAX + 1)),
        video=np.zeros(PAGE_MAX, np.int64),
        after=np.zeros(PAGE_MAX, np.int64),
        suited=np.zeros(PAGE_MAX, np.uint64),
        rivals=np.zeros(CANDIDATES_MAX, np.uint64),
        category=np.zeros(CANDIDATES_MAX, np.int64),
        lead=np.zeros(ADS_MAX),
        at=np.zeros(ADS_MAX + 1, np.int64),
        left=np.zeros(ADS_MAX + 1, np.uint64),
        banned=np.zeros(ADS_MAX + 1, np.uint64),
        used=np.zeros(ADS_MAX + 1, np.int64),
        value=np.zeros(ADS_MAX + 1),
        chosen=np.zeros(ADS_MAX + 1, np.int64),
        best=np.zeros(ADS_MAX, np.int64),
        best_at=np.zeros(ADS_MAX, np.int64),
    )


@inner
def lay_out(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    kept: Found,
    size: int,
    gap: int,
    worths: Floats,
    worth_micros: float,
    reach: Floats,
    board: Board,
) -> int:
    """Write costs, open gaps and rivals; return how many gaps are open."""
    length = worths.shape[0]
    for ad in range(1, ADS_MAX + 1):
        behind = 0.0
        for video in range(length - 1, -1, -1):
            worth = max(worths[video], 0.0) * worth_micros
            behind += worth * (reach[video + ad - 1] - reach[video + ad])
            board.cost[ad, video] = behind
    gaps = np.uint64(0)
    for one in range(size):
        gaps |= kept.gaps[one]
    count = 0
    while gaps:
        video = bits.lowest(gaps)
        gaps &= gaps - np.uint64(1)
        suited = np.uint64(0)
        for one in range(size):
            suited |= ((kept.gaps[one] >> np.uint64(video)) & np.uint64(1)) << np.uint64(one)
        board.video[count] = video
        board.suited[count] = suited
        count += 1
    after = 0
    for at in range(count):
        while after < count and board.video[after] < board.video[at] + gap:
            after += 1
        board.after[at] = after
    _set_apart(table, kept, size, board)
    return count


@inner
def _set_apart(table: Table, kept: Found, size: int, board: Board) -> None:
    """Write who may not be on one page with whom."""
    for one in range(size):
        mine, rivals = kept.row[one], np.uint64(0)
        for other in range(size):
            theirs = kept.row[other]
            if (
                table.advertiser[mine] == table.advertiser[theirs]
                or table.category[mine] == table.category[theirs]
            ):
                rivals |= np.uint64(1) << np.uint64(other)
        board.rivals[one] = rivals


@inner
def best_page(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    kept: Found,
    size: int,
    ads: int,
    count: int,
    reach: Floats,
    away: np.uint64,
    steps_max: int,
    board: Board,
) -> tuple[int, float, int]:
    """Find the best page of the candidates that are not away, on a board that is laid out.

    Returns:
        How many ads there are, which stand in `best` and `best_at`; their sum; how many steps
        beyond the bound's own page it took, more than `steps_max` where it was given up.
    """
    leaders = _lead(table, kept, size, ads, away, board)
    _bound(ads, leaders, count, reach, board)
    sold, total = _descend(kept, ads, count, reach, away, board)
    return _branch(kept, ads, count, reach, sold, total, away, steps_max, board)


@inner
def _lead(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, kept: Found, size: int, ads: int, away: np.uint64, board: Board
) -> int:
    """Write the best of each category, for as many as a page has ads; return how many."""
    leaders = 0
    for one in range(size):
        board.category[one] = 0
        if bits.has(away, one):
            continue
        category, known = table.category[kept.row[one]], False
        for other in range(one):
            if not bits.has(away, other) and table.category[kept.row[other]] == category:
                board.category[one] = board.category[other]
                known = True
                break
        if not known and leaders < ads:
            board.category[one] = 1 << leaders
            board.lead[leaders] = kept.worth[one]
            leaders += 1
    return leaders


@inner
def _bound(ads: int, leaders: int, count: int, reach: Floats, board: Board) -> None:
    """Write what is to come at most from each open gap on, for all leaders that may be used up."""
    bound, every = board.bound, (1 << leaders) - 1
    for used in range(every + 1):
        for at in range(count + 1):
            bound[used, ads, at] = 0.0
    # The first gap that each ad may have, behind those before it.
    earliest = board.at
    earliest[0] = 0
    for ad in range(1, ads):
        earliest[ad] = count
        if earliest[ad - 1] < count:
            earliest[ad] = board.after[earliest[ad - 1]]
    for ad in range(ads - 1, -1, -1):
        for used in range(every + 1):
            # No more are used up than ads are placed.
            if bits.size(np.uint64(used)) > ad:
                continue
            free, worth = _next_lead(used, leaders, board)
            most = 0.0
            bound[used, ad, count] = 0.0
            for at in range(count - 1, earliest[ad] - 1, -1):
                video = board.video[at]
                gain = worth * reach[video + ad] - board.cost[ad + 1, video]
                most = max(most, gain + bound[used | free, ad + 1, board.after[at]])
                bound[used, ad, at] = most


@inner
def _next_lead(used: int, leaders: int, board: Board) -> tuple[int, float]:
    """Return the best that is not used up, and its worth; nothing where all are."""
    for leader in range(leaders):
        if not used >> leader & 1:
            return 1 << leader, board.lead[leader]
    return 0, 0.0


@inner
def _descend(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    kept: Found, ads: int, count: int, reach: Floats, away: np.uint64, board: Board
) -> tuple[int, float]:
    """Place ad by ad where the bound stays highest; return how many were best, and their sum."""
    bound = board.bound
    value, used, banned, start = 0.0, 0, away, 0
    sold, total = 0, 0.0
    for ad in range(ads):
        highest, chosen, place, gained = value, -1, 0, 0.0
        for at in range(start, count):
            if value + bound[used, ad, at] <= highest:
                break
            video, after = board.video[at], board.after[at]
            left = board.suited[at] & ~banned
            while left:
                one = bits.lowest(left)
                left &= left - np.uint64(1)
                gain = kept.worth[one] * reach[video + ad] - board.cost[ad + 1, video]
                if value + gain + bound[used, ad + 1, after] <= highest:
                    break
                most = value + gain + bound[used | board.category[one], ad + 1, after]
                if most > highest:
                    highest, chosen, place, gained = most, one, at, gain
        if chosen < 0:
            break
        value += gained
        used |= board.category[chosen]
        banned |= board.rivals[chosen]
        start = board.after[place]
        board.chosen[ad] = chosen
        board.at[ad] = place
        if value > total:
            sold, total = ad + 1, value
    for ad in range(sold):
        board.best[ad] = board.chosen[ad]
        board.best_at[ad] = board.video[board.at[ad]]
    return sold, total


@inner
def _branch(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    kept: Found,
    ads: int,
    count: int,
    reach: Floats,
    sold: int,
    total: float,
    away: np.uint64,
    steps_max: int,
    board: Board,
) -> tuple[int, float, int]:
    """Try whatever the bound does not rule out; return the best page's ads and sum, and steps."""
    bound = board.bound
    ad, steps, beaten = 0, 0, total * _ROUNDING
    _open(0, 0, 0.0, 0, away, count, board)
    while ad >= 0 and steps <= steps_max:
        at, value, used = board.at[ad], board.value[ad], board.used[ad]
        if at == count or value + bound[used, ad, at] <= beaten:
            ad -= 1
            continue
        video, after, left = board.video[at], board.after[at], board.left[ad]
        one, gain = 0, 0.0
        if left:
            one = bits.lowest(left)
            gain = kept.worth[one] * reach[video + ad] - board.cost[ad + 1, video]
        if not left or value + gain + bound[used, ad + 1, after] <= beaten:
            # Nobody else brings more in this gap.
            _open(ad, int(at) + 1, value, used, board.banned[ad], count, board)
            continue
        steps += 1
        board.left[ad] = left & (left - np.uint64(1))
        board.chosen[ad] = one
        if value + gain > total:
            total = value + gain
            beaten = total * _ROUNDING
            sold = ad + 1
            for each in range(sold):
                board.best[each] = board.chosen[each]
                board.best_at[each] = board.video[board.at[each]]
        used |= board.category[one]
        if ad + 1 < ads and value + gain + bound[used, ad + 1, after] > beaten:
            banned = board.banned[ad] | board.rivals[one]
            ad += 1
            _open(ad, int(after), value + gain, used, banned, count, board)
    return sold, total, steps


@inner
def _open(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it writes
    ad: int, at: int, value: float, used: int, banned: np.uint64, count: int, board: Board
) -> None:
    """Go to a gap with the next ad of a page."""
    board.at[ad] = at
    board.value[ad] = value
    board.used[ad] = used
    board.banned[ad] = banned
    if at < count:
        board.left[ad] = board.suited[at] & ~banned
