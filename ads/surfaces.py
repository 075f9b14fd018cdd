"""Where ads are shown: the feeds, by the numbers that tokens, charges and reports know them by."""

from collections.abc import Mapping
from enum import IntEnum


class Surface(IntEnum):
    """A feed, or what is not one. The numbers are stored for good."""

    FOLLOWING = 1
    LATEST = 2
    FOR_YOU = 3
    POPULAR = 4
    EXCHANGE = 5
    """Not a feed: a place in another app, or on a site, won in its own auction."""
    SANDBOX = 6
    """No place at all: a page that was simulated for an advertiser who tries the API."""


SURFACES: Mapping[str, Surface] = {surface.name.lower(): surface for surface in Surface}
"""By the name of the feed's kind."""
