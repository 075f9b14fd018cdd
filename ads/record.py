"""What is put on record of the ads of a page: each that was shown, and the auction they came from.

One record a page, as JSON text in the row of its slate. Receipts, explanations, reports and
forecasts are made of it; a sample of auctions is recorded whole, so that they can be held again.
"""

from hashlib import sha256
from uuid import UUID

import msgspec

from ads.insertion import Reason
from ads.lines import Kind
from ads.page import Slot
from ads.rules import Rules
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


def digest_of(rules: Rules) -> str:
    """Return what tells rules from any others."""
    content = msgspec.json.encode(rules, order="deterministic")
    return sha256(content).hexdigest()[:_DIGEST_CHARACTERS]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(AdRecord)
