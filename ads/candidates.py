"""The candidates: of all lines that may be shown, the few without which no page would be better.

A line is left out only where others that are worth more could stand wherever it could, whatever
else is on the page and whichever advertiser is taken away to find a price. So what is best among
the candidates is best among all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.adjacency import allowed
from ads.calibration import applied
from ads.chance import hashed
from ads.compiled import compiled
from ads.index import Floats, Numbers, Table
from ads.probability import TIRED_MAX

TOP = 24
"""So many of the best are looked at in one pass through the rows."""

CANDIDATES_MAX = 24

_LIMITS = (CANDIDATES_MAX, CANDIDATES_MAX, CANDIDATES_MAX, CANDIDATES_MAX, 18)
"""How many candidates can be compared for a page of 0 to 4 ads before the deadline."""

PASSES_MAX = 8

CLICK = 2
"""The place of a click among the events."""


class Moment(NamedTuple):
    """What a decision knows beside the index: whose page, what is beside, what is charged.

    `most` is how likely at most what each kind is billed for is, whatever the line. `closed` is
    empty where no creative has reached a cap.
    """

    reserves: Floats
    ad_cost: float
    terms: Floats
    tired: Floats
    shown: NDArray[np.uint8]
    closed: bits.Words
    seed: np.uint64
    gaps: bits.Words
    vetoes: bits.Words
    starts: Numbers
    columns: Numbers
    most: Floats


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


@compiled
def creative_of(table: Table, moment: Moment, row: int) -> int:
    """Return the creative that the seed draws for a row, -1 where all have reached their caps."""
    first, last = table.creatives[row], table.creatives[row + 1]
    free = free_of(table, moment, row)
    if free == 0:
        return -1
    if last - first == 1:
        return int(first)
    drawn = int(hashed(moment.seed, row) % np.uint64(free))
    for creative in range(first, last):
        if moment.closed.shape[0] == 0 or not bits.holds(moment.closed, creative):
            if drawn == 0:
                return creative
            drawn -= 1
    return -1


@compiled
def free_of(table: Table, moment: Moment, row: int) -> int:
    """Return how many creatives of a row may be shown."""
    first, last = table.creatives[row], table.creatives[row + 1]
    if moment.closed.shape[0] == 0:
        return int(last - first)
    free = 0
    for creative in range(first, last):
        free += not bits.holds(moment.closed, creative)
    return free


@compiled
def chance_of(table: Table, moment: Moment, row: int, creative: int, event: int) -> float:
    """Return how likely an event is, for this viewer, now."""
    times = min(int(moment.shown[row]), TIRED_MAX)
    logit = table.terms[creative, event] + moment.terms[event] + moment.tired[event, times]
    return applied(table.knots[event], logit)


@compiled
def nominate(  # noqa: C901, PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table,
    moment: Moment,
    words: bits.Words,
    cut_worth: float,
    cut_tie: np.uint64,
    found: Found,
) -> tuple[int, int, np.uint64]:
    """Write the best rows below the cut, the best first.

    Returns:
        How many there are; how many rows could be shown at their reserve; the gaps that any of
        them could stand in.
    """
    size, drawable = 0, 0
    union = np.uint64(0)
    for word in range(words.shape[0]):
        left = words[word]
        while left:
            row = (word << 6) + bits.lowest(left)
            left &= left - np.uint64(1)
            kind = int(table.kind[row])
            gaps = moment.gaps[int(table.tier[row])]
            over = table.bid[row] - moment.reserves[kind]
            if gaps == 0 or over < 0.0:
                continue
            if moment.closed.shape[0] and free_of(table, moment, row) == 0:
                continue
            drawable += 1
            union |= gaps
            most = over * moment.most[kind] - moment.ad_cost
            if most <= 0.0 or (size == TOP and most < found.worth[TOP - 1]):
                continue
            creative = creative_of(table, moment, row)
            seen = chance_of(table, moment, row, creative, 0)
            chance = seen
            if kind > 0:
                chance *= chance_of(table, moment, row, creative, kind)
            worth = over * chance - moment.ad_cost
            if not worth > 0.0 or worth > cut_worth:
                continue
            if size == TOP and worth < found.worth[TOP - 1]:
                continue
            tie = hashed(moment.seed, row)
            if worth == cut_worth and tie >= cut_tie:
                continue
            gaps = allowed(gaps, moment.vetoes, moment.starts, moment.columns, row)
            if gaps:
                size = _insert(table, found, size, row, creative, worth, chance, seen, tie, gaps)
    return size, drawable, union


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
def served(table: Table, kept: Found, size: int, gap: int, ads: int) -> bool:
    """Return whether those kept stand in a gap for any line that is worth less.

    Others take up to `ads - 1` categories and advertisers of a page, and one advertiser more may
    be away for a price: of five categories of advertisers that have no other one is left, or of
    eight lines that have neither an advertiser nor a category in common, on a page of four.
    """
    categories, apart = 0, 0
    for one in range(size):
        if not bits.has(kept.gaps[one], gap):
            continue
        mine = kept.row[one]
        first_alone, distinct = table.alone[mine], True
        for other in range(one):
            if not bits.has(kept.gaps[other], gap):
                continue
            theirs = kept.row[other]
            same_category = table.category[mine] == table.category[theirs]
            if same_category and table.alone[theirs]:
                first_alone = False
            if same_category or table.advertiser[mine] == table.advertiser[theirs]:
                distinct = False
        categories += first_alone
        apart += distinct
    return bool(categories > ads or apart >= 2 * ads)


@compiled
def shortlist(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, words: bits.Words, ads: int, found: Found, kept: Found
) -> tuple[int, int, bool]:
    """Write the candidates of a page of so many ads, the best first, with the gaps they are for.

    Returns:
        How many there are; how many rows could be shown at their reserve; whether there is room
        for all that are needed.
    """
    size, drawable = 0, 0
    cut_worth, cut_tie = np.inf, np.uint64(0)
    # The gaps for which no further line is needed.
    done = np.uint64(0)
    _bound(table, moment)
    for turn in range(PASSES_MAX):
        top, rows, union = nominate(table, moment, words, cut_worth, cut_tie, found)
        if turn == 0:
            drawable = rows
        for at in range(top):
            gaps = found.gaps[at] & ~done
            if gaps == 0 or needless(table, kept, size, int(found.row[at]), gaps, ads):
                continue
            if size == _LIMITS[ads]:
                return size, drawable, False
            copy(found, at, kept, size)
            kept.gaps[size] = gaps
            size += 1
            while gaps:
                gap = bits.lowest(gaps)
                gaps &= gaps - np.uint64(1)
                if served(table, kept, size, gap, ads):
                    done |= np.uint64(1) << np.uint64(gap)
            if union & ~done == 0:
                return size, drawable, True
        if top < TOP:
            return size, drawable, True
        cut_worth, cut_tie = found.worth[TOP - 1], found.tie[TOP - 1]
    return size, drawable, False


@compiled
def _bound(table: Table, moment: Moment) -> None:
    """Write how likely at most what each kind is billed for is."""
    for event in range(moment.most.shape[0]):
        logit = table.most[event] + moment.terms[event] + moment.tired[event].max()
        moment.most[event] = applied(table.knots[event], logit)
        if event:
            moment.most[event] *= moment.most[0]
