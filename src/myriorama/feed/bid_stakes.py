"""What stands behind a bid elsewhere: whose ads may stand there, and the money for them."""

from dataclasses import dataclass
from uuid import UUID

from ads import opportunity
from ads.holds import NOBODY, Numbers
from ads.lines import Line
from ads.openrtb import BidRequest, Imp
from myriorama.feed.ad_market import ShownCreative, Stall
from myriorama.feed.sealed_bids import TEST_LEASE

_RECENT_BIDS = 1_000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What is the same for all places of a request."""

    request: BidRequest
    stall: Stall
    viewer_id: UUID
    is_known: bool
    currency: str
    now_ms: int


class Stakes:
    """The money for one place: of lines that may stand there, by the chance that they ever pay."""

    def __init__(self, offer: Offer, imp: Imp, p_win: float, *, has_tls: bool) -> None:
        self._offer = offer
        self._imp = imp
        self._p_win = p_win
        self._has_tls = has_tls
        self._blocked = frozenset(each.casefold() for each in offer.request.badv)
        self.is_test = bool(offer.request.test)

    def is_open(self) -> bool:
        """Whether anybody of ours may bid here at all."""
        imp = self._imp
        return (
            imp.video is not None
            and not (imp.pmp and imp.pmp.private_auction)
            and (self._has_tls or not imp.secure)
            and (self._floor() == 0 or imp.bidfloorcur == self._offer.currency)
        )

    def floor_micros(self, duration_ms: int) -> float:
        """Return the least that a thousand showings of so long an ad cost."""
        video = self._imp.video
        per_s = video.mincpmpersec if video else 0.0
        return _MILLION * max(self._imp.bidfloor, per_s * duration_ms / 1000)

    def most(self, line_row: int) -> int:
        """Return what an event of a line costs at most: its bid, as pacing has it now."""
        index = self._offer.stall.index
        return min(int(index.table.bid.item(line_row)), index.lines[line_row].bid_micros)

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Hold what a line has bid, not what it would pay by our prices (`ads.holds.Holds`)."""
        del micros
        stall = self._offer.stall
        if not self._fits(stall.index.lines[line_row]):
            return None
        if self.is_test:
            return TEST_LEASE
        most = self.most(line_row)
        return stall.holds.hold(line_row, most, now_ms, probability * self._p_win)

    def unfunded(self) -> Numbers:
        """Return the lines that have nothing to bid with."""
        return NOBODY if self.is_test else self._offer.stall.holds.unfunded()

    def _floor(self) -> float:
        return self.floor_micros(1000)

    def _fits(self, line: Line) -> bool:
        """Whether each creative of a line may stand here. Who is not known cannot be capped."""
        if line.caps and not self._offer.is_known:
            return False
        return all(
            self._may_show(self._offer.stall.creatives[each.creative_id]) for each in line.creatives
        )

    def _may_show(self, creative: ShownCreative) -> bool:
        video = self._imp.video
        domains = map(opportunity.domain_of, (creative.website, creative.landing_url))
        return (
            video is not None
            and creative.currency == self._offer.currency
            and opportunity.plays(video, creative.duration_ms)
            and not any(opportunity.is_blocked(each, self._blocked) for each in domains)
        )


@dataclass(slots=True)
class Odds:
    """How many of the latest bids have won, as far as this process has heard.

    Billing comes to any of several processes, to each by its share of the bids. It starts from
    where every bid wins: rather too much is held than too little.
    """

    bids: float = 1.0
    wins: float = 1.0

    @property
    def p_win(self) -> float:
        """Return how likely a bid is to win."""
        return min(1.0, self.wins / self.bids)

    def bid(self) -> None:
        """Count a bid; half of what was counted is forgotten now and then."""
        self.bids += 1
        if self.bids > _RECENT_BIDS:
            self.bids, self.wins = self.bids / 2, max(1.0, self.wins / 2)
