"""Line items as the auction knows them: what is bid, for whom, how often, and beside what.

Made from the read side by whoever builds an index; all money is in whole micros of the
advertiser's currency.
"""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

import msgspec

Kind = Literal["cpm", "cpv", "cpc"]
"""What is billed: a viewable impression, a view to the end, or a click."""

Scope = Literal["line", "campaign", "advertiser", "creative"]
"""What a frequency cap counts the showings of."""

Tier = Literal["full", "standard", "limited"]
"""What may stand beside an ad: `full` also what is of limited safety, `standard` only what is
safe, `limited` only where two on either side are safe."""

Daypart = tuple[bool, ...]
"""The 168 hours of a week from Monday midnight on, in the line's zone: whether it is shown."""

KINDS: tuple[Kind, ...] = ("cpm", "cpv", "cpc")
TIERS: tuple[Tier, ...] = ("full", "standard", "limited")
HOURS = 168


class Targeting(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Whom a line is for; an empty set means everybody. One interest of several is enough."""

    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    age_bands: frozenset[str] = frozenset()
    interests: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()


class Cap(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """At most `count` showings of its scope to one viewer within any `window_s` seconds."""

    scope: Scope
    count: int
    window_s: int


class Suitability(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What an ad must not stand beside. Keywords are compared without regard to case."""

    tier: Tier = "standard"
    blocked_categories: frozenset[str] = frozenset()
    blocked_authors: frozenset[UUID] = frozenset()
    blocked_keywords: frozenset[str] = frozenset()


class Creative(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A video that a line shows, and where it leads."""

    creative_id: UUID
    video_key: str
    duration_ms: int
    click_url: str
    call_to_action: str = ""
    category: str = ""
    cameo_ids: tuple[UUID, ...] = ()
    ai_label: bool = False


class Line(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A line item that may be shown now.

    `bid_micros` is for one billed event: for a line by the thousand, a thousandth of what the
    thousand are bid. Lines of one `category` compete: a page shows one of them; "" competes with
    nobody. A line with a `bidder`, which is a URL, bids only what is bid there for a viewer, up to
    its own bid.
    """

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    kind: Kind
    bid_micros: int
    creatives: tuple[Creative, ...]
    targeting: Targeting = Targeting()
    caps: tuple[Cap, ...] = ()
    suitability: Suitability = Suitability()
    category: str = ""
    flight_from_ms: int = 0
    flight_until_ms: int = 1 << 62
    daypart: Daypart | None = None
    guaranteed: bool = False
    zone: str = "UTC"
    bidder: str = ""

    def __post_init__(self) -> None:
        """Refuse what no auction could hold.

        Raises:
            ValueError: the bid is not positive, there is no creative, the daypart is not of 168
                hours, or a cap allows less than nothing.
        """
        if not 0 < self.bid_micros < 1 << 53:
            raise ValueError("bid_micros must be positive and below 2^53")
        if not self.creatives:
            raise ValueError("a line needs a creative")
        if self.daypart is not None and len(self.daypart) != HOURS:
            raise ValueError("a daypart has 168 hours")
        if any(cap.count < 0 or cap.window_s <= 0 for cap in self.caps):
            raise ValueError("a cap counts from 0 on, in a window of a second at least")

    def ids_of(self, creative: Creative) -> Mapping[Scope, UUID]:
        """Return what a showing of one of its creatives counts for, by the scopes of caps."""
        return {
            "line": self.line_id,
            "campaign": self.campaign_id,
            "advertiser": self.advertiser_id,
            "creative": creative.creative_id,
        }
