"""The moment: what a decision knows beside the index, and what a line's chances are in it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.adjacency import PAGE_MAX, gaps_by_tier, near, read
from ads.calibration import applied
from ads.chance import hashed
from ads.compiled import inner
from ads.index import Floats, Numbers, Table, close
from ads.lines import TIERS
from ads.probability import TIRED_MAX
from ads.targeting import mark


class Moment(NamedTuple):
    """Who looks at which page, by the columns and rows of an index; and the rules.

    `targeted` holds columns of targeting: all of which hold, of which one does from `some` on, of
    which none does from `never` on. `left_out` are rows, `closed` creatives that have reached a
    cap, `tired` rows and how often each was shown before. `live` and `dear` are the rows that run
    now, and that bid the reserve. `page` is what `Vetoes.read` returns. `rise` is how much more
    likely at most than on average a billed event is for this viewer.
    """

    targeted: Numbers
    some: int
    never: int
    left_out: Numbers
    closed: Numbers
    tired: Numbers
    live: bits.Words
    dear: bits.Words
    reserves: Floats
    terms: Floats
    rise: float
    page: Numbers
    worths: Floats
    first: int
    gap: int
    ads: int
    ad_cost: float
    worth_micros: float
    seed: np.uint64
    explore: float


class Scratch(NamedTuple):
    """What a decision works out of the moment, in room that is used again.

    `words` are the rows that may be shown, `shown` how often each was before
    (`TIRED_MAX` times at most), `beside` the videos
    of each column of vetoes, `safety` that of each video, `gaps` those of each tier. Between
    decisions `shown` and `beside` are all zeros.
    """

    words: bits.Words
    shown: NDArray[np.uint8]
    beside: bits.Words
    safety: NDArray[np.int8]
    gaps: bits.Words


def scratch(rows: int, columns: int) -> Scratch:
    """Return room for an index of so many rows, and columns of vetoes."""
    return Scratch(
        words=np.zeros((rows + bits.WORD - 1) // bits.WORD, np.uint64),
        shown=np.zeros(rows, np.uint8),
        beside=np.zeros(columns, np.uint64),
        safety=np.zeros(PAGE_MAX, np.int8),
        gaps=np.zeros(len(TIERS), np.uint64),
    )


@inner
def enter(table: Table, moment: Moment, out: Scratch) -> bool:
    """Work out which rows may be shown in which gaps; return whether there is any gap."""
    gaps_by_tier(out.safety, read(moment.page, out.beside, out.safety), moment.first, out.gaps)
    for place in range(0, moment.tired.shape[0], 2):
        out.shown[moment.tired[place]] = min(moment.tired[place + 1], TIRED_MAX)
    mark(table.targets, moment.targeted, moment.some, moment.never, out.words)
    for word in range(moment.live.shape[0]):
        suited = np.uint64(0)
        for tier in range(out.gaps.shape[0]):
            if out.gaps[tier]:
                suited |= table.tiers[tier, word]
        out.words[word] &= moment.live[word] & moment.dear[word] & suited
    close(out.words, moment.left_out)
    for place in range(moment.closed.shape[0]):
        row = int(table.owner[moment.closed[place]])
        if free_of(table, moment, row) == 0:
            out.words[row >> 6] &= ~(np.uint64(1) << np.uint64(row & 63))
    return bool(out.gaps[0] | out.gaps[1] | out.gaps[2])


@inner
def leave(moment: Moment, out: Scratch) -> None:
    """Leave the room as it was found."""
    for place in range(0, moment.tired.shape[0], 2):
        out.shown[moment.tired[place]] = 0
    for place in range(moment.page.shape[0]):
        if moment.page[place] >= 0:
            out.beside[moment.page[place]] = 0


@inner
def gaps_of(table: Table, out: Scratch, row: int) -> np.uint64:
    """Return the gaps that a row may stand in."""
    vetoed = np.uint64(0)
    first, last = table.blocks[row], table.blocks[row + 1]
    if first < last:
        vetoed = near(out.beside, table.blocked, first, last)
    return np.uint64(out.gaps[table.tier[row]] & ~vetoed)


@inner
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
        if not _is_closed(moment, creative):
            if drawn == 0:
                return creative
            drawn -= 1
    return -1


@inner
def free_of(table: Table, moment: Moment, row: int) -> int:
    """Return how many creatives of a row may be shown."""
    first, last = table.creatives[row], table.creatives[row + 1]
    free = int(last - first)
    if moment.closed.shape[0]:
        for creative in range(first, last):
            free -= _is_closed(moment, creative)
    return free


@inner
def _is_closed(moment: Moment, creative: int) -> bool:
    found = False
    for place in range(moment.closed.shape[0]):
        found |= moment.closed[place] == creative
    return bool(found)


@inner
def chance_of(  # noqa: PLR0913, PLR0917 - a loop over arrays takes what it reads
    table: Table, moment: Moment, out: Scratch, row: int, creative: int, event: int
) -> float:
    """Return how likely an event is, for this viewer, now."""
    tired = table.tired[event, out.shown[row]]
    logit = table.terms[creative, event] + moment.terms[event] + tired
    return applied(table.knots[event], logit)
