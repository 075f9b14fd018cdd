"""Outside bidders: lines that bid only for viewers for whom somebody outside has bid for them.

What is bid takes the place of the line's bid in one decision. It is never above it, so the order of
an index, which is by what a showing brings at most, holds as it is.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.lines import Line
from ads.viewer import Viewer

Floats = NDArray[np.float64]


class Offer(NamedTuple):
    """What is bid for one row: in micros for one billed event, before and after pacing.

    `closed` are the creatives of the row that it is not bid for.
    """

    row: int
    bid_micros: int
    paced: float
    closed: Sequence[int]


class Outside:
    """The rows of an index that have a bidder outside."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._rows = {line.line_id: row for row, line in enumerate(lines) if line.bidder}
        self.words = bits.of_rows(self._rows.values(), len(lines))
        self.bidders = {line.line_id: line.bidder for line in lines if line.bidder}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def offers(self, viewer: Viewer, bids: Floats, starts: NDArray[np.int32]) -> Sequence[Offer]:
        """Return what is bid for a viewer; too dear a bid is none, nor is one for another creative.

        `bids` are those of the lines, as paced, and `starts` the first creatives of each row.
        """
        found = list[Offer]()
        for line_id, bid in viewer.outside_bids.items():
            row = self._rows.get(line_id)
            if row is None or not 0 < bid.bid_micros <= self._lines[row].bid_micros:
                continue
            line, first = self._lines[row], starts.item(row)
            ids = [each.creative_id for each in line.creatives]
            if bid.creative_id in ids:
                chosen = ids.index(bid.creative_id)
                closed = [first + place for place in range(len(ids)) if place != chosen]
                paced = bids.item(row) * bid.bid_micros / line.bid_micros
                found.append(Offer(row, bid.bid_micros, paced, closed))
        return found

    def running(self, live: bits.Words, offers: Sequence[Offer], least: float = 0.0) -> bits.Words:
        """Return which of the rows that run now bid: of those with a bidder, what bids enough."""
        if not self._rows:
            return live
        words = live & ~self.words
        for offer in offers:
            if offer.paced >= least:
                place = offer.row >> 6
                words[place] |= live[place] & np.uint64(1 << (offer.row & 63))
        return words


def bidding(bids: Floats, offers: Sequence[Offer]) -> Floats:
    """Return what each row bids for this viewer."""
    if not offers:
        return bids
    changed = bids.copy()
    for offer in offers:
        changed[offer.row] = offer.paced
    return changed
