"""The viewer as a decision knows them: a pseudonym, what may be targeted, and what was shown."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

Shown = Mapping[int, tuple[int, ...]]
"""When ads were shown, in ms, the earliest first: of a line, a campaign, an advertiser, a creative,
by the number of its ID (`UUID.int`, which is hashed at once). Made by `ads.frequency.shown`."""


class OutsideBid(msgspec.Struct, frozen=True, gc=False):
    """What somebody outside bids to show a viewer one creative of a line, for one billed event."""

    creative_id: UUID
    bid_micros: int


class Viewer(msgspec.Struct, frozen=True):
    """Whoever looks at a page.

    `since_last_ad` is the number of videos since the last ad, of this session; None before the
    first one. `videos_in_session` counts those of earlier pages. Minors, and whoever asks for
    contextual ads, are shown nothing by age or interests. Of an advertiser or a category that
    the viewer has hidden, nothing is shown. `outside_bids` are by the IDs of lines.
    """

    pseudonym: int
    country: str = ""
    language: str = ""
    age_band: str = ""
    interests: frozenset[str] = frozenset()
    platform: str = ""
    is_minor: bool = False
    shown_ms: Shown = {}
    since_last_ad: int | None = None
    videos_in_session: int = 0
    ads_in_session: int = 0
    ads_in_hour: int = 0
    contextual_only: bool = False
    hidden_advertisers: frozenset[UUID] = frozenset()
    hidden_categories: frozenset[str] = frozenset()
    outside_bids: Mapping[UUID, OutsideBid] = {}
