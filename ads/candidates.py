"""The candidates: of all lines that may be shown, the few without which no page would be better.

A line is left out only where others that are worth more could stand wherever it could, whatever
else is on the page and whichever advertiser is taken away to find a price. So what is best among
the candidates is best among all.
"""

from typing import NamedTuple

import numpy as np

from ads import bits
from ads.adjacency import PAGE_MAX
from ads.chance import hashed
from ads.compiled import compiled
from ads.index import Floats, Numbers, Table
from ads.moment import Moment, Scratch, chance_of, creative_of, gaps_of

TOP = 24
"""So many of the best are looked at in one pass through the rows."""

CANDIDATES_MAX = 32
"""How many candidates can be compared; a page that needs more is decided for fewer ads."""

PASSES_MAX = 8


class Found(NamedTuple):
    """Lines and what they are worth where everybody comes, in room that is used again.

    `worth` is what an impression brings beyond its reserve and its cost, `paid` what it would pay
    at most, `chance` how likely the billed event is, `seen` how likely an impression is viewable.
    """

    row: Numbers
    creative: Numbers
    worth: Floats
    paid: Floats
    chance: Floats
    seen: Floats
    tie: bits.Words
    gaps: bits.Words


class Served(NamedTuple):
    """How many of those kept, by gap, have a category of their own, and nothing in common."""

    categories: Numbers
    apart: Numbers


def room(size: int) -> Found:
    """Return room for so many lines."""
    return Found(
        row=np.zeros(size, np.int32),
        creative=np.zeros(size, np.int32),
        worth=np.zeros(size),
        paid=np.zeros(size),
        chance=np.zeros(size),
        seen=np.zeros(size),
        tie=np.zeros(size, np.uint64),
        gaps=np.zeros(size, np.uint64),
    )


def served() -> Served:
    """Return room to count by gap."""
    return Served(np.zeros(PAGE_MAX, np.int32), np.zeros(PAGE_MAX, np.int32))


@compiled
def shortlist(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    moment: Moment,
    scratch: Scratch,
    ads: int,
    found: Found,
    kept: Found,
    served: Served,
) -> tuple[int, bool]:
    """Write the candidates of a page of so many ads, the best first, with the gaps they are for.

    Returns:
        How many there are, and whether there is room for all that are needed.
    """
    size = 0
    cut_worth, cut_tie = np.inf, np.uint64(0)
    # The gaps for which a line is still needed.
    needed = _open(table, scratch)
    served.categories[:] = 0
    served.apart[:] = 0
    for _ in range(PASSES_MAX):
        top = nominate(table, moment, scratch, cut_worth, cut_tie, found)
        for at in range(top):
            gaps = found.gaps[at] & needed
            if gaps == 0 or needless(table, kept, size, int(found.row[at]), gaps, ads):
                continue
            if size == CANDIDATES_MAX:
                return size, False
            copy(found, at, kept, size)
            kept.gaps[size] = gaps
            needed &= ~_served(table, kept, size, ads, served)
            size += 1
            if needed == 0:
                return size, True
        if top < TOP:
            return size, True
        cut_worth, cut_tie = found.worth[TOP - 1], found.tie[TOP - 1]
    return size, False


@compiled
def _open(table: Table, scratch: Scratch) -> np.uint64:
    """Return the gaps that any row of those that may be shown has by its tier."""
    union = np.uint64(0)
    for tier in range(scratch.gaps.shape[0]):
        for word in range(scratch.words.shape[0]):
            if scratch.words[word] & table.tiers[tier, word]:
                union |= scratch.gaps[tier]
                break
    return union


@compiled
def nominate(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    moment: Moment,
    scratch: Scratch,
    cut_worth: float,
    cut_tie: np.uint64,
    found: Found,
) -> int:
    """Write the best rows below the cut, the best first; return how many."""
    size = 0
    for word in range(scratch.words.shape[0]):
        left = scratch.words[word]
        while left:
            row = (word << 6) + bits.lowest(left)
            left &= left - np.uint64(1)
            # Rows are in the order of their value: what none of the rest can exceed.
            most = table.value[row] * moment.rise - moment.ad_cost
            if most <= 0.0 or (size == TOP and most < found.worth[TOP - 1]):
                return size
            kind = int(table.kind[row])
            creative = creative_of(table, moment, row)
            seen = chance_of(table, moment, scratch, row, creative, 0)
            chance = seen
            if kind > 0:
                chance *= chance_of(table, moment, scratch, row, creative, kind)
            worth = (table.bid[row] - moment.reserves[kind]) * chance - moment.ad_cost
            if not worth > 0.0 or worth > cut_worth:
                continue
            if size == TOP and worth < found.worth[TOP - 1]:
                continue
            tie = hashed(moment.seed, row)
            if worth == cut_worth and tie >= cut_tie:
                continue
            gaps = gaps_of(table, scratch, row)
            if gaps:
                size = _insert(table, found, size, row, creative, worth, chance, seen, tie, gaps)
    return size


