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
from ads.compiled import inner
from ads.index import Floats, Numbers, Table
from ads.moment import Moment, Scratch, chance_of, creative_of, gaps_of

CANDIDATES_MAX = 64
"""How many candidates can be compared; a page that needs more is decided for fewer ads."""


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


class Queue(NamedTuple):
    """The rows that were looked at, and the order in which they come.

    `heap` holds places in `found` of those who wait, `at` and `left` how far the rows have been
    gone through. `categories` and `apart` count by gap how many of those kept have a category of
    their own, and nothing in common.
    """

    found: Found
    heap: Numbers
    at: Numbers
    left: bits.Words
    categories: Numbers
    apart: Numbers


_WORD, _WAITING, _FILLED = range(3)


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


def queue(rows: int) -> Queue:
    """Return room for the rows of an index to wait in."""
    return Queue(
        found=room(rows),
        heap=np.zeros(rows, np.int32),
        at=np.zeros(3, np.int32),
        left=np.zeros(1, np.uint64),
        categories=np.zeros(PAGE_MAX, np.int32),
        apart=np.zeros(PAGE_MAX, np.int32),
    )


@inner
def shortlist(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, scratch: Scratch, ads: int, queue: Queue, kept: Found
) -> tuple[int, bool]:
    """Write the candidates of a page of so many ads, the best first, with the gaps they are for.

    Returns:
        How many there are, and whether there is room for all that are needed.
    """
    size, found = 0, queue.found
    # The gaps for which a line is still needed.
    needed = _open(table, scratch)
    queue.categories[:] = 0
    queue.apart[:] = 0
    _rewind(queue)
    while needed:
        best = _next(table, moment, scratch, queue)
        if best < 0:
            break
        gaps = found.gaps[best] & needed
        if gaps == 0 or needless(table, kept, size, int(found.row[best]), gaps, ads):
            continue
        if size == CANDIDATES_MAX:
            return size, False
        _copy(found, best, kept, size)
        kept.gaps[size] = gaps
        needed &= ~_served(table, kept, size, ads, queue)
        size += 1
    return size, True


@inner
def _open(table: Table, scratch: Scratch) -> np.uint64:
    """Return the gaps that any row of those that may be shown has by its tier."""
    union = np.uint64(0)
    for tier in range(scratch.gaps.shape[0]):
        for word in range(scratch.words.shape[0]):
            if scratch.words[word] & table.tiers[tier, word]:
                union |= scratch.gaps[tier]
                break
    return union


@inner
def _rewind(queue: Queue) -> None:
    """Begin with the first row again, and nobody waiting."""
    queue.at[_WORD] = -1
    queue.at[_WAITING] = 0
    queue.at[_FILLED] = 0
    queue.left[0] = 0


@inner
def _next(table: Table, moment: Moment, scratch: Scratch, queue: Queue) -> int:
    """Return the place of the best row that has not been returned yet; -1 after the last one.

    Rows are in the order of their value: one that waits comes next when none of the rest, whoever
    looks, can be worth as much.
    """
    at, found, words = queue.at, queue.found, scratch.words
    while True:
        while queue.left[0] == 0 and at[_WORD] + 1 < words.shape[0]:
            at[_WORD] += 1
            queue.left[0] = words[at[_WORD]]
        if queue.left[0] == 0:
            break
        row = int(at[_WORD] << 6) + bits.lowest(queue.left[0])
        most = table.value[row] * moment.rise - moment.ad_cost
        if most <= 0.0 or (at[_WAITING] and found.worth[queue.heap[0]] > most):
            break
        queue.left[0] &= queue.left[0] - np.uint64(1)
        if _look(table, moment, scratch, row, found, int(at[_FILLED])):
            _push(queue, int(at[_FILLED]))
            at[_FILLED] += 1
    return _pop(queue) if at[_WAITING] else -1


@inner
def _look(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, scratch: Scratch, row: int, found: Found, at: int
) -> bool:
    """Write what a row is worth; return whether that is anything, in any gap."""
    kind, creative = int(table.kind[row]), creative_of(table, moment, row)
    seen = chance_of(table, moment, scratch, row, creative, 0)
    chance = seen
    if kind > 0:
        chance *= chance_of(table, moment, scratch, row, creative, kind)
    worth = (table.bid[row] - moment.reserves[kind]) * chance - moment.ad_cost
    gaps = gaps_of(table, scratch, row)
    if gaps == 0 or not worth > 0.0:
        return False
    found.row[at] = row
    found.creative[at] = creative
    found.worth[at] = worth
    found.paid[at] = table.bid[row] * chance
    found.chance[at] = chance
    found.seen[at] = seen
    found.tie[at] = hashed(moment.seed, row)
    found.gaps[at] = gaps
    return True


@inner
def _before(found: Found, one: int, other: int) -> bool:
    """Return whether one is worth more, or as much and drawn before."""
    if found.worth[one] != found.worth[other]:
        return bool(found.worth[one] > found.worth[other])
    return bool(found.tie[one] > found.tie[other])


@inner
def _push(queue: Queue, one: int) -> None:
    """Let one wait: the best of those who do is the first of the heap."""
    heap, found = queue.heap, queue.found
    place = int(queue.at[_WAITING])
    queue.at[_WAITING] += 1
    while place > 0:
        parent = (place - 1) >> 1
        if not _before(found, one, heap[parent]):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = one


@inner
def _pop(queue: Queue) -> int:
    """Return the best of those who wait, who does no longer."""
    heap, found = queue.heap, queue.found
    queue.at[_WAITING] -= 1
    size = int(queue.at[_WAITING])
    best, last, place = int(heap[0]), int(heap[size]), 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _before(found, heap[child + 1], heap[child]):
            child += 1
        if not _before(found, heap[child], last):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = last
    return best


@inner
def _copy(source: Found, of: int, out: Found, at: int) -> None:
    """Write one line of one room into another."""
    out.row[at] = source.row[of]
    out.creative[at] = source.creative[of]
    out.worth[at] = source.worth[of]
    out.paid[at] = source.paid[of]
    out.chance[at] = source.chance[of]
    out.seen[at] = source.seen[of]
    out.tie[at] = source.tie[of]
    out.gaps[at] = source.gaps[of]


@inner
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


@inner
def _served(table: Table, kept: Found, last: int, ads: int, out: Queue) -> np.uint64:
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
