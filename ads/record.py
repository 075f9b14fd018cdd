"""What is put on record of the ads of a page: each that was shown, and the auction they came from.

One record a page, as JSON text in the row of its slate. Receipts, explanations, reports and
forecasts are made of it; a sample of auctions is recorded whole, so that they can be held again.
"""

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import msgspec

from ads.index import Index
from ads.insertion import Insertion, Placement, Reason
from ads.lines import Kind
from ads.matching import reasons_of
from ads.page import Slot
from ads.rules import Rules
from ads.tokens import AdToken
from ads.viewer import Viewer

_DIGEST_CHARACTERS = 16


class Shown(msgspec.Struct, frozen=True):
    """An ad on a page. `ad_decision_id` is that of its token.

    `position` is its place on the page with its ads, from 0 on; `above` and `below` are the videos
    on either side. `bid_micros` is what the line bids for the billed event, before `multiplier`;
    the other amounts and probabilities are those of `ads.insertion.Placement`. `day` is the ordinal
    of the advertiser's date, `surface` the one of the token. `reasons` tell which targeting the
    viewer matched: "country:DE", "language:de", "age:18+", "interest:dance", "platform:ios", or
    "everybody". `displaced_micros`, `viewer_micros` and `p_reached` are what the price is made of
    (`ads.price`); older records, and those of places elsewhere, have none.
    """

    ad_decision_id: UUID
    position: int
    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    creative_id: UUID
    kind: Kind
    price_micros: int
    bid_micros: int
    multiplier: float
    ecpm_micros: int
    runner_up_micros: int
    reserve_micros: int
    p_view: float
    p_click: float
    p_billed: float
    propensity: float
    lease_id: int
    day: int
    surface: int
    above: UUID | None
    below: UUID | None
    reasons: tuple[str, ...]
    expires_ms: int
    displaced_micros: float | None = None
    viewer_micros: float | None = None
    p_reached: float | None = None

    @classmethod
    def of(  # noqa: PLR0913 - all that is on record
        cls,
        placed: Placement,
        index: Index,
        viewer: Viewer,
        *,
        ad_decision_id: UUID,
        day: int,
        surface: int,
        expires_ms: int,
        beside: tuple[UUID | None, UUID | None] = (None, None),
    ) -> "Shown":
        """Return what is on record of an ad that was placed by this index, before this viewer."""
        line = placed.line
        above, below = beside
        return cls(
            ad_decision_id=ad_decision_id,
            position=placed.position,
            line_id=line.line_id,
            campaign_id=line.campaign_id,
            advertiser_id=line.advertiser_id,
            creative_id=placed.creative.creative_id,
            kind=line.kind,
            price_micros=placed.price_micros,
            bid_micros=placed.bid_micros,
            multiplier=float(index.table.bid[placed.line_row]) / line.bid_micros,
            ecpm_micros=placed.ecpm_micros,
            runner_up_micros=placed.runner_up_micros,
            reserve_micros=placed.reserve_micros,
            p_view=placed.p_view,
            p_click=placed.p_click,
            p_billed=placed.p_billed,
            propensity=placed.propensity,
            lease_id=placed.lease_id,
            day=day,
            surface=surface,
            above=above,
            below=below,
            reasons=reasons_of(line, viewer),
            expires_ms=expires_ms,
            displaced_micros=placed.displaced_micros,
            viewer_micros=placed.viewer_micros,
            p_reached=placed.p_reached,
        )

    @property
    def counts_for(self) -> tuple[int, ...]:
        """Return the numbers of the IDs by which frequency caps count it."""
        ids = (self.line_id, self.campaign_id, self.advertiser_id, self.creative_id)
        return tuple(each.int for each in ids)

    def token(self, pseudonym: int, *, decided_ms: int, duration_ms: int = 0) -> AdToken:
        """Return what proves that it was shown to whoever has this pseudonym."""
        return AdToken(
            decision_id=self.ad_decision_id,
            line_id=self.line_id,
            creative_id=self.creative_id,
            advertiser_id=self.advertiser_id,
            lease_id=self.lease_id,
            kind=self.kind,
            price_micros=self.price_micros,
            viewer=pseudonym,
            position=self.position,
            surface=self.surface,
            decided_ms=decided_ms,
            expires_ms=self.expires_ms,
            day=self.day,
            duration_ms=duration_ms,
        )


class Context(msgspec.Struct, frozen=True):
    """What an auction was held over: with the rules and the index, it is all there was to know."""

    viewer: Viewer
    page: tuple[Slot, ...]


class Auction(msgspec.Struct, frozen=True):
    """How the ads of a page were decided.

    `version` is of the index, `rules` the digest of the rules. `context` is there for a sample of
    pages; `share` is the probability with which this page was to be in it.
    """

    at_ms: int
    version: int
    reason: Reason
    exact: bool
    seed: int
    rules: str
    share: float
    context: Context | None = None

    @classmethod
    def of(  # noqa: PLR0913 - all that is on record
        cls,
        insertion: Insertion,
        *,
        at_ms: int,
        seed: int,
        rules: str,
        share: float,
        context: Context | None = None,
    ) -> "Auction":
        """Return what is on record of a decision."""
        version, reason, exact = insertion.version, insertion.reason, insertion.exact
        return cls(at_ms, version, reason, exact, seed, rules, share, context)


class AdRecord(msgspec.Struct, frozen=True):
    """An auction, and what it put on the page."""

    auction: Auction
    shown: tuple[Shown, ...] = ()

    def encode(self) -> str:
        """Return the record as JSON text."""
        return _ENCODER.encode(self).decode()

    @classmethod
    def decode(cls, text: str | bytes) -> "AdRecord":
        """Read a record; what a newer release added to one is passed over.

        Raises:
            msgspec.DecodeError: this is none.
        """
        return _DECODER.decode(text)


def beside(page: Sequence[Slot], gap: int) -> tuple[UUID | None, UUID | None]:
    """Return the videos above and below a gap of a page: gap 0 is before the first."""
    above = page[gap - 1].video_id if gap else None
    below = page[gap].video_id if gap < len(page) else None
    return above, below


def digest_of(rules: Rules) -> str:
    """Return what tells rules from any others."""
    content = msgspec.json.encode(rules, order="deterministic")
    return sha256(content).hexdigest()[:_DIGEST_CHARACTERS]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(AdRecord)