@compiled
def _insert(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it writes
    table: Table,
    found: Found,
    size: int,
    row: int,
    creative: int,
    worth: float,
    chance: float,
    seen: float,
    tie: np.uint64,
    gaps: np.uint64,
) -> int:
    """Keep the rows in order; one that a better one of its kin stands for is left out."""
    at = size
    while at > 0 and (
        found.worth[at - 1] < worth or (found.worth[at - 1] == worth and found.tie[at - 1] < tie)
    ):
        at -= 1
    if at == TOP:
        return size
    for other in range(at):
        kin = found.row[other]
        if (
            table.advertiser[kin] == table.advertiser[row]
            and table.category[kin] == table.category[row]
            and found.gaps[other] & gaps == gaps
        ):
            return size
    last = min(size, TOP - 1)
    for place in range(last, at, -1):
        copy(found, place - 1, found, place)
    found.row[at] = row
    found.creative[at] = creative
    found.worth[at] = worth
    found.paid[at] = table.bid[row] * chance
    found.chance[at] = chance
    found.seen[at] = seen
    found.tie[at] = tie
    found.gaps[at] = gaps
    return last + 1


@compiled
def copy(source: Found, of: int, out: Found, at: int) -> None:
    """Write one line of one room into another."""
    out.row[at] = source.row[of]
    out.creative[at] = source.creative[of]
    out.worth[at] = source.worth[of]
    out.paid[at] = source.paid[of]
    out.chance[at] = source.chance[of]
    out.seen[at] = source.seen[of]
    out.tie[at] = source.tie[of]
    out.gaps[at] = source.gaps[of]


@compiled
def needless(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, kept: Found, size: int, row: int, gaps: np.uint64, ads: int
) -> bool:
    """Return whether kin of those kept stand for a row in these gaps, where each is worth more.

    Another line of its advertiser and category always does. Of its category, no other ad of the
    page is: so two do whose advertisers have no other category, one of which may be away for a
    price; or one more than a page has ads, whatever else their advertisers show.
    """
    kin, alone = 0, 0
    for one in range(size):
        mine = kept.row[one]
        if kept.gaps[one] & gaps != gaps or table.category[mine] != table.category[row]:
            continue
        if table.advertiser[mine] == table.advertiser[row]:
            return True
        is_first = True
        for other in range(one):
            theirs = kept.row[other]
            if (
                kept.gaps[other] & gaps == gaps
                and table.category[theirs] == table.category[row]
                and table.advertiser[theirs] == table.advertiser[mine]
            ):
                is_first = False
        kin += is_first
        alone += is_first and table.alone[mine]
    return bool(alone > 1 or kin > ads)


@compiled
def _served(table: Table, kept: Found, last: int, ads: int, out: Served) -> np.uint64:
    """Return the gaps in which, with the last one, those kept stand for any that is worth less.

    Others take up to `ads - 1` categories and advertisers of a page, and one advertiser more may
    be away for a price: of five categories of advertisers that have no other one is left, or of
    eight lines that have neither an advertiser nor a category in common, on a page of four.
    """
    mine = kept.row[last]
    gaps = kept.gaps[last]
    alone = gaps if table.alone[mine] else np.uint64(0)
    apart = gaps
    for other in range(last):
        theirs = kept.row[other]
        if table.category[mine] == table.category[theirs]:
            apart &= ~kept.gaps[other]
            if table.alone[theirs]:
                alone &= ~kept.gaps[other]
        elif table.advertiser[mine] == table.advertiser[theirs]:
            apart &= ~kept.gaps[other]
    done = np.uint64(0)
    gaps = alone | apart
    while gaps:
        gap = bits.lowest(gaps)
        gaps &= gaps - np.uint64(1)
        out.categories[gap] += bits.has(alone, gap)
        out.apart[gap] += bits.has(apart, gap)
        if out.categories[gap] > ads or out.apart[gap] >= 2 * ads:
            done |= np.uint64(1) << np.uint64(gap)
    return done
